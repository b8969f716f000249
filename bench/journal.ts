/**
 * The journal on this machine's disk: events a second with 500 streams beside the log in memory, and how soon a
 * gateway is ready again on a journal of 1 GB.
 *
 * How it avoids fooling itself: every event has a reader that takes it after its flush, and the count must agree;
 * streams end and others begin, so that beginnings, endings and the removal of the oldest for room are paid for; the
 * run is long enough to fill the journal to its bound; each level runs in a process of its own, in turns, and what
 * counts is the median. The start is a real gateway's, from its spawn to the first answer of /readyz.
 */
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type Child, start } from "./children.ts"
import type { Goal } from "./goal.ts"
import { startGateway } from "./kills/kill.ts"

const EVENTS_GOAL = 200_000
const READY_GOAL = 2_000
const FULL = 900e6
const BENCH = new URL("../packages/gateway/test/journal.bench.ts", import.meta.url).pathname

export const usage = `npm run bench -- journal [options]

  --events N   of one run (default 4000000: more than 1 GB)
  --rounds N   how often each level runs (default 3)`

interface Figures {
  readonly perSecond: number
  readonly microseconds: number
  readonly longestTurn: number
  readonly turnP99: number
}

interface Recovered {
  readonly milliseconds: number
  readonly cpuMilliseconds: number
  readonly streams: number
  readonly events: number
  readonly readMicroseconds: number
}

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: { events: { type: "string", default: "4000000" }, rounds: { type: "string", default: "3" } },
  })
  const events = Number(values.events)
  const rounds = Number(values.rounds)
  if (!(Number.isInteger(events) && events > 0 && Number.isInteger(rounds) && rounds > 0))
    throw new RangeError("--events and --rounds take whole numbers")
  const folder = mkdtempSync(join(tmpdir(), "sluice-journal-bench-"))
  try {
    return await measure(folder, events, rounds)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(folder: string, events: number, rounds: number): Promise<Goal[]> {
  console.log(
    `500 streams, events of 306 bytes, 50 a turn, ${cpus()[0]?.model ?? "?"}, Node ${process.version}\n`,
  )
  const results: Record<string, Figures[]> = { memory: [], process: [], power: [] }
  for (let round = 1; round <= rounds; round++) {
    for (const [level, figures] of Object.entries(results)) {
      rmSync(join(folder, level), { recursive: true, force: true })
      const count = level === "power" ? Math.ceil(events / 20) : events
      const one = await child<Figures>([folder, String(count), level])
      figures.push(one)
      console.log(
        `${level.padEnd(8)} ${Math.round(one.perSecond).toLocaleString("en")} events/s, ${one.microseconds.toFixed(2)} µs an event, turns p99 ${one.turnP99.toFixed(2)} ms, longest ${one.longestTurn.toFixed(1)} ms`,
      )
    }
  }
  const perSecond = median(results["process"]!.map((one) => one.perSecond))
  return [
    {
      name: "journal events per second, 500 streams, level process",
      goal: `at least ${EVENTS_GOAL.toLocaleString("en")}`,
      figure: Math.round(perSecond).toLocaleString("en"),
      outcome: perSecond >= EVENTS_GOAL ? "met" : "short",
    },
    await measureStart(folder),
  ]
}

/** The last run at level `process` has left a journal that is as large as it may be. */
async function measureStart(folder: string): Promise<Goal> {
  const data = join(folder, "process")
  const streams = join(data, "streams")
  const bytes = readdirSync(streams).reduce((sum, name) => sum + statSync(join(streams, name)).size, 0)
  const recovered = await child<Recovered>([data, "0", "recover"])
  const size = `${(bytes / 1e9).toFixed(2)} GB`
  console.log(
    `\nrecovery of ${size}, ${recovered.streams} streams, ${recovered.events} events: ${Math.round(recovered.milliseconds)} ms, ${Math.round(recovered.cpuMilliseconds)} ms of CPU`,
  )
  console.log(`reading back 500 interleaved streams: ${recovered.readMicroseconds.toFixed(2)} µs an event`)
  const name = "ready again on a journal of 1 GB"
  const goal = `under ${READY_GOAL} ms`
  if (bytes < FULL) return { name, goal, outcome: "not measured", why: `the journal has only ${size}` }
  writeFileSync(join(folder, "sluice.yaml"), "{}\n")
  // Where a gateway that is started in this folder looks for its data.
  renameSync(data, join(folder, "data"))
  const times: number[] = []
  for (let count = 0; count < 3; count++) {
    const gateway = await startGateway(folder, undefined)
    times.push(gateway.readyAfter)
    gateway.child.signal("SIGKILL")
    await gateway.child.ended
  }
  const milliseconds = median(times)
  return {
    name,
    goal,
    figure: `${Math.round(milliseconds)} ms with ${size}`,
    outcome: milliseconds < READY_GOAL ? "met" : "short",
  }
}

async function child<T>(options: readonly string[]): Promise<T> {
  const running: Child = await start([process.execPath, BENCH, ...options])
  const line = await running.said(/^(\{.*\})$/m)
  await running.ended
  return JSON.parse(line[1]!) as T
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
