import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { assemble, completeToolCalls, createAssembler, encodeEvent } from "@sluice/protocol"
import fc from "fast-check"
import { cutAt, readStream } from "./sse-reading.ts"

const OWN = new URL("./transcripts/", import.meta.url)
const SHARED = new URL("../../../../shared/testdata/transcripts/", import.meta.url)

// ── Recorded and written streams ──

const brest = { name: "tide", arguments: '{"port": "Brest"}' }

/** What each of our own transcripts adds up to; they hold the oddities of the recorded ones and some more. */
const OWN_TRANSCRIPTS: Record<string, { finish: string; total: number; message: object; more?: object }> = {
  "usage-on-a-chunk-of-its-own": {
    finish: "stop",
    total: 18,
    message: { role: "assistant", content: "High water — à midi 🌊" },
    more: { service_tier: "default", system_fingerprint: "fp_t1" },
  },
  "usage-beside-the-finish-reason": {
    finish: "length",
    total: 9,
    message: { role: "assistant", content: "One, two, thr" },
  },
  "reasoning-then-a-call-in-pieces": {
    finish: "tool_calls",
    total: 120,
    message: {
      role: "assistant",
      content: "",
      reasoning: "Look up the tide.",
      tool_calls: [{ id: "call_0_tide", type: "function", function: brest }],
    },
  },
  "usage-twice-and-a-whole-call": {
    finish: "tool_calls",
    total: 48,
    message: {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_a", type: "function", function: { name: "now", arguments: "{}" } }],
    },
    more: {
      x_groq: {
        id: "req_1",
        usage: {
          queue_time: 0.25,
          prompt_tokens: 40,
          prompt_time: 0.5,
          completion_tokens: 8,
          completion_time: 1.5,
          total_tokens: 48,
          total_time: 2,
        },
      },
    },
  },
  "a-call-without-index-or-type": {
    finish: "tool_calls",
    total: 32,
    message: {
      role: "assistant",
      content: "",
      tool_calls: [
        { id: "q7", type: "function", function: { name: "tide", arguments: '{"port": "Sète"}' } },
        { id: "q8", type: "function", function: brest },
      ],
    },
  },
  "reasoning-counted-beside": {
    finish: "tool_calls",
    total: 86,
    message: {
      role: "assistant",
      content: null,
      reasoning: "Hm.",
      tool_calls: [
        { id: "call_b", type: "function", function: { name: "tide", arguments: '{"port":"Cork"}' } },
      ],
    },
  },
  "an-empty-first-chunk": {
    finish: "stop",
    total: 5,
    message: { role: "assistant", content: "Calm." },
    more: { prompt_filter_results: [{ prompt_index: 0 }] },
  },
  "usage-in-the-choice": { finish: "stop", total: 6, message: { role: "assistant", content: "Slack water" } },
}

for (const [name, wanted] of Object.entries(OWN_TRANSCRIPTS)) {
  test(`a stream adds up: ${name}`, () => {
    const lines = linesOf(new URL(`${name}.chunks.txt`, OWN))
    const { usage, ...completion } = assemble(lines.map((line) => JSON.parse(line)))
    assert.deepEqual(completion, {
      id: "chatcmpl-tide",
      object: "chat.completion",
      created: 1767225600,
      model: "harbour-1",
      choices: [{ index: 0, message: wanted.message, finish_reason: wanted.finish }],
      ...wanted.more,
    })
    assert.equal(usage?.total_tokens, wanted.total)
    assert.deepEqual(usage, lastUsage(lines))
    assertSameOverTheWire(lines)
  })
}

/** finish_reason, prompt, completion and total tokens, as the recordings' own table has them. */
const RECORDED: Record<string, [finish: string, prompt: number, completion: number, total: number]> = {
  "openai/openai-text": ["stop", 16, 300, 316],
  "deepseek/deepseek-text": ["length", 13, 400, 413],
  "deepseek/deepseek-tool-call": ["tool_calls", 339, 83, 422],
  "groq/groq-text": ["stop", 45, 662, 707],
  "groq/groq-tool-call": ["tool_calls", 210, 15, 225],
  "mistral/mistral-text": ["stop", 13, 8, 21],
  "mistral/mistral-tool-call": ["tool_calls", 124, 22, 146],
  "xai/xai-tool-call": ["tool_calls", 291, 26, 513],
}

