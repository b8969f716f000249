/**
 * What a gateway adds to streamed chat completions: throughput, time to the first content, delay and CPU per chunk,
 * memory, beside nginx, other gateways, and nothing in between, every answer validated while it is measured.
 *
 * How it avoids fooling itself: all targets in every round, in rotated order, each in a fresh process; figures are
 * medians, and ratios are of one run. With exactly two CPUs the target has one and the harness the other. A measurement
 * during which others used the machine is thrown away and tried again; it stays in the results file. One clock stamps
 * the chunk in the upstream and reads the stamp in the client, so a chunk's delay needs no correction.
 *
 * What it cannot tell: p99 moves severalfold between clean runs; CPU per chunk is comparable at equal chunks/s only,
 * since a saturated target takes several chunks at once; it is loopback without TLS.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join, relative } from "node:path"
import { parseArgs } from "node:util"
import { root } from "../scripts/house.ts"
import { start } from "./children.ts"
import type { Goal } from "./goal.ts"
import { whyAbsent, withoutPlaces } from "./peers/installed.ts"
import { type Checkout, checkOut } from "./relay/commit.ts"
import { goalsOf, ROUNDS, type Run } from "./relay/goals.ts"
import { calm } from "./relay/machine.ts"
import { type Bench, measure } from "./relay/measure.ts"
import { accepts, freePort } from "./relay/ports.ts"
import { buildPrograms } from "./relay/programs.ts"
import { type Machine, machineHere, writePage, writeRows } from "./relay/results.ts"
import { disturbed, faultsOf, mostForeign, type Row } from "./relay/rows.ts"
import { ON_REQUEST, SCENARIOS, type Scenario } from "./relay/scenarios.ts"
import { measureStart } from "./relay/starts.ts"
import { comparisonOf, tableOf } from "./relay/table.ts"
import { OURS, sluice, TARGETS, type Target, type TargetOptions } from "./relay/targets.ts"

const DEFAULTS = SCENARIOS.map(({ name }) => name)
const REQUESTED = ON_REQUEST.map(({ name }) => name)
const ALL_OURS = Object.keys(OURS)
const COMPARED = ["direct", "sluice"]

export const usage = `npm run bench -- relay [options]      (without a name, npm run bench runs this one)

  --scenario LIST   of ${[...DEFAULTS, ...REQUESTED].join(",")} (default: ${DEFAULTS.join(",")})
  --target LIST     of ${Object.keys(TARGETS).join(",")} (default: ${ALL_OURS.join(",")});
                    other gateways are installed when first asked for, into bench/.cache
  --compare COMMIT  this tree beside that commit, in the same run (default targets: ${COMPARED.join(",")} and the commit)
  --rounds N        how often everything is measured (default ${ROUNDS}); with fewer it is an indication only
  --results FOLDER  where relay.json and relay.md go (default: bench/results for a whole run of all that the goals
                    are about; bench/.cache/results for any other)
  --no-gate         keep every measurement, however busy the machine
  --no-pin          let the system place the processes; with other than two CPUs it always does
  --profile FOLDER  have Sluice write a CPU profile of each of its measurements; makes it slower`

/** CPUs that others may use during a measurement. */
const MOST_FOREIGN = 0.04
const ATTEMPTS = 4

interface Options {
  readonly scenarios: readonly Scenario[]
  readonly targets: readonly string[]
  readonly compare: string | undefined
  readonly rounds: number
  readonly results: string
  readonly gated: boolean
  readonly pinned: boolean
  readonly profiles: string | undefined
}

