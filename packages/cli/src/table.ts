/** Rows under their heads: aligned by what is seen, and on a terminal no wider than it is. */
import { stripVTControlCharacters } from "node:util"
import { harmless, type Screen } from "./terminal.ts"

export interface Column<Row> {
  readonly head: string
  /** Numbers stand to the right, and are never cut. */
  readonly align?: "right"
  readonly cell: (row: Row) => string
  /** Of a cell that is as wide as its column already. */
  readonly paint?: (text: string, row: Row) => string
}

const GAP = "  "
const NARROWEST = 8

export function printTable<Row>(
  screen: Screen,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  total?: Row,
): void {
  const all = total === undefined ? rows : [...rows, total]
  const cells = all.map((row) => columns.map(({ cell }) => harmless(cell(row)).replace(/\s+/g, " ")))
  const natural = columns.map(({ head }, at) =>
    Math.max(...[head, ...cells.map((row) => row[at]!)].map(widthOf)),
  )
  const widths = fit(columns, natural, screen.columns)
  const place = (text: string, at: number): string => {
    const width = widths[at]!
    const shown = cut(text, width)
    const blanks = " ".repeat(width - widthOf(shown))
    return columns[at]!.align === "right" ? blanks + shown : shown + blanks
  }
  const heads = columns.map(({ head }, at) => screen.style.dim(place(head, at)))
  screen.line(trimmed(heads))
  for (const [index, row] of all.entries()) {
    const isTotal = row === total
    const line = columns.map(({ paint }, at) => {
      const text = place(cells[index]![at]!, at)
      return isTotal ? screen.style.bold(text) : (paint?.(text, row) ?? text)
    })
    screen.line(trimmed(line))
  }
}

/** Names and what they stand for, one below the other; what is not known is left out. */
export function printFacts(
  screen: Screen,
  facts: readonly (readonly [name: string, value: string | undefined])[],
): void {
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined)
  const width = Math.max(0, ...known.map(([name]) => widthOf(name)))
  for (const [name, value] of known)
    screen.line(`${screen.style.dim(name.padEnd(width))}${GAP}${harmless(value)}`)
}

/** Columns that a terminal shows the text in: East Asian characters and pictures take two, marks none. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of stripVTControlCharacters(text)) width += widthOfOne(character)
  return width
}

function widthOfOne(character: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0
  const isWide =
    /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u
  return isWide.test(character) ? 2 : 1
}

/** The widest texts give way first. */
function fit<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  available: number | undefined,
): number[] {
  const widths = [...natural]
  if (available === undefined) return widths
  const room = available - GAP.length * (columns.length - 1)
  const flexible = columns.flatMap(({ align }, at) => (align === "right" ? [] : [at]))
  let excess = widths.reduce((sum, width) => sum + width, 0) - room
  while (excess > 0) {
    const widest = flexible.reduce(
      (one, other) => (widths[other]! > widths[one]! ? other : one),
      flexible[0]!,
    )
    if (widest === undefined || widths[widest]! <= NARROWEST) break
    widths[widest]! -= 1
    excess -= 1
  }
  return widths
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let shown = ""
  let used = 1
  for (const character of text) {
    used += widthOfOne(character)
    if (used > width) break
    shown += character
  }
  return `${shown}…`
}

/** Blanks at a line's end are nobody's; those inside a colour stay, as nobody sees them. */
function trimmed(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd()
}
