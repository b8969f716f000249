/**
 * How cost grows with what there is: open streams, stored keys, rows of the ledger, routes. Every point is a fresh process
 * (or several), and what stands in the table is the median of its rounds.
 */
import { join } from "node:path"
import { parseArgs } from "node:util"
import { mustRun, root } from "../scripts/house.ts"
import type { Goal } from "./goal.ts"
import type { Grown, GrownPoint, Part } from "./growth/part.ts"
import { keys, routes, rows } from "./growth/stored.ts"
import { streams } from "./growth/streams.ts"
import { busiest, growthTable } from "./growth/table.ts"
import { watched } from "./quiet.ts"
import { keepResults } from "./results.ts"
import { median } from "./soak/quarters.ts"

export const PARTS = { streams, keys, rows, routes } as const
export type PartName = keyof typeof PARTS

export const usage = `npm run bench -- growth [options]

  --part LIST  of ${Object.keys(PARTS).join(",")} (default: all)
  --rounds N   of each point (default 3)
  --most N     no points above it
  --keep       keep the figures in bench/results/growth-*.json, and make tables and plots of docs/ from them`

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      part: { type: "string", default: Object.keys(PARTS).join(",") },
      rounds: { type: "string", default: "3" },
      most: { type: "string", default: "Infinity" },
      keep: { type: "boolean", default: false },
    },
  })
  const rounds = Number(values.rounds)
  const most = Number(values.most)
  if (!(Number.isInteger(rounds) && rounds > 0 && most > 0))
    throw new RangeError("--rounds takes a whole number from 1 on, --most a number")
  for (const name of values.part.split(",").map(partOf)) {
    const points = PARTS[name].points.filter((point) => point <= most)
    const grown = await grow(PARTS[name], points, rounds, (line) => console.error(`${name}: ${line}`))
    console.log(`\n${grown.of}: ${grown.how}\n\n${growthTable(grown)}\n\n${busiest(grown)}\n`)
    if (values.keep) await keepResults(`growth-${name}`, grown)
  }
  if (values.keep) await makePages()
  return []
}

export async function grow(
  { of, how, measures, measure }: Part,
  points: readonly number[],
  rounds: number,
  say: (line: string) => void = () => {},
  wait = true,
): Promise<Grown> {
  const measured = new Map(
    points.map((at) => [at, { values: [] as (readonly number[])[], busy: [] as (number | undefined)[] }]),
  )
  const one = measure(points, rounds)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { result, busy } = await watched(() => one.next(), { wait })
      if (result.done === true) break
      const { at, values } = result.value
      measured.get(at)!.values.push(values)
      measured.get(at)!.busy.push(busy)
      say(
        `${at} ${of}: ${measures.map(({ name, unit }, index) => `${name} ${values[index]!.toFixed(1)} ${unit}`).join(", ")}; others used ${busy?.toFixed(2) ?? "?"} CPUs`,
      )
    }
  } finally {
    await one.return?.()
  }
  const grown = [...measured].map(
    ([at, { values, busy }]): GrownPoint => ({
      at,
      values: measures.map((_, index) => median(values.map((row) => row[index]!))),
      rounds: values.length,
      busy: busy.some((share) => share === undefined)
        ? undefined
        : Math.max(...busy.map((share) => share ?? 0)),
    }),
  )
  return { of, how, measures, points: grown }
}

/** `npm run generate`, in a process of its own: what it reads has changed. */
async function makePages(): Promise<void> {
  await mustRun(process.execPath, [join(root, "scripts/generate-docs.ts")])
}

function partOf(name: string): PartName {
  if (Object.hasOwn(PARTS, name)) return name as PartName
  throw new RangeError(`--part knows ${Object.keys(PARTS).join(", ")}`)
}
