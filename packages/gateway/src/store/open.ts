/** Puts the store together over the database that the configuration names. */
import { randomUUID } from "node:crypto"
import { moveOn, newAccount, spendOf } from "./accounts.ts"
import type { Admission } from "./admission.ts"
import type { LedgerJob, LedgerOutcome } from "./batch.ts"
import { fittingHold, fittingOpen, fittingSettled } from "./call-row.ts"
import { createCalls } from "./calls.ts"
import { createContents } from "./contents.ts"
import type { Engine, Value } from "./engine.ts"
import type { Fault } from "./fault.ts"
import { createKeyStore, createProjectStore } from "./keys.ts"
import { createLane } from "./lane.ts"
import { readAccount } from "./ledger-statements.ts"
import { createPosting } from "./posting.ts"
import { BEAT, enterProcess } from "./processes.ts"
import { createQueries } from "./queries.ts"
import { sql } from "./sql.ts"
import { openSqlite } from "./sqlite.ts"
import type { Store } from "./store.ts"
import { readUsage } from "./usage.ts"

export interface StoreOptions {
  readonly dataFolder: string
  /** Postgres; without it SQLite in the data folder. */
  readonly databaseUrl?: string | undefined
  /** `power`: a commit waits for the disk. Postgres decides that itself (`synchronous_commit`). */
  readonly durability?: "process" | "power"
  readonly log?: (line: string) => void
  /** Milliseconds that a caller waits at most to hear that its call cannot be written. */
  readonly openPatience?: number
  /** For tests. */
  readonly fault?: Fault
}

const OPEN_PATIENCE = 2_000
/** How long a change of a key may stay unknown when its announcement was lost. */
const ASK_FOR_CHANGES = 500
const CLOSE_WITHIN = 5_000
/** At a start. */
const CATCH_UP_WITHIN = 60_000

/** Throws a StoreError that stops the start: `newer_database`, `unknown_migration` or `unusable`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataFolder, databaseUrl, durability = "process", log = () => {}, fault } = options
  const engine =
    databaseUrl === undefined
      ? await openSqlite({ dataFolder, durability, fault })
      : await (await import("./postgres.ts")).openPostgres({ databaseUrl, fault, log })
  try {
    return await createStore(engine, options.openPatience ?? OPEN_PATIENCE, log)
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function createStore(
  engine: Engine,
  openPatience: number,
  log: (line: string) => void,
): Promise<Store> {
  const process = `process-${randomUUID()}`
  const queries = createQueries(engine)
  const lane = createLane<LedgerJob, LedgerOutcome>({
    execute: engine.ledger,
    patience: (job) =>
      (job.kind === "open" && !job.posted) || job.kind === "extend" ? openPatience : Number.POSITIVE_INFINITY,
    mayWait: (job) => job.kind === "settle" && job.mayWait,
    abandoned({ kind, id }) {
      if (kind === "open") void push({ kind: "abandon", id }).catch(() => {})
    },
  })
  const processes = await enterProcess(engine, queries, process)
  const contents = createContents(engine, queries)
  let closing: Promise<void> | undefined

  const push = async (job: LedgerJob): Promise<boolean> => (await lane.push(job)) === true
  const ask = async (job: LedgerJob): Promise<Admission> => {
    const outcome = await lane.push(job)
    if (typeof outcome === "boolean") throw new Error(`a job '${job.kind}' is answered with an admission`)
    return outcome
  }

  const posting = createPosting({ push: lane.push, log })
  /** The books are asked when they know of all that was posted. */
  const posted =
    <Question extends unknown[], Answer>(ask: (...question: Question) => Promise<Answer>) =>
    async (...question: Question): Promise<Answer> => {
      await posting.flush()
      return ask(...question)
    }
  const calls = createCalls(queries, engine.clock)
  /** What the process before had posted may be missing, and nobody has looked yet. */
  let behind = engine.kind === "sqlite" && processes.foundAnother

  async function beat(): Promise<number> {
    const released = await Promise.all((await processes.beat()).map((id) => push({ kind: "release", id })))
    return released.filter(Boolean).length
  }
  await beat()
  const heart = setInterval(() => {
    beat().catch((error: unknown) => log(`store: could not say that this process is alive: ${error}`))
  }, BEAT).unref()
  const stopWatching = engine.kind === "postgres" ? watchFeed() : () => {}

  /** Announcements travel over a connection that may break; the number of the newest change does not get lost. */
  function watchFeed(): () => void {
    let seen: Value | undefined
    const timer = setInterval(async () => {
      const version = await queries.first(sql`SELECT version FROM key_feed`).then(
        (row) => row?.["version"],
        () => undefined,
      )
      if (version === undefined || version === seen) return
      seen = version
      engine.announce()
    }, ASK_FOR_CHANGES).unref()
    return () => clearInterval(timer)
  }

  return {
    kind: engine.kind,
    process,
    openCall(call) {
      // A limit that was set just now sees what is running.
      posting.post()
      return ask({ kind: "open", id: call.id, call: fittingOpen(call), process, posted: false })
    },
    afterKill: processes.foundAnother,
    caughtUp: async () => {
      await posting.flush(CATCH_UP_WITHIN)
      behind = posting.owes()
    },
    mayPost: () => engine.kind === "sqlite" && !posting.isBehind(),
    postCall: (call, by = process) => posting.open(fittingOpen(call), by),
    postSettlement: (call, entered) => posting.settle(fittingSettled(call), entered),
    extendHold(id, to, at) {
      posting.post()
      return ask({ kind: "extend", id, to: fittingHold(to), at })
    },
    settleCall: async (call, mayWait = false) =>
      push({ kind: "settle", id: call.id, call: fittingSettled(call), mayWait }),
    async countResume(id) {
      posting.post()
      await push({ kind: "resumed", id })
    },
    calls: {
      get: posted(calls.get),
      page: posted(calls.page),
      async *all(filter) {
        await posting.flush()
        yield* calls.all(filter)
      },
      endings: posted(calls.endings),
      orphaned: posted(calls.orphaned),
    },
    keys: createKeyStore(engine, queries),
    projects: createProjectStore(engine, queries),
    contents,
    usage: posted((question) => readUsage(queries, question)),
    spend: posted(async (of, id, at) => {
      const subject = `${of}:${id}`
      const row = await queries.first(sql`SELECT * FROM accounts WHERE subject = ${subject}`)
      const account = row === undefined ? newAccount(subject) : readAccount(row)
      moveOn(account, at)
      return spendOf(account)
    }),
    async setting(name, chosen) {
      const mine = sql`INSERT INTO settings (name, value) VALUES (${name}, ${chosen()}) ON CONFLICT DO NOTHING`
      const known = sql`SELECT value FROM settings WHERE name = ${name}`
      const [, rows] = await engine.write([mine, known].map(queries.statement))
      return String(rows?.[0]?.["value"])
    },
    beat,
    deleteExpired: contents.deleteExpired,
    close(within = CLOSE_WITHIN) {
      closing ??= close(within)
      return closing
    },
  }

  async function close(within: number): Promise<void> {
    clearInterval(heart)
    stopWatching()
    posting.post()
    // Whoever leaves has entered everything; the next start looks for what the others have not.
    const done = await lane.close(within)
    if (done && !behind && !posting.owes()) await processes.leave().catch(() => {})
    await engine.close()
  }
}