for (const [name, [finish, prompt, completion, total]] of Object.entries(RECORDED)) {
  test(`a recorded stream adds up: ${name}`, (t) => {
    const file = new URL(`${name}.chunks.txt`, SHARED)
    if (!existsSync(file)) return t.skip("the recorded transcripts are absent")
    const lines = linesOf(file)
    const { choices, usage } = assemble(lines.map((line) => JSON.parse(line)))
    const [choice] = choices
    assert.ok(choice !== undefined && choices.length === 1)
    assert.equal(choice.finish_reason, finish)
    assert.deepEqual(
      [usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens],
      [prompt, completion, total],
    )
    assert.deepEqual(usage, lastUsage(lines))
    if (name.endsWith("tool-call")) {
      const [call] = choice.message.tool_calls ?? []
      assert.ok(call?.type === "function" && call.function.name === "weather")
      assert.deepEqual(completeToolCalls(choice), choice.message.tool_calls)
    } else assert.ok(choice.message.content)
    assertSameOverTheWire(lines)
  })
}

for (const name of [
  "anthropic/anthropic-text",
  "anthropic/anthropic-clear-thinking.1",
  "anthropic/anthropic-json-tool.1",
  "anthropic/anthropic-refusal",
  "google/google-text",
  "google/google-reasoning",
  "google/google-tool-call",
]) {
  test(`a recorded stream of another form decodes: ${name}`, (t) => {
    const file = new URL(`${name}.chunks.txt`, SHARED)
    if (!existsSync(file)) return t.skip("the recorded transcripts are absent")
    const lines = linesOf(file)
    const events = lines.map((data) => ({ data, event: String(JSON.parse(data).type ?? "message") }))
    const stream = new TextEncoder().encode(events.map(encodeEvent).join(""))
    for (let at = 0; at <= stream.length; at++) {
      const read = readStream([stream.subarray(0, at), stream.subarray(at)]).events
      assert.deepEqual(
        read.map(({ data, event }) => ({ data, event })),
        events,
      )
    }
  })
}

/** Written as events, cut at random and read again, the chunks add up to the same. */
function assertSameOverTheWire(lines: readonly string[]): void {
  const wanted = assemble(lines.map((line) => JSON.parse(line)))
  const stream = new TextEncoder().encode(lines.map((data) => encodeEvent({ data })).join(""))
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 50 }), (places) => {
      const chunks = readStream(cutAt(places, stream)).events.map(({ data }) => JSON.parse(data))
      assert.deepEqual(assemble(chunks), wanted)
    }),
    { numRuns: 25 },
  )
}

function linesOf(file: URL): string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
}

/** By another way than the assembler's: the last that stands anywhere in the text. */
function lastUsage(lines: readonly string[]): unknown {
  const counted = lines
    .map((line) => JSON.parse(line))
    .map((chunk) => chunk.usage ?? chunk.choices?.[0]?.usage)
  return counted.findLast((usage) => usage != null)
}

// ── What a chunk's members do ──

test("nothing adds up to an empty completion", () => {
  const wanted = { id: "", object: "chat.completion", created: 0, model: "", choices: [] }
  assert.deepEqual(assemble([]), wanted)
  assert.deepEqual(assemble([null, 1, "x", [], undefined, {}, { choices: null }, { choices: {} }]), wanted)
})

test("members of the wrong type are passed over, wherever they stand", () => {
  const { choices } = assemble([
    { choices: [null, 5, { delta: null }, { delta: { content: 5, tool_calls: {}, logprobs: [] } }] },
    {
      choices: [
        { delta: { content: "a", tool_calls: [null, "x", {}], audio: "no", images: {} }, logprobs: "no" },
      ],
    },
  ])
  assert.deepEqual(
    choices.map(({ index }) => index),
    [0, 1, 2, 3],
  )
  assert.equal(choices[0]?.message.content, "a")
})

test("a running stream has no finish reason, and its half call is there to see", () => {
  const assembler = createAssembler()
  assembler.add(chunk({ content: "Hel" }))
  assembler.add(chunk({ tool_calls: [{ index: 0, id: "1", function: { name: "f", arguments: '{"a"' } }] }))
  const [running] = assembler.completion().choices
  assert.equal(running?.finish_reason, null)
  const [call] = running?.message.tool_calls ?? []
  assert.ok(call?.type === "function")
  assert.equal(call.function.arguments, '{"a"')
  assembler.add(chunk({ content: "lo" }, { finish_reason: "stop" }))
  assert.equal(running?.message.content, "Hel", "what was given before does not change")
  assert.equal(assembler.completion().choices[0]?.message.content, "Hello")
})

