import assert from "node:assert/strict"
import { test } from "node:test"
import * as v from "valibot"
import * as z from "zod"
import { StreamInterruptedError } from "../src/errors.ts"
import type { ChatChunk, ChatCompletion } from "../src/shapes.ts"
import {
  MalformedToolCallError,
  type ParsedToolCall,
  parseToolCalls,
  readToolCalls,
  tool,
} from "../src/tools.ts"

const weather = tool({
  name: "weather",
  description: "The weather of a city.",
  schema: z.object({ city: z.string(), days: z.number().int().default(1) }),
})
const search = tool({
  name: "search",
  schema: v.object({ query: v.pipe(v.string(), v.toUpperCase()) }),
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
})
const plain = tool({ name: "plain", parameters: { type: "object" } })
const tools = [weather, search, plain]

type Piece =
  | { index?: number; id?: string; name?: string; text?: string; choice?: number; custom?: boolean }
  | { finish: string; choice?: number }

function chunkOf(piece: Piece): ChatChunk {
  const index = piece.choice ?? 0
  const envelope = { id: "chatcmpl-1", object: "chat.completion.chunk" as const, created: 1, model: "m" }
  if ("finish" in piece) {
    return { ...envelope, choices: [{ index, delta: {}, finishReason: piece.finish as "stop" }] }
  }
  const named = piece.name !== undefined && { name: piece.name }
  const call = {
    ...(piece.index !== undefined && { index: piece.index }),
    ...(piece.id !== undefined && { id: piece.id }),
    ...(piece.custom
      ? { custom: { ...named, input: piece.text ?? "" } }
      : { function: { ...named, arguments: piece.text ?? "" } }),
  }
  return {
    ...envelope,
    choices: [{ index, delta: { toolCalls: [call as { index: number }] }, finishReason: null }],
  }
}

/** Hands out the pieces and notes after which of them each call was handed over. */
async function run(pieces: Piece[], offered: unknown = tools, cut?: Error) {
  let given = 0
  async function* chunks() {
    for (const piece of pieces) {
      given += 1
      yield chunkOf(piece)
    }
    if (cut) throw cut
  }
  const calls: ParsedToolCall[] = []
  const after: number[] = []
  let error: unknown
  try {
    for await (const call of readToolCalls(chunks(), offered)) {
      calls.push(call)
      after.push(given)
    }
  } catch (thrown) {
    error = thrown
  }
  return { calls, after, error }
}

test("a call is handed over as soon as the next begins, the last with the finish reason", async () => {
  const { calls, after, error } = await run([
    { index: 0, id: "a", name: "weather", text: "" },
    { index: 0, text: '{"city":' },
    { index: 0, text: '"Oslo"}' },
    { index: 1, id: "b", name: "search", text: '{"query":' },
    { index: 1, text: '"fjord"}' },
    { finish: "tool_calls" },
  ])
  assert.equal(error, undefined)
  assert.deepEqual(after, [4, 6])
  assert.deepEqual(calls, [
    { id: "a", name: "weather", arguments: { city: "Oslo", days: 1 }, text: '{"city":"Oslo"}', choice: 0 },
    { id: "b", name: "search", arguments: { query: "FJORD" }, text: '{"query":"fjord"}', choice: 0 },
  ])
})

test("the schemas of zod and of valibot validate, and what they make of the arguments is handed over", async () => {
  const wrong = await run([
    { index: 0, id: "a", name: "search", text: '{"query":7}' },
    { finish: "tool_calls" },
  ])
  assert.ok(wrong.error instanceof MalformedToolCallError)
  assert.deepEqual(wrong.error.call, { id: "a", name: "search", text: '{"query":7}' })
  assert.equal(wrong.error.issues.length, 1)
  assert.match(wrong.error.message, /query: /)

  const nested = await run([{ index: 0, id: "a", name: "weather", text: '{"city":[]}' }, { finish: "stop" }])
  assert.ok(nested.error instanceof MalformedToolCallError)
  assert.match(nested.error.message, /city: /)
})

