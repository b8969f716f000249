/**
 * kill -9 under 50 running streams, again and again, on one data folder: what a kill is and what must hold after it
 * stands in kills/kill.ts. `--from n` takes up a run that was broken off: the n-th kill is the same in every run.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Goal } from "./goal.ts"
import { kill, startGateway } from "./kills/kill.ts"

const READY_GOAL = 2_000

export const usage = `npm run bench -- kills [options]

  --count N       how many kills (default 1000)
  --from N        the first one's number (default 1)
  --durability L  process (default) or power`

export interface KillsResult {
  readonly kills: number
  readonly streams: number
  readonly interrupted: number
  readonly finished: number
  /** Milliseconds, of the slowest start. */
  readonly slowestStart: number
  readonly failures: readonly string[]
}

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      count: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      durability: { type: "string", default: "process" },
    },
  })
  const from = Number(values.from)
  const count = Number(values.count)
  if (!(Number.isInteger(from) && from >= 0 && Number.isInteger(count) && count > 0))
    throw new RangeError("--from and --count take whole numbers")
  const result = await runKills(from, count, values.durability, (number, so) => {
    if (number % 25 === 0 || number === from + count - 1)
      console.log(
        `kill ${number}: ${so.streams} streams so far, ${so.interrupted} interrupted, ${so.finished} finished, ${so.failures.length} wrong, slowest start ${Math.round(so.slowestStart)} ms`,
      )
  })
  for (const failure of result.failures.slice(0, 20)) console.log(failure)
  const name = `kill -9 under 50 streams, ${values.durability}`
  return [
    {
      name: `${name}, streams that break their promise`,
      goal: "0",
      figure: `${result.failures.length} of ${result.streams} in ${result.kills} kills`,
      outcome: result.failures.length === 0 && result.streams > 0 ? "met" : "short",
    },
    {
      name: `${name}, ready again`,
      goal: `under ${READY_GOAL} ms`,
      figure: `${Math.round(result.slowestStart)} ms at most`,
      outcome: result.slowestStart < READY_GOAL ? "met" : "short",
    },
  ]
}

export async function runKills(
  from: number,
  count: number,
  durability: string,
  progress: (number: number, soFar: KillsResult) => void = () => {},
): Promise<KillsResult> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-kills-"))
  writeFileSync(join(folder, "sluice.yaml"), `streams: { durability: ${durability}, keep: 30s }\n`)
  let gateway = await startGateway(folder)
  let result: KillsResult = {
    kills: 0,
    streams: 0,
    interrupted: 0,
    finished: 0,
    slowestStart: 0,
    failures: [],
  }
  try {
    for (let number = from; number < from + count; number++) {
      const one = await kill(gateway, folder, number)
      gateway = one.gateway
      result = {
        kills: result.kills + 1,
        streams: result.streams + one.streams,
        interrupted: result.interrupted + one.interrupted,
        finished: result.finished + one.finished,
        slowestStart: Math.max(result.slowestStart, gateway.readyAfter),
        failures: [...result.failures, ...one.failures],
      }
      progress(number, result)
    }
  } finally {
    await gateway.child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return result
}
