import assert from "node:assert/strict"
import { test } from "node:test"
import { describeParts, scaleOf } from "./ruler.js"
import { dollars, duration, inWords } from "./words.js"

test("dollars are exact to the nano-dollar, with two decimals at least", () => {
  assert.equal(dollars(0n), "$0.00")
  assert.equal(dollars(1n), "$0.000000001")
  assert.equal(dollars(96_750n), "$0.00009675")
  assert.equal(dollars(12_500_000_000n), "$12.50")
  assert.equal(dollars(9_007_199_254_740_993_000_000_001n), "$9,007,199,254,740,993.000000001")
})

test("durations are milliseconds as long as these can be read", () => {
  assert.equal(duration(180.4), "180 ms")
  assert.equal(duration(1_012), "1,012 ms")
  assert.equal(duration(12_340), "12.3 s")
})

test("what went wrong comes with what to do about it", () => {
  const told = { kind: "", message: "It broke.", status: 0, retryAfter: 0 }
  assert.match(
    inWords({ ...told, kind: "invalid_api_key", status: 401 }),
    /^It broke\. Paste the key that 'npm start' printed/,
  )
  assert.match(
    inWords({ ...told, kind: "unreachable", message: "" }),
    /does not answer.*start it with 'npm start'/,
  )
  assert.equal(inWords({ ...told, status: 429, retryAfter: 7 }), "It broke. Try again in 7 seconds.")
  assert.equal(inWords({ ...told, status: 503 }), "It broke. Try again in a moment.")
  assert.equal(inWords({ ...told, status: 400 }), "It broke.")
})

test("the ruler holds every event in its width, and its numbers stand apart", () => {
  for (const width of [280, 838, 1_200]) {
    for (const last of [0, 1, 50, 163, 1_000, 25_000]) {
      const { pitch, step } = scaleOf(width, last)
      assert.ok(pitch * last < width, `${last} events in ${width} pixels`)
      assert.ok(pitch * step >= 46 && pitch * step <= 46 * 2.5, `every ${step} at ${pitch}`)
      assert.match(String(step), /^(1|2|5)0+$/)
    }
  }
})

test("a ruler that has no width yet is no endless loop", () => {
  assert.ok(scaleOf(0, 100).pitch > 0)
})

test("the ruler says in words what it shows", () => {
  assert.equal(describeParts([]), "No events yet")
  assert.equal(describeParts([{ from: 1, to: 9 }]), "Events 1 to 9")
  const two = [
    { from: 1, to: 42 },
    { from: 43, to: 99 },
  ]
  assert.equal(describeParts(two), "Events 1 to 42 over connection 1, 43 to 99 over connection 2")
})
