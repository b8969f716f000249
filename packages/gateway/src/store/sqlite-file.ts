/** The database's file: created or brought to the newest state, before anything else has it open. */
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import type { Row } from "./engine.ts"
import { migrate, SQLITE_WORDS } from "./migrations.ts"
import { StoreError } from "./store-error.ts"

const WAIT_FOR_OTHERS = 10_000

/** Blocks its thread while another process does the same. */
export async function prepareFile(file: string): Promise<void> {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: WAIT_FOR_OTHERS })
    const opened = database
    // The lock of the whole file, taken before it is looked at: of two processes the second waits and finds all done.
    opened.exec("BEGIN IMMEDIATE")
    const table = opened
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'")
      .get()
    await migrate(async (sql) => opened.prepare(sql).all() as Row[], SQLITE_WORDS, table !== undefined)
    opened.exec("COMMIT")
    opened.exec("PRAGMA journal_mode = WAL")
  } catch (error) {
    if (database?.isTransaction === true) database.exec("ROLLBACK")
    if (error instanceof StoreError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new StoreError("unusable", `The database ${file} cannot be used: ${message}.`, error)
  } finally {
    database?.close()
  }
}

/** Runs statements that only read, and leaves the file and its neighbours as they are. */
export async function readFile<Result>(
  file: string,
  read: (run: (sql: string) => Promise<Row[]>) => Promise<Result>,
): Promise<Result> {
  const url = pathToFileURL(file)
  // Without this even a reader makes the files beside it; with it, it would not see what still stands in one of them.
  if (!existsSync(`${file}-wal`)) url.searchParams.set("immutable", "1")
  const database = new DatabaseSync(url, { readOnly: true, timeout: WAIT_FOR_OTHERS })
  try {
    return await read(async (sql) => database.prepare(sql).all() as Row[])
  } finally {
    database.close()
  }
}
