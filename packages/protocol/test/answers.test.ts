/** What each dialect writes to the letter, where the letter matters. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Chunk, ChunkChoice } from "../src/chunk.ts"
import type { Completion, CompletionChoice } from "../src/completion.ts"
import { atoma, dialects, openai, openrouter, orq, r9s } from "../src/dialects/index.ts"
import { wireError } from "../src/error.ts"

const ENVELOPE = { id: "chatcmpl-1", created: 1700000000, model: "p/m" }
const CHUNK = { ...ENVELOPE, object: "chat.completion.chunk" } as const

function chunk(choice: Partial<ChunkChoice>, more: Partial<Chunk> = {}): Chunk {
  return { ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: null, ...choice }], ...more }
}

function completion(choice: Partial<CompletionChoice> = {}, more: Partial<Completion> = {}): Completion {
  const message = { role: "assistant", content: "Hi" } as const
  return {
    ...ENVELOPE,
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: "stop", ...choice }],
    ...more,
  }
}

test("each dialect has its name, OpenRouter's ids begin with gen-, and Atoma alone needs padding", () => {
  for (const [name, dialect] of Object.entries(dialects)) {
    assert.equal(dialect.name, name)
    assert.equal(dialect.idPrefix, name === "openrouter" ? "gen-" : "chatcmpl-")
    assert.equal(dialect.padBeforeDone, name === "atoma")
  }
})

test("an error before the stream: a word as code at openai, the status elsewhere, and never a status member", () => {
  const error = wireError("rate_limit_exceeded", "Slow down.", {
    param: "model",
    metadata: { provider_code: "x" },
  })
  assert.deepEqual(openai.writeError(error), {
    error: { message: "Slow down.", type: "rate_limit_error", param: "model", code: "rate_limit_exceeded" },
  })
  for (const dialect of [openrouter, r9s, atoma, orq]) {
    assert.deepEqual(dialect.writeError(error), {
      error: {
        message: "Slow down.",
        type: "rate_limit_error",
        param: "model",
        code: 429,
        metadata: { provider_code: "x", error_type: "rate_limit_exceeded", retryable: true },
      },
    })
  }
  assert.deepEqual(r9s.writeError(wireError("not_found", "No."))["error"], {
    message: "No.",
    type: "invalid_request_error",
    param: null,
    code: 404,
    metadata: { error_type: "not_found", retryable: false },
  })
})

test("an error inside the stream: no choices at openai, an empty list elsewhere, a choice that ended at OpenRouter", () => {
  const failure = wireError("timeout", "No answer in time.")
  const error = {
    code: 504,
    message: "No answer in time.",
    type: "timeout_error",
    metadata: { error_type: "timeout", retryable: true },
  }
  assert.deepEqual(openai.writeErrorChunk(ENVELOPE, failure), { ...CHUNK, error })
  for (const dialect of [r9s, atoma, orq]) {
    assert.deepEqual(dialect.writeErrorChunk(ENVELOPE, failure), { ...CHUNK, choices: [], error })
  }
  assert.deepEqual(openrouter.writeErrorChunk(ENVELOPE, failure), {
    ...CHUNK,
    choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
    error,
  })
})

test("a provider's metadata cannot pass itself off as ours", () => {
  const error = wireError("timeout", "m", { metadata: { error_type: "fine", retryable: false } })
  const metadata = { error_type: "timeout", retryable: true }
  for (const dialect of Object.values(dialects)) {
    assert.deepEqual(dialect.writeErrorChunk(ENVELOPE, error)["error"], {
      code: 504,
      message: "m",
      type: "timeout_error",
      metadata,
    })
  }
})

test("reasoning stands under both names in every dialect, in a delta and in a message", () => {
  for (const dialect of Object.values(dialects)) {
    const written = JSON.stringify(dialect.createChunkWriter()(chunk({ delta: { reasoning: "t" } })))
    assert.match(written, /"reasoning":"t"/)
    assert.match(written, /"reasoning_content":"t"/)
    const message = { role: "assistant", content: null, reasoning: "t" } as const
    const whole = JSON.stringify(dialect.writeCompletion(completion({ message })))
    assert.match(whole, /"reasoning":"t"/)
    assert.match(whole, /"reasoning_content":"t"/)
  }
})

test("finish_reason is on every choice, and a failure never becomes stop", () => {
  for (const [name, dialect] of Object.entries(dialects)) {
    const write = dialect.createChunkWriter()
    assert.deepEqual(write(chunk({}))["choices"], [{ index: 0, delta: {}, finish_reason: null }])
    assert.deepEqual(write(chunk({ finish_reason: "error" }))["choices"], [
      { index: 0, delta: {}, finish_reason: name === "openrouter" ? "error" : null },
    ])
  }
})

test("a stop_reason is a scalar at openai, wrapped at atoma, and nowhere else", () => {
  const stopOf = (dialect: (typeof dialects)[keyof typeof dialects], stop_reason: string | number) => {
    const [choice] = dialect.createChunkWriter()(chunk({ finish_reason: "stop", stop_reason }))[
      "choices"
    ] as ChunkChoice[]
    return choice?.stop_reason
  }
  assert.equal(stopOf(openai, "</s>"), "</s>")
  assert.deepEqual(stopOf(atoma, "</s>"), { String: "</s>" })
  assert.deepEqual(stopOf(atoma, 7), { Int: 7 })
  for (const dialect of [openrouter, r9s, orq]) assert.equal(stopOf(dialect, "</s>"), undefined)
})

test("a raw finish word, the provider's name and routing metadata are OpenRouter's", () => {
  const openrouter_metadata = {
    requested: "m",
    strategy: "direct",
    region: null,
    summary: "s",
    attempt: 1,
    is_byok: false,
    endpoints: { total: 1, available: [] },
  }
  const said = chunk(
    { finish_reason: "stop", native_finish_reason: "STOP" },
    { provider: "p", openrouter_metadata, debug: { echo_upstream_body: {} } },
  )
  const written = JSON.stringify(openrouter.createChunkWriter()(said))
  for (const member of ["native_finish_reason", "provider", "openrouter_metadata", "debug"]) {
    assert.ok(written.includes(`"${member}"`), member)
    for (const dialect of [r9s, atoma, orq]) {
      assert.ok(!JSON.stringify(dialect.createChunkWriter()(said)).includes(`"${member}"`), member)
    }
  }
})

test("what Sluice says of its own on a final chunk reaches every client", () => {
  for (const dialect of Object.values(dialects)) {
    const written = dialect.createChunkWriter()(
      chunk({ finish_reason: "stop" }, { sluice: { continued: 1 } }),
    )
    assert.deepEqual(written["sluice"], { continued: 1 })
  }
})

test("a completion: a fingerprint's key at OpenRouter, text for silence at Atoma, null elsewhere", () => {
  const silent = completion({ message: { role: "assistant", content: null, tool_calls: [] } })
  const contentOf = (dialect: (typeof dialects)[keyof typeof dialects]) => {
    const [choice] = dialect.writeCompletion(silent)["choices"] as CompletionChoice[]
    assert.ok(!("tool_calls" in (choice?.message ?? {})))
    return choice?.message.content
  }
  assert.equal(contentOf(atoma), "")
  for (const dialect of [openai, openrouter, r9s, orq]) assert.equal(contentOf(dialect), null)
  assert.equal(openrouter.writeCompletion(silent)["system_fingerprint"], null)
  for (const dialect of [openai, r9s, atoma, orq])
    assert.ok(!("system_fingerprint" in dialect.writeCompletion(silent)))
  assert.equal(
    openrouter.writeCompletion(completion({}, { system_fingerprint: "fp" }))["system_fingerprint"],
    "fp",
  )
})

test("r9s: an answer always says how it ended, but a stream looked at while it runs does not", () => {
  const finishOf = (more: Partial<Completion>) => {
    const [choice] = r9s.writeCompletion(completion({ finish_reason: null }, more))[
      "choices"
    ] as CompletionChoice[]
    return choice?.finish_reason
  }
  assert.equal(finishOf({}), "stop")
  assert.equal(finishOf({ sluice: { state: "running", last_event_id: 3 } }), null)
})

test("a completion's audio has all four members", () => {
  const message = { role: "assistant", content: null, audio: { id: "a", data: "d" } } as const
  for (const dialect of Object.values(dialects)) {
    const [choice] = dialect.writeCompletion(completion({ message }))["choices"] as CompletionChoice[]
    assert.deepEqual(choice?.message.audio, { id: "a", data: "d", transcript: "", expires_at: 0 })
  }
})

test("a provider's answer that is an error, or no answer, is read as such", () => {
  const { readCompletion } = openai
  const failed = readCompletion({
    choices: [{ index: 0, finish_reason: "error", error: { code: 503, message: "Busy" } }],
  })
  assert.ok(failed.type === "error")
  assert.deepEqual([failed.error.status, failed.error.message], [503, "Busy"])
  for (const value of [
    null,
    [],
    "<html>",
    {},
    { choices: [] },
    { choices: [3] },
    { choices: [{ index: 0 }] },
  ]) {
    assert.equal(readCompletion(value).type, "malformed", JSON.stringify(value))
  }
})

test("a provider's answer without a finish reason ended all the same", () => {
  const finishOf = (message: object) => {
    const answer = openai.readCompletion({ choices: [{ message }] })
    assert.ok(answer.type === "completion")
    return answer.completion.choices[0]?.finish_reason
  }
  assert.equal(finishOf({ content: "Hi" }), "stop")
  assert.equal(
    finishOf({ content: null, tool_calls: [{ id: "a", function: { name: "f", arguments: "{}" } }] }),
    "tool_calls",
  )
})
