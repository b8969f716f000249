/**
 * OpenAI's custom tools, which are given text in place of arguments: between its clients and its providers they are what
 * they are, and no other system's SDK is shown one.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { assemble } from "../src/assemble.ts"
import { chunkSchema } from "../src/chunk.schema.ts"
import type { Chunk, ToolCallDelta } from "../src/chunk.ts"
import { completionSchema } from "../src/completion.schema.ts"
import type { ToolCall } from "../src/completion.ts"
import { dialects } from "../src/dialects/index.ts"
import type { JsonObject } from "../src/json.ts"
import { requestSchema } from "../src/systems.schema.ts"
import { explain } from "../src/values.schema.ts"
import { BUILDS, validators } from "./validators.ts"

const { openai, ...others } = dialects
type Other = keyof typeof others
const OTHERS = Object.keys(others) as Other[]

const ENVELOPE = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "gpt" }
const chunkOf = (pieces: ToolCallDelta[]) => ({
  ...ENVELOPE,
  choices: [{ index: 0, delta: { tool_calls: pieces }, finish_reason: null }],
})
const FUNCTION: ToolCallDelta = {
  index: 1,
  id: "call_f",
  type: "function",
  function: { name: "tide", arguments: "{}" },
}
/** As OpenAI streams them. */
const PIECES: readonly ToolCallDelta[] = [
  { index: 0, id: "call_c", type: "custom", custom: { name: "run", input: "" } },
  { index: 0, custom: { input: "print(" } },
  { index: 0, custom: { input: '"hi")' } },
  FUNCTION,
]
const FINISH = { ...ENVELOPE, choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] }
const STREAM = [...PIECES.map((piece) => chunkOf([piece])), FINISH]

const CUSTOM: ToolCall = { id: "call_c", type: "custom", custom: { name: "run", input: 'print("hi")' } }
const CALLS: ToolCall[] = [
  CUSTOM,
  { id: "call_f", type: "function", function: { name: "tide", arguments: "{}" } },
]
const COMPLETION = {
  ...ENVELOPE,
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: null, tool_calls: CALLS },
      finish_reason: "tool_calls",
    },
  ],
}

function relayed(chunks: readonly object[], to: keyof typeof dialects): JsonObject[] {
  const read = openai.createChunkReader()
  const write = dialects[to].createChunkWriter()
  return chunks.map((chunk) => {
    const answer = read(chunk)
    assert.ok(answer.type === "chunk", JSON.stringify(answer))
    assert.ok(chunkSchema.safeParse(answer.chunk).success)
    return overTheWire(write(answer.chunk))
  })
}

function callsIn(chunks: readonly JsonObject[]): readonly ToolCall[] | undefined {
  return assemble(chunks).choices[0]?.message.tool_calls
}

test("a streamed call of a custom tool goes out as it came, and adds up to a whole one", () => {
  assert.deepEqual(relayed(STREAM, "openai"), STREAM)
  assert.deepEqual(callsIn(relayed(STREAM, "openai")), CALLS)
})

test("a server that repeats itself, or leaves out the index, is set right", () => {
  const repeated = ["print(", '"hi")'].map((input) =>
    chunkOf([{ index: 0, id: "call_c", type: "custom", custom: { name: "run", input } }]),
  )
  const [first, second] = relayed(repeated, "openai") as unknown as Chunk[]
  assert.deepEqual(first?.choices[0]?.delta.tool_calls, [
    { index: 0, id: "call_c", type: "custom", custom: { name: "run", input: "print(" } },
  ])
  assert.deepEqual(second?.choices[0]?.delta.tool_calls, [{ index: 0, custom: { input: '"hi")' } }])

  const bare = PIECES.map(({ index: _, ...piece }) => chunkOf([piece as ToolCallDelta]))
  assert.deepEqual(callsIn(relayed([...bare, FINISH], "openai")), CALLS)
})

