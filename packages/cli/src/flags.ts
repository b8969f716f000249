/** A command's arguments → its flags, checked; whatever is wrong is said with what was probably meant. */
import { parseArgs } from "node:util"
import { nearest } from "./nearest.ts"

/** The command was not asked rightly: exit code 2. */
export class Misuse extends Error {
  override readonly name = "Misuse"
}

export type FlagTable = Readonly<
  Record<
    string,
    { readonly type: "string" | "boolean"; readonly short?: string; readonly multiple?: boolean }
  >
>

type ValueOf<Flag extends FlagTable[string]> = Flag["type"] extends "boolean"
  ? boolean
  : Flag["multiple"] extends true
    ? string[]
    : string

export interface Asked<Table extends FlagTable> {
  readonly flags: { readonly [Name in keyof Table]?: ValueOf<Table[Name]> }
  /** What stands there without a flag. */
  readonly words: readonly string[]
}

export function readFlags<const Table extends FlagTable>(
  args: readonly string[],
  table: Table,
): Asked<Table> {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: table,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const seen = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== "option") continue
    const flag = Object.hasOwn(table, token.name) ? table[token.name] : undefined
    if (flag === undefined) throw new Misuse(unknownFlag(token.rawName, table))
    if (flag.type === "boolean" && token.value !== undefined)
      throw new Misuse(`${token.rawName} takes no value.`)
    // `--model --json`: a flag in a value's place is a value that was forgotten; one that begins so is given with '='.
    const isForgotten = token.value === undefined || (!token.inlineValue && /^--?[a-z]/.test(token.value))
    if (flag.type === "string" && isForgotten) throw new Misuse(`${token.rawName} needs a value.`)
    if (seen.has(token.name) && flag.multiple !== true)
      throw new Misuse(`${token.rawName} stands there twice.`)
    seen.add(token.name)
  }
  return { flags: values as Asked<Table>["flags"], words: positionals }
}

function unknownFlag(written: string, table: FlagTable): string {
  const near = nearest(
    written,
    Object.keys(table).map((name) => `--${name}`),
  )
  return `there is no flag '${written}' here${near === undefined ? "" : `; did you mean '${near}'?`}`
}

/** Exactly these words, or how it should have been said. */
export function expectWords(
  words: readonly string[],
  names: readonly string[],
  usage: string,
): readonly string[] {
  if (words.length === names.length) return words
  const trouble =
    words.length < names.length
      ? `${names[words.length]} is missing`
      : `'${words[names.length]}' is one word too many`
  throw new Misuse(`${trouble}: ${usage}`)
}

export function readWhole(
  flag: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new Misuse(`${flag} must be a whole number from ${least} to ${most}, not '${text}'.`)
}

export function readNumber(
  flag: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== "" && value >= least && value <= most) return value
  throw new Misuse(`${flag} must be a number from ${least} to ${most}, not '${text}'.`)
}

export function readChoice<const Choice extends string>(
  flag: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined) return undefined
  const found = choices.find((choice) => choice === text)
  if (found !== undefined) return found
  const near = nearest(text, choices)
  const meant = near === undefined ? "" : ` (did you mean '${near}'?)`
  throw new Misuse(`${flag} must be one of ${choices.join(", ")}, not '${text}'${meant}.`)
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

/** `90s`, `30m`, `24h`, `7d`, `2w` → milliseconds. */
export function readSpan(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  return amount === undefined ? undefined : Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

/** A date, a time, or a span: so long before now (`direction` -1) or behind it (1). */
export function readTime(
  flag: string,
  text: string | undefined,
  direction: -1 | 1,
  now = Date.now(),
): string | undefined {
  if (text === undefined) return undefined
  const span = readSpan(text)
  if (span !== undefined) return new Date(now + direction * span).toISOString()
  const time = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  const spoken = direction < 0 ? "7d (so long ago)" : "30d (from now on)"
  throw new Misuse(`${flag} must be ${spoken}, 2026-01-31 or 2026-01-31T09:00:00Z, not '${text}'.`)
}
