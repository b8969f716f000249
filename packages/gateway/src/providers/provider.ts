/**
 * A provider is a place that runs models. It is given a request and a listener, and tells the listener what
 * happens, in this order:
 *
 *   connected → answered → event* (a stream) or body (anything else) → exactly one of ended, failed
 *
 * It knows nothing of keys, money, candidates or clients. Calls into the listener may come synchronously from
 * within `open`. After `abort` the listener hears nothing more.
 */
import type { ChatRequest, Dialect, JsonObject } from "@sluice/protocol"

export interface Provider {
  /** As it is configured: what stands before the `/` of a model. */
  readonly name: string
  /** What it is, whatever it is called here: `openrouter`, `groq`, `openai-compatible`, `sim`. */
  readonly vendor: string
  /** What it speaks: its requests are written and its chunks read in this dialect. */
  readonly dialect: Dialect
  /** It continues an assistant turn that it is given (`prefill`). */
  readonly prefill: boolean
  /** Opaque names of its credentials, one at least: whoever asks turns them over and remembers which one failed. */
  readonly credentials: readonly [string, ...string[]]
  /** What its operator says of it; unsaid is not trusted where a request asks for it. */
  readonly policy: Policy
  /** Models that it has said it has; undefined: it was not asked. */
  readonly models?: readonly string[]
  open(request: ProviderRequest, listener: AttemptListener): Attempt
  /** It may be asked soon: whatever makes that quicker. */
  warm?(): void
}

export interface Policy {
  /** Whether it keeps what it is sent, to train on it. */
  readonly dataCollection: "allow" | "deny" | undefined
  /** It keeps nothing at all. */
  readonly zdr: boolean
}

export interface ProviderRequest {
  /** Canonical; `model` is the provider's own name for it. */
  readonly request: ChatRequest
  /** The same, as the provider's dialect writes it. */
  readonly body: JsonObject
  readonly stream: boolean
  /** With which of the provider's credentials. */
  readonly credential: number
}

/** One try at a provider, under way. */
export interface Attempt {
  /** Stop reading: the client is slow. */
  pause(): void
  resume(): void
  /** Close the connection. The listener hears nothing more. */
  abort(): void
}

export interface AttemptListener {
  /** A connection stands and the request is on its way. */
  connected(): void
  answered(status: number, headers: AnswerHeaders): void
  /** Where there is one, bytes of a `text/event-stream` answer are shown to it before they are decoded. */
  readonly shortcut: Shortcut | undefined
  /** The `data` of one event of a `text/event-stream` answer, `[DONE]` included. */
  event(data: string): void
  /** Bytes that are no event: a comment, a ping. */
  alive(): void
  /** The whole body of an answer that is not an event stream, or whose status is not 200. */
  body(text: string): void
  /** The body ended as HTTP says a body ends. */
  ended(): void
  failed(failure: ProviderFailure): void
}

/** Takes events as they stand in the bytes: most of a long stream's need not be parsed. */
export interface Shortcut {
  /**
   * Of the bytes from `start` to `end`, where an event begins at `start`: where the first event begins that it leaves; what
   * it leaves is decoded, and told by `event`. The bytes are overwritten afterwards.
   */
  take(bytes: Uint8Array, start: number, end: number): number
  /** Events that it has taken. */
  readonly taken: number
  /** When it took the last, in whole milliseconds of a clock that is never set. */
  readonly heardAt: number
}

export interface AnswerHeaders {
  /** Lower case, without parameters; "" where absent. */
  readonly contentType: string
  /** Seconds, from `retry-after`. */
  readonly retryAfter: number | undefined
}

export interface ProviderFailure {
  /** `connect`: nothing was sent. `broken`: the connection died. `too_large`: an event or body past its limit. */
  readonly reason: "connect" | "broken" | "too_large"
  /** For people; without addresses and secrets. */
  readonly message: string
}
