/** Whole answers: JSON bodies and errors, in the caller's dialect. */
import type { ServerResponse } from "node:http"
import type { Dialect, JsonObject, WireError } from "@sluice/protocol"

export function sendJson(
  response: ServerResponse,
  status: number,
  body: JsonObject | Uint8Array,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "x-content-type-options": "nosniff",
    ...headers,
  })
  response.end(bytes)
}

export function sendError(
  response: ServerResponse,
  dialect: Dialect,
  error: WireError,
  headers: Record<string, string> = {},
): void {
  const retryAfter = error.retryAfter ?? (error.status === 429 || error.status === 503 ? 1 : undefined)
  sendJson(response, error.status, dialect.writeError(error), {
    ...headers,
    ...(retryAfter === undefined ? {} : { "retry-after": String(Math.ceil(retryAfter)) }),
  })
}
