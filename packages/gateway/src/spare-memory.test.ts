import assert from "node:assert/strict"
import { test } from "node:test"
import { spareMemorySoon } from "./spare-memory.ts"

for (const busy of [false, true]) {
  test(`a second after the start ${busy ? "nothing is collected while a call runs" : "what it left is collected"}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const left = new WeakRef({ made: "by the start" })
    spareMemorySoon(() => busy)
    // What was made in this turn is held to its end.
    await new Promise(setImmediate)
    t.mock.timers.tick(1_000)
    assert.equal(left.deref() !== undefined, busy)
  })
}
