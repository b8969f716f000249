import assert from "node:assert/strict"
import { test } from "node:test"
import { assertLinear } from "./linear-time.ts"

test("work in proportion to its size passes", () => {
  assertLinear(4_000_000, (size) => {
    let sum = 0
    for (let at = 0; at < size; at++) sum += at % 7
    assert.ok(sum > 0)
  })
})

test("work that copies what is left at every step does not", () => {
  assert.throws(
    () =>
      assertLinear(8_000, (size) => {
        // In place: an array allocated at each step would cost as much as the copy, and that cost is linear.
        const rest = new Uint8Array(size * 8)
        for (let left = size * 8; left > 0; left -= 8) rest.copyWithin(0, 8, left)
      }),
    /in one piece/,
  )
})
