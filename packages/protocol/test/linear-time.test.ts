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
        let rest = new Uint8Array(size * 8)
        while (rest.length > 0) rest = rest.slice(8)
      }),
    /in one piece/,
  )
})
