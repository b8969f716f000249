import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { test } from "node:test"
import type { Grown } from "./growth/part.ts"
import { plotOf, stepsUpTo } from "./growth/plot.ts"
import { growthTable } from "./growth/table.ts"
import { grow, PARTS, type PartName } from "./growth.ts"

const SHORT: Readonly<Record<PartName, readonly number[]>> = {
  streams: [5, 40],
  keys: [1, 300],
  rows: [200, 1_000],
  routes: [1, 12],
}

for (const [name, points] of Object.entries(SHORT) as [PartName, readonly number[]][]) {
  test(`what ${name} cost is measured at each point, and drawn`, async (t) => {
    if (name === "streams" && !canRelay()) return t.skip("it needs Linux and a C compiler")
    const grown = await grow(PARTS[name], points, 1, () => {}, false)
    assert.deepEqual(
      grown.points.map(({ at, rounds }) => [at, rounds]),
      points.map((at) => [at, 1]),
    )
    for (const { at, values } of grown.points) {
      assert.equal(values.length, grown.measures.length)
      for (const [index, value] of values.entries())
        assert.ok(value > 0, `${grown.measures[index]!.name} at ${at}: ${value}`)
    }
    assert.equal(growthTable(grown).split("\n").length, 2 + points.length)
    assert.equal(plotOf(grown).match(/<circle/g)?.length, points.length * grown.measures.length)
    t.diagnostic(JSON.stringify(grown.points.map(({ values }) => values.map(Math.round))))
  })
}

const GROWN: Grown = {
  of: "things",
  how: "",
  measures: [
    { name: "cost", unit: "ms" },
    { name: "rate", unit: "" },
  ],
  points: [
    { at: 1, values: [2, 300], rounds: 3, busy: 0 },
    { at: 1_000, values: [3, 150], rounds: 3, busy: 0.2 },
    { at: 1_000_000, values: [8, 75], rounds: 1, busy: 0 },
  ],
}

test("a table has each value beside its ratio to the first, and marks what is an indication", () => {
  const rows = growthTable(GROWN).split("\n").slice(2)
  assert.match(rows[0]!, /^\| 1 +\| +2 \(×1\) \| +300 \(×1\) \| +3 \|$/)
  assert.match(rows[1]!, /^\| 1,000 +\| 3 \(×1.5\) \| 150 \(×0.5\) \| +3 ! \|$/)
  assert.match(rows[2]!, /^\| 1,000,000 \| +8 \(×4\) \| 75 \(×0.25\) \| +1 ! \|$/)
})

test("a plot has a panel for each measure, and its dots stand where their values are", () => {
  const svg = plotOf(GROWN)
  assert.equal(svg.match(/<g /g)?.length, 2)
  const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ])
  const [first, second, third] = dots as [number[], number[], number[]]
  // Logarithmic: the thousandth thing stands half way to the millionth.
  assert.ok(Math.abs(second[0]! - (first[0]! + third[0]!) / 2) < 0.2)
  // From 0 on: 8 is the top, 2 a quarter of it.
  const bottom = third[1]! + ((first[1]! - third[1]!) * 4) / 3
  assert.ok(Math.abs((bottom - second[1]!) / (bottom - third[1]!) - 3 / 8) < 0.01)
})

test("the steps of an axis reach the highest value, and are few", () => {
  for (const most of [0.003, 0.9, 1, 7, 10, 42, 99, 101, 12_345, 1e6]) {
    const steps = stepsUpTo(most)
    assert.ok(steps.at(-1)! >= most && steps.at(-2)! < most, `${most}: ${steps}`)
    assert.ok(steps.length >= 3 && steps.length <= 5, `${most}: ${steps}`)
  }
})

function canRelay(): boolean {
  return process.platform === "linux" && spawnSync("gcc", ["--version"]).status === 0
}
