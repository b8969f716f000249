/** One measurement: a fresh process, a warm-up, the load with its window, and what the machine did meanwhile. */
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { type Child, start } from "../children.ts"
import {
  allowedCpus,
  foreigners,
  foreignMilliseconds,
  memoryOf,
  stolenMilliseconds,
  treeOf,
} from "./machine.ts"
import { accepts } from "./ports.ts"
import type { LoadScenario } from "./scenarios.ts"
import type { Target } from "./targets.ts"

/** What the load generator prints. Delays in microseconds. */
export interface Load {
  readonly seconds: number
  readonly answersPerSecond: number
  readonly chunksPerSecond: number
  readonly errors: number
  readonly statusErrors: number
  readonly contentErrors: number
  readonly connectionErrors: number
  readonly stalledErrors: number
  readonly unanswered: number
  readonly firstContentP50: number | null
  readonly firstContentP99: number | null
  readonly chunkP50: number | null
  readonly chunkP99: number | null
  readonly answerP50: number | null
  readonly answerP99: number | null
  readonly cpuMsPerThousandChunks?: number
  readonly cpuUsPerAnswer?: number
  readonly cpuCores: number
  readonly loadgenCores: number
  readonly chunksPerRead: number
  readonly megabytesPerSecond: number
  readonly reopened: number
  readonly firstError: string | null
}

/** CPUs that processes outside the bench used on average, and that the machine below us withheld. */
export interface Disturbance {
  readonly foreignCpu: number
  readonly stolenCpu: number
}

export interface Measured extends Load, Disturbance {
  readonly warmUpErrors: number
  readonly idleMegabytes?: number
  readonly peakMegabytes?: number
  readonly kilobytesPerStream?: number
}

export interface Bench {
  readonly loadgen: string
  readonly upstream: Child
  /** The target alone on CPU 0, upstream and load on CPU 1. */
  readonly pinned: boolean
}

/** LiteLLM needs a quarter of a minute on a quiet machine. */
const START_LIMIT = 60_000
const LOAD_LIMIT = 30_000
/** Between the open port and the first request. */
const SETTLE = 200

export async function measure(bench: Bench, target: Target, scenario: LoadScenario): Promise<Measured> {
  if (target.command === undefined) return under(bench, target, scenario, [bench.upstream.pid], 0)
  if (await accepts(target.port)) throw new Error(`port ${target.port} is in use`)
  if (target.data !== undefined) rmSync(target.data, { recursive: true, force: true })
  const child = await start(target.command, {
    environment: target.environment,
    cpu: bench.pinned ? 0 : undefined,
  })
  try {
    await listening(child, target)
    const idle = memoryOf(treeOf(child.pid), "VmRSS")
    const warmUp = await load(bench, target, scenario.warmUp, [])
    if (scenario.pause !== undefined) await sleep(scenario.pause)
    const pids = treeOf(child.pid)
    if (bench.pinned && pids.some((pid) => allowedCpus(pid) !== "0"))
      throw new Error(`${target.name} runs on CPUs that it was not given`)
    const measured = await under(bench, target, scenario, pids, warmUp.errors)
    if (!child.running) throw new Error(`it ended during the run: ${child.output().slice(-500)}`)
    const peak = memoryOf(pids, "VmHWM")
    const perStream = scenario.streams > 0 ? ((peak - idle) * 1024) / scenario.streams : undefined
    return { ...measured, idleMegabytes: idle, peakMegabytes: peak, kilobytesPerStream: perStream }
  } finally {
    await child.stop()
  }
}

async function under(
  bench: Bench,
  target: Target,
  scenario: LoadScenario,
  pids: readonly number[],
  warmUpErrors: number,
): Promise<Measured> {
  const [measured, disturbance] = await watched(() => load(bench, target, scenario.load, pids))
  return { ...measured, ...disturbance, warmUpErrors }
}

/** What the machine did beside it. */
export async function watched<Result>(work: () => Promise<Result>): Promise<[Result, Disturbance]> {
  const before = foreigners()
  const stolen = stolenMilliseconds()
  const begun = performance.now()
  const result = await work()
  const milliseconds = performance.now() - begun
  const foreignCpu = foreignMilliseconds(before, foreigners()) / milliseconds
  return [result, { foreignCpu, stolenCpu: (stolenMilliseconds() - stolen) / milliseconds }]
}

async function load(bench: Bench, target: Target, options: string, pids: readonly number[]): Promise<Load> {
  const { port, model, key, headers = [] } = target
  const child = await start(
    [
      bench.loadgen,
      ...["-p", String(port), "-m", model, "-k", key, "-P", pids.join(",")],
      ...headers.flatMap((header) => ["-H", header]),
      ...options.split(" "),
    ],
    { cpu: bench.pinned ? 1 : undefined },
  )
  const late = setTimeout(() => child.signal("SIGKILL"), LOAD_LIMIT)
  await child.ended
  clearTimeout(late)
  if (!child.output().startsWith("{"))
    throw new Error(`the load generator failed: ${child.output().slice(0, 300)}`)
  return JSON.parse(child.output()) as Load
}

async function listening(child: Child, { port, settle = SETTLE }: Target): Promise<void> {
  const limit = performance.now() + START_LIMIT
  while (!(await accepts(port))) {
    if (!child.running) throw new Error(`it ended at its start: ${child.output().trim().slice(0, 500)}`)
    if (performance.now() > limit) throw new Error(`port ${port} did not open: ${child.output().trim()}`)
    await sleep(25)
  }
  await sleep(settle)
}
