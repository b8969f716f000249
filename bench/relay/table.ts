/** Rows of measurements → the tables, and the figures that stand beside nginx. */
import type { Measured } from "./measure.ts"
import type { Scenario } from "./scenarios.ts"

export interface Row {
  readonly round: number
  readonly scenario: string
  readonly target: string
  readonly attempt: number
  /** False: processes outside the bench used too much of the machine. */
  readonly kept: boolean
  readonly failed?: string
  readonly measured?: Measured
}

type Figure = {
  [Name in keyof Measured]-?: Measured[Name] extends number | null | undefined ? Name : never
}[keyof Measured]

/** The median of what was kept; undefined where nothing was. */
export function median(
  rows: readonly Row[],
  scenario: string,
  target: string,
  figure: Figure,
): number | undefined {
  const values = rows
    .filter((row) => row.kept && row.scenario === scenario && row.target === target)
    .map((row) => row.measured?.[figure])
    .filter((value) => typeof value === "number")
    .sort((one, other) => one - other)
  if (values.length === 0) return undefined
  return (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2
}

export function tableOf(
  rows: readonly Row[],
  scenario: Scenario,
  targets: readonly string[],
  rounds: number,
): string {
  const whole = scenario.streams === 0
  const rate = whole ? "answersPerSecond" : "chunksPerSecond"
  const cpu = whole ? "cpuUsPerAnswer" : "cpuMsPerThousandChunks"
  const columns = [
    "target",
    whole ? "answers/s" : "chunks/s",
    "x nginx",
    whole ? "answer p50 / p99 µs" : "first content p50 / p99 µs",
    ...(whole ? [] : ["chunk p50 / p99 µs"]),
    whole ? "CPU µs/answer" : "CPU ms/1,000 chunks",
    "CPU x nginx",
    "peak RSS MB",
    ...(whole ? [] : ["KB/stream"]),
    "errors",
    "kept runs",
  ]
  const lines = targets.map((target) => {
    const of = (figure: Figure): number | undefined => median(rows, scenario.name, target, figure)
    const besideNginx = (figure: Figure): string =>
      ratio(of(figure), median(rows, scenario.name, "nginx", figure))
    const pair = (one: Figure, other: Figure): string => `${number(of(one))} / ${number(of(other))}`
    const ran = rows.filter((row) => row.scenario === scenario.name && row.target === target)
    return [
      target,
      number(of(rate)),
      besideNginx(rate),
      whole ? pair("answerP50", "answerP99") : pair("firstContentP50", "firstContentP99"),
      ...(whole ? [] : [pair("chunkP50", "chunkP99")]),
      number(of(cpu), 1),
      besideNginx(cpu),
      number(of("peakMegabytes")),
      ...(whole ? [] : [number(of("kilobytesPerStream"), 1)]),
      errorsOf(ran),
      `${ran.filter((row) => row.kept).length}/${rounds}`,
    ]
  })
  return [`${scenario.name}: ${scenario.title}`, "", ...aligned([columns, ...lines])].join("\n")
}

/** What the goals of speed will be about; a dash where the run has not measured it. */
export function figuresOf(rows: readonly Row[]): string {
  const beside = (scenario: string, figure: Figure, other: string): string =>
    `${ratio(median(rows, scenario, "sluice", figure), median(rows, scenario, other, figure))} × ${other}`
  const peak = (scenario: string): number | undefined => median(rows, scenario, "sluice", "peakMegabytes")
  const added = difference(
    median(rows, "S3", "sluice", "firstContentP50"),
    median(rows, "S3", "direct", "firstContentP50"),
  )
  const grown = difference(peak("S3x"), peak("S3"))
  const slope = grown === undefined ? undefined : (grown * 1024) / 1_500
  return [
    `S3 CPU per 1,000 chunks: ${beside("S3", "cpuMsPerThousandChunks", "nginx")}`,
    `S3 chunk p50: ${beside("S3", "chunkP50", "nginx")}`,
    `S3 first content, added to direct, p50: ${number(added)} µs`,
    `S3x chunks per second: ${beside("S3x", "chunksPerSecond", "nginx")}`,
    `S1 answers per second: ${beside("S1", "answersPerSecond", "nginx")}`,
    `peak RSS from S3 to S3x: ${number(slope, 1)} KB per stream`,
    `idle RSS: ${number(median(rows, "S3", "sluice", "idleMegabytes"))} MB`,
  ].join("\n")
}

/** Of all runs, kept or not: anything but 0 makes a row worthless. */
function errorsOf(ran: readonly Row[]): string {
  const sum = (figure: "errors" | "warmUpErrors" | "unanswered"): number =>
    ran.reduce((total, row) => total + (row.measured?.[figure] ?? 0), 0)
  const failed = ran.filter((row) => row.failed !== undefined).length
  const unanswered = sum("unanswered")
  return [
    String(sum("errors") + sum("warmUpErrors")),
    ...(unanswered > 0 ? [`${unanswered} unanswered`] : []),
    ...(failed > 0 ? [`${failed} runs failed`] : []),
  ].join(", ")
}

function difference(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one - other
}

function ratio(one: number | undefined, other: number | undefined): string {
  if (one === undefined || other === undefined || other === 0) return "-"
  return (one / other).toFixed(one / other < 0.1 ? 3 : 2)
}

function number(value: number | undefined, digits = 0): string {
  return value === undefined ? "-" : value.toFixed(digits)
}

/** Markdown that is readable as it stands: the first column to the left, the rest to the right. */
function aligned(cells: readonly (readonly string[])[]): string[] {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))
  const [head, ...rest] = cells.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    ),
  )
  return [head!, rule, ...rest].map((line) => `| ${line.join(" | ")} |`)
}
