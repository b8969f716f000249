/**
 * What a gateway adds to streamed chat completions: throughput, time to the first content, delay and CPU per chunk,
 * memory, beside nginx and beside nothing in between, every answer validated while it is measured.
 *
 * How it avoids fooling itself: all targets in every round, in rotated order, each in a fresh process; figures are
 * medians, and ratios are of one run. With exactly two CPUs the target has one and the harness the other. A measurement
 * during which others used the machine is thrown away and tried again; it stays in the results file. One clock stamps
 * the chunk in the upstream and reads the stamp in the client, so a chunk's delay needs no correction.
 *
 * What it cannot tell: p99 moves severalfold between clean runs; CPU per chunk is comparable at equal chunks/s only,
 * since a saturated target takes several chunks at once; it is loopback without TLS.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { cpus, release, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { start } from "./children.ts"
import type { Goal } from "./goal.ts"
import { calm } from "./relay/machine.ts"
import { accepts, type Bench, type Measured, measure } from "./relay/measure.ts"
import { buildPrograms } from "./relay/programs.ts"
import { SCENARIOS, type Scenario } from "./relay/scenarios.ts"
import { figuresOf, type Row, tableOf } from "./relay/table.ts"
import { freePort, nginxVersion, TARGETS, type Target } from "./relay/targets.ts"

export const usage = `npm run bench -- relay [options]

  --scenario LIST   of ${SCENARIOS.map(({ name }) => name).join(",")} (default: all)
  --target LIST     of ${Object.keys(TARGETS).join(",")} (default: all)
  --rounds N        how often everything is measured (default 5); with fewer than 3 it is an indication only
  --json FILE       every measurement, also those thrown away
  --no-gate         keep every measurement, however busy the machine
  --no-pin          let the system place the processes; with other than two CPUs it always does
  --profile FOLDER  have Sluice write a CPU profile of each of its measurements; makes it slower`

/** CPUs that others may use during a measurement. */
const MOST_FOREIGN = 0.04
const ATTEMPTS = 4

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  if (process.platform !== "linux")
    throw new Error("the relay bench needs Linux: it reads /proc and uses epoll")
  const { values } = parseArgs({
    args: [...options],
    options: {
      scenario: { type: "string", default: SCENARIOS.map(({ name }) => name).join(",") },
      target: { type: "string", default: Object.keys(TARGETS).join(",") },
      rounds: { type: "string", default: "5" },
      json: { type: "string" },
      "no-gate": { type: "boolean", default: false },
      "no-pin": { type: "boolean", default: false },
      profile: { type: "string" },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError("--rounds takes a whole number from 1 on")
  const scenarios = values.scenario.split(",").map(scenarioOf)
  const nginx = nginxVersion()
  const names = values.target.split(",").filter((name) => name !== "nginx" || nginx !== undefined)
  for (const name of names)
    if (!Object.hasOwn(TARGETS, name))
      throw new RangeError(`--target knows ${Object.keys(TARGETS).join(", ")}`)
  if (nginx === undefined)
    console.log("nginx is not installed (apt-get install nginx-light): no ratios to it.\n")

  const folder = mkdtempSync(join(tmpdir(), "sluice-relay-"))
  const { mock, loadgen } = buildPrograms()
  const pinned = cpus().length === 2 && !values["no-pin"]
  const upstreamPort = await freePort()
  const upstream = await start([mock, String(upstreamPort)], { cpu: pinned ? 1 : undefined })
  try {
    while (!(await accepts(upstreamPort)))
      if (!upstream.running) throw new Error(`the upstream did not start: ${upstream.output()}`)
    const targets: Target[] = []
    for (const name of names)
      targets.push(await TARGETS[name]!({ upstreamPort, folder, profiles: values.profile }))

    const machine = {
      date: new Date().toISOString(),
      commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
      node: process.version,
      nginx,
      kernel: release(),
      cpu: cpus()[0]?.model,
      cpus: cpus().length,
      pinned,
      mostForeignCpu: values["no-gate"] ? null : MOST_FOREIGN,
    }
    const rows: Row[] = []
    await measureAll({ loadgen, upstream, pinned }, targets, scenarios, rounds, !values["no-gate"], (row) => {
      rows.push(row)
      if (values.json !== undefined) writeFileSync(values.json, resultsText(machine, rows))
      console.error(lineOf(row))
    })
    report(rows, scenarios, names, rounds, !values["no-gate"])
  } finally {
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return []
}

async function measureAll(
  bench: Bench,
  targets: readonly Target[],
  scenarios: readonly Scenario[],
  rounds: number,
  gated: boolean,
  tell: (row: Row) => void,
): Promise<void> {
  const seconds = scenarios.reduce((sum, scenario) => sum + scenario.seconds, 0) * targets.length * rounds
  console.error(`${scenarios.length * targets.length * rounds} measurements, about ${Math.ceil(seconds)} s`)
  for (let round = 1; round <= rounds; round++) {
    for (const scenario of scenarios) {
      for (let turn = 0; turn < targets.length; turn++) {
        const target = targets[(turn + round - 1) % targets.length]!
        for (let attempt = 1; attempt <= (gated ? ATTEMPTS : 1); attempt++) {
          if (gated) await calm(MOST_FOREIGN * 2)
          const about = { round, scenario: scenario.name, target: target.name, attempt }
          const row = await measure(bench, target, scenario).then(
            (measured): Row => ({ ...about, kept: !gated || measured.foreignCpu <= MOST_FOREIGN, measured }),
            (error: unknown): Row => ({ ...about, kept: false, failed: String(error) }),
          )
          tell(row)
          if (row.kept || row.failed !== undefined) break
        }
      }
    }
  }
}

function report(
  rows: readonly Row[],
  scenarios: readonly Scenario[],
  targets: readonly string[],
  rounds: number,
  gated: boolean,
): void {
  for (const scenario of scenarios) console.log(`${tableOf(rows, scenario, targets, rounds)}\n`)
  if (targets.includes("sluice")) console.log(`${figuresOf(rows)}\n`)
  const failed = rows.filter((row) => row.failed !== undefined).length
  const busy = rows.filter((row) => row.failed === undefined && !row.kept).length
  const foreign = Math.max(0, ...rows.map((row) => (row.kept ? (row.measured?.foreignCpu ?? 0) : 0)))
  console.log(
    `${rows.length} measurements: ${rows.length - failed - busy} kept, ${busy} thrown away because the machine was busy, ${failed} failed.`,
  )
  if (!gated) console.log(`No gate: during one of them others used ${foreign.toFixed(2)} CPUs.`)
  if (failed > 0) process.exitCode = 1
}

function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS.find((one) => one.name === name)
  if (scenario === undefined)
    throw new RangeError(`--scenario knows ${SCENARIOS.map((one) => one.name).join(", ")}`)
  return scenario
}

function lineOf({ round, scenario, target, kept, failed, measured }: Row): string {
  const what = `round ${round}, ${scenario}, ${target}:`
  if (measured === undefined) return `${what} failed: ${failed}`
  const { answersPerSecond, chunksPerSecond, errors, unanswered, foreignCpu, firstError } = measured
  const rate = chunksPerSecond > 0 ? `${chunksPerSecond} chunks/s` : `${answersPerSecond} answers/s`
  return [
    `${what} ${rate}, ${errors} errors, ${unanswered} unanswered, others used ${foreignCpu.toFixed(2)} CPUs${kept ? "" : ": thrown away"}`,
    ...(firstError === null ? [] : [`  first error: ${firstError}`]),
  ].join("\n")
}

/** A line for each measurement, so that a diff of two results files can be read. */
function resultsText(machine: object, rows: readonly Row[]): string {
  const lines = rows.map(
    (row) => `  ${JSON.stringify({ ...row, measured: row.measured && short(row.measured) })}`,
  )
  return `{\n"machine": ${JSON.stringify(machine)},\n"rows": [\n${lines.join(",\n")}\n]\n}\n`
}

function short(measured: Measured): object {
  const entries = Object.entries(measured).map(([name, value]) => [
    name,
    typeof value === "number" ? Number(value.toFixed(3)) : value,
  ])
  return Object.fromEntries(entries)
}
