/** A provider behind HTTP that answers in one of the dialects of the OpenAI family. */
import { createHmac, randomBytes } from "node:crypto"
import { createSseDecoder, type Dialect, SseEventTooLargeError } from "@sluice/protocol"
import { Agent, type Dispatcher } from "undici"
import type { Door } from "./known-provider.ts"
import type { Attempt, AttemptListener, Policy, Provider, ProviderRequest } from "./provider.ts"

export interface HttpProviderOptions {
  readonly name: string
  readonly vendor: string
  readonly dialect: Dialect
  /** What stands before `/chat/completions`. */
  readonly baseUrl: string
  /** None: it takes no credential. */
  readonly credentials: readonly { reveal(): string }[]
  readonly prefill: boolean
  readonly policy: Policy
  readonly door?: Door | undefined
  readonly models?: readonly string[] | undefined
  /** Bytes of one event, and of a whole JSON answer. */
  readonly maxBytes?: number
}

const MAX_BYTES = 16 << 20

/** As many connections as there are calls; our own timers decide when one has taken too long. */
export function createAgent(): Agent {
  return new Agent({
    connections: null,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
  })
}

export function createHttpProvider(options: HttpProviderOptions, agent: Dispatcher): Provider {
  const { name, vendor, dialect, prefill, policy, models, door, credentials } = options
  const { origin, path } = addressOf(options.baseUrl, "/chat/completions", door)
  const maxBytes = options.maxBytes ?? MAX_BYTES

  return {
    name,
    vendor,
    dialect,
    prefill,
    policy,
    credentials: namesOf(credentials),
    ...(models === undefined ? {} : { models }),
    open(asked, listener) {
      const body = JSON.stringify(asked.body)
      const headers: Record<string, string> = {
        "content-type": "application/json",
        accept: asked.stream ? "text/event-stream" : "application/json",
        "accept-encoding": "identity",
        "user-agent": "sluice",
      }
      Object.assign(headers, keyFor(door, credentials[asked.credential]))
      return exchange(agent, { origin, path, method: "POST", headers, body }, listener, asked, maxBytes)
    },
  }
}

export function addressOf(
  baseUrl: string,
  what: "/chat/completions" | "/models",
  door: Door | undefined,
): { origin: string; path: string } {
  const url = new URL(baseUrl.replace(/\/+$/, "") + what)
  const { query } = door ?? {}
  if (query !== undefined && url.pathname.includes(query.under)) url.searchParams.set(query.name, query.value)
  return { origin: url.origin, path: `${url.pathname}${url.search}` }
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

function exchange(
  agent: Dispatcher,
  options: Dispatcher.DispatchOptions,
  listener: AttemptListener,
  asked: ProviderRequest,
  maxBytes: number,
): Attempt {
  let controller: Dispatcher.DispatchController | undefined
  let over = false
  let wantsPause = false
  let connected = false
  let status = 0
  let streams = false
  let pieces: Buffer[] = []
  let size = 0

  const decoder = createSseDecoder({
    maxEventBytes: maxBytes,
    onEvent(event) {
      if (!over) listener.event(event.data)
    },
  })

  function fail(reason: "connect" | "broken" | "too_large", message: string): void {
    if (over) return
    over = true
    listener.failed({ reason, message })
    controller?.abort(new Error(message))
  }

  agent.dispatch(options, {
    onRequestStart(started) {
      controller = started
      if (over) return started.abort(new Error("aborted"))
      connected = true
      listener.connected()
    },
    onResponseStart(_, statusCode, headers) {
      if (over || statusCode < 200) return
      status = statusCode
      const contentType = String(headers["content-type"] ?? "")
        .split(";", 1)[0]!
        .trim()
        .toLowerCase()
      streams = asked.stream && status === 200 && contentType === "text/event-stream"
      listener.answered(status, { contentType, retryAfter: readRetryAfter(headers["retry-after"]) })
      if (wantsPause) controller?.pause()
    },
    onResponseData(_, piece) {
      if (over) return
      if (streams) {
        listener.alive()
        try {
          decoder.push(piece)
        } catch (error) {
          if (!(error instanceof SseEventTooLargeError)) throw error
          fail("too_large", `An event of the provider is larger than ${maxBytes} bytes.`)
        }
        return
      }
      size += piece.length
      if (size > maxBytes) fail("too_large", `The provider's answer is larger than ${maxBytes} bytes.`)
      else pieces.push(piece)
    },
    onResponseEnd() {
      if (over) return
      if (streams) decoder.end()
      over = true
      if (!streams) listener.body(Buffer.concat(pieces).toString("utf8"))
      pieces = []
      listener.ended()
    },
    onResponseError(_, error) {
      if (status === 0 && !connected) fail("connect", `No connection to the provider${codeOf(error)}.`)
      else fail("broken", `The connection to the provider broke${codeOf(error)}.`)
    },
  })

  return {
    pause() {
      wantsPause = true
      controller?.pause()
    },
    resume() {
      wantsPause = false
      controller?.resume()
    },
    abort() {
      if (over) return
      over = true
      controller?.abort(new Error("aborted"))
    },
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  return typeof code === "string" ? ` (${code})` : ""
}

/** Seconds, from a number or an HTTP date. */
function readRetryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== "string") return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1_000)
}
