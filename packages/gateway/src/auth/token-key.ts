/**
 * r9s' token keys: a key that says more than who asks, `onr:v1?k=<key>&p=<provider>&m=<model>`; `k64` is the key in base64url.
 * `uk` and `uk64`, a provider's own key, are refused: a client's credential never travels to a provider.
 */
import type { IncomingHttpHeaders } from "node:http"
import { GatewayError } from "../gateway-error.ts"

export interface TokenKey {
  /** What is looked up. */
  readonly secret: string
  readonly provider: string | undefined
  /** Asked for whatever the body says. */
  readonly model: string | undefined
}

const PREFIX = "onr:v1?"

/** Undefined: the headers carry no key of this form. */
export function readTokenKey(headers: IncomingHttpHeaders): TokenKey | undefined {
  const presented = presentedKey(headers)
  if (presented === undefined || !presented.startsWith(PREFIX)) return undefined
  const parts = new URLSearchParams(presented.slice(PREFIX.length))
  if (parts.has("uk") || parts.has("uk64")) {
    throw new GatewayError(
      "invalid_request",
      "This gateway takes no provider's key from a client ('uk' in the token key). Configure the provider's credential in the gateway.",
    )
  }
  const coded = parts.get("k64")
  return {
    secret: parts.get("k") ?? (coded === null ? "" : Buffer.from(coded, "base64url").toString("utf8")),
    provider: parts.get("p") || undefined,
    model: parts.get("m") || undefined,
  }
}

/** As `Authorization: Bearer` or `x-api-key`. */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const bearer = headers.authorization?.match(/^Bearer +(\S+) *$/i)?.[1]
  if (bearer !== undefined) return bearer
  const header = headers["x-api-key"]
  return typeof header === "string" && header !== "" ? header : undefined
}