test("a finish reason that is null or empty does not take back the one that came", () => {
  const { choices } = assemble([
    chunk({ content: "a" }, { finish_reason: "" }),
    chunk({}, { finish_reason: "length" }),
    chunk({}, { finish_reason: null }),
    chunk({}),
  ])
  assert.equal(choices[0]?.finish_reason, "length")
})

test("several choices are kept apart and stand in order", () => {
  const choice = (index: number, content: string) => ({ index, delta: { content }, finish_reason: null })
  const { choices } = assemble([
    { choices: [choice(2, "c")] },
    { choices: [choice(0, "a"), choice(1, "b")] },
    { choices: [choice(2, "C")] },
  ])
  assert.deepEqual(
    choices.map(({ index, message }) => [index, message.content]),
    [
      [0, "a"],
      [1, "b"],
      [2, "cC"],
    ],
  )
})

test("half surrogate pairs meet again", () => {
  const halves = ['{"content":"\\ud83d"}', '{"content":"\\ude00"}'].map((delta) => chunk(JSON.parse(delta)))
  assert.equal(assemble(halves).choices[0]?.message.content, "😀")
})

test("reasoning counts once, under whichever name it came", () => {
  const message = messageOf([
    { reasoning: "a", reasoning_content: "a" },
    { reasoning: null, reasoning_content: "b" },
    { reasoning: "", reasoning_content: "c" },
    { reasoning: "d" },
  ])
  assert.deepEqual(message, { role: "assistant", content: null, reasoning: "abcd" })
})

test("refusal, images, annotations and the older function call are put together", () => {
  assert.deepEqual(
    messageOf([
      { refusal: "I can", images: [{ n: 1 }], function_call: { name: "f", arguments: '{"a"' } },
      { refusal: "not", annotations: [{ n: 2 }], function_call: { arguments: ":1}" } },
      { refusal: null, images: [{ n: 3 }], annotations: [] },
    ]),
    {
      role: "assistant",
      content: null,
      refusal: "I cannot",
      images: [{ n: 1 }, { n: 3 }],
      annotations: [{ n: 2 }],
      function_call: { name: "f", arguments: '{"a":1}' },
    },
  )
})

test("audio is joined: its data and its transcript, with the id that came first", () => {
  const pieces = [
    { id: "audio_1" },
    { id: "audio_1", data: "AAEC", transcript: "Hel" },
    null,
    { data: "AwQF", transcript: "lo", expires_at: 1767229200 },
  ]
  assert.deepEqual(messageOf(pieces.map((audio) => ({ audio }))).audio, {
    id: "audio_1",
    data: "AAECAwQF",
    transcript: "Hello",
    expires_at: 1767229200,
  })
})

test("content in parts is text too", () => {
  const parts = [
    { type: "thinking", thinking: [] },
    { type: "text", text: "a" },
    { type: "text", text: "b" },
  ]
  assert.equal(messageOf([{ content: parts }, { content: "c" }]).content, "abc")
})

test("logprobs are joined, content and refusal apart", () => {
  const token = (token: string) => ({ token, logprob: -1, bytes: null, top_logprobs: [] })
  const { choices } = assemble([
    chunk({}, { logprobs: null }),
    chunk({}, { logprobs: { content: [token("a")], refusal: null } }),
    chunk({}, { logprobs: { content: [token("b"), token("c")] } }),
    chunk({}, { logprobs: { content: null, refusal: [token("d")] } }),
  ])
  assert.deepEqual(choices[0]?.logprobs, { content: ["a", "b", "c"].map(token), refusal: [token("d")] })
})

test("reasoning details: text of one index is joined, its signature added, the others stand for themselves", () => {
  const text = { type: "reasoning.text", format: "f", index: 0 }
  const encrypted = { type: "reasoning.encrypted", data: "x", index: 2 }
  const message = messageOf([
    { reasoning_details: [{ ...text, text: "Let" }] },
    {
      reasoning_details: [
        { ...text, text: " me" },
        { type: "reasoning.summary", summary: "s", index: 0 },
      ],
    },
    { reasoning_details: [{ type: "reasoning.summary", summary: "um", index: 0 }, encrypted] },
    { reasoning_details: [{ ...text, text: null, signature: "sig", format: null }, encrypted] },
    {
      reasoning_details: [
        { type: "reasoning.text", text: "a" },
        { type: "reasoning.text", text: "b" },
      ],
    },
  ])
  assert.deepEqual(message.reasoning_details, [
    { ...text, text: "Let me", signature: "sig" },
    { type: "reasoning.summary", summary: "sum", index: 0 },
    encrypted,
    encrypted,
    { type: "reasoning.text", text: "a" },
    { type: "reasoning.text", text: "b" },
  ])
})

