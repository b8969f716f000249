import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { dollars, nanoFromNumber, nanoToUsd, usdToNano } from "./money.ts"

test("dollars are nano-dollars to the last digit, where a float would be off", () => {
  assert.equal(usdToNano("12.50"), 12_500_000_000n)
  assert.equal(usdToNano("0.000000001"), 1n)
  assert.equal(usdToNano("999999999.999999999"), 999_999_999_999_999_999n)
  assert.equal(nanoToUsd(0n), "0")
  assert.equal(nanoToUsd(1n), "0.000000001")
  assert.equal(nanoToUsd(12_500_000_000n), "12.5")
})

test("there and back is the same", () => {
  fc.assert(fc.property(fc.bigInt(0n, 10n ** 18n), (nano) => usdToNano(nanoToUsd(nano)) === nano))
})

test("a number of dollars is what it looks like", () => {
  assert.equal(nanoFromNumber(0.1), 100_000_000n)
  assert.equal(nanoFromNumber(1e-7), 100n)
  assert.equal(nanoFromNumber(1_000_000_000), 10n ** 18n)
  assert.equal(dollars(100_000_000n), 0.1)
})
