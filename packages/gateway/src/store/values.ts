/** Between what the store's users say and what both databases hold alike. */
import { StoreError } from "./store-error.ts"

/** What a signed 64-bit column can add up a few times over without an overflow. */
const MOST_MONEY = 2n ** 60n

/** Money as the database gives it. */
export function money(value: unknown): bigint {
  if (typeof value === "bigint") return value
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value)
  throw new StoreError(
    "invalid",
    `The database holds no whole amount of money where one was expected: ${value}`,
  )
}

/** Postgres takes no NUL in a text; what SQLite would keep after one nobody reads. */
export function text(value: string): string {
  return value.includes("\0") ? value.replaceAll("\0", "") : value
}

export function textOrNull(value: string | null | undefined): string | null {
  return value == null ? null : text(value)
}

/** A count that fits: whole, not negative, and exact as a number. */
export function clampCount(value: number): number {
  if (Number.isNaN(value) || value <= 0) return 0
  return Math.min(Math.trunc(value), Number.MAX_SAFE_INTEGER)
}

export function clampMoney(value: bigint): bigint {
  if (value < 0n) return 0n
  return value > MOST_MONEY ? MOST_MONEY : value
}

/** A measure of time or speed; what is no number is not known. */
export function measure(value: number | null | undefined): number | null {
  return value != null && Number.isFinite(value) ? value : null
}

export function json(value: unknown): string {
  return text(JSON.stringify(value))
}

/** JSON that we have written ourselves. */
export function fromJson<Value>(value: unknown): Value {
  return JSON.parse(String(value))
}

export function flag(value: boolean): number {
  return value ? 1 : 0
}
