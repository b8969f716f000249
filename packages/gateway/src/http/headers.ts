/** Request headers that steer a call, and what answers say of it in theirs. */
import type { IncomingHttpHeaders } from "node:http"
import type { Dialect } from "@sluice/protocol"
import { readTokenKey } from "../auth/token-key.ts"
import { GatewayError } from "../gateway-error.ts"
import type { Steering } from "../routing/wanted.ts"
import { type OnDisconnect, parseOnDisconnect } from "../streams/on-disconnect.ts"

export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const value = headers["idempotency-key"]
  if (value === undefined) return undefined
  if (typeof value === "string" && value.length >= 1 && value.length <= 255) return value
  throw new GatewayError("invalid_request", "'Idempotency-Key' must have 1 to 255 characters.", {
    param: "Idempotency-Key",
  })
}

export function readOnDisconnect(headers: IncomingHttpHeaders): OnDisconnect | undefined {
  const value = headers["sluice-on-disconnect"]
  if (value === undefined) return undefined
  const setting = parseOnDisconnect(String(value))
  if (setting !== undefined) return setting
  throw new GatewayError(
    "invalid_request",
    "'sluice-on-disconnect' must be cancel, drain:<seconds> or detach.",
    {
      param: "sluice-on-disconnect",
    },
  )
}

/** A caller's request id is taken if it is short and plain, so that it can stand in a log. */
export function readRequestId(headers: IncomingHttpHeaders): string | undefined {
  const value = headers["x-request-id"]
  return typeof value === "string" && /^[\w.:/+=-]{1,128}$/.test(value) ? value : undefined
}

/** r9s' and OpenRouter's headers for routing; a token key's provider wins over the header's. */
export function readSteering(
  headers: IncomingHttpHeaders,
  { name: dialect }: Pick<Dialect, "name">,
): Steering {
  const one = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === "string" && value !== "" ? value : undefined
  }
  const key = readTokenKey(headers)
  const metadata = one("x-openrouter-metadata") ?? one("x-openrouter-experimental-metadata")
  return {
    provider: key?.provider ?? one("x-onr-provider"),
    model: key?.model,
    session: one("x-session-id"),
    metadata: metadata === "enabled",
    told: dialect === "openrouter",
  }
}

/**
 * `sluice-dropped-params`: as many names as a header has room for, and how many more there are. Parts of them are the
 * client's own, whatever it called them.
 */
export function droppedHeader(names: readonly string[]): string {
  const shown: string[] = []
  let length = 0
  for (const name of names) {
    const text = headerText(name, LONGEST_NAME).replaceAll(",", "%2C")
    length += text.length + SEPARATOR.length
    if (length > LONGEST_LIST) break
    shown.push(text)
  }
  const more = names.length - shown.length
  return (more === 0 ? shown : [...shown, `+${more} more`]).join(SEPARATOR)
}

/** In visible ASCII, all else as in a URL; of what is too long the beginning. */
export function headerText(text: string, longest = LONGEST_TEXT): string {
  const written = text
    .slice(0, longest)
    .toWellFormed()
    .replace(/[^!-~]+/g, encodeURIComponent)
  return text.length > longest ? `${written}...` : written
}

/** Far below the 8 KB that proxies give all headers of an answer together. */
const LONGEST_LIST = 2_048
const LONGEST_NAME = 128
const LONGEST_TEXT = 256
const SEPARATOR = ", "
