/**
 * One process owns the data folder. The lock is the operating system's on an empty SQLite file, which is the one way to
 * such a lock that Node brings along: it dies with its process, however that ends, and needs no look at process numbers.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

export interface DataLock {
  release(): void
}

/** The folder is another process's, or of no use. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError"
}

const SQLITE_BUSY = 5

export function lockDataFolder(folder: string): DataLock {
  // For people: the lock itself does not look at it.
  const ownerFile = join(folder, "lock.owner")
  let database: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const held = new DatabaseSync(join(folder, "lock"))
    database = held
    held.exec("BEGIN EXCLUSIVE")
    writeFileSync(ownerFile, `${process.pid}\n`, { mode: 0o600 })
    return { release: () => held.close() }
  } catch (error) {
    database?.close()
    if (isBusy(error))
      throw new DataFolderError(
        `the data folder ${folder} is in use by another sluice${ownerOf(ownerFile)}: give this one a folder of its own with SLUICE_DATA`,
      )
    const reason = error instanceof Error ? error.message : String(error)
    throw new DataFolderError(`the data folder ${folder} cannot be used (SLUICE_DATA): ${reason}`)
  }
}

/** Whether another process has it, and which, without taking it or making anything. */
export function isDataFolderTaken(folder: string): { readonly process: string | undefined } | undefined {
  const lock = join(folder, "lock")
  if (!existsSync(lock)) return undefined
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(lock, { readOnly: true })
    database.prepare("SELECT 1 FROM sqlite_schema").all()
    return undefined
  } catch (error) {
    if (!isBusy(error)) throw error
    return { process: readOwner(join(folder, "lock.owner")) }
  } finally {
    database?.close()
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY
}

function ownerOf(file: string): string {
  const owner = readOwner(file)
  return owner === undefined ? "" : ` (process ${owner})`
}

function readOwner(file: string): string | undefined {
  try {
    const owner = readFileSync(file, "utf8").trim()
    return /^\d+$/.test(owner) ? owner : undefined
  } catch {
    return undefined
  }
}
