import assert from "node:assert/strict"
import { test } from "node:test"
import { goalLine } from "../goal.ts"
import { whyAbsent } from "../peers/installed.ts"
import { goalsOf, type Run } from "./goals.ts"
import type { Row } from "./rows.ts"
import { comparisonOf } from "./table.ts"

/** What each target does where every goal is met, just so. */
const FIGURES: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>> = {
  S1: {
    nginx: { answersPerSecond: 1_000 },
    portkey: { answersPerSecond: 10 },
    sluice: { answersPerSecond: 200 },
  },
  S3: {
    direct: { firstContentP50: 50 },
    nginx: { cpuMsPerThousandChunks: 10, chunkP50: 60 },
    portkey: { cpuMsPerThousandChunks: 45 },
    sluice: { cpuMsPerThousandChunks: 18, chunkP50: 150, firstContentP50: 1_050, peakMegabytes: 100 },
  },
  S3x: {
    nginx: { chunksPerSecond: 1_000 },
    portkey: { chunksPerSecond: 200 },
    sluice: { chunksPerSecond: 700, peakMegabytes: 100 + (80 * 1_500) / 1_024 },
  },
  start: { sluice: { listeningMilliseconds: 600, settledMegabytes: 90 } },
}

const GOOD: Run = {
  rows: rowsWhere(() => ({})),
  rounds: 5,
  gated: true,
  scenarios: ["S1", "S3", "S3x", "start"],
  targets: ["direct", "nginx", "portkey", "sluice"],
  absent: {},
}

test("every goal is met by figures that just reach it", () => {
  const goals = goalsOf(GOOD)
  assert.equal(goals.length, 12)
  for (const goal of goals) assert.equal(goal.outcome, "met", goalLine(goal))
  assert.ok(
    lines(GOOD).includes("goal S3 CPU per 1,000 chunks beside nginx: 1.8 × nginx (at most 1.8 × nginx) met"),
  )
  assert.ok(lines(GOOD).includes("goal S3 first content added p50: 1.00 ms (at most 1 ms) met"))
})

for (const [name, worse] of [
  ["S3 CPU per 1,000 chunks beside nginx", { S3: { sluice: { cpuMsPerThousandChunks: 18.1 } } }],
  ["S3 CPU per 1,000 chunks beside portkey", { S3: { portkey: { cpuMsPerThousandChunks: 44.9 } } }],
  ["S3 chunk p50 beside nginx", { S3: { sluice: { chunkP50: 151 } } }],
  ["S3x chunks per second beside nginx", { S3x: { sluice: { chunksPerSecond: 699 } } }],
  ["S3x chunks per second beside portkey", { S3x: { portkey: { chunksPerSecond: 234 } } }],
  ["S3x errors", { S3x: { sluice: { errors: 1 } } }],
  ["S1 answers per second beside nginx", { S1: { sluice: { answersPerSecond: 199 } } }],
  ["S1 answers per second beside portkey", { S1: { portkey: { answersPerSecond: 16.7 } } }],
  ["memory from S3 to S3x", { S3: { sluice: { peakMegabytes: 99 } } }],
  ["start to listening", { start: { sluice: { listeningMilliseconds: 601 } } }],
  ["start idle memory", { start: { sluice: { settledMegabytes: 90.1 } } }],
  ["S3 first content added p50", { S3: { sluice: { firstContentP50: 1_051 } } }],
] as const) {
  test(`a figure beyond its bound is short: ${name}`, () => {
    const changes: typeof FIGURES = worse
    const rows = rowsWhere(({ scenario, target }) => changes[scenario]?.[target] ?? {})
    assert.equal(goalsOf({ ...GOOD, rows }).find((goal) => goal.name === name)?.outcome, "short")
  })
}

test("a figure is the median of what was kept, and what was thrown away is told beside it", () => {
  const rows = [
    ...GOOD.rows,
    row(1, "S3", "sluice", { cpuMsPerThousandChunks: 90 }, { kept: false }),
    row(2, "S3", "sluice", { cpuMsPerThousandChunks: 90 }, { kept: false }),
  ]
  assert.match(
    lineFor({ ...GOOD, rows }, "S3 CPU per 1,000 chunks beside nginx"),
    /: 1\.8 × nginx, 2 of 12 runs thrown away as the machine was busy \(at most 1\.8 × nginx\) met$/,
  )
})

test("fewer than 3 kept rounds of any target that a figure needs are not measured, and what they say is an indication", () => {
  const rows = GOOD.rows.map((row) =>
    row.target === "nginx" && row.round > 2 ? { ...row, kept: false } : row,
  )
  assert.match(
    lineFor({ ...GOOD, rows }, "S3 chunk p50 beside nginx"),
    /: none .* not measured: 2 of 5 rounds of nginx in S3 were kept, as the machine was busy; an indication: 2\.5 × nginx$/,
  )
  assert.match(lineFor({ ...GOOD, rows }, "S3 CPU per 1,000 chunks beside portkey"), / met$/)
})

