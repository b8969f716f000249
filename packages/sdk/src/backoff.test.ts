import assert from "node:assert/strict"
import { test } from "node:test"
import { backoffDelay, retryAfterMs } from "./backoff.ts"

test("the first attempt is made at once, each later one under a ceiling that doubles up to the maximum", () => {
  const ceilings = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempt) => backoffDelay(attempt, {}, {}, 1))
  assert.deepEqual(ceilings, [0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
})

test("full jitter spreads a wait over everything from nothing to its ceiling", () => {
  assert.equal(backoffDelay(4, {}, {}, 0), 0)
  assert.equal(backoffDelay(4, {}, {}, 0.5), 500)
})

test("what the server asks for is honoured: its retry field as the first wait, its Retry-After as the least", () => {
  assert.equal(backoffDelay(2, {}, { retryMs: 1000 }, 1), 1000)
  assert.equal(backoffDelay(1, {}, { retryAfterMs: 3000 }, 0.5), 3000)
  assert.equal(backoffDelay(9, { maxMs: 10 }, { retryAfterMs: 3000 }, 0), 3000)
})

test("Retry-After is read as seconds and as a date, and nonsense is no wait at all", () => {
  const headers = (value: string) => new Headers({ "retry-after": value })
  const now = Date.parse("2026-01-01T00:00:00Z")
  assert.equal(retryAfterMs(headers("2"), now), 2000)
  assert.equal(retryAfterMs(headers("Thu, 01 Jan 2026 00:00:07 GMT"), now), 7000)
  assert.equal(retryAfterMs(headers("Thu, 01 Jan 2020 00:00:00 GMT"), now), 0)
  assert.equal(retryAfterMs(headers("soon"), now), undefined)
  assert.equal(retryAfterMs(new Headers(), now), undefined)
})
