/** What one client request carries on its way through the gateway. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Dialect } from "@sluice/protocol"
import type { dialects } from "@sluice/protocol/dialects"
import type { Key } from "./auth/keys.ts"
import type { DialectRule } from "./http/dialect.ts"

export interface Call {
  /** `x-request-id`: the caller's, or one of ours. For finding a call in a log, never for telling calls apart. */
  readonly requestId: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly query: URLSearchParams
  readonly mount: Mount
  /** The language it is answered in. */
  readonly dialect: Dialect
  /** Which rule chose the dialect. */
  readonly dialectRule: DialectRule
  readonly receivedAt: number
}

/** A call whose key is known: handlers take nothing less, so none can be reached without the check. */
export interface AuthedCall extends Call {
  readonly key: Key
}

/** A place in the URL space where one system's clients are served. */
export interface Mount {
  /** What stands before `/chat/completions`. */
  readonly prefix: string
  readonly dialect: keyof typeof dialects
  /** Several systems' clients come here: a header or their user agent may choose another dialect. */
  readonly listens: boolean
  /** Orq's oldest SDK cannot read `[DONE]`. */
  readonly sendsDone: boolean
}
