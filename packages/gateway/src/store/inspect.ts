/** A look at the database before anything starts: is it there, can this version use it, has it keys. Changes nothing. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Row } from "./engine.ts"
import { stepsToCome } from "./migrations.ts"
import { FILE } from "./sqlite.ts"
import { readFile } from "./sqlite-file.ts"
import { StoreError } from "./store-error.ts"

export interface DatabaseState {
  readonly kind: "sqlite" | "postgres"
  /** A file, or `Postgres`: where it is, is a credential's part. */
  readonly place: string
  /** The newest step of its tables; undefined: it is empty, or not there yet. */
  readonly version: string | undefined
  /** That the next start will take. */
  readonly stepsToCome: number
  readonly keys: number
}

type Run = (sql: string) => Promise<Row[]>

const TABLES = {
  sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'",
  postgres: "SELECT to_regclass('migrations')::text AS name",
}

/** Throws a StoreError if it cannot be used: what the start would say. */
export async function inspectDatabase(
  dataFolder: string,
  databaseUrl: string | undefined,
  within: number,
): Promise<DatabaseState> {
  if (databaseUrl !== undefined) {
    const { readPostgres } = await import("./postgres.ts")
    const state = await readPostgres(databaseUrl, within, (run) => inspect(run, TABLES.postgres))
    return { kind: "postgres", place: "Postgres", ...state }
  }
  const place = join(dataFolder, FILE)
  if (!existsSync(place))
    return { kind: "sqlite", place, version: undefined, stepsToCome: stepsToCome([]), keys: 0 }
  try {
    return { kind: "sqlite", place, ...(await readFile(place, (run) => inspect(run, TABLES.sqlite))) }
  } catch (error) {
    if (error instanceof StoreError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreError("unusable", `The database ${place} cannot be used: ${reason}.`, error)
  }
}

async function inspect(
  run: Run,
  table: string,
): Promise<Pick<DatabaseState, "version" | "stepsToCome" | "keys">> {
  const [found] = await run(table)
  if (found?.["name"] == null) return { version: undefined, stepsToCome: stepsToCome([]), keys: 0 }
  const applied = (await run("SELECT name FROM migrations ORDER BY name")).map(({ name }) => String(name))
  const toCome = stepsToCome(applied)
  const [row] = await run("SELECT count(*) AS many FROM keys WHERE deleted_at IS NULL")
  return { version: applied.at(-1), stepsToCome: toCome, keys: Number(row?.["many"] ?? 0) }
}
