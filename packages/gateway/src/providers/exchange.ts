/** One exchange with a provider, from bytes to what an attempt is told: events, or a body. */
import { createSseDecoder, type SseDecoder, SseEventTooLargeError } from "@sluice/protocol"
import type { Answer, ConnectionFailure, Exchange } from "./http/connection.ts"
import type { Attempt, AttemptListener } from "./provider.ts"

/** A class for the machine: each event of each stream comes here, and fields side by side are one look into memory. */
export class ProviderExchange implements Answer {
  readonly #listener: AttemptListener
  readonly #maxBytes: number
  readonly #asked: boolean
  /** There is one where a stream was asked for and has come. */
  #decoder: SseDecoder | undefined = undefined
  #over = false
  /** What was read so far ends where an event does. */
  #whole = true
  #pieces: Buffer[] = []
  #size = 0
  #exchange: Exchange | undefined = undefined

  constructor(listener: AttemptListener, asked: boolean, maxBytes: number) {
    this.#listener = listener
    this.#asked = asked
    this.#maxBytes = maxBytes
  }

  sent(exchange: Exchange): Attempt {
    this.#exchange = exchange
    return {
      pause: () => exchange.pause(),
      resume: () => exchange.resume(),
      abort: () => {
        this.#over = true
        exchange.abort()
      },
    }
  }

  connected(): void {
    this.#listener.connected()
  }

  head(status: number, headers: ReadonlyMap<string, string>): void {
    if (this.#over) return
    const contentType = (headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase()
    if (this.#asked && status === 200 && contentType === "text/event-stream")
      this.#decoder = createSseDecoder({
        maxEventBytes: this.#maxBytes,
        onEvent: (event) => {
          if (!this.#over) this.#listener.event(event.data)
        },
      })
    this.#listener.answered(status, { contentType, retryAfter: readRetryAfter(headers.get("retry-after")) })
  }

  body(bytes: Uint8Array, start: number, end: number): void {
    if (this.#over) return
    if (this.#decoder !== undefined) return this.#read(this.#decoder, bytes, start, end)
    this.#size += end - start
    if (this.#size > this.#maxBytes)
      this.#tooLarge(`The provider's answer is larger than ${this.#maxBytes} bytes.`)
    else this.#pieces.push(Buffer.from(bytes.subarray(start, end)))
  }

  end(): void {
    if (this.#over) return
    this.#decoder?.end()
    if (this.#over) return
    this.#over = true
    if (this.#decoder === undefined) this.#listener.body(Buffer.concat(this.#pieces).toString("utf8"))
    this.#pieces = []
    this.#listener.ended()
  }

  failed({ reason, code }: ConnectionFailure): void {
    if (this.#over) return
    this.#over = true
    const what =
      reason === "connect" ? "No connection to the provider" : "The connection to the provider broke"
    this.#listener.failed({ reason, message: `${what}${code === undefined ? "" : ` (${code})`}.` })
  }

  /** Hot path: what is read is one event or several, and most need no decoding. */
  #read(decoder: SseDecoder, bytes: Uint8Array, start: number, end: number): void {
    const { shortcut } = this.#listener
    let at = this.#whole && shortcut !== undefined ? shortcut.take(bytes, start, end) : start
    if (at === end) return
    this.#listener.alive()
    try {
      // One event is decoded, and those behind it may need it no more.
      while (!this.#over && at < end) {
        const stop = endOfEvent(bytes, at, end)
        this.#whole = endsBlank(bytes, at, stop)
        decoder.push(bytes.subarray(at, stop))
        at = this.#whole && stop < end ? (this.#listener.shortcut?.take(bytes, stop, end) ?? stop) : stop
      }
    } catch (error) {
      if (!(error instanceof SseEventTooLargeError)) throw error
      this.#tooLarge(`An event of the provider is larger than ${this.#maxBytes} bytes.`)
    }
  }

  #tooLarge(message: string): void {
    this.#over = true
    this.#listener.failed({ reason: "too_large", message })
    this.#exchange?.abort()
  }
}

/** Behind the next blank line; the end of what there is where none is found, or where lines end in another way. */
function endOfEvent(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== LF) continue
    if (at + 1 < end && bytes[at + 1] === LF) return at + 2
    if (at + 2 < end && bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return end
}

function endsBlank(bytes: Uint8Array, start: number, end: number): boolean {
  const lines = bytes[end - 2] === CR ? 3 : 2
  return end - lines >= start && bytes[end - 1] === LF && bytes[end - lines] === LF
}

const CR = 13
const LF = 10

/** Seconds, from a number or an HTTP date. */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1_000)
}
