/**
 * The ledger against the simulator's journal, by the written policy:
 *
 *   finished                what the simulator reported; where it was told to report nothing, what it sent
 *   cancelled, failed       after an answer began: the input, and what was relayed, `estimated`; no more than was sent
 *   interrupted             what the log shows, `estimated`
 *   without an answer       0
 */
import type { PlannedCall } from "./plan.ts"
import type { Seen } from "./play.ts"

/** As much of a row of /admin/calls.jsonl as is compared. */
export interface Row {
  readonly id: string
  readonly model_asked: string
  readonly model: string | null
  readonly ending: string | null
  /** The kind of the error that ended it. */
  readonly reason: string | null
  readonly attempts: readonly {
    readonly model: string
    readonly usage: Tokens | null
    readonly cost_nano: string | null
  }[]
  readonly usage: Tokens
  readonly cost_nano: string | null
  readonly estimated: boolean
}

interface Tokens {
  readonly prompt_tokens: number
  readonly completion_tokens: number
}

/** A line of the simulator's journal. */
export interface Line {
  readonly model: string | null
  readonly prompt_tokens: number
  /** That were sent. */
  readonly tokens: number
  /** Of the whole answer. */
  readonly completion_tokens: number
}

export interface Evidence {
  readonly calls: readonly PlannedCall[]
  readonly seen: readonly Seen[]
  /** Models of calls that may have run when the gateway was killed; no other may be interrupted. */
  readonly killed: ReadonlySet<string>
  readonly rows: readonly Row[]
  readonly lines: readonly Line[]
  /** What the log of a call shows, in tokens. */
  readonly relayed: ReadonlyMap<string, number>
}

export interface Verdict {
  readonly missing: readonly string[]
  readonly double: readonly string[]
  readonly wrong: readonly string[]
}

export function compare({ calls, seen, killed, rows, lines, relayed }: Evidence): Verdict {
  const rowsOf = Map.groupBy(rows, ({ model_asked }) => model_asked)
  const linesOf = Map.groupBy(lines, ({ model }) => model ?? "")
  const seenOf = new Map(seen.map((one) => [one.call.model, one]))
  const verdict = { missing: [] as string[], double: [] as string[], wrong: [] as string[] }

  for (const call of calls) {
    const own = rowsOf.get(call.model) ?? []
    const asked = call.candidates.flatMap(({ model }) => linesOf.get(model) ?? [])
    const row = own[0]
    const name = `${call.model} (${call.fate}, ${row?.ending ?? "no row"})`
    const known = seenOf.get(call.model)
    if (row === undefined) {
      if (asked.length > 0) verdict.missing.push(`${name}: its provider was asked`)
      else if (known?.toldFinished === true) verdict.missing.push(`${name}: its client was answered`)
      continue
    }
    if (own.length > 1) verdict.double.push(`${name}: ${own.length} rows`)
    const faults = [...faultsOf(call, row, linesOf, relayed.get(row.id)), ...faultsSeen(row, known)]
    if (row.ending === "interrupted" && !killed.has(call.model)) faults.push("nobody killed its gateway")
    if (faults.length > 0) verdict.wrong.push(`${name}: ${faults.join("; ")}`)
  }
  const planned = new Set(calls.map(({ model }) => model))
  for (const { id, model_asked } of rows)
    if (!planned.has(model_asked)) verdict.wrong.push(`${id}: nobody asked for ${model_asked}`)
  return verdict
}

function* faultsSeen(row: Row, seen: Seen | undefined): Generator<string> {
  if (seen === undefined) return
  if (seen.hung) yield "its client waited in vain"
  if (seen.ids.size > 1) yield `its answers have ${seen.ids.size} ids`
  for (const id of seen.ids)
    if (id !== row.id) yield `its client was told the id ${id}, the row has ${row.id}`
  if (seen.toldFinished && row.ending !== "finished") yield "its client was told that it had finished"
}

function* faultsOf(
  call: PlannedCall,
  row: Row,
  linesOf: ReadonlyMap<string, readonly Line[]>,
  relayed: number | undefined,
): Generator<string> {
  if (row.ending === null) yield "it is still open"
  for (const { model } of call.candidates) {
    const lines = linesOf.get(model)?.length ?? 0
    const attempts = row.attempts.filter((attempt) => attempt.model === model).length
    if (lines > 1) yield `${model} was asked ${lines} times`
    if (attempts > 1) yield `${attempts} attempts at ${model}`
    // The process that knew of its attempts is gone: what is left is who answered.
    if (lines > attempts && row.ending !== "interrupted") yield `${model} was asked, and no attempt says so`
  }
  const unanswered = row.attempts.filter(({ model }) => model !== row.model)
  if (unanswered.some(({ usage, cost_nano }) => usage !== null || cost_nano !== "0"))
    yield "an attempt without an answer costs something"

  const { prompt_tokens: prompt, completion_tokens: completion } = row.usage
  if (row.model === null) {
    if (prompt !== 0 || completion !== 0 || row.cost_nano !== "0")
      yield `nobody answered, and it is ${prompt} + ${completion} tokens for ${row.cost_nano}`
    return
  }
  const line = linesOf.get(row.model)?.[0]
  const candidate = call.candidates.find(({ model }) => model === row.model)
  if (line === undefined || candidate === undefined) return void (yield `${row.model} was never asked`)

  const wantedPrompt = row.ending === "interrupted" ? 0 : line.prompt_tokens
  const finished = row.ending === "finished"
  const wantedCompletion = finished ? line.completion_tokens : relayed
  if (prompt !== wantedPrompt) yield `${prompt} prompt tokens, not ${wantedPrompt}`
  // Cancelled when all had come but not yet been closed: then the provider's own count stands.
  const reported = !row.estimated && completion === line.completion_tokens
  if (completion !== wantedCompletion && !reported)
    yield `${completion} completion tokens, not ${wantedCompletion}`
  if (completion > line.tokens) yield `${completion} completion tokens, and ${line.tokens} were sent`
  // Cut between the finish reason and the usage, an answer is whole, and its usage was never said.
  const unsaid = call.fate === "without usage" || (call.fate === "cut by its provider" && row.estimated)
  if (row.estimated !== (unsaid || !(finished || reported)))
    yield row.estimated ? "it is estimated" : "it is not estimated"
  const cost = nanoOf(
    BigInt(prompt) * BigInt(candidate.input) + BigInt(completion) * BigInt(candidate.output),
  )
  if (row.cost_nano !== String(cost)) yield `it costs ${row.cost_nano}, not ${cost} nano-dollars`
}

/** Half to even. */
function nanoOf(pico: bigint): bigint {
  const whole = pico / 1_000n
  const rest = pico % 1_000n
  return rest > 500n || (rest === 500n && whole % 2n === 1n) ? whole + 1n : whole
}
