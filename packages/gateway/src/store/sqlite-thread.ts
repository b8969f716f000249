/**
 * SQLite's threads. The writer owns the one connection that writes and does its tasks one after another; the reader
 * has a connection that cannot write, so that a long query delays neither the loop nor the books.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"
import { spareMemorySoon } from "../spare-memory.ts"
import { applyBatch, type LedgerJob, type LedgerOutcome } from "./batch.ts"
import type { Row, Session, Statement, Value } from "./engine.ts"
import { type Fault, faultFrom } from "./fault.ts"
import { faultOf } from "./sqlite-error.ts"
import { prepareFile } from "./sqlite-file.ts"

export interface ThreadData {
  readonly file: string
  readonly role: "writer" | "reader"
  /** At level `power` a commit waits for the disk. */
  readonly synchronous: "NORMAL" | "FULL"
  readonly fault: Int32Array | undefined
}

export type Task =
  | { readonly kind: "ledger"; readonly jobs: readonly LedgerJob[]; readonly retried: boolean }
  | { readonly kind: "write"; readonly statements: readonly Statement[] }
  | { readonly kind: "read"; readonly statement: Statement }
  | { readonly kind: "checkpoint" }
  /** The writer's first. */
  | { readonly kind: "prepare" }
  | { readonly kind: "close" }

export type TaskResult = readonly LedgerOutcome[] | Row[][] | Row[] | undefined

export interface TaskMessage {
  readonly id: number
  readonly task: Task
}
export type TaskAnswer =
  | { readonly id: number; readonly result: TaskResult }
  | { readonly id: number; readonly fault: ReturnType<typeof faultOf> }

/** Admin queries differ in their filters: more than these are hardly ever asked twice. */
const STATEMENTS_KEPT = 200
const WAIT_FOR_OTHERS = 5_000
/** 16 MB of pages before they are moved from the log into the database. */
const CHECKPOINT_PAGES = 4_000

const { file, role, synchronous, fault: cells }: ThreadData = workerData
const fault: Fault | undefined = cells === undefined ? undefined : faultFrom(cells)
const statements = new Map<string, StatementSync>()

let connection: DatabaseSync | undefined
let zeroes: boolean | undefined
let last: Promise<void> = Promise.resolve()
/** Calls are entered. */
let hasCalls = false
if (role === "writer") spareMemorySoon(() => hasCalls)
parentPort?.on("message", (message: TaskMessage) => {
  last = last.then(() => answer(message))
})

async function answer({ id, task }: TaskMessage): Promise<void> {
  try {
    post({ id, result: await run(task) })
  } catch (error) {
    post({ id, fault: faultOf(error) })
  }
  if (task.kind === "close") parentPort?.close()
}

function post(message: TaskAnswer): void {
  parentPort?.postMessage(message)
}

function database(): DatabaseSync {
  connection ??= connect()
  return connection
}

function connect(): DatabaseSync {
  const opened = new DatabaseSync(file, { timeout: WAIT_FOR_OTHERS, readOnly: role === "reader" })
  if (role === "writer") {
    opened.exec(`PRAGMA synchronous = ${synchronous}`)
    opened.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    opened.exec("PRAGMA cache_size = -65536")
  }
  opened.exec("PRAGMA temp_store = MEMORY")
  return opened
}

async function run(task: Task): Promise<TaskResult> {
  switch (task.kind) {
    case "ledger":
      hasCalls = true
      zeroDeleted(false)
      return transaction(() => applyBatch(session, task.jobs, task.retried))
    case "write":
      zeroDeleted(true)
      return transaction(async () => task.statements.map(query))
    case "read":
      return query(task.statement)
    case "checkpoint":
      return checkpoint()
    case "prepare":
      await prepareFile(file)
      return undefined
    case "close":
      connection?.close()
      return undefined
  }
}

/** Content is only ever touched by `write`: there what is deleted is overwritten. A call's row holds no words of anybody. */
function zeroDeleted(wanted: boolean): void {
  if (zeroes === wanted) return
  database().exec(`PRAGMA secure_delete = ${wanted ? "ON" : "OFF"}`)
  zeroes = wanted
}

const session: Session = {
  async each(statement, rows) {
    if (rows.length === 0) return []
    const ended = fault?.begin()
    const prepared = prepare(statement.one)
    const found: Row[] = []
    // Bound as they are: a column of integers takes a whole float for the integer it is, and there are no divisions here.
    for (const values of rows) {
      if (statement.returns) found.push(...readRows(prepared.all(...values)))
      else prepared.run(...values)
    }
    ended?.()
    return found
  },
}

async function transaction<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    execute("BEGIN IMMEDIATE")
    const result = await work()
    execute("COMMIT")
    return result
  } catch (error) {
    // A full disk ends a transaction by itself.
    if (connection?.isTransaction === true) connection.exec("ROLLBACK")
    throw error
  }
}

function execute(sql: string): void {
  const ended = fault?.begin()
  database().exec(sql)
  ended?.()
}

function query({ sql, parameters }: Statement): Row[] {
  const ended = fault?.begin()
  const rows = readRows(prepare(sql).all(...parameters.map(bind)))
  ended?.()
  return rows
}

/** TRUNCATE writes all pages home and leaves an empty log: what was deleted is in neither. */
function checkpoint(): undefined {
  const [row] = query({ sql: "PRAGMA wal_checkpoint(TRUNCATE)", parameters: [] })
  if (row?.["busy"] !== 0) throw new Error("the write-ahead log is being read and could not be emptied")
}

function prepare(sql: string): StatementSync {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const prepared = database().prepare(sql)
  prepared.setReadBigInts(true)
  statements.set(sql, prepared)
  if (statements.size > STATEMENTS_KEPT) statements.delete(statements.keys().next().value ?? "")
  return prepared
}

/** node:sqlite binds every number as a float, and SQLite would divide it as one. */
function bind(value: Value): SQLInputValue {
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value
}

function readRows(rows: Record<string, unknown>[]): Row[] {
  for (const row of rows) {
    for (const name in row) {
      const value = row[name]
      if (typeof value === "bigint" && value <= MOST && value >= -MOST) row[name] = Number(value)
    }
  }
  return rows as Row[]
}
const MOST = BigInt(Number.MAX_SAFE_INTEGER)
