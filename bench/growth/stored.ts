/** What a gateway finds when it starts: more and more stored keys, rows of the ledger, routes of its configuration. */
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runInside } from "../inside.ts"
import { type RunningGateway, startGateway } from "../kills/kill.ts"
import { memoryOf } from "../relay/machine.ts"
import { median } from "../soak/quarters.ts"
import type { Part } from "./part.ts"

const INSIDE = new URL("../../packages/gateway/test/growth.bench.ts", import.meta.url)
const RELOADS = 5

export const keys: Part = {
  of: "stored keys",
  how: "In SQLite. A look-up is of a key's secret in a request's headers, another key's each time; the start is a whole process's, until `/readyz` agrees.",
  measures: [
    { name: "look-up", unit: "ns" },
    { name: "start", unit: "ms" },
    { name: "RSS after the start", unit: "MB" },
  ],
  points: [1, 10, 100, 1_000, 10_000, 100_000],
  async *measure(points, rounds) {
    const folder = newFolder()
    try {
      for (const at of points)
        for (let round = 0; round < rounds; round++) {
          const lookUp = await inside("keys", join(folder, "data"), at)
          const started = await startOnce(folder, async () => {})
          yield { at, values: [lookUp, started.readyAfter, started.megabytes] }
        }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

export const rows: Part = {
  of: "rows of the ledger",
  how: "In SQLite, over 90 days. Calls are opened with a hold and settled with their cost; the question is the usage of all days by day and model.",
  measures: [
    { name: "calls a second", unit: "" },
    { name: "usage query", unit: "ms" },
    { name: "start", unit: "ms" },
  ],
  points: [1_000, 10_000, 100_000, 1_000_000],
  async *measure(points, rounds) {
    const folder = newFolder()
    const data = join(folder, "data")
    try {
      for (const at of points) {
        await inside("rows", data, at)
        for (let round = 0; round < rounds; round++) {
          const query = await inside("usage", data, at)
          const { readyAfter } = await startOnce(folder, async () => {})
          // Its calls must not be there for the next one.
          const copy = join(folder, "copy")
          cpSync(data, copy, { recursive: true })
          const rate = await inside("calls", copy, at)
          rmSync(copy, { recursive: true })
          yield { at, values: [rate, query, readyAfter] }
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

export const routes: Part = {
  of: "routes",
  how: "Each with three candidates. A plan is of another route each time; a reload is from the saving of the file until the gateway says that it goes by it.",
  measures: [
    { name: "plan", unit: "ns" },
    { name: "start", unit: "ms" },
    { name: "reload", unit: "ms" },
  ],
  points: [1, 5, 20, 100, 500],
  async *measure(points, rounds) {
    const folder = newFolder()
    try {
      for (const at of points)
        for (let round = 0; round < rounds; round++) {
          const file = join(folder, "sluice.yaml")
          writeFileSync(file, routesFile(at, 0))
          const plan = await inside("plan", file, at)
          const reloads: number[] = []
          const started = await startOnce(folder, async (gateway) => {
            for (let reload = 1; reload <= RELOADS; reload++)
              reloads.push(await reloadOnce(gateway, file, at, reload))
          })
          yield { at, values: [plan, started.readyAfter, median(reloads)] }
        }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** What stands in the file at each saving is another thing. */
function routesFile(count: number, saving: number): string {
  const all = Array.from(
    { length: count },
    (_, route) => `  route-${route}:
    candidates:
      - { provider: sim, model: "large-${route}-${saving}", weight: 3 }
      - { provider: sim, model: "small-${route}" }
      - { provider: sim, model: "tiny-${route}" }
    strategy: weighted
    timers: { connect: 2s, first_content: 10s }
`,
  )
  return `models:\n${all.join("")}`
}

async function reloadOnce(
  { child }: RunningGateway,
  file: string,
  count: number,
  saving: number,
): Promise<number> {
  writeFileSync(`${file}.new`, routesFile(count, saving))
  const said = child.next(/configuration reloaded/)
  const begun = performance.now()
  renameSync(`${file}.new`, file)
  await said
  return performance.now() - begun
}

/** `meanwhile`: while it runs. */
async function startOnce(
  folder: string,
  meanwhile: (gateway: RunningGateway) => Promise<void>,
): Promise<{ readyAfter: number; megabytes: number }> {
  const gateway = await startGateway(folder, undefined)
  try {
    const megabytes = memoryOf([gateway.child.pid], "VmRSS")
    await meanwhile(gateway)
    return { readyAfter: gateway.readyAfter, megabytes }
  } finally {
    await gateway.child.stop()
  }
}

function inside(what: string, place: string, count: number): Promise<number> {
  return runInside<number>(INSIDE, [what, place, String(count)])
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-growth-"))
  writeFileSync(join(folder, "sluice.yaml"), "{}\n")
  return folder
}
