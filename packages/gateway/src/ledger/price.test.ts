import assert from "node:assert/strict"
import { test } from "node:test"
import type { Usage } from "@sluice/protocol"
import { costOf, highestCost, type Price, picoPerCall, picoPerToken } from "./price.ts"

const usage = (prompt: number, completion: number, more: Partial<Usage> = {}): Usage => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  ...more,
})
const mini: Price = { input: 150_000, output: 600_000, cached: 75_000 }

test("a cost is exact to the nano-dollar", () => {
  assert.equal(costOf(usage(1_000_000, 0), mini), 150_000_000n)
  assert.equal(costOf(usage(1, 1), mini), 750n)
  assert.equal(costOf(usage(0, 0), mini), 0n)
  assert.equal(costOf(usage(2 ** 31, 2 ** 31), mini), (2n ** 31n * 750_000n) / 1_000n)
})

test("halves of a nano-dollar are rounded to even, once", () => {
  const half: Price = { input: 500, output: 0 }
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((count) => costOf(usage(count, 0), half)),
    [0n, 1n, 2n, 2n, 2n],
  )
})

test("cached and written tokens are part of the prompt, and never more than it", () => {
  assert.equal(
    costOf(usage(100, 0, { prompt_tokens_details: { cached_tokens: 40 } }), mini),
    60n * 150n + 40n * 75n,
  )
  assert.equal(costOf(usage(100, 0, { prompt_tokens_details: { cached_tokens: 900 } }), mini), 100n * 75n)
  const dear: Price = { ...mini, cacheWrite: 200_000 }
  const details = { cached_tokens: 40, cache_write_tokens: 10 }
  assert.equal(
    costOf(usage(100, 0, { prompt_tokens_details: details }), dear),
    50n * 150n + 40n * 75n + 10n * 200n,
  )
})

test("reasoning counts within the completion, or beside it where the total says so", () => {
  const price: Price = { input: 0, output: 1_000, reasoning: 2_000 }
  const details = { completion_tokens_details: { reasoning_tokens: 30 } }
  assert.equal(costOf(usage(10, 100, details), price), 70n + 60n)
  assert.equal(costOf({ ...usage(291, 26), total_tokens: 347, ...details }, price), 26n + 60n)
})

test("the highest cost is never below the cost", () => {
  const price: Price = { input: 333, output: 777, cached: 400, reasoning: 999, request: 5 }
  for (let prompt = 0; prompt < 50; prompt += 7) {
    for (let completion = 0; completion < 50; completion += 3) {
      const details = {
        prompt_tokens_details: { cached_tokens: prompt >> 1 },
        completion_tokens_details: { reasoning_tokens: completion >> 1 },
      }
      assert.ok(highestCost(prompt, completion, price) >= costOf(usage(prompt, completion, details), price))
    }
  }
})

test("a long prompt is billed wholly at its own rates, and the highest cost knows both", () => {
  const price: Price = {
    input: 2_000,
    output: 10_000,
    longPrompt: { above: 100, input: 4_000, cached: 1_000, output: 5_000 },
  }
  const cached = { prompt_tokens_details: { cached_tokens: 1 } }
  assert.equal(costOf(usage(100, 10, cached), price), 100n * 2n + 10n * 10n)
  assert.equal(costOf(usage(101, 10, cached), price), 100n * 4n + 1n + 10n * 5n)
  assert.equal(highestCost(100, 10, price), 100n * 2n + 10n * 10n)
  assert.equal(highestCost(101, 10, price), 101n * 4n + 10n * 10n)
})

test("dollars become pico-dollars exactly, or not at all", () => {
  for (const [usd, pico] of [
    [0, 0],
    [0.15, 150_000],
    [1.1, 1_100_000],
    [0.0375, 37_500],
    [0.000001, 1],
    ["18.750000000", 18_750_000],
    [150, 150_000_000],
  ] as const) {
    assert.equal(picoPerToken(usd), pico, String(usd))
  }
  for (const usd of [
    "",
    "1e3",
    "-1",
    "+1",
    ".5",
    "5.",
    "0x1",
    "1,5",
    1e-7,
    1e21,
    -0.1,
    Number.NaN,
    "0.0000001",
  ]) {
    assert.equal(picoPerToken(usd), undefined, String(usd))
  }
  assert.equal(picoPerCall("0.005"), 5_000_000_000)
  assert.equal(picoPerCall(0.000000000001), undefined, "written in another form by the runtime")
  assert.equal(picoPerCall("0.000000000001"), 1)
  assert.equal(picoPerCall(10_000), undefined, "more than can be counted exactly")
})
