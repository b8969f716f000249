/**
 * Server-sent events: bytes in, events out, by the WHATWG rules (https://html.spec.whatwg.org/#event-stream-interpretation)
 * for any split of the bytes.
 *
 * Algorithm. A stream is a row of blocks, each closed by a blank line. `push` looks for the end of the last block
 * that is whole, decodes everything up to there in one call, reads the blocks from that text, and holds the bytes
 * behind it until their own blank line has come. Nothing else is remembered but the last event id: the fields of
 * a half-read event stand in the held bytes.
 *
 * Invariants:
 * 1. `held` is the open block's bytes so far, no more and no less. A line end at the start of a block is a block of
 *    its own, and gives nothing; so the LF of a CRLF whose CR has closed an event (at once: no waiting) is harmless.
 * 2. Bytes become text a whole block at a time. CR and LF are never part of a longer UTF-8 sequence, broken ones
 *    included, so a block's text is the same alone as within its stream: no decoder state goes from read to read.
 * 3. Each byte is looked at a fixed number of times, however the stream is cut: held bytes are not scanned again.
 * 4. The size of an event is that of its block, all lines and line ends: `held` at most, and the same for any split.
 *
 * Two ways find the last blank line. Hot path: only LFs, and room for all of the read within one event's limit; the
 * search goes backwards from the end of the read, which mostly is a blank line. Careful path: a CR has been seen
 * outside of what the hot path has cut off, or an event may be too large; one pass forward, byte by byte.
 */
export function createSseDecoder(options: SseDecoderOptions): SseDecoder {
  const { onEvent, onRetry, onComment, maxEventBytes = DEFAULT_MAX_EVENT_BYTES } = options
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let held = NOTHING
  let heldLength = 0
  let crSeen = false
  let atStart = true
  let lastEventId = ""
  let failure: SseEventTooLargeError | undefined

  return {
    push(bytes) {
      if (failure !== undefined) throw failure
      const end = endOfLastBlock(bytes)
      if (end === 0) hold(bytes)
      else {
        const text = textUpTo(bytes, end)
        if (end < bytes.length) hold(bytes.subarray(end))
        readBlocks(text)
      }
      if (failure !== undefined) {
        held = NOTHING
        heldLength = 0
        throw failure
      }
    },
    end() {
      // Without its blank line it is no event; its whole lines may still set the reconnection time.
      const text = withoutCr(textUpTo(NOTHING, 0))
      readBlock(text, 0)
    },
    get lastEventId() {
      return lastEventId
    },
  }

  /** How many of these bytes belong to blocks that are whole. */
  function endOfLastBlock(bytes: Uint8Array): number {
    if (!crSeen && heldLength + bytes.length <= maxEventBytes) {
      const end = endOfLastLfBlock(bytes)
      crSeen = end < bytes.length && bytes.indexOf(CR, end) !== -1
      if (!crSeen) return end
    }
    return endOfLastBlockByByte(bytes)
  }

  /** Hot path. */
  function endOfLastLfBlock(bytes: Uint8Array): number {
    let lf = bytes.length - 1
    if (bytes[lf] !== LF) lf = bytes.lastIndexOf(LF)
    while (lf > 0 && bytes[lf - 1] !== LF) lf = bytes.lastIndexOf(LF, lf - 1)
    if (lf > 0) return lf + 1
    return lf === 0 && lastHeldByte() === LF ? 1 : 0
  }

  /** Careful path. Where a block is too large it stops, so that the events before it are still given. */
  function endOfLastBlockByByte(bytes: Uint8Array): number {
    let end = 0
    let size = heldLength
    let previous = lastHeldByte()
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      size++
      if (byte === LF ? previous === LF : byte === CR && (previous === LF || previous === CR)) {
        if (size > maxEventBytes) break
        end = at + 1
        size = 0
        previous = LF
      } else previous = byte
    }
    if (size > maxEventBytes) failure = new SseEventTooLargeError(maxEventBytes)
    return end
  }

  /** A block's first byte stands behind a line end too. */
  function lastHeldByte(): number {
    return heldLength === 0 ? LF : held[heldLength - 1]!
  }

  function textUpTo(bytes: Uint8Array, end: number): string {
    const whole = end === bytes.length ? bytes : bytes.subarray(0, end)
    if (heldLength === 0) return withoutBom(decoder.decode(whole))
    hold(whole)
    const text = decoder.decode(held.subarray(0, heldLength))
    heldLength = 0
    if (held.length > KEPT_CAPACITY) held = NOTHING
    return withoutBom(text)
  }

  /** Copies, as the reader may use its buffer again; grows by doubling, so that many small reads stay linear. */
  function hold(bytes: Uint8Array): void {
    const length = heldLength + bytes.length
    if (length > held.length) {
      const grown = new Uint8Array(Math.max(length, 2 * held.length, FIRST_CAPACITY))
      grown.set(held.subarray(0, heldLength))
      held = grown
    }
    held.set(bytes, heldLength)
    heldLength = length
  }

  function withoutBom(text: string): string {
    if (!atStart) return text
    atStart = false
    return text.charCodeAt(0) === BOM ? text.slice(1) : text
  }

  function readBlocks(given: string): void {
    const text = withoutCr(given)
    let at = 0
    while (at < text.length) {
      const lineEnd = text.indexOf("\n", at)
      // Hot path: a block that is nothing but `data: …`.
      if (text.charCodeAt(lineEnd + 1) === LF && text.startsWith("data: ", at)) {
        onEvent({ event: "message", data: text.slice(at + 6, lineEnd), id: lastEventId })
        at = lineEnd + 2
      } else at = readBlock(text, at)
    }
  }

  /** Any block; returns where the next begins. */
  function readBlock(text: string, start: number): number {
    let data: string | undefined
    let event = ""
    let id = lastEventId
    let retry: number | undefined

    let at = start
    for (let lineEnd = text.indexOf("\n", at); lineEnd !== at; lineEnd = text.indexOf("\n", at)) {
      if (lineEnd === -1) return text.length
      // Cut out before the colon is sought: a line without one must not send the search through all the others.
      const line = text.slice(at, lineEnd)
      const colon = line.indexOf(":")
      const field = colon === -1 ? line : line.slice(0, colon)
      const value =
        colon === -1 ? "" : line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1)
      if (field === "data") data = data === undefined ? value : `${data}\n${value}`
      else if (field === "event") event = value
      else if (field === "id") id = value.includes("\0") ? id : value
      else if (field === "retry" && /^[0-9]+$/.test(value)) {
        retry = Math.min(Number(value), Number.MAX_SAFE_INTEGER)
        onRetry?.(retry)
      } else if (colon === 0) onComment?.(value)
      at = lineEnd + 1
    }

    lastEventId = id
    if (data !== undefined) {
      event ||= "message"
      onEvent(retry === undefined ? { event, data, id } : { event, data, id, retry })
    }
    return at + 1
  }
}