test("a whole call of one goes out as it came", () => {
  const read = openai.readCompletion(COMPLETION)
  assert.ok(read.type === "completion")
  assert.ok(completionSchema.safeParse(read.completion).success)
  assert.deepEqual(overTheWire(openai.writeCompletion(read.completion)), COMPLETION)
})

for (const name of OTHERS) {
  const builds = BUILDS.filter((build) => build.startsWith(name))

  test(`${name}: its SDKs are shown the functions alone, and take all that they are shown`, () => {
    const written = relayed(STREAM, name)
    for (const build of builds)
      for (const chunk of written) assert.equal(validators[build].chunk(chunk), null, build)
    assert.deepEqual(
      callsIn(written)?.map(({ id }) => id),
      ["call_f"],
    )
    assert.equal(assemble(written).choices[0]?.finish_reason, "tool_calls")

    const read = openai.readCompletion(COMPLETION)
    assert.ok(read.type === "completion")
    const whole = overTheWire(others[name].writeCompletion(read.completion))
    for (const build of builds) assert.equal(validators[build].completion(whole), null, build)
    assert.doesNotMatch(JSON.stringify(whole), /custom|call_c/)
  })

  test(`${name}: its clients are told that there is no such tool`, () => {
    for (const [param, body] of [
      [/^tools\[0\]\.type must/, { tools: [RUN] }],
      [/^messages\[1\]\.tool_calls\[0\]\.type must be "function", got "custom"/, { messages: TURNS }],
    ] as const) {
      const result = requestSchema(name).safeParse({ ...ASKED, ...body })
      assert.ok(!result.success)
      assert.match(explain(result.error).message, param)
    }
  })
}

const RUN = {
  type: "custom",
  custom: {
    name: "run",
    description: "Runs Python.",
    format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /.+/" } },
  },
}
const CHOICE = { type: "custom", custom: { name: "run" } }
const USER = { role: "user", content: "Say hi." }
const TURNS = [
  USER,
  { role: "assistant", content: null, tool_calls: CALLS },
  { role: "tool", tool_call_id: "call_c", content: "hi" },
  { role: "tool", tool_call_id: "call_f", content: "high" },
]
const ASKED = { model: "m", messages: [USER] }

test("openai: tools, choice and earlier calls reach its providers to the last field", () => {
  const asked = { ...ASKED, messages: TURNS, tools: [RUN], tool_choice: CHOICE }
  const body = requestSchema("openai").parse(asked)
  const written = openai.writeRequest(openai.readRequest(body))
  assert.deepEqual(overTheWire(written.body), asked)
  assert.deepEqual(written.dropped, [])
})

test("openai: one that is only half there is refused by the member that is wrong", () => {
  for (const [message, body] of [
    ["tools[0].custom is required and must be an object.", { tools: [{ type: "custom" }] }],
    ["tools[0].custom must be an object, got true.", { tools: [{ type: "custom", custom: true }] }],
    ["tools[0].custom.name is required and must be a string.", { tools: [{ type: "custom", custom: {} }] }],
    [
      "messages[0].tool_calls[0].custom.input is required and must be a string.",
      {
        messages: [{ role: "assistant", tool_calls: [{ id: "a", type: "custom", custom: { name: "run" } }] }],
      },
    ],
    [
      'messages[0].tool_calls[0].type must be one of "function", "custom", got "other".',
      { messages: [{ role: "assistant", tool_calls: [{ id: "a", type: "other" }] }] },
    ],
  ] as const) {
    const result = requestSchema("openai").safeParse({ ...ASKED, ...body })
    assert.ok(!result.success, message)
    assert.equal(explain(result.error).message, message)
  }
})

test("a provider of another kind is not sent one, and a choice of one goes with it", () => {
  const body = requestSchema("openai").parse({ ...ASKED, tools: [RUN], tool_choice: CHOICE })
  for (const name of OTHERS) {
    const written = others[name].writeRequest(openai.readRequest(body))
    assert.deepEqual(Object.keys(written.body).sort(), ["messages", "model"])
    assert.deepEqual(written.dropped, ["tools[].custom", "tool_choice"])
  }
})

function overTheWire(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value))
}
