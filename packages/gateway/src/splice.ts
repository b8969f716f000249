/**
 * The short lane of a stream: most of its events differ from the one before in a single text. When one such event has been
 * parsed and written, the bytes around its text are known on both sides, and the next event that has them is written by
 * putting its text between them, from the bytes that were read to the bytes that are logged, with no string in between.
 * It is a copy of what the parsed lane does, learned from it and never guessed: an event that differs in anything else is
 * parsed. splice.test.ts holds the two lanes equal.
 */
import { isUtf8 } from "node:buffer"
import type { Chunk } from "@sluice/protocol"

/** What stands around the text: in what was read, and, once or more, in what is written. */
interface Template {
  /** Before the text and behind it in what was read, then each piece of what is written, all in one place. */
  readonly bytes: Uint8Array
  /** Where each of them ends. */
  readonly ends: readonly number[]
  /** OpenAI's padding stands last, is another each time, and is not passed on. */
  readonly padded: boolean
}

/** Streams whose events are never alike are not learned from for ever. */
const PATIENCE = 16
/** Stands for the text while the writer is asked what it puts around it. */
const TEXT = "\u{f0000}text\u{f0000}"

/** A class for the machine: each event of each stream comes here, and fields side by side are one look into memory. */
export class Splice {
  /** Characters that the last event that matched says. */
  said = 0

  /** The parsed lane's own, for this stream. */
  readonly #write: (chunk: Chunk) => string
  #template: Template | undefined = undefined
  #learned = 0
  /** Where the last text that matched stands. */
  #bytes: Uint8Array = NOTHING
  #start = 0
  #end = 0

  constructor(write: (chunk: Chunk) => string) {
    this.#write = write
  }

  /** This event's data has been parsed, and is this chunk. */
  learn(data: string, chunk: Chunk): void {
    if (this.#learned >= PATIENCE) return
    this.#learned++
    // One that cannot be learned from does not make what is known wrong.
    this.#template = templateOf(data, chunk, this.#write) ?? this.#template
  }

  /** Where the event that begins at `start` ends, its blank line included; 0: it must be parsed. */
  match(bytes: Uint8Array, start: number, end: number): number {
    const template = this.#template
    if (template === undefined || !stands(DATA, 0, DATA.length, bytes, start, end)) return 0
    const { bytes: around, ends, padded } = template
    const before = ends[0]!
    const after = ends[1]!
    const json = start + DATA.length + (bytes[start + DATA.length] === SPACE ? 1 : 0)
    if (!stands(around, 0, before, bytes, json, end)) return 0
    const text = json + before
    const quote = this.#endOfText(bytes, text, end)
    // An empty text may be left out as a whole.
    if (quote <= text || !stands(around, before, after, bytes, quote, end)) return 0
    let next = quote + after - before
    if (padded) {
      while (next < end && PADDINGS.has(bytes[next])) next++
      if (!stands(BEHIND_PADDING, 0, BEHIND_PADDING.length, bytes, next, end)) return 0
      next += BEHIND_PADDING.length
    }
    const blank = bytes[next] === LF ? BLANK_LINE : BLANK_LINE_CR
    if (!stands(blank, 0, blank.length, bytes, next, end)) return 0
    this.#learned = 0
    this.#bytes = bytes
    this.#start = text
    this.#end = quote
    return next + blank.length
  }

  /** The event that matched last as the parsed lane would write it, under this number (not 1). */
  event(seq: number): Buffer {
    const { bytes: around, ends } = this.#template!
    const bytes = this.#bytes
    const start = this.#start
    const end = this.#end
    this.#bytes = NOTHING
    let digits = 1
    for (let least = 10; seq >= least; least *= 10) digits++
    const pieces = ends.length - READ_PARTS
    const written = around.length - ends[1]!
    const event = Buffer.allocUnsafe(ID.length + digits + written + (pieces - 1) * (end - start))
    event[0] = ID[0]!
    event[1] = ID[1]!
    event[2] = ID[2]!
    event[3] = ID[3]!
    let at = ID.length + digits
    for (let rest = seq, place = at - 1; place >= ID.length; place--, rest = Math.trunc(rest / 10))
      event[place] = ZERO + (rest % 10)
    // Byte by byte: what is copied is short, and a call that copies costs as much as a hundred bytes.
    for (let piece = READ_PARTS; piece < ends.length; piece++) {
      if (piece > READ_PARTS) for (let from = start; from < end; from++) event[at++] = bytes[from]!
      const stop = ends[piece]!
      for (let from = ends[piece - 1]!; from < stop; from++) event[at++] = around[from]!
    }
    return event
  }

  /**
   * Where the quote stands that ends the text; -1 where JSON.stringify would write any of it another way. A text may be
   * escaped in several ways, and it knows one.
   */
  #endOfText(bytes: Uint8Array, start: number, end: number): number {
    let ascii = true
    let said = 0
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) {
        this.said = said
        return ascii || isUtf8(bytes.subarray(start, at)) ? at : -1
      }
      if (byte < SPACE) return -1
      if (byte === BACKSLASH && !SHORT_ESCAPES.has(bytes[++at])) return -1
      if (byte < 0x80) said++
      else {
        ascii = false
        if (byte >= 0xc0) said++
      }
    }
    return -1
  }
}

