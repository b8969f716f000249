/** What the journal keeps of a posted call until its row is written: one slip says how it began, another how it ended. */
import type { AttemptRecord, OpenCall, SettledCall } from "./call-record.ts"

export interface Slip {
  readonly open?: OpenCall
  /** Whose call it is. */
  readonly process?: string
  readonly settled?: SettledCall
}

/** JSON has no integers of 64 bits: money is written as a string. */
export function writeSlip({ open, process, settled }: Slip): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      open: open && { ...open, hold: { ...open.hold, amount: written(open.hold.amount) } },
      process,
      settled: settled && {
        ...settled,
        cost: written(settled.cost),
        attempts: settled.attempts.map((attempt) => ({ ...attempt, cost: written(attempt.cost) })),
      },
    }),
  )
}

function written(money: bigint | null): string | null {
  return money === null ? null : String(money)
}

export function readSlip(bytes: Uint8Array): Slip {
  const { open, process, settled } = JSON.parse(Buffer.from(bytes).toString()) as Slip
  return {
    ...(open === undefined
      ? {}
      : { open: { ...open, hold: { ...open.hold, amount: money(open.hold.amount) } } }),
    ...(process === undefined ? {} : { process }),
    ...(settled === undefined
      ? {}
      : { settled: { ...settled, cost: money(settled.cost), attempts: settled.attempts.map(readAttempt) } }),
  }
}

function readAttempt(attempt: AttemptRecord): AttemptRecord {
  return { ...attempt, cost: money(attempt.cost) }
}

function money(written: unknown): bigint | null {
  return typeof written === "string" ? BigInt(written) : null
}
