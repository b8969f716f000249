import assert from "node:assert/strict"
import { test } from "node:test"
import { createTally } from "./tally.js"

function words(content: string) {
  return { choices: [{ index: 0, delta: { content } }] }
}

test("events in a row over two connections: nothing is lost, nothing comes twice, and each connection has its part", () => {
  const tally = createTally()
  tally.take(1, { choices: [{ index: 0, delta: { role: "assistant", content: "" } }] }, 10)
  tally.take(2, words("a"), 20)
  tally.reconnect()
  tally.take(3, words("b"), 30)
  tally.take(4, { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }, 40)
  tally.take(5, { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }, 50)
  assert.deepEqual(tally.parts, [
    { from: 1, to: 2 },
    { from: 3, to: 5 },
  ])
  assert.deepEqual([tally.lost, tally.twice, tally.text, tally.finish], [0, 0, "ab", "stop"])
  assert.deepEqual([tally.pieces, tally.firstAt, tally.lastAt], [2, 20, 30])
  assert.equal(tally.usage?.completion_tokens, 2)
})

test("an event that is missing is counted as lost", () => {
  const tally = createTally()
  tally.take(1, words("a"), 0)
  tally.reconnect()
  tally.take(4, words("d"), 0)
  assert.deepEqual([tally.lost, tally.twice, tally.text], [2, 0, "ad"])
})

test("an event that comes again is counted, and adds nothing to the text", () => {
  const tally = createTally()
  tally.take(1, words("a"), 0)
  tally.take(2, words("b"), 0)
  tally.reconnect()
  assert.deepEqual(tally.take(2, words("b"), 0), { text: "", reasoning: "" })
  tally.take(3, words("c"), 0)
  assert.deepEqual([tally.lost, tally.twice, tally.text], [0, 1, "abc"])
})

test("reasoning stands apart from the text, under either of its names and once", () => {
  const tally = createTally()
  tally.take(1, { choices: [{ delta: { reasoning: "x", reasoning_content: "x" } }] }, 0)
  tally.take(2, { choices: [{ delta: { reasoning_content: "y" } }] }, 0)
  tally.take(3, { choices: [{ delta: { refusal: "no" } }] }, 0)
  assert.deepEqual([tally.reasoning, tally.text], ["xy", "no"])
})

test("what is no chunk of words adds none", () => {
  const tally = createTally()
  for (const [at, chunk] of [
    {},
    { choices: [] },
    { choices: [{}] },
    { choices: [{ delta: { content: 7 } }] },
  ].entries())
    assert.deepEqual(tally.take(at + 1, chunk, 0), { text: "", reasoning: "" })
  assert.deepEqual([tally.last, tally.pieces], [4, 0])
})