/**
 * The events of a response body. Leaving the loop closes the source.
 *
 *     for await (const event of decodeSse(response.body)) console.log(event.data)
 */
export async function* decodeSse(
  source: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
  options: Omit<SseDecoderOptions, "onEvent"> = {},
): AsyncGenerator<SseEvent, void, undefined> {
  const events: SseEvent[] = []
  const decoder = createSseDecoder({ ...options, onEvent: (event) => events.push(event) })
  for await (const bytes of Symbol.asyncIterator in source ? source : chunksOf(source)) {
    let failure: unknown
    try {
      decoder.push(bytes)
    } catch (error) {
      failure = error
    }
    yield* events.splice(0)
    if (failure !== undefined) throw failure
  }
  decoder.end()
}

/** For browsers whose streams cannot be iterated yet. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
  } finally {
    await reader.cancel()
  }
}

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
  /** What is complete is handed to `onEvent` before this returns. Past the size limit this and every later call throws. */
  push(bytes: Uint8Array): void
  /** The end of the body: an event without its blank line is dropped, as the standard says. */
  end(): void
  /** What a reconnect would send: the id as of the last whole block, one without data included. */
  readonly lastEventId: string
}

export interface SseDecoderOptions {
  onEvent(event: SseEvent): void
  onRetry?(milliseconds: number): void
  /** Like everything else, a comment is given when its block is whole. */
  onComment?(text: string): void
  /** Default 16 MB, counted over all lines of an event; past it `push` throws an `SseEventTooLargeError`. */
  maxEventBytes?: number
}

export class SseEventTooLargeError extends Error {
  override readonly name = "SseEventTooLargeError"
  readonly maxEventBytes: number

  constructor(maxEventBytes: number) {
    super(`An event of the stream is larger than the limit of ${maxEventBytes} bytes.`)
    this.maxEventBytes = maxEventBytes
  }
}

const DEFAULT_MAX_EVENT_BYTES = 16 * 1024 * 1024
const FIRST_CAPACITY = 512
/** A buffer beyond this is given back once its event is read. Two of the largest reads of a socket. */
const KEPT_CAPACITY = 128 * 1024
const NOTHING = new Uint8Array(0)
const LF = 10
const CR = 13
const SPACE = 32
const BOM = 0xfeff

/** One kind of line end is left. Whole blocks only: a CRLF is never cut in two by this. */
function withoutCr(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text
}
