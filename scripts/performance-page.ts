/** `docs/performance.md` and its plots: figures from bench/results and from nowhere else. */

import { lostPerTenThousand } from "../bench/books/lost.ts"
import type { LostResult } from "../bench/books.ts"
import { figure } from "../bench/figure.ts"
import type { Grown } from "../bench/growth/part.ts"
import { busiest, growthTable } from "../bench/growth/table.ts"
import type { MemoryResult } from "../bench/memory.ts"
import { type MicroResult, microTable } from "../bench/micro.ts"
import { howBusy, type Machine } from "../bench/quiet.ts"
import { median, mostForeign, type Row } from "../bench/relay/rows.ts"
import { aligned } from "../bench/relay/table.ts"
import type { Kept } from "../bench/results.ts"

/** What is kept of each bench; undefined: nothing yet. */
export interface PerformanceSource {
  readonly relay:
    | { readonly machine: Pick<Machine, "date" | "commit">; readonly rows: readonly Row[] }
    | undefined
  readonly memory: Kept<MemoryResult> | undefined
  readonly books: Kept<LostResult> | undefined
  readonly micro: Kept<MicroResult> | undefined
  /** By the name of the part. */
  readonly growth: Readonly<Record<string, Kept<Grown> | undefined>>
}

export function performancePage(source: PerformanceSource): string {
  return [
    INTRODUCTION,
    ...aligned([["figure", "came out", "measured by", "how sure"], ...figures(source)]),
    "",
    FIGURES_MEAN,
    ...microSection(source.micro),
    ...growthSection(source.growth),
  ].join("\n")
}

type Cells = readonly [name: string, value: string, command: string, sure: string]

function figures({ relay, memory, books }: PerformanceSource): Cells[] {
  const byRelay = (
    name: string,
    read: (rows: readonly Row[]) => string | undefined,
    scenario: string,
  ): Cells => [
    name,
    (relay && read(relay.rows)) ?? NOT_YET,
    "`npm run bench -- relay`",
    relay === undefined ? "" : sureOfRelay(relay, scenario),
  ]
  const byMemory = (name: string, read: (result: MemoryResult) => string): Cells => [
    name,
    memory === undefined ? NOT_YET : read(memory),
    "`npm run bench -- memory`",
    sureOf(memory),
  ]
  return [
    byRelay("added time to first content, p50", (rows) => added(rows, "firstContentP50"), "S3"),
    byRelay("added time per chunk, p50", (rows) => added(rows, "chunkP50"), "S3"),
    byRelay("added time per chunk, p99", (rows) => added(rows, "chunkP99"), "S3"),
    byMemory("open streams per GB", ({ streams }) => figure(streams.perGigabyte)),
    byRelay("chunks per second per core", chunksPerCore, "S3x"),
    byMemory("memory per slow reader", ({ readers }) => `${figure(readers.bytes / 1e6)} MB`),
    [
      "tokens lost per 10,000 faulted streams",
      books === undefined
        ? NOT_YET
        : `${figure(lostPerTenThousand(books.lost, "went on"))}; ${figure(lostPerTenThousand(books.lost, "stopped too"))} with those whose gateway was stopped or killed`,
      "`npm run bench -- books`",
      books === undefined ? "" : `${figure(books.streams)} streams, ${sureOf(books)}`,
    ],
  ]
}

const NOT_YET = "not measured yet"

/** Beside nothing in between, in the same run. */
function added(rows: readonly Row[], which: "firstContentP50" | "chunkP50" | "chunkP99"): string | undefined {
  const [ours, direct] = ["sluice", "direct"].map((target) => median(rows, "S3", target, which))
  return ours === undefined || direct === undefined ? undefined : `${figure(ours - direct)} µs`
}

function chunksPerCore(rows: readonly Row[]): string | undefined {
  const [chunks, cores] = (["chunksPerSecond", "cpuCores"] as const).map((which) =>
    median(rows, "S3x", "sluice", which),
  )
  return chunks === undefined || cores === undefined ? undefined : figure(chunks / cores)
}

