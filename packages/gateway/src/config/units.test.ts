import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { formatDuration, parseDuration, parseSize } from "./units.ts"

test("a duration is a number and one of five units", () => {
  const durations: [string, number][] = [
    ["250ms", 250],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["2d", 172_800_000],
    ["0s", 0],
  ]
  for (const [text, milliseconds] of durations) assert.equal(parseDuration(text), milliseconds, text)
})

test("what has no unit, another unit, a sign, a space or more than a number is no duration", () => {
  const others = [
    "",
    "2",
    "0",
    "s",
    "2 s",
    " 2s",
    "2s ",
    "-2s",
    "+2s",
    "2S",
    "2sec",
    "1h30m",
    ".5s",
    "5.s",
    "1e3s",
    "0x2s",
    "２s",
  ]
  for (const text of others) assert.equal(parseDuration(text), undefined, text)
})

test("a size is a number and one of five units, in powers of 1024", () => {
  const sizes: [string, number][] = [
    ["1B", 1],
    ["512KB", 524_288],
    ["8MB", 8_388_608],
    ["1.5MB", 1_572_864],
    ["1GB", 1_073_741_824],
    ["1TB", 1_099_511_627_776],
  ]
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text)
})

test("what has no unit, another unit or another spelling is no size", () => {
  for (const text of ["", "8", "8mb", "8Mb", "8 MB", "8MiB", "-8MB", "MB", "8M", "1e3B"]) {
    assert.equal(parseSize(text), undefined, text)
  }
})

test("a duration that is formatted is read back as the same", () => {
  fc.assert(
    fc.property(fc.nat(), (milliseconds) => {
      assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds)
    }),
  )
  assert.equal(formatDuration(600_000), "10m")
  assert.equal(formatDuration(1_500), "1500ms")
})