test("usage is the last that came, wherever it stands, and never a sum", () => {
  const usage = (total: number) => ({ prompt_tokens: 1, completion_tokens: total - 1, total_tokens: total })
  assert.deepEqual(assemble([{ usage: usage(2) }, { usage: usage(5) }, { usage: null }, {}]).usage, usage(5))
  assert.deepEqual(assemble([{ usage: null, x_groq: { usage: usage(3) } }]).usage, usage(3))
  assert.deepEqual(assemble([{ usage: usage(4), x_groq: { usage: usage(4) } }]).usage, usage(4))
  assert.equal(assemble([{ usage: null }, { usage: 5 }]).usage, undefined)
})

test("the first id, time and model count, and the time is an integer", () => {
  const { id, created, model } = assemble([
    { id: "", created: 0, model: "" },
    { id: "a", created: 1767225600.9, model: "m" },
    { id: "b", created: 1767225700, model: "n" },
  ])
  assert.deepEqual({ id, created, model }, { id: "a", created: 1767225600, model: "m" })
})

test("an error is kept, that of a choice too, with what had come before", () => {
  const error = { code: 502, message: "cut" }
  const completion = assemble([
    chunk({ content: "a" }),
    { ...chunk({}, { finish_reason: "error", error }), error },
  ])
  assert.deepEqual(completion.error, error)
  assert.deepEqual(completion.choices[0]?.error, error)
  assert.equal(completion.choices[0]?.message.content, "a")
  assert.deepEqual(assemble([{ error }]).error, error)
})

test("unknown members are kept in their places: the last value, null never", () => {
  const completion = assemble([
    {
      ...chunk({ mood: "calm", depth: 1 }, { native_finish_reason: null, lane: "a" }),
      provider: "p",
      extra: { a: 1 },
    },
    {
      ...chunk({ mood: "rough", depth: null }, { native_finish_reason: "end", lane: null }),
      extra: { b: 2 },
    },
  ])
  assert.deepEqual(completion, {
    id: "",
    object: "chat.completion",
    created: 0,
    model: "",
    provider: "p",
    extra: { b: 2 },
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: null, mood: "rough", depth: 1 },
        finish_reason: null,
        native_finish_reason: "end",
        lane: "a",
      },
    ],
  })
})

test("a whole answer in place of chunks is read too; beside a delta it only repeats", () => {
  const message = { role: "assistant", content: "whole" }
  assert.equal(
    assemble([{ choices: [{ index: 0, message, finish_reason: "stop" }] }]).choices[0]?.message.content,
    "whole",
  )
  const both = [{ choices: [{ index: 0, delta: { content: "a" }, message }] }]
  assert.equal(assemble(both).choices[0]?.message.content, "a")
})

test("a member called __proto__ changes nobody's prototype", () => {
  const hostile = '{"polluted":true}'
  const text = `{"__proto__":${hostile},"choices":[{"index":0,"__proto__":${hostile},"delta":{"__proto__":${hostile},
    "reasoning_details":[{"type":"reasoning.text","index":0,"__proto__":${hostile}}],
    "tool_calls":[{"index":0,"id":"1","__proto__":${hostile}}],"audio":{"__proto__":${hostile}}}}],"usage":{"__proto__":${hostile}}}`
  const completion = assemble([JSON.parse(text), JSON.parse(text)])
  const seen: unknown[] = [completion]
  for (const value of seen) {
    if (typeof value !== "object" || value === null) continue
    assert.ok(Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)
    for (const name of Object.getOwnPropertyNames(value))
      seen.push(Object.getOwnPropertyDescriptor(value, name)?.value)
  }
  assert.ok(seen.length > 20)
  assert.equal("polluted" in {}, false)
  assert.ok(Object.hasOwn(completion, "__proto__"), "it is a member like any other")
})

function chunk(delta: object, choice: object = {}): object {
  return { choices: [{ index: 0, delta, ...choice }] }
}

function messageOf(deltas: readonly object[]) {
  const message = assemble(deltas.map((delta) => chunk(delta))).choices[0]?.message
  assert.ok(message !== undefined)
  return message
}