function sureOfRelay({ machine, rows }: NonNullable<PerformanceSource["relay"]>, scenario: string): string {
  const kept = rows.filter((row) => row.kept && row.target === "sluice" && row.scenario === scenario)
  return sureOf({ machine, rounds: kept.length, busy: mostForeign(kept) })
}

interface Measured {
  readonly machine: Pick<Machine, "date" | "commit">
  readonly rounds: number
  readonly busy?: number | undefined
}

function sureOf(measured: Measured | undefined): string {
  if (measured === undefined) return ""
  const { machine, rounds, busy } = measured
  return `${rounds} ${rounds === 1 ? "round" : "rounds"}, ${howBusy(busy, rounds)}; ${machine.date.slice(0, 10)}, ${machine.commit}`
}

function microSection(micro: Kept<MicroResult> | undefined): string[] {
  if (micro === undefined) return []
  return [
    "## What single operations cost\n",
    `\`npm run bench -- micro\`: ${sureOf(micro)}; ${where(micro.machine)}. Bytes outside are those of Buffers.\n`,
    microTable(micro.operations),
    "",
  ]
}

function growthSection(growth: PerformanceSource["growth"]): string[] {
  const parts = Object.entries(growth).flatMap(([name, grown]) =>
    grown === undefined
      ? []
      : [
          `### ${grown.of[0]!.toUpperCase()}${grown.of.slice(1)}\n`,
          `${grown.how} ${where(grown.machine)}, ${grown.machine.date.slice(0, 10)}, ${grown.machine.commit}; ${busiest(grown)}.\n`,
          `![${grown.measures.map(({ name }) => name).join(", ")}, by ${grown.of}](growth-${name}.svg)\n`,
          growthTable(grown),
          "",
        ],
  )
  if (parts.length === 0) return []
  return ["## How cost grows\n", GROWTH, ...parts]
}

function where({ node, cpu, cpus }: Machine): string {
  return `Node ${node.replace("v", "")}, ${cpus} CPUs (${cpu})`
}

const INTRODUCTION = `<!-- Made by \`npm run generate\` from bench/results: measure anew, with --keep, to change it. -->
# Performance

Every figure here comes from a file in \`bench/results\`, which a bench of this repository has written; none is typed by
hand. What was predicted before each measurement, and what came out, is in [bench/results/log.md](../bench/results/log.md).
A figure is an **indication** where it comes from fewer than three rounds, or from a machine that others used at the same
time: it is not to be quoted.

## Six figures that no other gateway publishes

All with everything on: authentication, ids, the journal at level \`process\`, meter, hold, ledger and metrics.
`

const FIGURES_MEAN = `- Times are what the gateway adds: with it minus without it, in the same run, 500 streams of 100 chunks 20 ms apart.
- An open stream is one on which nothing happens, with its provider behind HTTP: what the last 1,500 of 2,000 add to resident
  memory. A GB is 10⁹ bytes.
- Chunks per second per core: 2,000 streams, more than one core can serve; what it served by the CPU that it used.
- A slow reader reads nothing, of a stream far larger than all buffers.
- Tokens lost: what the provider's own journal says it sent into a stream that nobody cancelled, and no replay gives. Every one
  of the streams has a fault drawn from a seed: its client leaves, its provider breaks off or stalls. Where the gateway is
  killed with kill -9, or has no time left at its stop, what was on its way to it is gone; what a client had seen is not
  (the bench \`kills\` holds that).

\`memory\`, \`books\`, \`micro\` and \`growth\` take \`--keep\`; \`relay\` keeps every whole run. \`npm run generate\` makes this page of
what they keep.
`

const GROWTH = `\`npm run bench -- growth --keep\` measures, and makes tables and plots anew. In brackets: how many times the first row's.
\`!\` marks an indication.
`