export async function run(given: readonly string[]): Promise<readonly Goal[]> {
  const options = read(given)
  if (process.platform !== "linux")
    throw new Error("the relay bench needs Linux: it reads /proc and uses epoll")
  const { mock, loadgen } = buildPrograms()
  const folder = mkdtempSync(join(tmpdir(), "sluice-relay-"))
  const upstreamPort = await freePort()
  const upstream = await start([mock, String(upstreamPort)], { cpu: options.pinned ? 1 : undefined })
  let checkout: Checkout | undefined
  try {
    while (!(await accepts(upstreamPort)))
      if (!upstream.running) throw new Error(`the upstream did not start: ${upstream.output()}`)
    if (options.compare !== undefined) checkout = await checkOut(options.compare, join(folder, "compared"))
    const about = { upstreamPort, folder, profiles: options.profiles }
    const { targets, absent } = await prepare(options.targets, about)
    if (checkout !== undefined) targets.push(await sluice(about, checkout))
    const machine = { ...(await machineHere()), ...described(options, given, targets, absent) }

    const rows: Row[] = []
    await measureAll({ loadgen, upstream, pinned: options.pinned }, targets, options, (row) => {
      rows.push(row)
      // Whatever happens to a long run, what it has measured so far is there.
      writeRows(UNFINISHED, machine, rows)
      console.error(lineOf(row))
    })
    if (rows.some((row) => row.failed !== undefined)) process.exitCode = 1
    return report(rows, targets, options, machine, checkout?.name)
  } finally {
    await upstream.stop()
    checkout?.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

const UNFINISHED = join(root, "bench/.cache/results")

function read(given: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...given],
    options: {
      scenario: { type: "string", default: DEFAULTS.join(",") },
      target: { type: "string" },
      compare: { type: "string" },
      rounds: { type: "string", default: String(ROUNDS) },
      results: { type: "string" },
      "no-gate": { type: "boolean", default: false },
      "no-pin": { type: "boolean", default: false },
      profile: { type: "string" },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError("--rounds takes a whole number from 1 on")
  const scenarios = values.scenario.split(",").map(scenarioOf)
  const targets = values.target?.split(",") ?? (values.compare === undefined ? ALL_OURS : COMPARED)
  for (const name of targets)
    if (!Object.hasOwn(TARGETS, name))
      throw new RangeError(`--target knows ${Object.keys(TARGETS).join(", ")}`)
  if (values.compare !== undefined && !targets.includes("sluice"))
    throw new RangeError("--compare needs sluice among the targets")
  const whole =
    rounds >= ROUNDS &&
    !values["no-gate"] &&
    values.profile === undefined &&
    values.compare === undefined &&
    ALL_OURS.every((name) => targets.includes(name)) &&
    SCENARIOS.every((scenario) => scenarios.includes(scenario))
  return {
    scenarios,
    targets,
    compare: values.compare,
    rounds,
    results: values.results ?? (whole ? join(root, "bench/results") : UNFINISHED),
    gated: !values["no-gate"],
    pinned: cpus().length === 2 && !values["no-pin"],
    profiles: values.profile,
  }
}

/** A target that cannot be had here is told in one line, and the run goes on without it. */
async function prepare(
  names: readonly string[],
  options: TargetOptions,
): Promise<{ targets: Target[]; absent: Record<string, string> }> {
  const targets: Target[] = []
  const absent: Record<string, string> = {}
  for (const name of names) {
    try {
      targets.push(await TARGETS[name]!(options))
    } catch (error) {
      absent[name] = whyAbsent(error)
      console.log(`${name}: not measured: ${absent[name]}\n`)
    }
  }
  return { targets, absent }
}

async function measureAll(
  bench: Bench,
  targets: readonly Target[],
  { scenarios, rounds, gated }: Options,
  tell: (row: Row) => void,
): Promise<void> {
  const cells = scenarios.map((scenario) => ({ scenario, asked: targets.filter(takesPart(scenario)) }))
  const count = rounds * cells.reduce((sum, { asked }) => sum + asked.length, 0)
  const seconds =
    rounds * cells.reduce((sum, { scenario, asked }) => sum + scenario.seconds * asked.length, 0)
  console.error(`${count} measurements, about ${Math.ceil(seconds)} s`)
  for (let round = 1; round <= rounds; round++) {
    for (const { scenario, asked } of cells) {
      for (let turn = 0; turn < asked.length; turn++) {
        const target = asked[(turn + round - 1) % asked.length]!
        for (let attempt = 1; attempt <= (gated ? ATTEMPTS : 1); attempt++) {
          if (gated) await calm(MOST_FOREIGN * 2)
          const about = { round, scenario: scenario.name, target: target.name, attempt }
          const measuring = "load" in scenario ? measure(bench, target, scenario) : measureStart(target)
          const row = await measuring.then(
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

function takesPart(scenario: Scenario): (target: Target) => boolean {
  return (target) => "load" in scenario || target.ready !== undefined
}

function report(
  rows: readonly Row[],
  targets: readonly Target[],
  options: Options,
  machine: Machine,
  compared: string | undefined,
): readonly Goal[] {
  const { scenarios, rounds, gated, results } = options
  const names = targets.map(({ name }) => name)
  const tables = scenarios
    .filter((scenario) => targets.some(takesPart(scenario)))
    .map((scenario) => tableOf(rows, scenario, names, rounds))
  if (compared !== undefined) tables.push(comparisonOf(rows, "sluice", compared))
  const { failed } = faultsOf(rows)
  const away = disturbed(rows)
  const sum = `${rows.length} measurements: ${rows.length - failed - away} kept, ${away} thrown away because the machine was busy, ${failed} failed.`
  const ungated = gated ? [] : [`No gate: others used up to ${mostForeign(rows).toFixed(2)} CPUs.`]
  const printed = [...tables, [sum, ...ungated].join("\n")].join("\n\n")

  const run: Run = {
    rows,
    rounds,
    gated,
    scenarios: scenarios.map(({ name }) => name),
    targets: names,
    absent: machine.absent,
  }
  // A comparison asks for a difference, not for a verdict.
  const goals = compared === undefined ? goalsOf(run) : []
  const written = [writeRows(results, machine, rows), writePage(results, machine, goals, printed)]
  console.log(`${printed}\n\nWritten: ${written.map((path) => relative(root, path)).join(", ")}\n`)
  return goals
}

function described(
  { rounds, gated, pinned }: Options,
  given: readonly string[],
  targets: readonly Target[],
  absent: Readonly<Record<string, string>>,
): Pick<Machine, "command" | "versions" | "absent" | "pinned" | "rounds" | "mostForeignCpu"> {
  const versions = targets.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version]]))
  return {
    command: withoutPlaces(
      ["npm run bench", ...(given.length === 0 ? [] : ["--", "relay", ...given])].join(" "),
    ),
    versions: { node: process.version, ...Object.fromEntries(versions) },
    absent,
    pinned,
    rounds,
    mostForeignCpu: gated ? MOST_FOREIGN : null,
  }
}

function scenarioOf(name: string): Scenario {
  const scenario = [...SCENARIOS, ...ON_REQUEST].find((one) => one.name === name)
  if (scenario === undefined)
    throw new RangeError(`--scenario knows ${[...DEFAULTS, ...REQUESTED].join(", ")}`)
  return scenario
}

function lineOf({ round, scenario, target, kept, failed, measured }: Row): string {
  const what = `round ${round}, ${scenario}, ${target}:`
  if (measured === undefined) return `${what} failed: ${failed}`
  const others = `others used ${measured.foreignCpu.toFixed(2)} CPUs${kept ? "" : ": thrown away"}`
  if ("listeningMilliseconds" in measured)
    return `${what} ${measured.listeningMilliseconds.toFixed(0)} ms, ${measured.settledMegabytes.toFixed(0)} MB, ${others}`
  const { answersPerSecond, chunksPerSecond, errors, unanswered, firstError } = measured
  const rate = chunksPerSecond > 0 ? `${chunksPerSecond} chunks/s` : `${answersPerSecond} answers/s`
  return [
    `${what} ${rate}, ${errors} errors, ${unanswered} unanswered, ${others}`,
    ...(firstError === null ? [] : [`  first error: ${firstError}`]),
  ].join("\n")
}
