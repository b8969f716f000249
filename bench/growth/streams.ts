/**
 * More and more open streams that together get the same number of chunks: what changes is what each of them costs by being
 * there. No stream ends while it is looked at, so that no call's beginning is counted as the cost of a chunk.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { start } from "../children.ts"
import { measure } from "../relay/measure.ts"
import { accepts, freePort } from "../relay/ports.ts"
import { buildPrograms } from "../relay/programs.ts"
import type { LoadScenario } from "../relay/scenarios.ts"
import { sluice } from "../relay/targets.ts"
import type { Part, Point } from "./part.ts"

/** Of all streams together. */
const CHUNKS_PER_SECOND = 5_000
const WINDOW = 4

export const streams: Part = {
  of: "open streams",
  how: `${CHUNKS_PER_SECOND.toLocaleString("en")} chunks a second in all, from an upstream and to a client that are C programs; the delay is from the one to the other, through the gateway.`,
  measures: [
    { name: "CPU per chunk", unit: "µs" },
    { name: "delay p50", unit: "µs" },
    { name: "delay p99", unit: "µs" },
    { name: "peak RSS", unit: "MB" },
  ],
  points: [10, 50, 250, 1_000, 2_500, 5_000],
  async *measure(points, rounds) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-growth-"))
    const { mock, loadgen } = buildPrograms()
    const pinned = cpus().length === 2
    const upstreamPort = await freePort()
    const upstream = await start([mock, String(upstreamPort)], { cpu: pinned ? 1 : undefined })
    try {
      while (!(await accepts(upstreamPort)))
        if (!upstream.running) throw new Error(`the upstream did not start: ${upstream.output()}`)
      const target = await sluice({ upstreamPort, folder, profiles: undefined })
      for (const at of points)
        for (let round = 0; round < rounds; round++)
          yield await measurePoint(at, (scenario) => measure({ loadgen, upstream, pinned }, target, scenario))
    } finally {
      await upstream.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function measurePoint(
  at: number,
  run: (scenario: LoadScenario) => ReturnType<typeof measure>,
): Promise<Point> {
  const delay = Math.max(1, Math.round((at / CHUNKS_PER_SECOND) * 1_000))
  const ramp = Math.max(200, at)
  const warmUp = ramp / 1_000 + delay / 1_000 + 0.5
  const measured = await run({
    name: `${at} streams`,
    title: `${at} streams`,
    streams: at,
    warmUp: "-c 64 -d 3 -w 0.2 -t 1.5",
    load: `-c ${at} -n 1000000 -d ${delay} -r ${ramp} -w ${warmUp} -t ${WINDOW}`,
    seconds: ramp / 1_000 + WINDOW + 5,
  })
  const { errors, unanswered, firstError, cpuMsPerThousandChunks, chunkP50, chunkP99, peakMegabytes } =
    measured
  if (errors + unanswered > 0)
    throw new Error(`${errors} errors and ${unanswered} without an answer at ${at} streams: ${firstError}`)
  return { at, values: [cpuMsPerThousandChunks, chunkP50, chunkP99, peakMegabytes].map(known) }
}

function known(value: number | null | undefined): number {
  if (value == null) throw new Error("the load generator had no chunk to measure")
  return value
}
