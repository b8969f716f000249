/** What the store throws, as its caller is told: a mistake of theirs, or that it may pass. */
import { GatewayError } from "../gateway-error.ts"
import { StoreError } from "./store-error.ts"

export function storeTrouble(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  if (error.code === "invalid") return new GatewayError("invalid_request", error.message)
  // Trying again changes nothing: something must be done first.
  if (error.code === "conflict") return new GatewayError("conflict", error.message, { retryable: false })
  return new GatewayError("server", "The database cannot be reached at the moment.", { status: 503 })
}
