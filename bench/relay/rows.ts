/** What a run has measured, row by row, and what the rows say together. */
import type { Measured } from "./measure.ts"
import type { Started } from "./starts.ts"

export interface Row {
  readonly round: number
  readonly scenario: string
  readonly target: string
  readonly attempt: number
  /** False: processes outside the bench used too much of the machine, or it failed. */
  readonly kept: boolean
  readonly failed?: string
  readonly measured?: Measured | Started
}

type All = Measured & Started

/** The names of the numbers among them. */
export type Name = {
  [Key in keyof All]-?: All[Key] extends number | null | undefined ? Key : never
}[keyof All]

export function rowsOf(rows: readonly Row[], scenario: string, target: string): Row[] {
  return rows.filter((row) => row.scenario === scenario && row.target === target)
}

/** The median of what was kept; undefined where nothing was. */
export function median(
  rows: readonly Row[],
  scenario: string,
  target: string,
  name: Name,
): number | undefined {
  const values = rowsOf(rows, scenario, target)
    .filter(({ kept }) => kept)
    .map((row) => number(row, name))
    .filter((value) => value !== undefined)
    .sort((one, other) => one - other)
  if (values.length === 0) return undefined
  return (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2
}

export interface Faults {
  readonly errors: number
  /** No answer 3 s after the window: queued for long, or lost. */
  readonly unanswered: number
  readonly failed: number
}

/** Of all runs, kept or not: anything but 0 makes their figures worthless. */
export function faultsOf(ran: readonly Row[]): Faults {
  const sum = (name: Name): number => ran.reduce((total, row) => total + (number(row, name) ?? 0), 0)
  return {
    errors: sum("errors") + sum("warmUpErrors"),
    unanswered: sum("unanswered"),
    failed: ran.filter(({ failed }) => failed !== undefined).length,
  }
}

/** Those that had to be measured again. */
export function disturbed(rows: readonly Row[]): number {
  return rows.filter(({ kept, failed }) => !kept && failed === undefined).length
}

/** The CPUs that others used during what was kept, at most. */
export function mostForeign(rows: readonly Row[]): number {
  return Math.max(0, ...rows.map((row) => (row.kept ? (number(row, "foreignCpu") ?? 0) : 0)))
}

function number({ measured }: Row, name: Name): number | undefined {
  const value = (measured as Partial<Record<Name, number | null>> | undefined)?.[name]
  return typeof value === "number" ? value : undefined
}
