/**
 * Many streams at once, for long: no error, every stream whole, memory flat, and at the end nothing open that was not
 * open at the start. Half of them come from the simulator inside the gateway, half from one behind HTTP, so that the
 * calling side's sockets and timers are soaked too.
 *
 * Ended streams are kept for two seconds only: what is kept on purpose must not look like a leak, nor hide one.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { type Child, start } from "./children.ts"
import type { Goal } from "./goal.ts"
import { memoryOf } from "./relay/machine.ts"
import { CLOSING, INSPECTED, left, type Open, untilClosed, whatIsOpen } from "./soak/open.ts"
import { median, quarter } from "./soak/quarters.ts"
import { type Asked, expectedText, type Soak, soak } from "./soak/streams.ts"

export const usage = `npm run bench -- soak [options]

  --seconds N   how long, after a warm-up of a minute (default 60)
  --streams N   how many at once (default 200)`

const SLUICE = resolve(import.meta.dirname, "../packages/cli/bin/sluice")
const KEY = "sk-soak"
const TOKENS = 64
const SCRIPT = `sim/soak:tokens=${TOKENS},gap=20`
/** Until the old generation has been collected a few times: before that its growth says nothing. */
const WARM_UP = 60
const MOST_GROWTH = 5

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: { seconds: { type: "string", default: "60" }, streams: { type: "string", default: "200" } },
  })
  const seconds = Number(values.seconds)
  const streams = Number(values.streams)
  if (!(seconds >= 4 && Number.isInteger(streams) && streams >= 1))
    throw new RangeError("--seconds takes a number from 4 on, --streams a whole number from 1 on")

  const folder = mkdtempSync(join(tmpdir(), "sluice-soak-"))
  const children: Child[] = []
  try {
    const far = await start([SLUICE, "sim", "--port", "0"])
    children.push(far)
    const farUrl = (await far.said(/^sluice sim listening on (\S+)$/m))[1]!
    const gateway = await startGateway(folder, farUrl)
    children.push(gateway)
    const url = (await gateway.said(/^sluice listening on (\S+)$/m))[1]!
    const near: Asked = { url, key: KEY, model: SCRIPT, tokens: TOKENS }

    const text = await expectedText(near)
    const before = await whatIsOpen(gateway)
    const running = soak([near, { ...near, model: `far/${SCRIPT}` }], streams, () => text)
    console.log(`${streams} streams at once, ${WARM_UP} s warm-up and ${seconds} s, Node ${process.version}`)
    await sleep(WARM_UP * 1_000)
    const warm = running.good
    const memory = await watchMemory(gateway, seconds)
    const perSecond = (running.good - warm) / seconds
    await running.stop()
    // Its end closes the idle connections between the two.
    await far.stop()
    const after = await untilClosed(gateway, before)
    const goals = judge(running, memory, before, after)
    console.log(
      `${running.good} streams, ${perSecond.toFixed(0)} a second, ${running.events} events; ` +
        `heap ${before.heapMegabytes.toFixed(1)} MB before, ${after.heapMegabytes.toFixed(1)} MB after\n`,
    )
    for (const error of running.errors.slice(0, 5)) console.log(`error: ${error}`)
    for (const warning of after.warnings.slice(0, 5)) console.log(`warning: ${warning}`)
    return goals
  } finally {
    for (const child of children) if (child.running) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function startGateway(folder: string, farUrl: string): Promise<Child> {
  const config = join(folder, "sluice.yaml")
  writeFileSync(
    config,
    `providers:
  far: { kind: openai-compatible, base_url: "${farUrl}/v1", credential: none }
streams: { keep: 2s }
`,
  )
  return start([SLUICE, "serve", "--port", "0", "--config", config], {
    environment: {
      NODE_OPTIONS: INSPECTED,
      SLUICE_API_KEY: KEY,
      SLUICE_DATA: join(folder, "data"),
    },
  })
}

/** Megabytes, twice a second. */
async function watchMemory(gateway: Child, seconds: number): Promise<number[]> {
  const samples: number[] = []
  const end = performance.now() + seconds * 1_000
  while (performance.now() < end) {
    samples.push(memoryOf([gateway.pid], "VmRSS"))
    await sleep(500)
  }
  return samples
}

function judge(running: Soak, memory: readonly number[], before: Open, after: Open): Goal[] {
  const second = median(quarter(memory, 2))
  const fourth = median(quarter(memory, 4))
  const growth = (fourth / second - 1) * 100
  const rest = left(before, after)
  const names = rest.map(({ name, count }) => `${count} ${name}`).join(", ")
  const goal = (name: string, figure: string, goal: string, met: boolean): Goal => ({
    name,
    figure,
    goal,
    outcome: met ? "met" : "short",
  })
  return [
    goal("soak errors", String(running.errors.length), "0", running.errors.length === 0 && running.good > 0),
    goal(
      "soak memory growth from the 2nd to the 4th quarter",
      `${growth.toFixed(1)} % of ${second.toFixed(0)} MB`,
      `at most ${MOST_GROWTH} %`,
      growth <= MOST_GROWTH,
    ),
    goal(`soak left open after ${CLOSING} s`, names === "" ? "0" : names, "0", rest.length === 0),
    goal("soak warnings of the process", String(after.warnings.length), "0", after.warnings.length === 0),
  ]
}
