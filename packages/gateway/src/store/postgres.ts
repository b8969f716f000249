/**
 * Postgres, for several processes: a small pool, a connection that listens for announcements, and the lane's batches
 * as multi-row statements. A connection that fails is thrown away; the lane tries its batch again on another.
 */
import pg from "pg"
import { applyBatch } from "./batch.ts"
import type { Engine, Row, Session, Statement } from "./engine.ts"
import type { Fault } from "./fault.ts"
import { migrate, POSTGRES_WORDS } from "./migrations.ts"
import { StoreError } from "./store-error.ts"

export interface PostgresOptions {
  readonly databaseUrl: string
  readonly fault?: Fault | undefined
  readonly log: (line: string) => void
}

const CONNECTIONS = 4
const CONNECT_WITHIN = 5_000
const STATEMENT_WITHIN = 30_000
const RECONNECT_AFTER = 500
const CHANNEL = "sluice_keys"
/** A number of ours for the lock under which migrations run. */
const MIGRATION_LOCK = 7_588_423_001

export async function openPostgres({ databaseUrl, fault, log }: PostgresOptions): Promise<Engine> {
  const settings = {
    connectionString: databaseUrl,
    types: { getTypeParser: parserOf },
    connectionTimeoutMillis: CONNECT_WITHIN,
    statement_timeout: STATEMENT_WITHIN,
    // A server that has fallen silent ends no statement, so the client does.
    query_timeout: STATEMENT_WITHIN + CONNECT_WITHIN,
    keepAlive: true,
    application_name: "sluice",
  }
  const pool = new pg.Pool({ ...settings, max: CONNECTIONS })
  // A connection that breaks says so to whoever uses it, and is replaced; without listeners it would end the process.
  pool.on("error", () => {})
  pool.on("connect", (client) => client.on("error", () => {}))
  const listeners: (() => void)[] = []
  let closed = false
  let listening: pg.Client | undefined
  let reconnecting: NodeJS.Timeout | undefined

  try {
    await transaction(async (client) => {
      const run = async (sql: string): Promise<Row[]> => (await client.query(sql)).rows
      await run(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`)
      const [table] = await run("SELECT to_regclass('migrations')::text AS name")
      await migrate(run, POSTGRES_WORDS, table?.["name"] != null)
    })
  } catch (error) {
    await pool.end()
    throw error instanceof StoreError && error.code === "unavailable"
      ? new StoreError(
          "unusable",
          `The database at ${place(databaseUrl)} cannot be used: ${error.message}`,
          error,
        )
      : error
  }
  await listen()

  /** Between two connections an announcement may be missed, so a new one counts as one. */
  async function listen(): Promise<void> {
    const client = new pg.Client(settings)
    const lost = (): void => {
      if (closed || listening !== client) return
      listening = undefined
      reconnecting = setTimeout(() => void listen(), RECONNECT_AFTER)
    }
    listening = client
    client.on("error", lost)
    client.on("end", lost)
    client.on("notification", tell)
    try {
      await client.connect()
      await client.query(`LISTEN ${CHANNEL}`)
      tell()
    } catch (error) {
      log(`store: cannot listen for changes of keys, and asks for them instead: ${messageOf(error)}`)
      lost()
      await client.end().catch(() => {})
    }
  }

  function tell(): void {
    for (const listener of listeners) listener()
  }

  async function transaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    let client: pg.PoolClient | undefined
    try {
      client = await pool.connect()
      await send(client, "BEGIN")
      const result = await work(client)
      await send(client, "COMMIT")
      client.release()
      return result
    } catch (error) {
      // Whether it can still be used is not known, and a new connection costs a millisecond.
      client?.release(true)
      throw errorFrom(error)
    }
  }

  async function send(client: pg.PoolClient, sql: string, values?: readonly unknown[]): Promise<Row[]> {
    const ended = fault?.begin()
    const { rows } = await client.query<Row>(sql, values === undefined ? undefined : [...values])
    ended?.()
    return rows
  }

  function sessionOf(client: pg.PoolClient): Session {
    return {
      async each({ many }, rows) {
        const first = rows[0]
        if (first === undefined) return []
        const ended = fault?.begin()
        const columns = first.map((_, column) => rows.map((row) => row[column]))
        const result = await client.query<Row>({ name: nameOf(many), text: many, values: columns })
        ended?.()
        return result.rows
      },
    }
  }

  return {
    kind: "postgres",
    clock: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
    ledger: (jobs, retried) => transaction((client) => applyBatch(sessionOf(client), jobs, retried)),
    write: (statements, announce = false) =>
      transaction(async (client) => {
        const rows: Row[][] = []
        for (const { sql, parameters } of statements) rows.push(await send(client, sql, parameters))
        // Told to all, this process included, when the transaction is committed.
        if (announce) await send(client, `NOTIFY ${CHANNEL}`)
        return rows
      }),
    async read({ sql, parameters }: Statement) {
      try {
        const ended = fault?.begin()
        const { rows } = await pool.query<Row>(sql, [...parameters])
        ended?.()
        return rows
      } catch (error) {
        throw errorFrom(error)
      }
    },
    onAnnounced: (listener) => void listeners.push(listener),
    announce: tell,
    async scrub() {
      // Outside of a transaction: VACUUM cannot be in one.
      await pool.query("VACUUM contents").catch((error: unknown) => Promise.reject(errorFrom(error)))
    },
    async close() {
      closed = true
      clearTimeout(reconnecting)
      await listening?.end().catch(() => {})
      await pool.end()
    },
  }
}

/** Runs statements in a transaction that may only read, over a connection of its own. */
export async function readPostgres<Result>(
  databaseUrl: string,
  within: number,
  read: (run: (sql: string) => Promise<Row[]>) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    types: { getTypeParser: parserOf },
    connectionTimeoutMillis: within,
    query_timeout: within,
    application_name: "sluice doctor",
  })
  client.on("error", () => {})
  try {
    await client.connect()
    await client.query("BEGIN READ ONLY")
    return await read(async (sql) => (await client.query<Row>(sql)).rows)
  } catch (error) {
    const message = `The database at ${place(databaseUrl)} cannot be used: ${messageOf(error)}.`
    throw error instanceof StoreError ? error : new StoreError("unusable", message, error)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Prepared once per connection, under a name that is short and stays. */
const names = new Map<string, string>()
function nameOf(sql: string): string {
  let name = names.get(sql)
  if (name === undefined) {
    name = `s${names.size + 1}`
    names.set(sql, name)
  }
  return name
}

const INT8 = 20
const INT4 = 23
const NUMERIC = 1700
const FLOAT8 = 701

/** Whole numbers come as SQLite's do. */
function parserOf(type: number): (text: string) => unknown {
  if (type === INT8 || type === INT4 || type === NUMERIC) return readInteger
  return type === FLOAT8 ? Number : String
}

function readInteger(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

function errorFrom(error: unknown): unknown {
  if (error instanceof StoreError) return error
  const state = error instanceof pg.DatabaseError ? (error.code ?? "") : ""
  const message = messageOf(error)
  if (state.startsWith("23"))
    return new StoreError("conflict", `The database refused a row: ${message}.`, error)
  if (/^(22|42)/.test(state)) {
    return new StoreError("invalid", `The database did not understand the store: ${message}.`, error)
  }
  return new StoreError("unavailable", `The database failed: ${message}.`, error)
}

/** A refused connection to a host with several addresses is an error without a message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ")
  return error instanceof Error ? error.message : String(error)
}

/** The address alone: the rest of the URL is a credential. */
function place(databaseUrl: string): string {
  return URL.canParse(databaseUrl) ? new URL(databaseUrl).host : "DATABASE_URL"
}
