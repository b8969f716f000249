/** Rows of measurements → the tables. */
import { FIGURES, quotient, ratioText, textOf } from "./figures.ts"
import { faultsOf, median, type Name, type Row, rowsOf } from "./rows.ts"
import type { LoadScenario, Scenario, StartScenario } from "./scenarios.ts"

export function tableOf(
  rows: readonly Row[],
  scenario: Scenario,
  targets: readonly string[],
  rounds: number,
): string {
  const cells =
    "load" in scenario
      ? loadTable(rows, scenario, targets, rounds)
      : startTable(rows, scenario, targets, rounds)
  return [`${scenario.name}: ${scenario.title}`, "", ...aligned(cells)].join("\n")
}

/** Each figure that was measured of two targets, and the ratio of the first to the second. */
export function comparisonOf(rows: readonly Row[], one: string, other: string): string {
  const lines = Object.values(FIGURES).map((figure) => {
    const [mine, its] = [figure.of(rows, one), figure.of(rows, other)]
    const kept = figure.scenarios.flatMap((scenario) =>
      [one, other].map((target) => rowsOf(rows, scenario, target).filter((row) => row.kept).length),
    )
    const cells = [textOf(figure, mine), textOf(figure, its), ratioText(quotient(mine, its))]
    return [figure.name, ...cells, String(Math.min(...kept))]
  })
  const measured = lines.filter(([, mine, its]) => mine !== "-" || its !== "-")
  const cells = [["figure", one, other, "ratio", "kept runs, at least"], ...measured]
  return [`This tree beside ${other}`, "", ...aligned(cells)].join("\n")
}

function loadTable(
  rows: readonly Row[],
  scenario: LoadScenario,
  targets: readonly string[],
  rounds: number,
): string[][] {
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
    const of = (figure: Name): number | undefined => median(rows, scenario.name, target, figure)
    const besideNginx = (figure: Name): string =>
      ratioText(quotient(of(figure), median(rows, scenario.name, "nginx", figure)))
    const pair = (one: Name, other: Name): string => `${number(of(one))} / ${number(of(other))}`
    const ran = rowsOf(rows, scenario.name, target)
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
      keptOf(ran, rounds),
    ]
  })
  return [columns, ...lines]
}

function startTable(
  rows: readonly Row[],
  { name }: StartScenario,
  targets: readonly string[],
  rounds: number,
): string[][] {
  const ran = targets.filter((target) => rowsOf(rows, name, target).length > 0)
  const lines = ran.map((target) => [
    target,
    number(median(rows, name, target, "listeningMilliseconds")),
    number(median(rows, name, target, "settledMegabytes")),
    keptOf(rowsOf(rows, name, target), rounds),
  ])
  return [["target", "listening ms", "idle RSS MB", "kept runs"], ...lines]
}

function errorsOf(ran: readonly Row[]): string {
  const { errors, unanswered, failed } = faultsOf(ran)
  return [
    String(errors),
    ...(unanswered > 0 ? [`${unanswered} unanswered`] : []),
    ...(failed > 0 ? [`${failed} runs failed`] : []),
  ].join(", ")
}

function keptOf(ran: readonly Row[], rounds: number): string {
  return `${ran.filter((row) => row.kept).length}/${rounds}`
}

function number(value: number | undefined, digits = 0): string {
  return value === undefined ? "-" : value.toFixed(digits)
}

/** Markdown that is readable as it stands: the first column to the left, the rest to the right. */
export function aligned(cells: readonly (readonly string[])[]): string[] {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))
  const [head, ...rest] = cells.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    ),
  )
  return [head!, rule, ...rest].map((line) => `| ${line.join(" | ")} |`)
}
