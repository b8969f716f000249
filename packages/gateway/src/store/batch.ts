/**
 * What every call does to the books: open, extend, settle, or open and settle in one. A batch of such jobs is one
 * transaction; this is its code for both databases, run next to the database: in SQLite's writer thread, or over a
 * connection to Postgres.
 *
 *   settle the rows → read the accounts, locked → pay, release, decide, hold → write accounts, rows, totals
 *
 * Invariants:
 *   1. A row is settled once: the UPDATE asks for rows without an ending, and only what it gives back is paid.
 *   2. A row, its hold and its account change in one transaction or not at all.
 *   3. Accounts are locked in the order of their names, after the calls' rows: two processes never wait for each other.
 *   4. A job that is tried again after a commit whose answer was lost changes nothing the second time (but `resumed`, a
 *      count on which no money hangs).
 *
 * No two jobs of one batch are about the same call.
 */

import {
  type Held,
  moveOn,
  overBudget,
  pay,
  ratesOf,
  refusalOf,
  releaseHold,
  takeHold,
  undoHold,
} from "./accounts.ts"
import type { Admission, Refusal } from "./admission.ts"
import type { OpenCall, SettledCall } from "./call-record.ts"
import { openValues, rowOf, settledValues, wholeValues } from "./call-row.ts"
import type { Row, RowStatement, Session, Value } from "./engine.ts"
import * as sql from "./ledger-statements.ts"
import { type Payer, readPayers } from "./payers.ts"
import { createTotals } from "./totals.ts"
import { money } from "./values.ts"

export type LedgerJob =
  | {
      readonly kind: "open"
      readonly id: string
      readonly call: OpenCall
      readonly process: string
      /** It runs already, as nothing limits its key: it is entered, not asked about. */
      readonly posted: boolean
    }
  /** Opened and settled in one: it was posted, and has ended since. */
  | {
      readonly kind: "whole"
      readonly id: string
      readonly call: OpenCall
      readonly process: string
      readonly settled: SettledCall
    }
  /** To this many nano-dollars in all, so that a second time it extends nothing. */
  | { readonly kind: "extend"; readonly id: string; readonly to: bigint; readonly at: number }
  | {
      readonly kind: "settle"
      readonly id: string
      readonly call: SettledCall
      /** For company, a few milliseconds: nobody would notice. */
      readonly mayWait: boolean
    }
  | { readonly kind: "resumed"; readonly id: string }
  /** The answer to an `open` was lost: if its row is there, it goes, for no provider was called. */
  | { readonly kind: "abandon"; readonly id: string }
  /** Its process is gone: the hold is released, the row stays open for whoever knows how it ended. */
  | { readonly kind: "release"; readonly id: string }

/** What a job is answered with: an `open` or `extend` with an admission, all others with whether they changed anything. */
export type LedgerOutcome = Admission | boolean

type JobOf<Kind extends LedgerJob["kind"]> = Extract<LedgerJob, { kind: Kind }>

