/** Placeholder signature; the decoder follows the WHATWG rules. */
export interface SseEvent {
  /** `message` when the stream names none. */
  event: string
  data: string
  /** The last event id at this moment, `""` if none yet. */
  id: string
  /** The reconnection time set in this event's block, in milliseconds. */
  retry?: number
}

export interface SseDecoder {
  push(bytes: Uint8Array): void
  /** The end of the body: an event without its blank line is dropped, as the standard says. */
  end(): void
  readonly lastEventId: string
}

export interface SseDecoderOptions {
  onEvent(event: SseEvent): void
  onRetry?(milliseconds: number): void
  onComment?(text: string): void
  /** Default 16 MB; past it `push` throws an `SseEventTooLargeError`. */
  maxEventBytes?: number
}
