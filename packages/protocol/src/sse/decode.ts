import { textOf } from "./utf8.ts"

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
 * 1. Between two calls `held` is the open block's bytes, no more and no less.
 * 2. Whether a byte closes a block is seen from it and the two before it. A line end at the start of a block is a
 *    block of its own, and gives nothing; so a CR closes an event at once, and the LF that may follow does no harm.
 * 3. Bytes become text a whole block at a time. CR and LF are never part of a longer UTF-8 sequence, broken ones
 *    included, so a block's text is the same alone as within its stream: no decoder state goes from read to read.
 * 4. Each byte is looked at a fixed number of times, however the stream is cut: held bytes are not searched again.
 * 5. An event's size is that of its block, all lines and line ends counted, and so the same for any split.
 */
export function createSseDecoder(options: SseDecoderOptions): SseDecoder {
  const { onEvent, onRetry, onComment, maxEventBytes = 16 * 1024 * 1024 } = options
  let held = NOTHING
  let heldLength = 0
  let atStart = true
  let lastEventId = ""

  return {
    push(bytes) {
      // Where a block may be too large: no further than it may reach. If that closed none, one byte more is too many.
      let room = maxEventBytes - heldLength
      while (bytes.length > room) {
        if (room <= 0) throw new SseEventTooLargeError(maxEventBytes)
        take(bytes.subarray(0, room))
        bytes = bytes.subarray(room)
        room = maxEventBytes - heldLength
      }
      take(bytes)
    },
    end() {
      // Without its blank line it is no event, but whole lines of it may have set the reconnection time.
      if (heldLength > 0) readBlocks(takeHeld())
    },
    lastEventId: () => lastEventId,
  }

  function take(bytes: Uint8Array): void {
    if (heldLength === 0 && readSingle(bytes)) return
    const end = endOfLastBlock(bytes)
    let begin = 0
    if (end > 0 && heldLength > 0) {
      if (bytes.length <= JOINED_READ) begin = end
      else while (!closesBlock(bytes, begin++)) {}
      hold(bytes, 0, begin)
      readBlocks(takeHeld())
    }
    if (begin < end) readBlocks(textOf(bytes, begin, end))
    if (end < bytes.length) hold(bytes, end, bytes.length)
  }

  /** How many of the bytes belong to whole blocks. From behind: most reads end where an event does. */
  function endOfLastBlock(bytes: Uint8Array): number {
    for (let at = bytes.length - 1; at >= 0; at--)
      if (bytes[at]! <= CR && closesBlock(bytes, at)) return at + 1
    return 0
  }

  /** A line end does, if the line that it ends is empty. */
  function closesBlock(bytes: Uint8Array, at: number): boolean {
    const byte = bytes[at]!
    if (!isLineEnd(byte)) return false
    const before = byteAt(bytes, at - 1)
    return isLineEnd(byte === LF && before === CR ? byteAt(bytes, at - 2) : before)
  }

  /** Also before the read: the held bytes, and before those, at a block's start, what might as well be an LF. */
  function byteAt(bytes: Uint8Array, at: number): number {
    if (at >= 0) return bytes[at]!
    return heldLength + at >= 0 ? held[heldLength + at]! : LF
  }

  /** Copies, as the reader may use its buffer again; grows by doubling, so that many small reads stay linear. */
  function hold(bytes: Uint8Array, begin: number, end: number): void {
    const length = heldLength + end - begin
    if (length > held.length) {
      const grown = new Uint8Array(Math.max(length, 2 * held.length, FIRST_CAPACITY))
      grown.set(held.subarray(0, heldLength))
      held = grown
    }
    held.set(bytes.subarray(begin, end), heldLength)
    heldLength = length
  }

  function takeHeld(): string {
    const text = textOf(held, 0, heldLength)
    heldLength = 0
    if (held.length > KEPT_CAPACITY) held = NOTHING
    return text
  }

  /**
   * Hot path: the read is one event of one `data: ` line, as where a provider flushes each. Only the data becomes text.
   * It gives up without a trace; the second decoding is why large reads, which hold many, are not tried.
   */
  function readSingle(bytes: Uint8Array): boolean {
    const end = bytes.length - 2
    if (end < 6 || end > JOINED_READ || bytes[end + 1] !== LF || bytes[end] !== LF || !startsWithData(bytes))
      return false
    const data = textOf(bytes, 6, end)
    if (data.includes("\n") || data.includes("\r")) return false
    atStart = false
    onEvent({ event: "message", data, id: lastEventId })
    return true
  }

  /** Whole blocks, so that no field has to be remembered for the next text. */
  function readBlocks(decoded: string): void {
    const text = withOneLineEnd(atStart && decoded.charCodeAt(0) === BOM ? decoded.slice(1) : decoded)
    atStart = false

    let data: string | undefined
    let event = "message"
    let id = lastEventId
    let retry: number | undefined

    for (let at = 0, lineEnd = 0; at < text.length; at = lineEnd + 1) {
      lineEnd = text.indexOf("\n", at)
      if (lineEnd === -1) return
      // Hot path: the block's one data line, and then its blank line.
      if (data === undefined && text.charCodeAt(lineEnd + 1) === LF && text.startsWith("data: ", at)) {
        data = text.slice(at + 6, lineEnd)
        at = ++lineEnd
      }
      if (lineEnd === at) {
        lastEventId = id
        if (data !== undefined)
          onEvent(retry === undefined ? { event, data, id } : { event, data, id, retry })
        data = undefined
        event = "message"
        retry = undefined
        continue
      }
      // A line that is only a name is that field, empty; one without a name is a comment.
      let colon = at
      while (colon < lineEnd && text.charCodeAt(colon) !== COLON) colon++
      const name = text.slice(at, colon)
      const value = text.slice(text.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1, lineEnd)
      if (name === "data") data = data === undefined ? value : `${data}\n${value}`
      else if (name === "id") id = value.includes("\0") ? id : value
      else if (name === "event") event = value || "message"
      else if (name === "") onComment?.(value)
      else if (name === "retry" && /^[0-9]+$/.test(value)) {
        retry = Math.min(Number(value), Number.MAX_SAFE_INTEGER)
        onRetry?.(retry)
      }
    }
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
  /**
   * What is complete is handed to `onEvent` before this returns; what that throws comes out here, and the rest of these
   * bytes is lost. Past the size limit this and every later call throws.
   */
  push(bytes: Uint8Array): void
  /** The end of the body: an event without its blank line is dropped, as the standard says. */
  end(): void
  /** What a reconnect would send: the id as of the last whole block, one without data included. */
  lastEventId(): string
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
    super(`An event is larger than ${maxEventBytes} bytes.`)
    this.maxEventBytes = maxEventBytes
  }
}

const FIRST_CAPACITY = 512
/** What was grown beyond this, for one large event, is given back. */
const KEPT_CAPACITY = 64 * 1024
/** Up to here it costs less to copy a whole read behind the held bytes than to decode twice. */
const JOINED_READ = 4096
const NOTHING = new Uint8Array(0)
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
const BOM = 0xfeff

/** Whether the bytes begin with `data: `. */
function startsWithData(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 100 &&
    bytes[1] === 97 &&
    bytes[2] === 116 &&
    bytes[3] === 97 &&
    bytes[4] === COLON &&
    bytes[5] === SPACE
  )
}

function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR
}

/**
 * LF for all three. Whole blocks only: a CRLF inside of one is never cut in two by this. (To look for CRs within the loop
 * over the lines is not linear: V8 takes `indexOf` for free of effects, and moves it out of the branch that guards it.)
 */
function withOneLineEnd(text: string): string {
  return text.includes("\r") ? text.replaceAll("\r\n", "\n").replaceAll("\r", "\n") : text
}
