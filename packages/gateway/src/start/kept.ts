/** What outlives the process: the data folder's lock, the stream log, the books. */
import type { Config } from "../config.ts"
import { lockDataFolder } from "../data-lock.ts"
import type { CallRecord } from "../store/call-record.ts"
import type { Fault } from "../store/fault.ts"
import { openStore } from "../store/open.ts"
import type { Store } from "../store/store.ts"
import { createJournal } from "../streams/disk.ts"
import type { LogLimits, StreamLog } from "../streams/log.ts"
import { createMemoryLog } from "../streams/memory.ts"

/** The folder is this process's alone, and what the one before left in it is read. */
export interface Kept {
  readonly log: StreamLog
  readonly store: Store
  close(): Promise<void>
}

export async function takeDataFolder(
  config: Config,
  { warn, fault }: { readonly warn: (line: string) => void; readonly fault?: Fault },
): Promise<Kept> {
  const lock = lockDataFolder(config.dataFolder)
  let log: StreamLog | undefined
  try {
    log = openLog(config, warn)
    const store = await openStore({
      dataFolder: config.dataFolder,
      databaseUrl: config.databaseUrl?.reveal(),
      durability: config.streams.durability === "power" ? "power" : "process",
      log: (line) => warn(`sluice: ${line}`),
      ...(fault === undefined ? {} : { fault }),
    })
    const kept = { log, store }
    return {
      ...kept,
      async close() {
        await kept.log.close()
        await store.close()
        lock.release()
      },
    }
  } catch (error) {
    await log?.close()
    lock.release()
    throw error
  }
}

/** The rows of streams that the process before has not ended: some of them were settled. */
export async function rowsOfUnended({ log, store }: Kept): Promise<Map<string, CallRecord>> {
  const rows = new Map<string, CallRecord>()
  for (const { facts, ending } of log.all()) {
    const row = ending === undefined ? await store.calls.get(facts.id) : undefined
    if (row !== undefined) rows.set(row.id, row)
  }
  return rows
}

function openLog(config: Config, warn: (line: string) => void): StreamLog {
  const { durability } = config.streams
  const limits = limitsOf(config)
  if (durability === "memory") return createMemoryLog(limits)
  return createJournal({
    folder: config.dataFolder,
    level: durability,
    limits,
    warn: (line) => warn(`sluice: ${line}`),
  })
}

export function limitsOf({ streams: { keep, maxBytes, totalBytes } }: Config): LogLimits {
  return { keep, maxBytes, totalBytes }
}
