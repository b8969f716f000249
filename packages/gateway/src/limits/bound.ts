/**
 * The most that a call can use, before it is made. A token of text has at least one byte, so a prompt has no more
 * tokens than bytes; most have a quarter of that, and what a model's settled calls have shown narrows it (`ratios.ts`).
 *
 * A bound is for a hold, not for the books: settling takes what the provider counted. Where that is more than was held
 * (a first prompt in a script that takes more tokens than those before, a picture beyond the constant), the call costs
 * what it costs, the budget is overdrawn by the difference, and the ratio has learned it for the next.
 */
import type { ChatRequest, ContentPart, JsonObject, Message } from "@sluice/protocol"

export interface PromptSize {
  /** UTF-8, of all that is text: names, arguments and schemas too. */
  readonly bytes: number
  /** For what is not: pictures, sound, films, files. */
  readonly mediaTokens: number
}

/** Held for an answer without a cap; a longer one extends its hold as it runs. */
export const UNCAPPED_COMPLETION = 4_096

/**
 * Above what the vendors' documents give for one picture at its largest: Claude 4,784, GPT-5's mini 3,779, Gemini a few
 * tiles of 258. Only gpt-4o-mini, which multiplies its pictures to cost as much as gpt-4o's, can be above.
 */
export const IMAGE_TOKENS = 5_000

/** Base64 of sound: 32 tokens a second (Gemini's; OpenAI's are 10), and at 8 kbit a second, 1,333 characters. */
export const AUDIO_BYTES_PER_TOKEN = 32

/** What is not in the request cannot be measured: a file by its id, a film by its address. Some two minutes of film. */
export const REFERENCE_TOKENS = 32_000

/** Roles, separators and the start of the answer, for each message and for the whole. */
const MESSAGE_TOKENS = 4
const REQUEST_TOKENS = 16

export function completionBound(request: ChatRequest): number {
  const cap = request.max_completion_tokens ?? request.max_tokens ?? UNCAPPED_COMPLETION
  return Math.max(0, cap) * Math.max(1, request.n ?? 1)
}

export function promptSize(request: ChatRequest): PromptSize {
  const { tools, functions, response_format } = request
  let bytes = REQUEST_TOKENS + textBytes([tools, functions, response_format])
  let mediaTokens = 0
  for (const message of request.messages) {
    const { images, parts, text } = takeApart(message)
    bytes += MESSAGE_TOKENS + textBytes(text)
    mediaTokens += images * IMAGE_TOKENS
    for (const part of parts) {
      const media = mediaOf(part)
      if (media === undefined) bytes += textBytes(part)
      else mediaTokens += media
    }
  }
  return { bytes, mediaTokens }
}

function takeApart(message: Message): { images: number; parts: readonly ContentPart[]; text: unknown } {
  const { content, ...rest } = message
  const parts = Array.isArray(content) ? content : []
  const text = Array.isArray(content) ? rest : message
  if (!("images" in text) || !Array.isArray(text.images)) return { images: 0, parts, text }
  return { images: text.images.length, parts, text: { ...text, images: undefined } }
}

/** Undefined: it is text, or nothing that is known here, and then its bytes are counted. */
function mediaOf(part: ContentPart): number | undefined {
  switch (part.type) {
    case "image_url":
      return IMAGE_TOKENS
    case "input_audio":
      return Math.ceil(textBytes(part.input_audio) / AUDIO_BYTES_PER_TOKEN)
    case "video_url":
      return sent(part.video_url?.url)
    case "file":
      return sent(part.file?.file_data)
    default:
      return undefined
  }
}

/** A document's own bytes are above its tokens: its text is a part of it, and its pages' pictures are larger. */
function sent(data: string | undefined): number {
  return data === undefined || /^https?:/i.test(data) ? REFERENCE_TOKENS : Math.max(data.length, IMAGE_TOKENS)
}

/** No recursion: a schema may be as deep as its author likes. */
function textBytes(root: unknown): number {
  let bytes = 0
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === "string") bytes += Buffer.byteLength(value)
    else if (Array.isArray(value)) for (const member of value) waiting.push(member)
    else if (typeof value === "object" && value !== null) {
      for (const name of Object.keys(value)) {
        // Its quotes, colon and comma.
        bytes += Buffer.byteLength(name) + 4
        waiting.push((value as JsonObject)[name])
      }
    } else if (value !== undefined) bytes += String(value).length + 1
  }
  return bytes
}
