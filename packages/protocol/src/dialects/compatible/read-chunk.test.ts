import assert from "node:assert/strict"
import { test } from "node:test"
import type { Chunk } from "../../chunk.ts"
import { createChunkReader } from "./read-chunk.ts"

function readOne(value: unknown): Chunk {
  const answer = createChunkReader()(value)
  assert.ok(answer.type === "chunk", JSON.stringify(answer))
  return answer.chunk
}

function deltaOf(delta: unknown) {
  return readOne({ choices: [{ index: 0, delta }] }).choices[0]?.delta
}

function read(value: unknown) {
  return createChunkReader()(value)
}

test("OpenAI's nulls and padding are left behind, and what it says beside is kept", () => {
  assert.deepEqual(
    readOne({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1700000000,
      model: "gpt",
      service_tier: "default",
      system_fingerprint: null,
      choices: [
        {
          index: 0,
          delta: { role: "assistant", content: "", refusal: null },
          logprobs: null,
          finish_reason: null,
          content_filter_results: {},
        },
      ],
      usage: null,
      obfuscation: "x",
    }),
    {
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1700000000,
      model: "gpt",
      service_tier: "default",
      choices: [
        {
          index: 0,
          delta: { role: "assistant", content: "" },
          finish_reason: null,
          content_filter_results: {},
        },
      ],
    },
  )
})

test("Azure's first chunk, empty but for its filter results, is a chunk", () => {
  const chunk = readOne({
    id: "",
    object: "",
    created: 0,
    model: "",
    choices: [],
    prompt_filter_results: [{}],
  })
  assert.deepEqual(chunk.choices, [])
})

test("usage is found on the chunk, in Groq's envelope, in a choice, and where choices are missing", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  const choice = { index: 0, delta: {}, finish_reason: "stop" }
  assert.deepEqual(readOne({ choices: [choice], usage }).usage, usage)
  assert.deepEqual(readOne({ choices: [choice], x_groq: { usage } }).usage, usage)
  assert.deepEqual(readOne({ choices: [{ ...choice, usage }] }).usage, usage)
  assert.deepEqual(readOne({ usage }), {
    id: "",
    object: "chat.completion.chunk",
    created: 0,
    model: "",
    choices: [],
    usage,
  })
})

test("reasoning is read under each of its names, once, and other forms are passed over", () => {
  for (const name of ["reasoning", "reasoning_content", "reasoning_text", "thinking"]) {
    assert.deepEqual(deltaOf({ [name]: "t" }), { reasoning: "t" }, name)
    assert.deepEqual(deltaOf({ content: "a", [name]: null }), { content: "a" }, name)
    assert.deepEqual(deltaOf({ [name]: ["t"] }), {}, name)
    assert.deepEqual(deltaOf({ [name]: { text: "t" } }), {}, name)
  }
  assert.deepEqual(deltaOf({ reasoning: "t", reasoning_content: "t" }), { reasoning: "t" })
  assert.deepEqual(deltaOf({ reasoning: "", reasoning_content: "t" }), { reasoning: "t" })
})

test("Mistral's parts become text and reasoning", () => {
  const content = [
    { type: "thinking", thinking: [{ type: "text", text: "let me" }] },
    { type: "text", text: "Hi" },
  ]
  assert.deepEqual(deltaOf({ content }), { content: "Hi", reasoning: "let me" })
})

