import assert from "node:assert/strict"
import { test } from "node:test"
import { microTable, runMicro, spliceGoals } from "./micro.ts"

test("both lanes of an event are measured, and the goal is about their ratio", async () => {
  const { operations } = await runMicro({ rounds: 1, time: 5, only: "lane, r9s" })
  assert.deepEqual(
    operations.map(({ name }) => name),
    ["parsed lane, r9s", "splice lane, r9s"],
  )
  for (const { name, nanoseconds, heapBytes, outsideBytes } of operations) {
    assert.ok(nanoseconds > 10, `${name}: ${nanoseconds} ns`)
    assert.ok(heapBytes > 10, `${name}: ${heapBytes} bytes`)
    // What is logged stands outside the heap, and is at least as long as its text.
    assert.ok(outsideBytes > 100, `${name}: ${outsideBytes} bytes outside`)
  }
  const [goal] = spliceGoals(operations)
  assert.notEqual(goal?.outcome, "not measured")
  assert.equal(microTable(operations).split("\n").length, 4)
})

test("the dialect that gains least decides about the goal, and without a pair there is none", () => {
  const of = (name: string, nanoseconds: number) => ({ name, nanoseconds, heapBytes: 0, outsideBytes: 0 })
  const lanes = [of("parsed lane, a", 90), of("parsed lane, b", 90), of("splice lane, a", 10)]
  assert.deepEqual(
    [...spliceGoals([...lanes, of("splice lane, b", 31)]), ...spliceGoals(lanes.slice(0, 2))].map(
      ({ outcome }) => outcome,
    ),
    ["short", "not measured"],
  )
  assert.equal(spliceGoals([...lanes, of("splice lane, b", 30)])[0]?.outcome, "met")
})