const NOTHING = new Uint8Array()
const DATA = Buffer.from("data:")
const ID = Buffer.from("id: ")
const BLANK_LINE = Buffer.from("\n\n")
const BLANK_LINE_CR = Buffer.from("\r\n\r\n")
const [LF, SPACE, QUOTE, BACKSLASH, ZERO] = [10, 32, 34, 92, 48] as const

/** Whether `wanted`, from `from` to `to`, stands in `bytes` at `at`, before `end`. */
function stands(
  wanted: Uint8Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  if (at + to - from > end) return false
  for (let index = from; index < to; index++) if (bytes[at + index - from] !== wanted[index]) return false
  return true
}

const SHORT_ESCAPES: ReadonlySet<number | undefined> = new Set(Buffer.from('"\\bfnrt'))

const PADDINGS: ReadonlySet<number | undefined> = new Set(
  Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=-"),
)

const NAMES = { content: ["content"], reasoning: ["reasoning_content", "reasoning"] } as const

function templateOf(data: string, chunk: Chunk, write: (chunk: Chunk) => string): Template | undefined {
  // Data of several lines stands in its bytes in another way.
  if (data.includes("\n") || data.includes("\r") || data.includes(TEXT)) return undefined
  const [choice, ...others] = chunk.choices
  if (choice === undefined || others.length > 0 || choice.finish_reason !== null || chunk.usage !== undefined)
    return undefined
  // OpenRouter's deltas say their role each time.
  const [name, ...rest] = Object.keys(choice.delta).filter((member) => member !== "role")
  if ((name !== "content" && name !== "reasoning") || rest.length > 0) return undefined
  const text = choice.delta[name]
  if (typeof text !== "string" || text === "") return undefined

  const unpadded = withoutPadding(data)
  const literal = JSON.stringify(text)
  const around = NAMES[name]
    .map((key) => splitOnce(unpadded, `"${key}":`, literal))
    .find((parts) => parts !== undefined)
  if (around === undefined) return undefined
  const marked = write({ ...chunk, choices: [{ ...choice, delta: { ...choice.delta, [name]: TEXT } }] })
  if (!marked.includes(TEXT)) return undefined
  const padded = unpadded !== data
  const after = padded ? around.after.slice(0, -1) + PADDING : around.after
  const parts = [around.before, after, ...`\ndata: ${marked}\n\n`.split(TEXT)].map((part) =>
    Buffer.from(part),
  )
  let end = 0
  const ends = parts.map((part) => (end += part.length))
  return { bytes: alone(parts), ends, padded }
}

/** What was read before the text and behind it, ahead of what is written. */
const READ_PARTS = 2

/** Where the member stands once, and its text as we would write it; the quotes belong to what is around. */
function splitOnce(
  data: string,
  key: string,
  literal: string,
): { before: string; after: string } | undefined {
  const at = data.indexOf(key)
  if (at < 0 || data.indexOf(key, at + 1) >= 0) return undefined
  const start = data.startsWith(" ", at + key.length) ? at + key.length + 1 : at + key.length
  if (!data.startsWith(literal, start)) return undefined
  return { before: data.slice(0, start + 1), after: data.slice(start + literal.length - 1) }
}

const PADDING = ',"obfuscation":"'
const BEHIND_PADDING = Buffer.from('"}')

function withoutPadding(data: string): string {
  const at = data.lastIndexOf(PADDING)
  return at >= 0 && /^[\w+/=-]*"\}$/.test(data.slice(at + PADDING.length)) ? `${data.slice(0, at)}}` : data
}

/** In memory of their own: a stream keeps them to its end, and would keep with them the slab of 64 KB that they were cut from. */
function alone(parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) at += part.copy(bytes, at)
  return bytes
}
