/** What we want of the gateway's speed, and whether a run has shown it. */
import type { Goal } from "../goal.ts"
import { FIGURES, type Figure, quotient, ratioText, textOf } from "./figures.ts"
import { disturbed, faultsOf, mostForeign, type Row, rowsOf } from "./rows.ts"

export interface Run {
  readonly rows: readonly Row[]
  readonly rounds: number
  readonly gated: boolean
  readonly scenarios: readonly string[]
  readonly targets: readonly string[]
  /** Targets that could not be had, and why. */
  readonly absent: Readonly<Record<string, string>>
}

interface Wish {
  readonly figure: Figure
  /** The target that the figure is a multiple of. */
  readonly times?: string
  readonly least?: number
  readonly most?: number
}

const US = "sluice"

const WISHES: readonly Wish[] = [
  { figure: FIGURES.s3Cpu, times: "nginx", most: 1.8 },
  { figure: FIGURES.s3Cpu, times: "portkey", most: 0.4 },
  { figure: FIGURES.s3Chunk, times: "nginx", most: 2.5 },
  { figure: FIGURES.s3xChunks, times: "nginx", least: 0.7 },
  { figure: FIGURES.s3xChunks, times: "portkey", least: 3 },
  { figure: FIGURES.s3xErrors, most: 0 },
  { figure: FIGURES.s1Answers, times: "nginx", least: 0.2 },
  { figure: FIGURES.s1Answers, times: "portkey", least: 12 },
  { figure: FIGURES.memory, most: 80 },
  { figure: FIGURES.listening, most: 600 },
  { figure: FIGURES.settled, most: 90 },
  { figure: FIGURES.s3FirstContent, most: 1 },
]

/** Goals are about medians of so many rounds, of which the gate may cost some. */
export const ROUNDS = 5
const KEPT = 3

export function goalsOf(run: Run): Goal[] {
  return WISHES.map((wish) => judge(run, wish))
}

function judge(run: Run, wish: Wish): Goal {
  const { figure, times, least, most } = wish
  const name = times === undefined ? figure.name : `${figure.name} beside ${times}`
  const bound = times === undefined ? `${least ?? most} ${figure.unit}` : `${least ?? most} × ${times}`
  const goal = `${least === undefined ? "at most" : "at least"} ${bound}`

  const own = figure.of(run.rows, US)
  const value = times === undefined ? own : quotient(own, figure.of(run.rows, times))
  const text = times === undefined ? textOf(figure, value) : `${ratioText(value)} × ${times}`
  const why = whyNot(run, wish)
  if (value === undefined || why !== undefined) {
    const indication = value === undefined ? "" : `; an indication: ${text}`
    return { name, goal, outcome: "not measured", why: `${why ?? "no figure came out"}${indication}` }
  }
  const faults = faultsIn(run, figure)
  const within = value >= (least ?? -Infinity) && value <= (most ?? Infinity)
  return {
    name,
    goal,
    outcome: within && faults.length === 0 ? "met" : "short",
    figure: [text, ...faults, ...notes(run, wish)].join(", "),
  }
}

/** Why the rows do not bear a verdict. */
function whyNot(run: Run, wish: Wish): string | undefined {
  for (const target of targetsOf(wish)) {
    if (run.absent[target] !== undefined) return `${target}: ${run.absent[target]}`
    if (!run.targets.includes(target)) return `${target} was not in this run`
  }
  for (const scenario of wish.figure.scenarios)
    if (!run.scenarios.includes(scenario)) return `${scenario} was not in this run`
  if (run.rounds < ROUNDS) return `${run.rounds} of the ${ROUNDS} rounds that it takes`
  if (!run.gated) return `without the gate, while others used up to ${mostForeign(run.rows).toFixed(2)} CPUs`
  for (const { scenario, target, rows } of cellsOf(run, wish)) {
    const kept = rows.filter((row) => row.kept).length
    const failed = rows.find((row) => row.failed !== undefined)?.failed
    if (kept < KEPT)
      return `${kept} of ${run.rounds} rounds of ${target} in ${scenario} were kept, as ${failed ?? "the machine was busy"}`
    const { errors } = faultsOf(rows.filter((row) => row.kept))
    if (target !== US && errors > 0) return `${target} had ${errors} errors in ${scenario}`
  }
  return undefined
}

/** Of ours, in whichever run: none may hide behind a median. */
function faultsIn(run: Run, figure: Figure): string[] {
  if (figure === FIGURES.s3xErrors) return []
  const { errors, failed } = faultsOf(figure.scenarios.flatMap((name) => rowsOf(run.rows, name, US)))
  return [
    ...(errors > 0 ? [`but ${errors} errors`] : []),
    ...(failed > 0 ? [`but ${failed} ${failed === 1 ? "run" : "runs"} failed`] : []),
  ]
}

function notes(run: Run, wish: Wish): string[] {
  const rows = cellsOf(run, wish).flatMap((cell) => cell.rows)
  const { unanswered } = faultsOf(rows.filter(({ target }) => target === US))
  const away = disturbed(rows)
  return [
    ...(wish.figure === FIGURES.s3xErrors && unanswered > 0 ? [`${unanswered} unanswered`] : []),
    ...(away > 0 ? [`${away} of ${rows.length} runs thrown away as the machine was busy`] : []),
  ]
}

function cellsOf(
  run: Run,
  wish: Wish,
): { readonly scenario: string; readonly target: string; readonly rows: readonly Row[] }[] {
  return wish.figure.scenarios.flatMap((scenario) =>
    targetsOf(wish).map((target) => ({ scenario, target, rows: rowsOf(run.rows, scenario, target) })),
  )
}

function targetsOf({ figure, times }: Wish): string[] {
  return [US, times, figure.from].filter((target) => target !== undefined)
}
