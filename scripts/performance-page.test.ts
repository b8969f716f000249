import assert from "node:assert/strict"
import { test } from "node:test"
import type { Row } from "../bench/relay/rows.ts"
import { type PerformanceSource, performancePage } from "./performance-page.ts"

const machine = {
  date: "2026-03-12T10:20:30.000Z",
  commit: "abc1234",
  node: "v24.0.0",
  kernel: "6.1",
  cpu: "one",
  cpus: 2,
  memoryGigabytes: 8,
}
const NOTHING: PerformanceSource = {
  relay: undefined,
  memory: undefined,
  books: undefined,
  micro: undefined,
  growth: {},
}

const cellsOf = (page: string, name: string): string[] =>
  page
    .split("\n")
    .find((line) => line.startsWith(`| ${name}`))!
    .split("|")
    .map((cell) => cell.trim())
    .slice(2, -1)

const row = (target: string, scenario: string, measured: object): Row =>
  ({ round: 1, scenario, target, attempt: 1, kept: true, measured: { foreignCpu: 0.02, ...measured } }) as Row

test("what nobody has measured is said to be so, with the command", () => {
  const page = performancePage(NOTHING)
  const figures = page.split("\n").filter((line) => /npm run bench -- (relay|memory|books)` \|/.test(line))
  assert.equal(figures.length, 7)
  for (const line of figures) assert.match(line, /not measured yet/)
  assert.doesNotMatch(page, /## How cost grows/)
})

test("what the gateway adds is its delay less that of nothing in between", () => {
  const rows = [
    row("direct", "S3", { firstContentP50: 47, chunkP50: 8, chunkP99: 94 }),
    row("sluice", "S3", { firstContentP50: 547, chunkP50: 139, chunkP99: 1_094 }),
    row("sluice", "S3x", { chunksPerSecond: 40_000, cpuCores: 0.8 }),
  ]
  const page = performancePage({ ...NOTHING, relay: { machine, rows } })
  assert.equal(cellsOf(page, "added time to first content, p50")[0], "500 µs")
  assert.equal(cellsOf(page, "added time per chunk, p50")[0], "131 µs")
  assert.equal(cellsOf(page, "added time per chunk, p99")[0], "1,000 µs")
  assert.equal(cellsOf(page, "chunks per second per core")[0], "50,000")
  assert.match(cellsOf(page, "added time per chunk, p50")[2]!, /^1 round, .*indication; 2026-03-12, abc1234$/)
})

test("three rounds on a quiet machine are no indication, a busy one is", () => {
  const memory = (busy: number) => ({
    machine,
    rounds: 3,
    busy,
    streams: { count: 2_000, bytes: 40_000, perGigabyte: 25_000 },
    readers: { count: 100, bytes: 2_500_000 },
  })
  const [quiet, loud] = [0.01, 0.4].map((busy) => performancePage({ ...NOTHING, memory: memory(busy) }))
  assert.deepEqual(cellsOf(quiet!, "open streams per GB").slice(0, 2), [
    "25,000",
    "`npm run bench -- memory`",
  ])
  assert.equal(cellsOf(quiet!, "memory per slow reader")[0], "2.5 MB")
  assert.doesNotMatch(cellsOf(quiet!, "memory per slow reader")[2]!, /indication/)
  assert.match(cellsOf(loud!, "memory per slow reader")[2]!, /others used 0.40 CPUs: an indication/)
})

test("tokens lost are told with and without those under a kill", () => {
  const lost = {
    finished: { streams: 900, sent: 9_000, lost: 0 },
    interrupted: { streams: 100, sent: 1_000, lost: 7 },
  }
  const page = performancePage({ ...NOTHING, books: { machine, rounds: 4, busy: 0, streams: 1_000, lost } })
  assert.equal(
    cellsOf(page, "tokens lost per 10,000 faulted streams")[0],
    "0; 70 with those whose gateway was stopped or killed",
  )
})
