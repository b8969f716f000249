/**
 * The one family of errors: whatever goes wrong in a call is a `SluiceError`, and its class says what kind of thing
 * went wrong. An error that comes out of a stream holds what had arrived until then.
 */
import type { ChatCompletion } from "./shapes.ts"

/** What is known of an error besides its message. */
export interface ErrorDetails {
  status?: number
  code?: string
  type?: string
  param?: string
  retryable?: boolean
  requestId?: string
  /** Milliseconds that the server asks for before another try. */
  retryAfterMs?: number
  cause?: unknown
  /** The stream's id, where a stream had begun. */
  id?: string
  lastEventId?: string
  partial?: ChatCompletion
}

/**
 * What every error of this package is.
 *
 * @example
 * ```ts
 * import { Sluice, SluiceError } from "@sluice/sdk"
 *
 * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
 * try {
 *   await client.chat.send({ model: "sim/story", messages: [{ role: "user", content: "Hello" }] })
 * } catch (error) {
 *   if (error instanceof SluiceError) console.error(error.status, error.code, error.retryable, error.requestId)
 * }
 * ```
 */
export class SluiceError extends Error {
  override name = "SluiceError"
  /** The HTTP status, or for an error inside a stream the status that it would have had. */
  declare readonly status?: number
  /** The machine-readable word: `rate_limit_exceeded`, `model_not_found`, … */
  declare readonly code?: string
  declare readonly type?: string
  /** The request's member that is wrong: `messages[0].role`. */
  declare readonly param?: string
  /** Whether the same call may well succeed later. */
  declare readonly retryable: boolean
  /** The server's `x-request-id`. */
  declare readonly requestId?: string
  declare readonly retryAfterMs?: number
  /** The stream's id, where a stream had begun: with `lastEventId` it can be resumed. */
  declare readonly id?: string
  declare readonly lastEventId?: string
  /** What had arrived of the answer. */
  declare readonly partial?: ChatCompletion

  /** Whatever is known besides becomes a member. */
  constructor(message: string, { cause, ...details }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    Object.assign(this, { retryable: false }, withoutUndefined(details))
  }

  /** The text of the first choice, as far as it had arrived. */
  get text(): string {
    return this.partial?.choices[0]?.message.content ?? ""
  }
}

/**
 * The request is wrong: it will fail again as it stands.
 *
 * @example
 * ```ts
 * import { InvalidRequestError } from "@sluice/sdk"
 *
 * export const wrongMember = (error: unknown) => (error instanceof InvalidRequestError ? error.param : undefined)
 * ```
 */
export class InvalidRequestError extends SluiceError {
  override name = "InvalidRequestError"
}

/**
 * The key is missing, unknown or revoked (401).
 *
 * @example
 * ```ts
 * import { AuthenticationError } from "@sluice/sdk"
 *
 * export const mustSignIn = (error: unknown) => error instanceof AuthenticationError
 * ```
 */
export class AuthenticationError extends SluiceError {
  override name = "AuthenticationError"
}

/**
 * The account or the budget has no money left (402).
 *
 * @example
 * ```ts
 * import { PaymentRequiredError } from "@sluice/sdk"
 *
 * export const isOutOfMoney = (error: unknown) => error instanceof PaymentRequiredError
 * ```
 */
export class PaymentRequiredError extends SluiceError {
  override name = "PaymentRequiredError"
}

/**
 * The key is known, but may not do this (403).
 *
 * @example
 * ```ts
 * import { PermissionDeniedError } from "@sluice/sdk"
 *
 * export const isForbidden = (error: unknown) => error instanceof PermissionDeniedError
 * ```
 */
export class PermissionDeniedError extends SluiceError {
  override name = "PermissionDeniedError"
}

/**
 * No such model, path or stream (404), or it is there no longer (410).
 *
 * @example
 * ```ts
 * import { NotFoundError } from "@sluice/sdk"
 *
 * export const isGone = (error: unknown) => error instanceof NotFoundError
 * ```
 */
export class NotFoundError extends SluiceError {
  override name = "NotFoundError"
}

/**
 * Too many requests or tokens (429).
 *
 * @example
 * ```ts
 * import { RateLimitError } from "@sluice/sdk"
 *
 * export const pauseFor = (error: unknown) => (error instanceof RateLimitError ? error.retryAfterMs ?? 1000 : 0)
 * ```
 */
export class RateLimitError extends SluiceError {
  override name = "RateLimitError"
}

