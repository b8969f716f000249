import assert from "node:assert/strict"
import { test } from "node:test"
import type { ChatRequest, ContentPart } from "@sluice/protocol"
import fc from "fast-check"
import { countTokens } from "gpt-tokenizer/encoding/o200k_base"
import {
  AUDIO_BYTES_PER_TOKEN,
  completionBound,
  IMAGE_TOKENS,
  promptSize,
  REFERENCE_TOKENS,
  UNCAPPED_COMPLETION,
} from "./bound.ts"

const asking = (content: string | ContentPart[], more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: [{ role: "user", content }],
  ...more,
})
const tokensOf = (text: string): number => countTokens(text, { disallowedSpecial: new Set<string>() })

test("an answer is bounded by its cap, the newer word first, times how many are asked for", () => {
  assert.equal(completionBound(asking("a")), UNCAPPED_COMPLETION)
  assert.equal(UNCAPPED_COMPLETION, 4_096)
  assert.equal(completionBound(asking("a", { max_tokens: 10 })), 10)
  assert.equal(completionBound(asking("a", { max_tokens: 10, max_completion_tokens: 20 })), 20)
  assert.equal(completionBound(asking("a", { max_tokens: 10, max_completion_tokens: null })), 10)
  assert.equal(completionBound(asking("a", { max_tokens: 10, n: 3 })), 30)
  assert.equal(completionBound(asking("a", { n: 2 })), 2 * UNCAPPED_COMPLETION)
  assert.equal(completionBound(asking("a", { max_tokens: 0, n: null })), 0)
})

const anyText = fc.oneof(
  fc.string({ maxLength: 400 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom("<|im_start|>", "\n", "   ", "0", "{", "é", "語", "🦊"),
    maxLength: 200,
  }),
)

test("a prompt never has more tokens than the bytes of its text, and room for each message's template", () => {
  fc.assert(
    fc.property(fc.array(anyText, { minLength: 1, maxLength: 5 }), anyText, (texts, name) => {
      const request: ChatRequest = {
        messages: texts.map((content) => ({ role: "user", content, name })),
        tools: [{ type: "function", function: { name, parameters: { type: "object", title: texts[0] } } }],
      }
      // OpenAI's own count: three tokens and the role for each message, one more for a name, three for the answer's start.
      const messages = texts.map((text) => 4 + tokensOf(text) + 1 + tokensOf(name))
      const tools = tokensOf(JSON.stringify(request.tools?.[0]?.function?.parameters)) + tokensOf(name)
      const count = messages.reduce((sum, tokens) => sum + tokens, 3 + tools)
      const { bytes, mediaTokens } = promptSize(request)
      assert.equal(mediaTokens, 0)
      assert.ok(bytes >= count, `${bytes} bytes, ${count} tokens`)
    }),
    { numRuns: 300 },
  )
})

test("every byte of every text counts: in parts, calls, tools, schemas and reasoning", () => {
  const before = promptSize(asking("")).bytes
  const grown: ChatRequest[] = [
    asking("x".repeat(1_000)),
    asking([{ type: "text", text: "x".repeat(1_000) }]),
    asking([{ type: "refusal", refusal: "x".repeat(1_000) }]),
    asking("", {
      tools: [{ type: "function", function: { name: "f", description: "x".repeat(1_000) } }],
    }),
    asking("", { functions: [{ name: "x".repeat(1_000) }] }),
    asking("", {
      response_format: {
        type: "json_schema",
        json_schema: { name: "s", schema: { ["x".repeat(1_000)]: 1 } },
      },
    }),
    {
      messages: [
        { role: "user", content: "" },
        { role: "assistant", content: null, reasoning_content: "x".repeat(1_000) },
      ],
    },
    {
      messages: [
        { role: "user", content: "" },
        {
          role: "assistant",
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "x".repeat(1_000) } }],
        },
      ],
    },
  ]
  for (const request of grown) assert.ok(promptSize(request).bytes >= before + 1_000, JSON.stringify(request))
  assert.equal(promptSize(asking("é")).bytes, promptSize(asking("ee")).bytes, "bytes, not characters")
})

test("pictures, sound, films and files count by their constants, not by their base64", () => {
  const data = "A".repeat(3_200_000)
  const media = (...parts: ContentPart[]) => promptSize(asking(parts))
  const image: ContentPart = { type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }
  assert.equal(media(image, image).mediaTokens, 2 * IMAGE_TOKENS)
  assert.ok(media(image).bytes < 1_000)
  const audio = media({ type: "input_audio", input_audio: { data, format: "mp3" } })
  const audioTokens = data.length / AUDIO_BYTES_PER_TOKEN
  assert.ok(audio.mediaTokens >= audioTokens && audio.mediaTokens < audioTokens + 10)
  assert.equal(media({ type: "file", file: { file_data: data } }).mediaTokens, data.length)
  assert.equal(media({ type: "file", file: { file_id: "file-1" } }).mediaTokens, REFERENCE_TOKENS)
  const film: ContentPart = { type: "video_url", video_url: { url: "https://a.example/film.mp4" } }
  assert.equal(media(film, { type: "text", text: "what is this?" }).mediaTokens, REFERENCE_TOKENS)
  const drawn: ChatRequest = { messages: [{ role: "assistant", content: "", images: [{ url: data }] }] }
  assert.equal(promptSize(drawn).mediaTokens, IMAGE_TOKENS)
  assert.ok(promptSize(drawn).bytes < 1_000)
})

test("a schema that is nested without end is measured like any other", () => {
  let parameters = {}
  for (let depth = 0; depth < 100_000; depth++) parameters = { a: parameters }
  const { bytes } = promptSize(
    asking("", { tools: [{ type: "function", function: { name: "f", parameters } }] }),
  )
  assert.ok(bytes >= 500_000)
})