test("a short run, a run without the gate, and a run without a target or a scenario give no verdict", () => {
  const why = (change: Partial<Run>): string => lineFor({ ...GOOD, ...change }, "S3 chunk p50 beside nginx")
  assert.match(
    why({ rounds: 3 }),
    /not measured: 3 of the 5 rounds that it takes; an indication: 2\.5 × nginx$/,
  )
  assert.match(why({ gated: false }), /not measured: without the gate, while others used up to 0\.01 CPUs/)
  assert.match(why({ targets: ["sluice"] }), /not measured: nginx was not in this run/)
  assert.match(why({ absent: { nginx: "it is not installed" } }), /not measured: nginx: it is not installed/)
  assert.match(why({ scenarios: ["S1"] }), /not measured: S3 was not in this run/)
})

test("an error of ours makes a goal short, however good its figure and whether the run was kept or not", () => {
  const rows = [...GOOD.rows, row(1, "S3", "sluice", { errors: 2 }, { kept: false })]
  assert.match(
    lineFor({ ...GOOD, rows }, "S3 chunk p50 beside nginx"),
    /: 2\.5 × nginx, but 2 errors, .* short$/,
  )
  const failed = [
    ...GOOD.rows,
    row(1, "S3", "sluice", {}, { kept: false, failed: "it ended during the run" }),
  ]
  assert.match(lineFor({ ...GOOD, rows: failed }, "S3 chunk p50 beside nginx"), /but 1 run failed.* short$/)
})

test("an error of another target makes its figure worthless, not ours short", () => {
  const rows = rowsWhere(({ target, round }) => (target === "portkey" && round === 1 ? { errors: 3 } : {}))
  assert.match(
    lineFor({ ...GOOD, rows }, "S1 answers per second beside portkey"),
    /not measured: portkey had 3 errors in S1/,
  )
})

test("a request without an answer is told beside the errors", () => {
  const rows = rowsWhere(({ scenario, target }) =>
    scenario === "S3x" && target === "sluice" ? { unanswered: 4 } : {},
  )
  assert.match(
    lineFor({ ...GOOD, rows }, "S3x errors"),
    /: 0 errors, 20 unanswered \(at most 0 errors\) met$/,
  )
})

test("a comparison has the ratio of each figure that was measured, and none of the others", () => {
  const rows = [1, 2, 3].flatMap((round) => [
    row(round, "S3", "sluice", { chunkP50: 90 }),
    row(round, "S3", "sluice@abc", { chunkP50: 120 }),
  ])
  const text = comparisonOf(rows, "sluice", "sluice@abc")
  assert.match(text, /S3 chunk p50 +\| +90 µs \| +120 µs \| +0\.75 \| +3 \|/)
  assert.doesNotMatch(text, /S1/)
})

test("what could not be had is told in one line, without a registry and without a folder of this machine", () => {
  const error = new Error(
    "'pip' ended with 1:\nERROR: no match at https://registry.example/simple (from /opt/a/b/pip)\n",
  )
  assert.equal(whyAbsent(error), "'pip' ended with 1: ERROR: no match at (address) (from …/pip)")
  const missing = Object.assign(new Error("spawn go ENOENT"), { code: "ENOENT", path: "go" })
  assert.equal(whyAbsent(missing), "go is not installed")
})

function lines(run: Run): string[] {
  return goalsOf(run).map(goalLine)
}

function lineFor(run: Run, name: string): string {
  return (
    lines(run).find((line) => line.startsWith(`goal ${name}:`)) ?? assert.fail(`no goal is called ${name}`)
  )
}

type Figures = Readonly<Record<string, number | undefined>>
type Cell = Pick<Row, "round" | "scenario" | "target">

/** Five rounds of FIGURES, each cell with what `change` says of it. */
function rowsWhere(change: (cell: Cell) => Figures): Row[] {
  return [1, 2, 3, 4, 5].flatMap((round) =>
    Object.entries(FIGURES).flatMap(([scenario, targets]) =>
      Object.entries(targets).map(([target, figures]) =>
        row(round, scenario, target, { ...figures, ...change({ round, scenario, target }) }),
      ),
    ),
  )
}

function row(
  round: number,
  scenario: string,
  target: string,
  figures: Figures,
  rest: Partial<Row> = {},
): Row {
  const measured = { errors: 0, warmUpErrors: 0, unanswered: 0, foreignCpu: 0.01, ...figures }
  return { round, scenario, target, attempt: 1, kept: true, measured: measured as Row["measured"], ...rest }
}