test("an asynchronous schema is waited for", async () => {
  const slow = tool({
    name: "slow",
    schema: z.object({ n: z.number().refine(async (n) => n > 1, "too small") }),
    parameters: { type: "object" },
  })
  const good = await run([{ index: 0, name: "slow", text: '{"n":2}' }, { finish: "stop" }], [slow])
  assert.deepEqual(good.calls[0]?.arguments, { n: 2 })
  const bad = await run([{ index: 0, name: "slow", text: '{"n":1}' }, { finish: "stop" }], [slow])
  assert.match(String(bad.error), /n: too small/)
})

test("a call that the tokens ran out on is an error with its raw text, never a call", async () => {
  for (const text of ["", '{"city":"Os', '{"city":"Oslo"', "{"]) {
    const { calls, error } = await run([{ index: 0, id: "a", name: "weather", text }, { finish: "length" }])
    assert.deepEqual(calls, [])
    assert.ok(error instanceof MalformedToolCallError, text)
    assert.equal(error.call.text, text)
    assert.match(error.message, /half .*"length"/)
  }
})

test("a custom tool's call is handed over as the text that it is given, and never half", async () => {
  const offered = [...tools, { type: "custom", custom: { name: "run" } }]
  const said = { index: 0, id: "a", name: "run", text: "print(", custom: true }
  const rest = { index: 0, text: '"hi")', custom: true }
  const next = { index: 1, id: "b", name: "weather", text: '{"city":"Oslo"}' }
  const { calls, after, error } = await run([said, rest, next, { finish: "tool_calls" }], offered)
  assert.equal(error, undefined)
  assert.deepEqual(after, [3, 4])
  assert.deepEqual(calls[0], {
    id: "a",
    name: "run",
    arguments: 'print("hi")',
    text: 'print("hi")',
    choice: 0,
  })

  const cut = await run([said, { finish: "length" }], offered)
  assert.ok(cut.error instanceof MalformedToolCallError)
  assert.deepEqual([cut.calls, cut.error.call.text], [[], "print("])
  const stranger = await run([said, { finish: "tool_calls" }])
  assert.match(String(stranger.error), /run, which it was not offered/)
})

test("a call that was complete when the tokens ran out is a call", async () => {
  const { calls, error } = await run([
    { index: 0, id: "a", name: "weather", text: '{"city":"Oslo"}' },
    { finish: "length" },
  ])
  assert.equal(error, undefined)
  assert.equal(calls.length, 1)
})

test("a stream that is cut within a call gives its error and the complete calls only", async () => {
  const cut = new StreamInterruptedError("cut")
  const { calls, error } = await run(
    [
      { index: 0, id: "a", name: "weather", text: '{"city":"Oslo"}' },
      { index: 1, id: "b", name: "weather", text: '{"city":"Rome"}' },
    ],
    tools,
    cut,
  )
  assert.equal(error, cut)
  assert.deepEqual(
    calls.map((call) => call.id),
    ["a"],
  )
})

test("pieces of parallel calls may come in turns", async () => {
  const { calls } = await run([
    { index: 0, id: "a", name: "weather", text: '{"city"' },
    { index: 1, id: "b", name: "search", text: '{"query"' },
    { index: 0, text: ':"Oslo"}' },
    { index: 1, text: ':"x"}' },
    { finish: "tool_calls" },
  ])
  assert.deepEqual(
    calls.map((call) => [call.id, call.arguments]),
    [
      ["a", { city: "Oslo", days: 1 }],
      ["b", { query: "X" }],
    ],
  )
})

test("where a system leaves the index out, the id tells the calls apart, whether repeated or not", async () => {
  const repeated = await run([
    { id: "a", name: "weather", text: '{"city":' },
    { id: "a", name: "weather", text: '"Oslo"}' },
    { id: "b", name: "weather", text: '{"city":"Rome"}' },
    { finish: "tool_calls" },
  ])
  const once = await run([
    { id: "a", name: "weather", text: '{"city":' },
    { text: '"Oslo"}' },
    { id: "b", name: "weather", text: '{"city":"Rome"}' },
    { finish: "tool_calls" },
  ])
  for (const { calls } of [repeated, once]) {
    assert.deepEqual(
      calls.map((call) => [call.id, call.name, call.text]),
      [
        ["a", "weather", '{"city":"Oslo"}'],
        ["b", "weather", '{"city":"Rome"}'],
      ],
    )
  }
})

