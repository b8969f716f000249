import assert from "node:assert/strict"
import { test } from "node:test"
import { csvLine, formatAge, formatCount, formatDuration, formatRate, formatUsd, toJson } from "./format.ts"

test("money has two decimals, and where those say too little two digits", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["0", "$0"],
    ["0.000000000", "$0"],
    ["0.0021", "$0.0021"],
    ["0.002149999", "$0.0021"],
    ["0.00215", "$0.0022"],
    ["0.000000001", "$0.000000001"],
    ["0.099", "$0.099"],
    ["0.0999", "$0.10"],
    ["0.5", "$0.50"],
    ["0.996", "$1.00"],
    ["1", "$1.00"],
    ["1.005", "$1.01"],
    ["1234567.891", "$1,234,567.89"],
    ["9007199254740993.5", "$9,007,199,254,740,993.50"],
    ["-3.2", "-$3.20"],
  ]
  for (const [usd, shown] of cases) assert.equal(formatUsd(usd), shown)
})

test("counts, durations and rates are short", () => {
  assert.equal(formatCount(1_234), "1,234")
  assert.deepEqual([0.4, 312, 999, 4_812, 59_900, 61_000, 3_500_000, 7_260_000].map(formatDuration), [
    "0 ms",
    "312 ms",
    "999 ms",
    "4.8 s",
    "59.9 s",
    "1 min 1 s",
    "58 min 20 s",
    "2 h 1 min",
  ])
  assert.deepEqual([48.24, 99.94, 2_625.1].map(formatRate), [
    "48.2 tokens/s",
    "99.9 tokens/s",
    "2,625 tokens/s",
  ])
})

test("an age is spoken", () => {
  const now = Date.parse("2026-06-15T12:00:00Z")
  const ages = [
    "2026-06-15T11:57:00Z",
    "2026-06-15T11:59:40Z",
    "2026-06-14T12:00:00Z",
    "2026-06-17T13:00:00Z",
  ]
  assert.deepEqual(
    ages.map((time) => formatAge(time, now)),
    ["3 minutes ago", "just now", "yesterday", "in 2 days"],
  )
})

test("JSON has the names of the wire, at every depth, and leaves values alone", () => {
  const json = toJson({ costUsd: "1", rows: [{ promptTokens: 1, group: { tag: "camelCase" } }], none: null })
  assert.equal(json, '{"cost_usd":"1","rows":[{"prompt_tokens":1,"group":{"tag":"camelCase"}}],"none":null}')
})

test("a spreadsheet gets cells, and no formula", () => {
  assert.equal(csvLine(["a", 1, null, 'say "no", or', "=1+1"]), `a,1,,"say ""no"", or",'=1+1\r\n`)
})