/**
 * The server failed (5xx).
 *
 * @example
 * ```ts
 * import { ServerError } from "@sluice/sdk"
 *
 * export const isTheirFault = (error: unknown) => error instanceof ServerError
 * ```
 */
export class ServerError extends SluiceError {
  override name = "ServerError"
}

/**
 * The server was not reached, or the connection broke before it had answered. `cause` is the runtime's own error.
 *
 * @example
 * ```ts
 * import { ConnectionError } from "@sluice/sdk"
 *
 * export const isOffline = (error: unknown) => error instanceof ConnectionError
 * ```
 */
export class ConnectionError extends SluiceError {
  override name = "ConnectionError"
}

/** The four timers, each with a meaning: see `TimerOptions`. */
export type TimerName = "connect" | "firstContent" | "idle" | "total"

/**
 * One of the four timers ran out; `timer` says which.
 *
 * @example
 * ```ts
 * import { Sluice, TimeoutError } from "@sluice/sdk"
 *
 * const client = new Sluice({ apiKey: "sk-…", timers: { firstContent: 20_000 } })
 * try {
 *   const stream = await client.chat.send({ model: "sim/story", messages: [], stream: true })
 *   for await (const text of stream.text()) console.log(text)
 * } catch (error) {
 *   if (error instanceof TimeoutError) console.error(`${error.timer} ran out after: ${error.text}`)
 * }
 * ```
 */
export class TimeoutError extends SluiceError {
  override name = "TimeoutError"
  declare readonly timer: TimerName

  constructor(message: string, details: ErrorDetails & { timer: TimerName }) {
    super(message, { retryable: true, code: "timeout", ...details })
  }
}

/**
 * The stream broke off and could not be resumed. It holds what had arrived: `partial`, `text`, `id`, `lastEventId`.
 *
 * @example
 * ```ts
 * import { Sluice, StreamInterruptedError } from "@sluice/sdk"
 *
 * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
 * const stream = await client.chat.send({ model: "sim/story", messages: [], stream: true })
 * try {
 *   for await (const text of stream.text()) console.log(text)
 * } catch (error) {
 *   if (!(error instanceof StreamInterruptedError) || error.id === undefined) throw error
 *   const rest = await client.chat.resume({ id: error.id, lastEventId: error.lastEventId })
 *   for await (const text of rest.text()) console.log(text)
 * }
 * ```
 */
export class StreamInterruptedError extends SluiceError {
  override name = "StreamInterruptedError"

  constructor(message: string, details?: ErrorDetails) {
    super(message, { retryable: true, code: "interrupted", ...details })
  }
}

/**
 * The provider (or the gateway) said inside the stream that it failed; the message is its own.
 *
 * @example
 * ```ts
 * import { ProviderError } from "@sluice/sdk"
 *
 * export const salvage = (error: unknown) => (error instanceof ProviderError ? error.text : "")
 * ```
 */
export class ProviderError extends SluiceError {
  override name = "ProviderError"
}

/**
 * The server answered with something that is no chat completion; `received` names what came.
 *
 * @example
 * ```ts
 * import { MalformedResponseError } from "@sluice/sdk"
 *
 * export const isWrongAddress = (error: unknown) =>
 *   error instanceof MalformedResponseError && error.received === "HTML"
 * ```
 */
export class MalformedResponseError extends SluiceError {
  override name = "MalformedResponseError"
  /** `HTML`, `JSON`, `an empty body`, `an event that is not JSON`, … */
  declare readonly received: string

  constructor(message: string, details: ErrorDetails & { received: string }) {
    super(message, { code: "malformed_response", ...details })
  }
}

/**
 * The call was cancelled: by its signal here, or by somebody at the gateway. Its `name` is `AbortError`, as the web's own.
 *
 * @example
 * ```ts
 * import { CancelledError } from "@sluice/sdk"
 *
 * export const isOurOwnDoing = (error: unknown) => error instanceof CancelledError
 * ```
 */
export class CancelledError extends SluiceError {
  override name = "AbortError"

  constructor(message = "The call was cancelled.", details?: ErrorDetails) {
    super(message, { code: "cancelled", ...details })
  }
}

/** Why something failed, in words. Node says only "fetch failed"; what failed is its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, cause } = error
  const isTold = error instanceof SluiceError || !(cause instanceof Error) || cause.message === ""
  return isTold ? message : `${message} (${cause.message})`
}

export function withoutUndefined<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
