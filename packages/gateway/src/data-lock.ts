/**
 * One process owns the data folder. The lock is the operating system's on an empty SQLite file, which is the one way to
 * such a lock that Node brings along: it dies with its process, however that ends, and needs no look at process numbers.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

export interface DataLock {
  release(): void
}

/** Another process owns the folder. */
export class DataFolderInUse extends Error {
  override readonly name = "DataFolderInUse"
}

const SQLITE_BUSY = 5

export function lockDataFolder(folder: string): DataLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(join(folder, "lock"))
  // For people: the lock itself does not look at it.
  const ownerFile = join(folder, "lock.owner")
  try {
    database.exec("BEGIN EXCLUSIVE")
  } catch (error) {
    database.close()
    if (!(error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY)) throw error
    throw new DataFolderInUse(
      `the data folder ${folder} is in use by another sluice${ownerOf(ownerFile)}: give this one a folder of its own with SLUICE_DATA`,
    )
  }
  writeFileSync(ownerFile, `${process.pid}\n`, { mode: 0o600 })
  return { release: () => database.close() }
}

function ownerOf(file: string): string {
  try {
    const owner = readFileSync(file, "utf8").trim()
    return /^\d+$/.test(owner) ? ` (process ${owner})` : ""
  } catch {
    return ""
  }
}
