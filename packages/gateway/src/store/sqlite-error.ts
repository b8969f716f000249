/** An SQLite error, in a form that crosses threads, and what it means for the store. */
import { StoreError, type StoreErrorCode } from "./store-error.ts"

export interface SqliteFault {
  readonly message: string
  /** SQLite's own number; undefined: the error is not SQLite's. */
  readonly number: number | undefined
  /** Where it is the store's own. */
  readonly code: StoreErrorCode | undefined
}

const CONSTRAINT = 19
const MISMATCH = 20
const NOT_A_DATABASE = 26
const ERROR = 1

export function faultOf(error: unknown): SqliteFault {
  const message = error instanceof Error ? error.message : String(error)
  const number = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined
  return { message, number, code: error instanceof StoreError ? error.code : mistake(error) }
}

/** A value that does not fit its column never will. */
function mistake(error: unknown): StoreErrorCode | undefined {
  return error instanceof TypeError || error instanceof RangeError ? "invalid" : undefined
}

export function errorFrom({ message, number, code }: SqliteFault): StoreError {
  if (code !== undefined) return new StoreError(code, message)
  switch (number) {
    case CONSTRAINT:
      return new StoreError("conflict", `The database refused a row: ${message}.`)
    case ERROR:
    case MISMATCH:
      return new StoreError("invalid", `The database did not understand the store: ${message}.`)
    case NOT_A_DATABASE:
      return new StoreError("unusable", `The database's file is no SQLite database: ${message}.`)
    default:
      return new StoreError("unavailable", `The database failed: ${message}.`)
  }
}