test("each choice has calls of its own", async () => {
  const { calls, after } = await run([
    { choice: 0, index: 0, id: "a", name: "plain", text: "{}" },
    { choice: 1, index: 0, id: "b", name: "plain", text: "{}" },
    { choice: 1, finish: "tool_calls" },
    { choice: 0, finish: "tool_calls" },
  ])
  assert.deepEqual(
    calls.map((call) => [call.choice, call.id]),
    [
      [1, "b"],
      [0, "a"],
    ],
  )
  assert.deepEqual(after, [3, 4])
})

test("no arguments at all are none: some providers write nothing", async () => {
  const { calls } = await run([{ index: 0, id: "a", name: "plain" }, { finish: "tool_calls" }])
  assert.deepEqual(calls[0]?.arguments, {})
})

test("arguments that are no object, and tools that were not offered, are errors that name them", async () => {
  for (const text of ["[1]", "7", "nonsense", "null"]) {
    const { error } = await run([{ index: 0, id: "a", name: "plain", text }, { finish: "stop" }])
    assert.ok(error instanceof MalformedToolCallError)
    assert.match(error.message, /plain are no JSON object/)
  }
  const { error } = await run([{ index: 0, id: "a", name: "rm", text: "{}" }, { finish: "stop" }])
  assert.match(String(error), /called rm, which it was not offered/)
})

test("tools written by hand, and none at all, are handed over as parsed", async () => {
  const byHand = [{ type: "function", function: { name: "hand", parameters: {} } }]
  for (const offered of [byHand, [], null]) {
    const { calls } = await run(
      [{ index: 0, id: "a", name: "hand", text: '{"x":1}' }, { finish: "stop" }],
      offered,
    )
    assert.deepEqual(calls[0]?.arguments, { x: 1 })
  }
})

test("a completion's calls are parsed and checked alike", async () => {
  const completionOf = (text: string, finishReason: "tool_calls" | "length"): ChatCompletion => ({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [
      {
        index: 0,
        finishReason,
        message: {
          role: "assistant",
          content: null,
          toolCalls: [{ id: "a", type: "function", function: { name: "weather", arguments: text } }],
        },
      },
    ],
  })
  const calls = await parseToolCalls(completionOf('{"city":"Oslo"}', "tool_calls"), tools)
  assert.deepEqual(calls[0]?.arguments, { city: "Oslo", days: 1 })
  await assert.rejects(parseToolCalls(completionOf('{"city":"Os', "length"), tools), MalformedToolCallError)
})

test("on the wire a tool is the JSON that the systems know, without a trace of its schema", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(weather)), {
    type: "function",
    function: {
      name: "weather",
      description: "The weather of a city.",
      parameters: {
        type: "object",
        properties: {
          city: { type: "string" },
          days: {
            type: "integer",
            default: 1,
            minimum: Number.MIN_SAFE_INTEGER,
            maximum: Number.MAX_SAFE_INTEGER,
          },
        },
        required: ["city"],
      },
    },
  })
  assert.deepEqual(Object.keys(search), ["type", "function"])
})

test("a schema that cannot give its JSON Schema needs `parameters`, and the error says so", () => {
  const definition = { name: "search", schema: v.object({ query: v.string() }) }
  // @ts-expect-error: the types say so as well
  assert.throws(() => tool(definition), /Tool search needs `parameters`.*valibot/)
})

test("a spread keeps the schema", async () => {
  const { error } = await run(
    [{ index: 0, id: "a", name: "weather", text: "{}" }, { finish: "stop" }],
    [{ ...weather }],
  )
  assert.ok(error instanceof MalformedToolCallError)
})
