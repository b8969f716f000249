/** How long a start takes when all that it reads has been read before, and how much memory it then holds. */
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { type Child, start } from "../children.ts"
import { memoryOf, treeOf } from "./machine.ts"
import { type Disturbance, watched } from "./measure.ts"
import type { Target } from "./targets.ts"

export interface Started extends Disturbance {
  /** From the command to its line; the median of STARTS. */
  readonly listeningMilliseconds: number
  readonly settledMegabytes: number
}

const STARTS = 3
/** What a start leaves to do, and the memory that it gives back, are behind it then. */
const SETTLED = 3_000

/** As a user starts it: on any CPU, with the data of the start before. */
export async function measureStart(target: Target): Promise<Started> {
  if (target.data !== undefined) rmSync(target.data, { recursive: true, force: true })
  const [figures, disturbance] = await watched(async () => {
    await timed(target, stop) // the files are in memory from here on, and so is what it keeps on disk
    const times: number[] = []
    for (let one = 1; one < STARTS; one++) times.push((await timed(target, stop)).milliseconds)
    const last = await timed(target, settled)
    times.push(last.milliseconds)
    times.sort((one, other) => one - other)
    return { listeningMilliseconds: times[STARTS >> 1]!, settledMegabytes: last.result }
  })
  return { ...figures, ...disturbance }
}

async function timed<Result>(
  { command, environment, ready }: Target,
  then: (child: Child) => Promise<Result>,
): Promise<{ milliseconds: number; result: Result }> {
  if (command === undefined || ready === undefined) throw new Error("nothing says when it is ready")
  const begun = performance.now()
  const child = await start(command, { environment })
  try {
    await child.said(ready)
    const milliseconds = performance.now() - begun
    return { milliseconds, result: await then(child) }
  } finally {
    await child.stop()
  }
}

async function settled(child: Child): Promise<number> {
  await sleep(SETTLED)
  return memoryOf(treeOf(child.pid), "VmRSS")
}

const stop = async (): Promise<void> => {}
