import assert from "node:assert/strict"
import { test } from "node:test"
import { readExposition } from "../../test/exposition.ts"
import { createRegistry } from "./registry.ts"

const TABLE = {
  calls: { name: "calls_total", type: "counter", help: "Calls.", labels: ["model", "ending"] },
  cost: { name: "cost_usd_total", type: "counter", help: "Money.", labels: [], per: 1_000_000_000 },
  open: { name: "open", type: "gauge", help: "A backslash \\ and\na line feed.", labels: [] },
  states: { name: "states", type: "gauge", help: "States.", labels: ["state"] },
  time: { name: "time_seconds", type: "histogram", help: "Time.", labels: ["model"], buckets: [0.5, 1, 10] },
  size: { name: "size", type: "histogram", help: "Size.", labels: [], buckets: [1] },
} as const

function create() {
  return createRegistry(TABLE, {
    open: () => 7,
    states: () => [
      [["on"], 1],
      [["off"], 0],
    ],
  })
}

test("a metric that nothing has happened to is declared, and says 0 where it has no labels", () => {
  const { families, value } = readExposition([...create().write()].join(""))
  assert.deepEqual(
    [...families.keys()],
    Object.values(TABLE).map(({ name }) => name),
  )
  assert.deepEqual(families.get("calls_total")?.samples, [])
  assert.deepEqual(families.get("time_seconds")?.samples, [])
  assert.equal(families.get("cost_usd_total")?.samples.length, 1)
  assert.equal(families.get("size")?.samples.length, 4)
  assert.equal(families.get("open")?.help, TABLE.open.help)
  assert.equal(value("open"), 7)
  assert.equal(value("states", { state: "on" }), 1)
})

test("labels find their series in any order, and come back as they went in", () => {
  const registry = create()
  const names = ["plain", 'a "quote"', "a \\ backslash", "a\nline feed", "\\n", "é 漢 {}=,", ""]
  for (const model of names) {
    registry.calls({ model, ending: "finished" }).add(1)
    registry.calls({ ending: "finished", model }).add(2)
  }
  const { families, value } = readExposition([...registry.write()].join(""))
  assert.equal(families.get("calls_total")?.samples.length, names.length)
  for (const model of names) assert.equal(value("calls_total", { model, ending: "finished" }), 3)
})

test("what stands on an edge belongs to the bucket below it", () => {
  const registry = create()
  for (const seconds of [0, 0.5, 0.500_001, 1, 10, 10.5, 1_000])
    registry.time({ model: "m" }).observe(seconds)
  const { value } = readExposition([...registry.write()].join(""))
  const below = (le: string) => value("time_seconds_bucket", { model: "m", le })
  assert.deepEqual(["0.5", "1", "10", "+Inf"].map(below), [2, 4, 5, 7])
  assert.equal(value("time_seconds_count", { model: "m" }), 7)
  assert.equal(value("time_seconds_sum", { model: "m" }), 0 + 0.5 + 0.500_001 + 1 + 10 + 10.5 + 1_000)
})

test("a sum of fractions is as exact as its whole parts", () => {
  const registry = create()
  for (let times = 0; times < 1_000_000; times++) registry.cost({}).add(100)
  const { value } = readExposition([...registry.write()].join(""))
  assert.equal(value("cost_usd_total"), 0.1)
})

test("what is counted while a scrape is written tears no histogram apart", () => {
  const registry = create()
  let text = ""
  for (const piece of registry.write()) {
    text += piece
    for (const model of ["a", "b", "c"]) registry.time({ model }).observe(0.7)
    registry.size({}).observe(2)
  }
  const { families } = readExposition(text)
  assert.equal(families.get("time_seconds")?.samples.length, 3 * 6)
})
