import assert from "node:assert/strict"
import { test } from "node:test"
import { createBreaker } from "./breaker.ts"

const COOLDOWN = { first: 100, most: 350 }

test("five failures in a row open it, its time makes it due, and a probe that succeeds closes it", () => {
  const breaker = createBreaker(COOLDOWN)
  for (let failure = 1; failure < 5; failure++) breaker.failed(0, 1)
  assert.equal(breaker.state(0), "closed")
  breaker.failed(0, 1)
  assert.equal(breaker.state(0), "open")
  assert.equal(breaker.state(99), "open")
  assert.equal(breaker.state(100), "due")
  breaker.asked(100)
  assert.equal(breaker.state(100), "probing")
  breaker.succeeded()
  assert.equal(breaker.state(100), "closed")
})

test("each opening without a success between lasts twice as long, up to the most", () => {
  const breaker = createBreaker(COOLDOWN)
  for (let failure = 0; failure < 5; failure++) breaker.failed(0, 1)
  const waits: number[] = []
  for (let probe = 0; probe < 4; probe++) {
    const at = breaker.dueAt
    breaker.asked(at)
    breaker.failed(at, 1)
    waits.push(breaker.dueAt - at)
  }
  assert.deepEqual(waits, [200, 350, 350, 350])
})

test("calls under way when it opened do not lengthen it", () => {
  const breaker = createBreaker(COOLDOWN)
  for (let failure = 0; failure < 9; failure++) breaker.failed(failure, 1)
  assert.equal(breaker.dueAt, 104)
})

test("a stall weighs two: three in a row open it, two do not, and a success after each keeps it closed", () => {
  const breaker = createBreaker(COOLDOWN)
  for (let call = 0; call < 20; call++) {
    breaker.failed(0, 2)
    breaker.succeeded()
  }
  assert.equal(breaker.state(0), "closed")
  const stalling = createBreaker(COOLDOWN)
  stalling.failed(0, 2)
  stalling.failed(0, 2)
  assert.equal(stalling.state(0), "closed")
  stalling.failed(0, 2)
  assert.equal(stalling.state(0), "open")
})

test("every second failure leaves it closed, three of four open it", () => {
  const after = (failures: number): string => {
    const breaker = createBreaker(COOLDOWN)
    for (let round = 0; round < 20; round++) {
      for (let failure = 0; failure < failures; failure++) breaker.failed(0, 1)
      if (breaker.state(0) === "open") return "open"
      breaker.succeeded()
    }
    return breaker.state(0)
  }
  assert.equal(after(1), "closed")
  assert.equal(after(3), "open")
})

test("what it is told to wait it waits, and a shorter word does not shorten it", () => {
  const breaker = createBreaker(COOLDOWN)
  breaker.failed(0, 1, 5_000)
  assert.equal(breaker.state(4_999), "open")
  breaker.failed(10, 1, 20)
  assert.equal(breaker.state(4_999), "open")
  assert.equal(breaker.state(5_000), "due")
})

test("a probe whose client left decides nothing", () => {
  const breaker = createBreaker(COOLDOWN)
  breaker.failed(0, 5)
  breaker.asked(100)
  breaker.unknown()
  assert.equal(breaker.state(100), "due")
})
