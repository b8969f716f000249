/** What a database must do for the store. Two do: sqlite.ts and postgres.ts. */
import type { LedgerJob, LedgerOutcome } from "./batch.ts"

export type Value = string | number | bigint | null
/** Integers come as numbers, and as bigints only where a number could not hold them. */
export type Row = Record<string, string | number | bigint | null>

/** In the database's own words. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly Value[]
}

/** A statement that is run once for each row of values. */
export interface RowStatement {
  /** SQLite: prepared once, run for each row. */
  readonly one: string
  /** Postgres: run once, each column of values an array. */
  readonly many: string
  readonly returns: boolean
}

/** What a transaction's code is given. */
export interface Session {
  each(statement: RowStatement, rows: readonly (readonly Value[])[]): Promise<Row[]>
}

export interface Engine {
  readonly kind: "sqlite" | "postgres"
  /** SQL for the database's own time in milliseconds: the one clock that several processes share. */
  readonly clock: string
  /** One transaction for all; `retried`: some of them may have been committed before. */
  ledger(jobs: readonly LedgerJob[], retried: boolean): Promise<readonly LedgerOutcome[]>
  /** One transaction; `announce`: keys have changed, and every process must learn of it. */
  write(statements: readonly Statement[], announce?: boolean): Promise<Row[][]>
  read(statement: Statement): Promise<Row[]>
  /** Called when some process has announced a change, and when an announcement may have been missed. */
  onAnnounced(listener: () => void): void
  /** Tells this process's listeners. */
  announce(): void
  /** Makes sure that what was deleted is no longer in the database's files, as far as the database can. */
  scrub(): Promise<void>
  close(): Promise<void>
}
