import assert from "node:assert/strict"
import { test } from "node:test"
import { createToolCallJoiner, readToolCalls } from "./tool-calls.ts"

/** Each inner list is one event's pieces. */
function join(...events: unknown[][]) {
  const joiner = createToolCallJoiner()
  return events.map((pieces) => joiner(0, pieces, "c1"))
}

const begun = (index: number, id: string, name: string, text: string) => ({
  index,
  id,
  type: "function",
  function: { name, arguments: text },
})

test("OpenAI's pieces come through as they are", () => {
  const first = begun(0, "a", "f", "")
  const next = { index: 0, function: { arguments: "{}" } }
  assert.deepEqual(join([first], [next]), [[first], [next]])
})

test("id, type and name that are repeated on every piece stand on the first alone", () => {
  const [, second] = join([begun(0, "a", "f", "{")], [begun(0, "a", "f", "}")])
  assert.deepEqual(second, [{ index: 0, function: { arguments: "}" } }])
})

test("whole calls without index, as Mistral sends them, are numbered in turn", () => {
  const whole = (id: string) => ({ id, function: { name: "f", arguments: "{}" } })
  assert.deepEqual(join([whole("a"), whole("b")]), [[begun(0, "a", "f", "{}"), begun(1, "b", "f", "{}")]])
})

test("without an index a known id finds its call, and a piece with neither belongs to the last", () => {
  const events = join(
    [{ id: "a", function: { name: "f" } }],
    [{ id: "b", function: { name: "g" } }],
    [{ id: "a", function: { arguments: "1" } }],
    [{ function: { arguments: "2" } }],
  )
  assert.deepEqual(events.slice(2), [
    [{ index: 0, function: { arguments: "1" } }],
    [{ index: 0, function: { arguments: "2" } }],
  ])
})

test("parallel calls that all say index 0, as Gemini's do, are kept apart by id and name", () => {
  const events = join(
    [begun(0, "a", "f", "{}")],
    [begun(0, "b", "g", "{}")],
    [{ index: 0, function: { arguments: " " } }],
  )
  assert.deepEqual(events, [
    [begun(0, "a", "f", "{}")],
    [begun(1, "b", "g", "{}")],
    [{ index: 1, function: { arguments: " " } }],
  ])
})

test("a new id on every piece of one call, without a name, does not open another", () => {
  const events = join([begun(0, "a", "f", "{")], [{ index: 0, id: "x", function: { arguments: "}" } }])
  assert.deepEqual(events[1], [{ index: 0, function: { arguments: "}" } }])
})

test("a call without an id gets one, the same for the same stream, and two calls get two", () => {
  const nameless = { function: { name: "f", arguments: "{}" } }
  const ids = join([nameless, nameless])
    .flat()
    .map((piece) => piece.id)
  assert.equal(new Set(ids).size, 2)
  assert.deepEqual(
    ids,
    join([nameless, nameless])
      .flat()
      .map((piece) => piece.id),
  )
})

test("arguments sent as an object become text, and null ones nothing", () => {
  const [[piece] = []] = join([{ index: 0, id: "a", function: { name: "f", arguments: { a: 1 } } }])
  assert.equal(piece?.function?.arguments, '{"a":1}')
  const [[silent] = []] = join([{ index: 0, id: "a", function: { name: "f", arguments: null } }])
  assert.deepEqual(silent?.function, { name: "f" })
})

test("a name that comes after its id is said once, when it comes", () => {
  const events = join(
    [{ index: 0, id: "a" }],
    [{ index: 0, function: { name: "f" } }],
    [{ index: 0, function: { name: "f", arguments: "{}" } }],
  )
  assert.deepEqual(events, [
    [{ index: 0, id: "a", type: "function" }],
    [{ index: 0, function: { name: "f" } }],
    [{ index: 0, function: { arguments: "{}" } }],
  ])
})

test("choices have calls of their own", () => {
  const joiner = createToolCallJoiner()
  joiner(0, [{ id: "a", function: { name: "f" } }], "c")
  assert.equal(joiner(1, [{ id: "b", function: { name: "g" } }], "c")[0]?.index, 0)
})

test("a whole message's calls are completed: id, type, name and arguments", () => {
  assert.deepEqual(readToolCalls([{ id: "a", function: { name: "f", arguments: { a: 1 } } }, null], 0, "c"), [
    { id: "a", type: "function", function: { name: "f", arguments: '{"a":1}' } },
  ])
  assert.ok(readToolCalls([{ function: { name: "f" } }], 0, "c")[0]?.id)
})
