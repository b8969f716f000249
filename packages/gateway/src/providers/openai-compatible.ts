/** A provider behind HTTP that answers in one of the dialects of the OpenAI family. */
import { createHmac, randomBytes } from "node:crypto"
import type { Dialect } from "@sluice/protocol"
import { ProviderExchange } from "./exchange.ts"
import { type HttpPool, originOf } from "./http/pool.ts"
import { headOf, type RequestHead } from "./http/request.ts"
import type { Door } from "./known-provider.ts"
import type { Policy, Provider } from "./provider.ts"

export interface HttpProviderOptions {
  readonly name: string
  readonly vendor: string
  readonly dialect: Dialect
  /** What stands before `/chat/completions`. */
  readonly baseUrl: string
  /** None: it takes no credential. */
  readonly credentials: readonly { reveal(): string }[]
  readonly prefill: boolean
  /** Its calls may share connections. */
  readonly http2?: boolean
  readonly policy: Policy
  readonly door?: Door | undefined
  readonly models?: readonly string[] | undefined
  /** Bytes of one event, and of a whole JSON answer. */
  readonly maxBytes?: number
}

const MAX_BYTES = 16 << 20

export function createHttpProvider(options: HttpProviderOptions, pool: HttpPool): Provider {
  const { name, vendor, dialect, prefill, policy, models, door, credentials } = options
  const address = addressOf(options.baseUrl, "/chat/completions", door)
  const origin = originOf(address, options.http2)
  const path = `${address.pathname}${address.search}`
  const maxBytes = options.maxBytes ?? MAX_BYTES
  /** By credential. */
  const streamHeads: RequestHead[] = []
  const answerHeads: RequestHead[] = []

  return {
    name,
    vendor,
    dialect,
    prefill,
    policy,
    credentials: namesOf(credentials),
    ...(models === undefined ? {} : { models }),
    open(asked, listener) {
      const { stream, credential } = asked
      const heads = stream ? streamHeads : answerHeads
      heads[credential] ??= headFor(stream, credential)
      const head = heads[credential]
      const exchange = new ProviderExchange(listener, stream, maxBytes)
      return exchange.sent(pool.send(origin, { head, body: JSON.stringify(asked.body) }, exchange))
    },
    warm: () => pool.warm(origin),
  }

  function headFor(stream: boolean, credential: number): RequestHead {
    return headOf("POST", origin.authority, path, {
      "content-type": "application/json",
      accept: stream ? "text/event-stream" : "application/json",
      "accept-encoding": "identity",
      "user-agent": "sluice",
      ...keyFor(door, credentials[credential]),
    })
  }
}

export function addressOf(
  baseUrl: string,
  what: "/chat/completions" | "/models",
  door: Door | undefined,
): URL {
  const url = new URL(baseUrl.replace(/\/+$/, "") + what)
  const { query } = door ?? {}
  if (query !== undefined && url.pathname.includes(query.under)) url.searchParams.set(query.name, query.value)
  return url
}

/** The header that opens the door. */
export function keyFor(
  door: Door | undefined,
  credential: { reveal(): string } | undefined,
): Record<string, string> {
  if (credential === undefined) return {}
  if (door?.header !== undefined) return { [door.header]: credential.reveal() }
  return { authorization: `Bearer ${credential.reveal()}` }
}

/** The same credential has the same name for as long as the process lives, and the name tells nothing of it. */
function namesOf(credentials: HttpProviderOptions["credentials"]): readonly [string, ...string[]] {
  const [first = "none", ...rest] = credentials.map((credential) =>
    createHmac("sha256", PROCESS_SALT).update(credential.reveal()).digest("hex").slice(0, 16),
  )
  return [first, ...rest]
}

const PROCESS_SALT = randomBytes(32)
