/**
 * What single operations of the gateway cost, in nanoseconds and in bytes: packages/gateway/test/micro-measure.ts says
 * how. Each round is a process of its own, since what a compiler makes of the same sources is not always the same; the
 * median of the rounds counts.
 */
import { parseArgs } from "node:util"
import { figure } from "./figure.ts"
import type { Goal } from "./goal.ts"
import { runInside } from "./inside.ts"
import { howBusy, watched } from "./quiet.ts"
import { aligned } from "./relay/table.ts"
import { keepResults } from "./results.ts"

export const usage = `npm run bench -- micro [options]

  --rounds N   processes, one after the other (default 3)
  --time MS    of each operation in each round (default 400)
  --only WORD  operations whose name holds it
  --keep       keep the figures in bench/results/micro.json`

const BENCH = new URL("../packages/gateway/test/micro.bench.ts", import.meta.url)
/** Bytes are counted in a heap that is not collected meanwhile. */
const FLAGS = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"]
const SPLICE_GOAL = 3

/** Of one operation. */
export interface MicroFigures {
  readonly name: string
  readonly nanoseconds: number
  readonly heapBytes: number
  readonly outsideBytes: number
}

export interface MicroResult {
  readonly rounds: number
  readonly busy: number | undefined
  readonly operations: readonly MicroFigures[]
}

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      rounds: { type: "string", default: "3" },
      time: { type: "string", default: "400" },
      only: { type: "string", default: "" },
      keep: { type: "boolean", default: false },
    },
  })
  const [rounds, time] = [Number(values.rounds), Number(values.time)]
  if (!(Number.isInteger(rounds) && rounds > 0 && time > 0))
    throw new RangeError("--rounds takes a whole number from 1 on, --time milliseconds")
  const result = await runMicro({ rounds, time, only: values.only })
  console.log(`${microTable(result.operations)}\n`)
  console.log(`median of ${rounds} rounds, Node ${process.version}; ${howBusy(result.busy, rounds)}\n`)
  if (values.keep) await keepResults("micro", result)
  return spliceGoals(result.operations)
}

export async function runMicro({
  rounds,
  time,
  only,
}: {
  readonly rounds: number
  readonly time: number
  readonly only: string
}): Promise<MicroResult> {
  const { result, busy } = await watched(async () => {
    const all: (readonly MicroFigures[])[] = []
    for (let round = 0; round < rounds; round++)
      all.push(await runInside<readonly MicroFigures[]>(BENCH, [String(time), only], FLAGS))
    return all
  })
  const operations = result[0]!.map(({ name }, index): MicroFigures => {
    const of = (read: (figures: MicroFigures) => number): number =>
      median(result.map((figures) => read(figures[index]!)))
    return {
      name,
      nanoseconds: of(({ nanoseconds }) => nanoseconds),
      heapBytes: of(({ heapBytes }) => heapBytes),
      outsideBytes: of(({ outsideBytes }) => outsideBytes),
    }
  })
  return { rounds, busy, operations }
}

export function microTable(operations: readonly MicroFigures[]): string {
  return aligned([
    ["operation", "ns", "bytes on the heap", "bytes outside"],
    ...operations.map(({ name, nanoseconds, heapBytes, outsideBytes }) => [
      name,
      figure(nanoseconds),
      Math.round(heapBytes).toLocaleString("en"),
      Math.round(outsideBytes).toLocaleString("en"),
    ]),
  ]).join("\n")
}

/** The dialect that gains least decides. */
export function spliceGoals(operations: readonly MicroFigures[]): Goal[] {
  const costOf = (name: string): number | undefined =>
    operations.find((operation) => operation.name === name)?.nanoseconds
  const ratios = operations.flatMap(({ name, nanoseconds }) => {
    const dialect = /^splice lane, (.*)$/.exec(name)?.[1]
    const parsed = dialect === undefined ? undefined : costOf(`parsed lane, ${dialect}`)
    return parsed === undefined ? [] : [{ dialect, ratio: parsed / nanoseconds }]
  })
  const least = ratios.toSorted((one, other) => one.ratio - other.ratio)[0]
  const name = "splice lane beside the parsed lane"
  const goal = `at least ${SPLICE_GOAL} times as fast, in every dialect`
  if (least === undefined)
    return [{ name, goal, outcome: "not measured", why: "--only leaves no pair of lanes" }]
  return [
    {
      name,
      goal,
      figure: `${least.ratio.toFixed(2)} times, ${least.dialect}`,
      outcome: least.ratio >= SPLICE_GOAL ? "met" : "short",
    },
  ]
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}
