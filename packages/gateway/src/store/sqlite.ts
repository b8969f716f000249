/**
 * SQLite, in a file of the data folder: one process, two threads. The threads are started again when they die; what
 * was under way is answered with `unavailable`, and the lane tries it again.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import type { Engine, Row } from "./engine.ts"
import type { Fault } from "./fault.ts"
import { errorFrom } from "./sqlite-error.ts"
import type { Task, TaskAnswer, TaskMessage, TaskResult, ThreadData } from "./sqlite-thread.ts"
import { StoreError } from "./store-error.ts"

export interface SqliteOptions {
  readonly dataFolder: string
  readonly durability: "process" | "power"
  readonly fault?: Fault | undefined
  /** Milliseconds without a question after which the thread that answers them goes. */
  readonly letGoAfter?: number | undefined
}

export const FILE = "sluice.db"
/** Milliseconds. A thread is 20 MB, and nobody may ask again for days; the page at `/`, while it is looked at, asks every three seconds. */
const LET_GO_AFTER = 10_000

export async function openSqlite({
  dataFolder,
  durability,
  fault,
  letGoAfter = LET_GO_AFTER,
}: SqliteOptions): Promise<Engine> {
  const file = join(dataFolder, FILE)
  mkdirSync(dataFolder, { recursive: true })
  const data = { file, synchronous: durability === "power" ? "FULL" : "NORMAL", fault: fault?.cells } as const
  const writer = createThread({ ...data, role: "writer" })
  await writer.run<undefined>({ kind: "prepare" }).catch(async (error: unknown) => {
    await writer.close()
    throw error
  })
  const reader = createThread({ ...data, role: "reader" }, letGoAfter)
  /** The writer reads until there are calls to enter, so that a gateway at rest needs one thread. */
  let hasCalls = false
  const listeners: (() => void)[] = []
  const tell = (): void => {
    for (const listener of listeners) listener()
  }

  return {
    kind: "sqlite",
    clock: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    ledger(jobs, retried) {
      hasCalls = true
      return writer.run({ kind: "ledger", jobs, retried })
    },
    async write(statements, announce = false) {
      const rows = await writer.run<Row[][]>({ kind: "write", statements })
      if (announce) tell()
      return rows
    },
    read: (statement) => (hasCalls ? reader : writer).run({ kind: "read", statement }),
    onAnnounced: (listener) => void listeners.push(listener),
    announce: tell,
    scrub: () => writer.run<undefined>({ kind: "checkpoint" }),
    async close() {
      await reader.close()
      await writer.close()
    },
  }
}

interface Thread {
  run<Result extends TaskResult>(task: Task): Promise<Result>
  close(): Promise<void>
}

/** `letGoAfter`: milliseconds without work after which the thread goes; the next task starts another. */
function createThread(data: ThreadData, letGoAfter?: number): Thread {
  // Built, this file and its neighbour are JavaScript.
  const script = new URL(
    import.meta.url.endsWith(".ts") ? "./sqlite-thread.ts" : "./sqlite-thread.js",
    import.meta.url,
  )
  const waiting = new Map<number, { resolve(result: TaskResult): void; reject(error: StoreError): void }>()
  let worker: Worker | undefined
  let lastId = 0
  let closed = false
  let idle: NodeJS.Timeout | undefined

  function start(): Worker {
    const started = new Worker(script, { workerData: data })
    started.on("message", (answer: TaskAnswer) => {
      const waiter = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ("fault" in answer) waiter?.reject(errorFrom(answer.fault))
      else waiter?.resolve(answer.result)
      if (letGoAfter !== undefined && waiting.size === 0) idle = setTimeout(letGo, letGoAfter).unref()
    })
    started.on("error", (error) => lose(started, String(error)))
    started.on("exit", (code) => lose(started, `its thread ended with code ${code}`))
    return started
  }

  function lose(lost: Worker, why: string): void {
    if (worker !== lost) return
    worker = undefined
    for (const { reject } of waiting.values())
      reject(new StoreError("unavailable", `The database failed: ${why}.`))
    waiting.clear()
  }

  function letGo(): void {
    const gone = worker
    worker = undefined
    void gone?.terminate()
  }

  function run<Result extends TaskResult>(task: Task): Promise<Result> {
    if (closed) return Promise.reject(new StoreError("closed", "The store is closed."))
    clearTimeout(idle)
    worker ??= start()
    const asked = worker
    lastId += 1
    const message: TaskMessage = { id: lastId, task }
    return new Promise((resolve, reject) => {
      waiting.set(message.id, { resolve: (result) => resolve(result as Result), reject })
      asked.postMessage(message)
    })
  }

  return {
    run,
    async close() {
      if (closed) return
      const gone = worker === undefined ? undefined : run({ kind: "close" })
      closed = true
      await gone
      // The answer to `close` is its last; what it waits for is the end of the thread.
      await worker?.terminate()
    },
  }
}