export async function applyBatch(
  session: Session,
  jobs: readonly LedgerJob[],
  retried: boolean,
): Promise<LedgerOutcome[]> {
  const of = <Kind extends LedgerJob["kind"]>(kind: Kind): JobOf<Kind>[] =>
    jobs.filter((job): job is JobOf<Kind> => job.kind === kind)
  const ids = (kind: LedgerJob["kind"]) => of(kind).map(({ id }) => [id])

  const opens = of("open")
  const wholes = of("whole")
  const before = retried
    ? await rowsById(session, sql.FIND_CALL, [...ids("open"), ...ids("settle"), ...ids("whole")])
    : NONE
  const settled = await rowsById(
    session,
    sql.SETTLE_CALL,
    of("settle").map(({ call }) => settledValues(call)),
  )
  const abandoned = await rowsById(session, sql.ABANDON_CALL, ids("abandon"))
  const released = await rowsById(
    session,
    sql.RELEASE_CALL,
    of("release").map(({ id }) => [0, id]),
  )
  const extended = await rowsById(session, sql.FIND_OPEN_CALL, ids("extend"))
  const resumed = await rowsById(
    session,
    sql.RESUME_CALL,
    of("resumed").map(({ id }) => [1, id]),
  )

  const touched = [settled, abandoned, released, extended].flatMap((rows) => [...rows.values()])
  const payers = await readPayers(
    session,
    [...opens, ...wholes].map(({ call }) => call),
    touched,
  )
  const payersOf = (row: Row) => payers.of(String(row["key_id"]), row["project_id"])

  const totals = createTotals()
  for (const { id, call } of of("settle")) {
    const row = settled.get(id)
    if (row === undefined) continue
    const held = heldBy(row)
    const tokens = call.usage.promptTokens + call.usage.completionTokens
    for (const { account } of payersOf(row)) {
      moveOn(account, call.endedAt)
      releaseHold(account, held)
      pay(account, held, call.cost ?? 0n, tokens)
    }
    totals.add(row, call)
  }
  for (const row of released.values()) {
    for (const { account } of payersOf(row)) releaseHold(account, { ...heldBy(row), holding: true })
  }
  for (const row of abandoned.values()) {
    for (const { account } of payersOf(row)) undoHold(account, heldBy(row))
  }

  const newRows: Value[][] = []
  const wholeRows: Value[][] = []
  const extensions: Value[][] = []
  const outcomes = jobs.map(answer)

  await session.each(sql.INSERT_CALL, newRows)
  await session.each(sql.INSERT_WHOLE_CALL, wholeRows)
  await session.each(sql.EXTEND_CALL, extensions)
  await session.each(sql.WRITE_ACCOUNT, [...payers.accounts()].map(sql.accountValues))
  await session.each(sql.ADD_TOTALS, totals.rows())
  return outcomes

  function answer(job: LedgerJob): LedgerOutcome {
    switch (job.kind) {
      case "settle":
        return settled.has(job.id) || before.get(job.id)?.["ended_at"] === job.call.endedAt
      case "abandon":
        return abandoned.has(job.id)
      case "release":
        return released.has(job.id)
      case "resumed":
        return resumed.has(job.id)
      case "extend":
        return extend(job)
      case "open":
        return open(job)
      case "whole":
        return enterWhole(job)
    }
  }

  function projectOf({ key, keyIsStored }: OpenCall): Value {
    return (keyIsStored ? payers.key(key)?.["project_id"] : undefined) ?? null
  }

  function open({ call, process, posted }: JobOf<"open">): Admission {
    const { key, hold, startedAt } = call
    const row = call.keyIsStored ? payers.key(key) : undefined
    const project = projectOf(call)
    const paying = payers.of(key, project)
    for (const { account } of paying) moveOn(account, startedAt)
    // The commit was made and its answer lost: what was held is held.
    const done = before.has(call.id)
    const refusal =
      done || posted ? undefined : (keyRefusal(call, row) ?? firstRefusal(paying, hold, startedAt))
    if (refusal === undefined && !done) {
      for (const { account } of paying) takeHold(account, hold)
      newRows.push(openValues(call, process, project))
    }
    const rates = ratesOf(paying[0]!.account, paying[0]!.terms, startedAt)
    return refusal === undefined ? { admitted: true, rates } : { admitted: false, refusal, rates }
  }

  /** What opening and settling would have done one after the other. */
  function enterWhole({ call, process, settled }: JobOf<"whole">): boolean {
    if (before.has(call.id)) return true
    const project = projectOf(call)
    const { amount, tokens } = call.hold
    const held: Held = { amount: amount ?? 0n, tokens, holding: true, startedAt: call.startedAt }
    for (const { account } of payers.of(call.key, project)) {
      moveOn(account, call.startedAt)
      takeHold(account, call.hold)
      moveOn(account, settled.endedAt)
      releaseHold(account, held)
      pay(account, held, settled.cost ?? 0n, settled.usage.promptTokens + settled.usage.completionTokens)
    }
    wholeRows.push(wholeValues(call, process, project, settled))
    totals.add(rowOf(call, project), settled)
    return true
  }

  function extend({ id, to, at }: JobOf<"extend">): Admission {
    const row = extended.get(id)
    if (row === undefined) return { admitted: false, refusal: { reason: "ended" }, rates: {} }
    const held = heldBy(row)
    const amount = to - held.amount
    if (amount <= 0n) return { admitted: true, rates: {} }
    for (const { scope, account, terms } of payersOf(row)) {
      moveOn(account, at)
      const refusal = overBudget(scope, account, terms.budget, amount, at)
      if (refusal !== undefined) return { admitted: false, refusal, rates: {} }
    }
    // Released while its process was taken for dead: nothing is held for it any more, nor is it now.
    if (held.holding) {
      for (const { account } of payersOf(row)) account.held += amount
      extensions.push([to, id])
    }
    return { admitted: true, rates: {} }
  }
}

const NONE: ReadonlyMap<string, Row> = new Map()

async function rowsById(
  session: Session,
  statement: RowStatement,
  rows: readonly (readonly Value[])[],
): Promise<ReadonlyMap<string, Row>> {
  if (rows.length === 0) return NONE
  const found = await session.each(statement, rows)
  return new Map(found.map((row) => [String(row["id"]), row]))
}

function heldBy(row: Row): Held {
  return {
    amount: money(row["held"]),
    tokens: Number(row["held_tokens"]),
    holding: row["holding"] === 1,
    startedAt: Number(row["started_at"]),
  }
}

function keyRefusal({ keyIsStored, startedAt }: OpenCall, row: Row | undefined): Refusal | undefined {
  if (!keyIsStored) return undefined
  if (row === undefined) return { reason: "unknown_key" }
  if (row["disabled"] === 1) return { reason: "disabled_key" }
  const expiresAt = row["expires_at"]
  return expiresAt != null && Number(expiresAt) <= startedAt ? { reason: "expired_key" } : undefined
}

function firstRefusal(payers: readonly Payer[], hold: OpenCall["hold"], at: number): Refusal | undefined {
  for (const { scope, account, terms } of payers) {
    const refusal = refusalOf(scope, account, terms, hold, at)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
