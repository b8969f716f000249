/**
 * Who may come from where. On loopback a page on the web could otherwise reach this gateway through the user's own
 * browser, by a foreign Origin or by a name that has been made to point here (a foreign Host).
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { GatewayError } from "../gateway-error.ts"

export interface OriginRules {
  /** Listening on loopback only. */
  readonly loopback: boolean
  /** Origins that browsers may call from; `*` for all. Off when empty. */
  readonly cors: readonly string[]
}

const ALLOWED_HEADERS = "authorization, content-type, idempotency-key, last-event-id, sluice-on-disconnect"
const EXPOSED_HEADERS =
  "sluice-stream-id, sluice-model, sluice-provider, sluice-attempts, sluice-dropped-params, sluice-replayed, x-request-id, x-generation-id, retry-after"

/** Refuses what is foreign and sets the CORS headers. True: it was a preflight, and it is answered. */
export function checkOrigin(request: IncomingMessage, response: ServerResponse, rules: OriginRules): boolean {
  const { host, origin } = request.headers
  if (rules.loopback && !isLoopbackAuthority(host ?? "")) {
    throw new GatewayError(
      "permission_denied",
      "This gateway listens on loopback; call it as 127.0.0.1 or localhost.",
    )
  }
  if (origin === undefined) return false
  const allowed = rules.cors.includes("*") || rules.cors.includes(origin)
  if (allowed) {
    response.setHeader("access-control-allow-origin", rules.cors.includes("*") ? "*" : origin)
    response.setHeader("access-control-expose-headers", EXPOSED_HEADERS)
    response.appendHeader("vary", "origin")
    if (request.method !== "OPTIONS") return false
    response.setHeader("access-control-allow-headers", ALLOWED_HEADERS)
    response.setHeader("access-control-allow-methods", "GET, POST, PATCH, DELETE, OPTIONS")
    response.setHeader("access-control-max-age", "600")
    response.writeHead(204).end()
    return true
  }
  if (rules.loopback && !isLoopbackOrigin(origin)) {
    throw new GatewayError(
      "permission_denied",
      "Pages of other origins may not call this gateway (server.cors allows them).",
    )
  }
  return false
}

function isLoopbackOrigin(origin: string): boolean {
  return /^https?:\/\//.test(origin) && isLoopbackAuthority(origin.replace(/^https?:\/\//, ""))
}

function isLoopbackAuthority(authority: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(authority)
}
