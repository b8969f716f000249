import assert from "node:assert/strict"
import { test } from "node:test"
import { completeToolCalls, createToolCallCollector } from "./assemble-tool-calls.ts"
import type { FinishReason } from "./chunk.ts"

test("pieces go to their call by index, however they alternate", () => {
  assertCalls(
    [
      { index: 1, id: "b", function: { name: "g", arguments: "{" } },
      { index: 0, id: "a", function: { name: "f", arguments: '{"x"' } },
      { index: 1, function: { arguments: "}" } },
      { index: 0, function: { arguments: ":1}" } },
    ],
    [
      ["a", "f", '{"x":1}'],
      ["b", "g", "{}"],
    ],
  )
})

test("pieces go to their call by id where the index is dropped", () => {
  assertCalls(
    [
      { id: "a", function: { name: "f", arguments: "{" } },
      { id: "b", function: { name: "f", arguments: '{"y"' } },
      { id: "a", function: { arguments: "}" } },
      { id: "b", function: { name: "", arguments: ":1}" } },
    ],
    [
      ["a", "f", "{}"],
      ["b", "f", '{"y":1}'],
    ],
  )
})

test("a piece with neither goes on with the last call", () => {
  assertCalls(
    [
      { id: "a", function: { name: "f", arguments: "{}" } },
      { id: "b", function: { name: "g", arguments: "{" } },
      { function: { arguments: '"x":{}' } },
      { function: { name: "g", arguments: "}" } },
    ],
    [
      ["a", "f", "{}"],
      ["b", "g", '{"x":{}}'],
    ],
  )
})

test("whole calls with neither are calls of their own", () => {
  const whole = (arguments_: string) => ({ function: { name: "f", arguments: arguments_ } })
  assertCalls(
    [whole("{}"), whole('{"x":1}')],
    [
      ["", "f", "{}"],
      ["", "f", '{"x":1}'],
    ],
  )
})

test("an id that is repeated is not doubled, nor is a name; a name in pieces is joined", () => {
  assertCalls(
    [
      { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "{" } },
      { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "}" } },
      { index: 1, function: { name: "get_" } },
      { index: 1, id: "call_2", function: { name: "tide", arguments: "{}" } },
      { index: 1, id: "", function: { arguments: null } },
    ],
    [
      ["call_1", "f", "{}"],
      ["call_2", "get_tide", "{}"],
    ],
  )
})

test("an id minted anew for each piece does not begin a call", () => {
  assertCalls(
    [
      { index: 0, id: "x1", function: { name: "f", arguments: "{" } },
      { index: 0, id: "x2", function: { name: null, arguments: "}" } },
    ],
    [["x1", "f", "{}"]],
  )
})

test("whole calls that all count themselves 0 are told apart by their ids", () => {
  assertCalls(
    [
      { index: 0, id: "a", function: { name: "f", arguments: "{}" } },
      { index: 0, id: "b", function: { name: "f", arguments: "{" } },
      { index: 0, function: { arguments: "}" } },
      { index: 0, id: "a", function: { name: "f", arguments: "" } },
    ],
    [
      ["a", "f", "{}"],
      ["b", "f", "{}"],
    ],
  )
})

test("arguments sent as an object become text, and what else a call has is kept", () => {
  const collector = createToolCallCollector()
  collector.add({
    index: 0,
    id: "a",
    function: { name: "f", arguments: { x: 1 } },
    thought_signature: "s",
    gone: null,
  })
  collector.add({ index: 0, extra_content: { google: {} } })
  assert.deepEqual(collector.calls(), [
    {
      id: "a",
      type: "function",
      function: { name: "f", arguments: '{"x":1}' },
      thought_signature: "s",
      extra_content: { google: {} },
    },
  ])
})

test("a call is complete when its arguments are a whole object", () => {
  for (const text of ['{"a":1}', "{}", ' {"a":"}"} ']) assert.ok(isComplete(text, null), text)
  for (const text of ["", "{", '{"a":1', '{"a":"}', "[]", "1", "null", "{}}", "x}"]) {
    assert.equal(isComplete(text, null), false, text)
  }
})

test("a call without arguments is complete once the answer ended with it, not where it was cut", () => {
  assert.ok(isComplete("", "tool_calls"))
  assert.ok(isComplete(" ", "stop"))
  assert.equal(isComplete("", "length"), false)
  assert.equal(isComplete('{"a"', "length"), false)
  assert.equal(isComplete("{}", null, ""), false, "a call of nothing")
})

test("pieces of a custom tool's call are brought to it, and it is complete once the answer ended with it", () => {
  const pieces = [
    { index: 0, id: "a", type: "custom", custom: { name: "run", input: "" } },
    { index: 1, id: "b", type: "function", function: { name: "f", arguments: "{}" } },
    { index: 0, custom: { input: '{"print"' } },
  ]
  assertCalls(pieces, [
    ["a", "run", '{"print"'],
    ["b", "f", "{}"],
  ])
  const call = { id: "a", type: "custom" as const, custom: { name: "run", input: '{"print"' } }
  const message = { role: "assistant" as const, content: null, tool_calls: [call] }
  for (const [finish, whole] of [
    [null, []],
    ["length", []],
    ["tool_calls", [call]],
  ] as const)
    assert.deepEqual(completeToolCalls({ index: 0, message, finish_reason: finish }), whole)
})

function isComplete(text: string, finish: FinishReason | null, name = "f"): boolean {
  const call = { id: "a", type: "function" as const, function: { name, arguments: text } }
  const message = { role: "assistant" as const, content: null, tool_calls: [call] }
  return completeToolCalls({ index: 0, message, finish_reason: finish }).length === 1
}

function assertCalls(
  pieces: readonly object[],
  wanted: readonly [id: string, name: string, args: string][],
): void {
  const collector = createToolCallCollector()
  for (const piece of pieces) collector.add(piece)
  const calls = collector
    .calls()
    .map((call) =>
      call.type === "custom"
        ? [call.id, call.custom.name, call.custom.input]
        : [call.id, call.function.name, call.function.arguments],
    )
  assert.deepEqual(calls, wanted)
}
