import assert from "node:assert/strict"
import { test } from "node:test"
import { readExposition } from "./exposition.ts"

const COUNTER = "# HELP a_total Some.\n# TYPE a_total counter\n"
const HISTOGRAM = "# HELP h Some.\n# TYPE h histogram\n"
const REST = "h_sum 3\nh_count 2\n"

test("what the format allows is read", () => {
  const { families, value, sum } = readExposition(
    `${COUNTER}a_total{b="x",c="\\\\ \\" \\n é {},"} 1e-7\na_total{b="y",c=""} 2 1395066363000\n` +
      `# TYPE g gauge\n# HELP g A backslash \\\\ and a line\\nfeed.\ng -Inf\n` +
      `${HISTOGRAM}h_bucket{le="0.5"} 1\nh_bucket{le="+Inf"} 2\n${REST}`,
  )
  assert.deepEqual([...families.keys()], ["a_total", "g", "h"])
  assert.equal(families.get("g")?.help, "A backslash \\ and a line\nfeed.")
  assert.equal(value("a_total", { c: '\\ " \n é {},', b: "x" }), 1e-7)
  assert.equal(value("g"), Number.NEGATIVE_INFINITY)
  assert.equal(value("h_bucket", { le: "+Inf" }), 2)
  assert.equal(value("a_total"), 0)
  assert.equal(sum("a_total", { b: "y" }), 2)
})

// biome-ignore format: one case a line
const REFUSED: readonly [why: RegExp, text: string][] = [
  [/last line/, `${COUNTER}a_total 1`],
  [/empty line/, `${COUNTER}\na_total 1\n`],
  [/blanks/, `${COUNTER}a_total 1 \n`],
  [/blanks/, `${COUNTER}a_total 1\r\n`],
  [/neither HELP nor TYPE/, `# a comment\n${COUNTER}a_total 1\n`],
  [/not a type/, "# HELP a_total Some.\n# TYPE a_total count\na_total 1\n"],
  [/does not belong/, "a_total 1\n"],
  [/does not belong/, `${COUNTER}a_totals 1\n`],
  [/does not belong/, `# HELP a_total Some.\na_total 1\n# TYPE a_total counter\n`],
  [/TYPE after a sample/, `${COUNTER}a_total 1\n# TYPE a_total counter\n`],
  [/second HELP/, `${COUNTER}# HELP a_total Some.\na_total 1\n`],
  [/second TYPE/, `${COUNTER}# TYPE a_total counter\na_total 1\n`],
  [/not in one piece/, `${COUNTER}a_total 1\n# HELP g Some.\n# TYPE g gauge\ng 1\n# HELP a_total Some.\n`],
  [/lacks HELP or TYPE/, "# HELP a_total Some.\n"],
  [/lacks HELP or TYPE/, "# TYPE a_total counter\na_total 1\n"],
  [/not a metric's name/, "# HELP 1a_total Some.\n"],
  [/not a label's name/, `${COUNTER}a_total{1b="x"} 1\n`],
  [/not a label's name/, `${COUNTER}a_total{__b="x"} 1\n`],
  [/label b a second time/, `${COUNTER}a_total{b="x",b="y"} 1\n`],
  [/has no value/, `${COUNTER}a_total{b=x} 1\n`],
  [/has no value/, `${COUNTER}a_total{b="x} 1\n`],
  [/is no escape/, `${COUNTER}a_total{b="\\t"} 1\n`],
  [/is no escape/, "# HELP g \\t\n# TYPE g gauge\n"],
  [/between two labels/, `${COUNTER}a_total{b="x";c="y"} 1\n`],
  [/not a number/, `${COUNTER}a_total one\n`],
  [/not a number/, `${COUNTER}a_total Infinity\n`],
  [/not a number/, `${COUNTER}a_total{b="x"}1\n`],
  [/not a timestamp/, `${COUNTER}a_total 1 now\n`],
  [/same series/, `${COUNTER}a_total{b="x",c="y"} 1\na_total{c="y",b="x"} 1\n`],
  [/same labels/, `${COUNTER}a_total{b="x"} 1\na_total 1\n`],
  [/counters end in _total/, "# HELP a Some.\n# TYPE a counter\na 1\n"],
  [/counters end in _total/, "# HELP a_total Some.\n# TYPE a_total gauge\na_total 1\n"],
  [/never negative/, `${COUNTER}a_total -1\n`],
  [/never negative/, `${COUNTER}a_total NaN\n`],
  [/not one _count/, `${HISTOGRAM}h_bucket{le="+Inf"} 2\nh_sum 3\n`],
  [/not one _sum/, `${HISTOGRAM}h_bucket{le="+Inf"} 2\nh_count 2\n`],
  [/no bucket \+Inf/, `${HISTOGRAM}h_bucket{le="1"} 2\n${REST}`],
  [/is not its count/, `${HISTOGRAM}h_bucket{le="+Inf"} 3\n${REST}`],
  [/not in order/, `${HISTOGRAM}h_bucket{le="2"} 1\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 2\n${REST}`],
  [/do not add up/, `${HISTOGRAM}h_bucket{le="1"} 2\nh_bucket{le="2"} 1\nh_bucket{le="+Inf"} 2\n${REST}`],
  [/without an edge/, `${HISTOGRAM}h_bucket{le="x"} 2\n${REST}`],
]

for (const [index, [why, text]] of REFUSED.entries()) {
  test(`what breaks a rule is refused, ${index + 1}: ${why.source}`, () => {
    assert.throws(() => readExposition(text), why)
  })
}
