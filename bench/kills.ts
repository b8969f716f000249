/**
 * kill -9 under 50 running streams, again and again, on one data folder and one database: what a kill is and what must
 * hold after it stands in kills/kill.ts. `--from n` takes up a run that was broken off: the n-th kill is the same in every run.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Goal } from "./goal.ts"
import { kill, startGateway } from "./kills/kill.ts"
import { startPostgres } from "./postgres.ts"

const READY_GOAL = 2_000

export const usage = `npm run bench -- kills [options]

  --count N       how many kills (default 1000)
  --from N        the first one's number (default 1)
  --durability L  process (default) or power
  --database D    sqlite (default) or postgres`

export interface KillsResult {
  readonly kills: number
  readonly streams: number
  readonly interrupted: number
  readonly finished: number
  /** Milliseconds, of the slowest start. */
  readonly slowestStart: number
  readonly medianStart: number
  readonly failures: readonly string[]
}

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      count: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      durability: { type: "string", default: "process" },
      database: { type: "string", default: "sqlite" },
    },
  })
  const { durability, database } = values
  const from = Number(values.from)
  const count = Number(values.count)
  if (!(Number.isInteger(from) && from >= 0 && Number.isInteger(count) && count > 0))
    throw new RangeError("--from and --count take whole numbers")
  if (database !== "sqlite" && database !== "postgres")
    throw new RangeError("--database takes sqlite or postgres")
  const last = from + count - 1
  let told = 0
  const result = await runKills({ from, count, durability, database }, (number, so) => {
    for (const failure of so.failures.slice(told)) console.log(failure)
    told = so.failures.length
    if (number % 10 === 0 || number === last)
      console.log(
        `kill ${number} of ${last}: ${so.streams} streams so far, ${so.interrupted} interrupted, ${so.finished} finished, ${told} wrong, slowest start ${Math.round(so.slowestStart)} ms, ${load()}`,
      )
  })
  const how = `${result.kills} kills, ${durability}, ${database}`
  return [
    {
      name: "kills wrong",
      goal: "0",
      figure: `${result.failures.length} of ${result.streams} streams in ${how}`,
      outcome: result.failures.length === 0 && result.streams > 0 ? "met" : "short",
    },
    {
      name: "kills slowest start",
      goal: `under ${READY_GOAL} ms`,
      figure: `${Math.round(result.slowestStart)} ms, median ${Math.round(result.medianStart)} ms, ${how}, ${load()}`,
      outcome: result.slowestStart < READY_GOAL ? "met" : "short",
    },
  ]
}

export interface KillsAsked {
  readonly from: number
  readonly count: number
  readonly durability: string
  readonly database?: "sqlite" | "postgres"
}

export async function runKills(
  { from, count, durability, database = "sqlite" }: KillsAsked,
  progress: (number: number, soFar: KillsResult) => void = () => {},
): Promise<KillsResult> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-kills-"))
  // Longer than a round with its checks, and no longer: what is kept is read at each start.
  writeFileSync(join(folder, "sluice.yaml"), `streams: { durability: ${durability}, keep: 20s }\n`)
  const postgres = database === "postgres" ? await startPostgres() : undefined
  const startAgain = () => startGateway(folder, postgres?.url)
  const starts: number[] = []
  const failures: string[] = []
  let [streams, interrupted, finished] = [0, 0, 0]
  const result = (): KillsResult => ({
    kills: starts.length,
    streams,
    interrupted,
    finished,
    slowestStart: Math.max(...starts),
    medianStart: starts.toSorted((a, b) => a - b)[starts.length >> 1] ?? 0,
    failures,
  })
  let gateway = await startAgain()
  try {
    for (let number = from; number < from + count; number++) {
      const one = await kill(gateway, startAgain, number)
      gateway = one.gateway
      starts.push(gateway.readyAfter)
      streams += one.streams
      interrupted += one.interrupted
      finished += one.finished
      failures.push(...one.failures)
      progress(number, result())
    }
  } finally {
    await gateway.child.stop()
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return result()
}

/** The machine's own time depends on who else uses it. */
function load(): string {
  return `load ${loadavg()[0]?.toFixed(1)}`
}