test("a whole message or a text in a delta's place is taken for one", () => {
  const [message] = readOne({
    choices: [{ message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  }).choices
  assert.deepEqual(message, { index: 0, delta: { role: "assistant", content: "Hi" }, finish_reason: "stop" })
  const [text] = readOne({ choices: [{ text: "Hi", index: 0 }] }).choices
  assert.deepEqual(text?.delta, { content: "Hi" })
})

test("a missing finish_reason, xAI's way, is null; a provider's own word is translated and kept", () => {
  const [missing, own] = readOne({
    choices: [
      { index: 0, delta: { content: "a" } },
      { index: 1, delta: {}, finish_reason: "MAX_TOKENS" },
    ],
  }).choices
  assert.deepEqual(missing, { index: 0, delta: { content: "a" }, finish_reason: null })
  assert.deepEqual(own, { index: 1, delta: {}, finish_reason: "length", native_finish_reason: "MAX_TOKENS" })
})

test("created is whole seconds, whatever was sent", () => {
  const createdOf = (created: unknown) => readOne({ created, choices: [] }).created
  assert.deepEqual([1.9, "7", null, undefined, "soon", -3].map(createdOf), [1, 7, 0, 0, 0, 0])
})

test("a stop_reason is a scalar, also out of Atoma's wrapping", () => {
  const stopOf = (stop_reason: unknown) =>
    readOne({ choices: [{ delta: {}, finish_reason: "stop", stop_reason }] }).choices[0]?.stop_reason
  assert.deepEqual([{ Int: 4 }, { String: "s" }, "</s>", 7, null].map(stopOf), [4, "s", "</s>", 7, undefined])
})

test("an error is an error, bare, inside a chunk, in a choice, as text, as an object, or as a finish reason", () => {
  const errors: [unknown, number, string, string][] = [
    [{ error: { message: "Too fast", code: 429 } }, 429, "rate_limit_exceeded", "Too fast"],
    [{ error: "It broke" }, 502, "provider_error", "It broke"],
    [{ error: { message: "Busy", code: "503" } }, 503, "provider_overloaded", "Busy"],
    [{ error: { message: "No", code: "server_error" } }, 500, "server", "No"],
    [{ choices: [], error: { message: "Gone", code: 404 } }, 404, "not_found", "Gone"],
    [
      { choices: [{ delta: {}, finish_reason: "error", error: { code: 502, message: "m" } }] },
      502,
      "provider_error",
      "m",
    ],
    [{ object: "error", message: "vLLM's", code: 400 }, 400, "invalid_request", "vLLM's"],
    [
      { choices: [{ delta: {}, finish_reason: "error" }] },
      502,
      "provider_error",
      'the provider ended with finish_reason "error"',
    ],
    [
      { choices: [{ delta: {}, finish_reason: "network_error" }] },
      502,
      "provider_error",
      'the provider ended with finish_reason "network_error"',
    ],
    [{ error: { code: 12, message: "odd" } }, 502, "provider_error", "odd"],
    [{ error: {} }, 502, "provider_error", "the provider answered 502 without a message"],
  ]
  for (const [value, status, kind, message] of errors) {
    const answer = read(value)
    assert.ok(answer.type === "error", JSON.stringify(value))
    const { error } = answer
    assert.deepEqual([error.status, error.kind, error.message], [status, kind, message])
  }
})

test("what is no chunk is malformed, and the reason says what stood there", () => {
  const reasonOf = (value: unknown) => {
    const answer = read(value)
    assert.ok(answer.type === "malformed", JSON.stringify(value))
    return answer.reason
  }
  assert.match(reasonOf(null), /null/)
  assert.match(reasonOf([]), /an array/)
  assert.match(reasonOf("<html>"), /a string/)
  assert.match(reasonOf({}), /`choices`.*undefined/)
  assert.match(reasonOf({ choices: null }), /`choices`.*null/)
  assert.match(reasonOf({ choices: {} }), /`choices`.*an object/)
  assert.match(reasonOf({ choices: [1] }), /choices\[0\].*a number/)
  assert.match(reasonOf({ choices: [{ index: 0 }] }), /choices\[0\].*`delta`/)
  assert.match(reasonOf({ object: "list", data: [] }), /`choices`/)
})

test("__proto__ changes nobody's prototype, and the input stays as it was", () => {
  const text =
    '{"__proto__":{"polluted":1},"choices":[{"__proto__":{"a":1},"delta":{"__proto__":{"b":1},"content":"x"}}]}'
  const value: unknown = Object.freeze(JSON.parse(text))
  const chunk = readOne(value)
  assert.equal(Object.getPrototypeOf(chunk), Object.prototype)
  assert.equal(Object.getPrototypeOf(chunk.choices[0]?.delta), Object.prototype)
  assert.ok(!("polluted" in chunk) && !("a" in (chunk.choices[0] ?? {})))
  assert.equal(JSON.stringify(value), text)
})
