import { type ErrorKind, type WireError, wireError } from "@sluice/protocol"

/** The one error that may leave the house: everything in it is meant for the caller. All else becomes a plain 500. */
export class GatewayError extends Error {
  readonly wire: WireError
  /** For its answer alone: how far a limit is used, say. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    kind: ErrorKind,
    message: string,
    more: Parameters<typeof wireError>[2] = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.name = "GatewayError"
    this.wire = wireError(kind, message, more)
    this.headers = headers
  }
}

export function toWireError(error: unknown): WireError {
  if (error instanceof GatewayError) return error.wire
  return wireError(
    "server",
    "The gateway failed to handle this call. The request id finds it in the gateway's log.",
  )
}
