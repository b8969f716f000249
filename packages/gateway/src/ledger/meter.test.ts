import assert from "node:assert/strict"
import { test } from "node:test"
import { Meter } from "./meter.ts"

test("a meter tells the first content and the spread of the gaps after it", () => {
  const meter = new Meter(1_000)
  let now = 1_250
  meter.content(now, 4)
  const after = (gap: number): void => {
    now += gap
    meter.content(now, 4)
  }
  for (let event = 0; event < 99; event++) after(20)
  after(700)
  const reading = meter.reading(now + 5)
  assert.equal(reading.timeToFirstContent, 250)
  assert.equal(reading.total, 250 + 99 * 20 + 700 + 5)
  assert.equal(reading.longestStall, 700)
  assert.deepEqual([meter.events, meter.characters, meter.roughTokens], [101, 404, 101])
  assert.ok(reading.gapP50! >= 20 && reading.gapP50! < 22.1, String(reading.gapP50))
  assert.ok(reading.gapP99! >= 20 && reading.gapP99! < 22.1, "the 99th of 100 gaps is still an even one")
})

test("percentiles agree with sorting, within a tenth, over all sizes of gap", () => {
  const gaps = Array.from({ length: 1_000 }, (_, index) => 0.05 * 1.012 ** ((index * 7_919) % 1_000))
  const meter = new Meter(0)
  let now = 0
  meter.content(now, 4)
  for (const gap of gaps) {
    now += gap
    meter.content(now, 4)
  }
  const sorted = gaps.toSorted((a, b) => a - b)
  const { gapP50, gapP99 } = meter.reading(now)
  for (const [told, exact] of [
    [gapP50!, sorted[499]!],
    [gapP99!, sorted[989]!],
  ] as const) {
    assert.ok(told >= exact * 0.999 && told <= exact * 1.101, `${told} for ${exact}`)
  }
})

test("without content, or with one event alone, nothing is made up", () => {
  const meter = new Meter(0)
  assert.deepEqual(meter.reading(10), {
    timeToFirstContent: undefined,
    total: 10,
    gapP50: undefined,
    gapP99: undefined,
    longestStall: undefined,
  })
  meter.content(4, 1)
  const { timeToFirstContent, gapP50, longestStall } = meter.reading(10)
  assert.deepEqual([timeToFirstContent, gapP50, longestStall], [4, undefined, undefined])
})
