import assert from "node:assert/strict"
import { test } from "node:test"
import { Misuse, readFlags, readSpan, readTime } from "./flags.ts"
import { nearest } from "./nearest.ts"

const TABLE = { model: { type: "string", short: "m" }, json: { type: "boolean" } } as const

test("flags and words may stand in any order, and behind '--' all are words", () => {
  const { flags, words } = readFlags(["one", "-m", "x", "two", "--json", "--", "--model"], TABLE)
  assert.deepEqual({ ...flags }, { model: "x", json: true })
  assert.deepEqual(words, ["one", "two", "--model"])
})

test("a value may begin with a dash where '=' says that it is one, or where no flag looks like it", () => {
  assert.equal(readFlags(["--model=-x"], TABLE).flags.model, "-x")
  assert.equal(readFlags(["--model", "-5"], TABLE).flags.model, "-5")
  assert.throws(() => readFlags(["--model", "--json"], TABLE), new Misuse("--model needs a value."))
})

test("a flag that stands there twice is a slip", () => {
  assert.throws(
    () => readFlags(["-m", "a", "--model", "b"], TABLE),
    new Misuse("--model stands there twice."),
  )
})

test("names of every object are no flags", () => {
  assert.throws(() => readFlags(["--constructor"], TABLE), /there is no flag '--constructor'/)
  assert.throws(() => readFlags(["--__proto__=1"], TABLE), Misuse)
})

test("a time is a date, a time, or a span before or behind now", () => {
  const now = Date.parse("2026-06-15T12:00:00Z")
  assert.equal(readTime("--from", "7d", -1, now), "2026-06-08T12:00:00.000Z")
  assert.equal(readTime("--expires", "2w", 1, now), "2026-06-29T12:00:00.000Z")
  assert.equal(readTime("--from", "2026-01-31", -1), "2026-01-31T00:00:00.000Z")
  assert.equal(readTime("--from", "2026-01-31T09:00:00+01:00", -1), "2026-01-31T08:00:00.000Z")
  assert.equal(readTime("--from", undefined, -1), undefined)
  for (const wrong of ["soon", "2026-13-01", "7", "7y", ""])
    assert.throws(() => readTime("--from", wrong, -1), Misuse)
  assert.deepEqual(["90s", "30m", "24h"].map(readSpan), [90_000, 1_800_000, 86_400_000])
})

test("the nearest name is a slip away, or nobody's", () => {
  const names = ["chat", "keys", "projects", "usage"]
  assert.deepEqual(
    ["chta", "key", "proj", "usgae", "frobnicate", ""].map((name) => nearest(name, names)),
    ["chat", "keys", "projects", "usage", undefined, undefined],
  )
})
