/**
 * The short lane of a stream: most of its events differ from the one before in a single text. When one such event has been
 * parsed and written, the bytes around its text are known on both sides, and the next event that has them is written by
 * putting its text between them. It is a copy of what the parsed lane does, learned from it and never guessed: an event
 * that differs in anything else is parsed. splice.test.ts holds the two lanes equal.
 */
import type { Chunk } from "@sluice/protocol"

export interface Splice {
  /** This event has been parsed, and is this chunk. */
  learn(read: string, chunk: Chunk): void
  /** The event as the parsed lane would write it; undefined: it must be parsed. */
  take(read: string): string | undefined
  /** Characters that the last one taken says. */
  readonly said: number
}

/** What stands around the text: in what was read, and, once or more, in what is written. */
interface Template {
  readonly before: string
  readonly after: string
  readonly written: readonly string[]
  /** OpenAI's padding stands last and is another each time; it is not passed on. */
  readonly padded: boolean
}

/** Streams whose events are never alike are not learned from for ever. */
const PATIENCE = 16
/** Stands for the text while the writer is asked what it puts around it. */
const TEXT = "\u{f0000}text\u{f0000}"

/** `write`: the parsed lane's own, for this stream. */
export function createSplice(write: (chunk: Chunk) => string): Splice {
  let template: Template | undefined
  let learned = 0
  let said = 0

  return {
    learn(read, chunk) {
      if (learned >= PATIENCE) return
      learned++
      // One that cannot be learned from does not make what is known wrong.
      template = templateOf(read, chunk, write) ?? template
    },
    take(read) {
      if (template === undefined) return undefined
      const event = template.padded ? withoutPadding(read) : read
      const { before, after, written } = template
      const end = event.length - after.length
      // An empty text may be left out as a whole.
      if (end <= before.length || !event.startsWith(before) || !event.endsWith(after)) return undefined
      const text = event.slice(before.length, end)
      if (!PLAIN.test(text) && !isAsWeWrite(text)) return undefined
      said = text.length
      learned = 0
      return written.length === 2 ? written[0]! + text + written[1]! : written.join(text)
    },
    get said() {
      return said
    },
  }
}

/** Nothing that JSON would write another way: no quote, no backslash, no control character. */
const PLAIN = /^[^"\\\p{Cc}]*$/u

/** A text may be escaped in several ways; the parsed lane knows one. */
function isAsWeWrite(text: string): boolean {
  try {
    return JSON.stringify(JSON.parse(`"${text}"`)) === `"${text}"`
  } catch {
    return false
  }
}

const NAMES = { content: ["content"], reasoning: ["reasoning_content", "reasoning"] } as const

function templateOf(read: string, chunk: Chunk, write: (chunk: Chunk) => string): Template | undefined {
  const [choice, ...others] = chunk.choices
  if (choice === undefined || others.length > 0 || choice.finish_reason !== null || chunk.usage !== undefined)
    return undefined
  // OpenRouter's deltas say their role each time.
  const [name, ...rest] = Object.keys(choice.delta).filter((member) => member !== "role")
  if ((name !== "content" && name !== "reasoning") || rest.length > 0) return undefined
  const text = choice.delta[name]
  if (typeof text !== "string" || text === "") return undefined

  const padded = read.includes(PADDING)
  const event = padded ? withoutPadding(read) : read
  const literal = JSON.stringify(text)
  const around = NAMES[name]
    .map((key) => splitOnce(event, `"${key}":`, literal))
    .find((parts) => parts !== undefined)
  if (around === undefined) return undefined
  const marked = write({ ...chunk, choices: [{ ...choice, delta: { ...choice.delta, [name]: TEXT } }] })
  const written = marked.split(TEXT)
  if (written.length < 2) return undefined
  return { ...around, written, padded }
}

/** Where the member stands once, and its text as we would write it; the quotes belong to what is around. */
function splitOnce(
  event: string,
  key: string,
  literal: string,
): { before: string; after: string } | undefined {
  const at = event.indexOf(key)
  if (at < 0 || event.indexOf(key, at + 1) >= 0) return undefined
  const start = event.startsWith(" ", at + key.length) ? at + key.length + 1 : at + key.length
  if (!event.startsWith(literal, start)) return undefined
  return { before: event.slice(0, start + 1), after: event.slice(start + literal.length - 1) }
}

const PADDING = ',"obfuscation":"'

function withoutPadding(event: string): string {
  const at = event.lastIndexOf(PADDING)
  return at >= 0 && /^[\w+/=-]*"\}$/.test(event.slice(at + PADDING.length)) ? `${event.slice(0, at)}}` : event
}
