/**
 * The tables, as the steps that lead to them. Forward only: a step that has been released is never changed, the next
 * one is added below it. The texts are the same for both databases but for the few words in `Words`.
 *
 * `migrate` runs under the database's own lock, so that of several processes that start at once one does the work and
 * the others find it done; and it looks before it touches anything.
 */
import type { Row } from "./engine.ts"
import { StoreError } from "./store-error.ts"

export interface Words {
  readonly integer: string
  readonly real: string
  /** A number that the database gives, in the order of writing. */
  readonly sequence: string
  /** What stands behind a table's columns; `clustered`: it is kept in the order of its primary key. */
  readonly table: string
  readonly clustered: string
}

export const SQLITE_WORDS: Words = {
  integer: "INTEGER",
  real: "REAL",
  sequence: "INTEGER PRIMARY KEY AUTOINCREMENT",
  table: "STRICT",
  clustered: "STRICT, WITHOUT ROWID",
}

export const POSTGRES_WORDS: Words = {
  integer: "bigint",
  real: "double precision",
  sequence: "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
  table: "",
  clustered: "",
}

interface Migration {
  readonly name: string
  readonly statements: (words: Words) => readonly string[]
}

export const MIGRATIONS: readonly Migration[] = [{ name: "001-ledger", statements: ledger }]

/** Runs statements one after another, within a transaction that holds the database's lock. */
export type Run = (sql: string) => Promise<Row[]>

/** Brings the database to the newest state. Throws a StoreError, having changed nothing, if it cannot. */
export async function migrate(
  run: Run,
  words: Words,
  tableExists: boolean,
  known: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const rows = tableExists ? await run("SELECT name FROM migrations ORDER BY name") : []
  const applied = rows.map(({ name }) => String(name))
  check(applied, known)
  if (!tableExists)
    await run(
      `CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at ${words.integer} NOT NULL) ${words.table}`,
    )
  for (const { name, statements } of known.slice(applied.length)) {
    for (const sql of statements(words)) await run(sql)
    await run(`INSERT INTO migrations (name, applied_at) VALUES ('${name}', ${Date.now()})`)
  }
}

/** Whether this version can use a database of that state: how many steps are to come. Throws a StoreError if it cannot. */
export function stepsToCome(applied: readonly string[], known: readonly Migration[] = MIGRATIONS): number {
  check(applied, known)
  return known.length - applied.length
}

function check(applied: readonly string[], known: readonly Migration[]): void {
  for (const [index, name] of applied.entries()) {
    if (known[index]?.name === name) continue
    const newest = known.at(-1)?.name ?? ""
    if (name > newest) {
      throw new StoreError(
        "newer_database",
        `The database was written by a newer version of Sluice (it has migration '${name}', this version ends at '${newest}'): start that version, or give this one another database.`,
      )
    }
    throw new StoreError(
      "unknown_migration",
      `The database has a migration '${name}' that this version of Sluice does not know: it was not written by a released version, so give this one another database.`,
    )
  }
}

function ledger({ integer, real, sequence, table, clustered }: Words): string[] {
  const count = `${integer} NOT NULL DEFAULT 0`
  return [
    `CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) ${table}`,

    // One row: the number of the newest change of a key or a project.
    `CREATE TABLE key_feed (version ${integer} NOT NULL) ${table}`,
    "INSERT INTO key_feed (version) VALUES (0)",

    `CREATE TABLE projects (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, budget_amount ${integer}, budget_period TEXT,
      created_at ${integer} NOT NULL, deleted_at ${integer}
    ) ${table}`,

    `CREATE TABLE keys (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, project_id TEXT, tags TEXT NOT NULL, admin ${count},
      prefix TEXT NOT NULL, hash TEXT NOT NULL, previous_hash TEXT, previous_until ${integer},
      models TEXT, providers TEXT, budget_amount ${integer}, budget_period TEXT,
      limit_requests ${integer}, limit_tokens ${integer}, limit_parallel ${integer},
      on_disconnect TEXT, dialect TEXT, forbid_detach ${count}, log_content ${count}, disabled ${count},
      expires_at ${integer}, created_at ${integer} NOT NULL, deleted_at ${integer}, version ${integer} NOT NULL
    ) ${table}`,
    "CREATE INDEX keys_by_version ON keys (version)",
    "CREATE INDEX keys_by_prefix ON keys (prefix)",
    "CREATE UNIQUE INDEX keys_by_hash ON keys (hash) WHERE deleted_at IS NULL",

    `CREATE TABLE processes (id TEXT PRIMARY KEY, started_at ${integer} NOT NULL, beat_at ${integer} NOT NULL) ${table}`,

    // Columns from `ending` on are the settlement's. An open row holds `held` and a parallel slot while `holding` is 1,
    // which becomes 0 only when its process is taken for dead.
    `CREATE TABLE calls (
      seq ${sequence}, id TEXT NOT NULL, process TEXT NOT NULL, key_id TEXT NOT NULL, project_id TEXT,
      dialect TEXT NOT NULL, dialect_rule TEXT NOT NULL, model_asked TEXT NOT NULL, streamed ${integer} NOT NULL,
      client TEXT, client_request_id TEXT, tags TEXT NOT NULL, started_at ${integer} NOT NULL,
      held ${count}, held_tokens ${count}, holding ${integer} NOT NULL DEFAULT 1,
      ending TEXT, reason TEXT, ended_at ${integer}, model TEXT, provider TEXT, attempts TEXT NOT NULL DEFAULT '[]',
      prompt_tokens ${count}, completion_tokens ${count}, reasoning_tokens ${count}, cached_tokens ${count},
      audio_tokens ${count}, cost ${integer}, estimated ${count}, flags TEXT NOT NULL DEFAULT '[]',
      first_content_at ${integer}, time_to_first_content ${real}, tokens_per_second ${real},
      gap_p50 ${real}, gap_p99 ${real}, longest_stall ${real}, resumed ${count}
    ) ${table}`,
    "CREATE UNIQUE INDEX calls_by_id ON calls (id)",
    "CREATE INDEX calls_by_start ON calls (started_at, seq)",
    "CREATE INDEX calls_by_key ON calls (key_id, started_at, seq)",
    "CREATE INDEX calls_open ON calls (started_at, seq) WHERE ending IS NULL",
    "CREATE INDEX calls_unfinished ON calls (ending, started_at, seq) WHERE ending <> 'finished'",

    `CREATE TABLE accounts (
      subject TEXT PRIMARY KEY, held ${count}, running ${count},
      day_start ${count}, day_spent ${count}, week_start ${count}, week_spent ${count},
      month_start ${count}, month_spent ${count}, total_spent ${count},
      minute_start ${count}, requests ${count}, tokens ${count}, last_requests ${count}, last_tokens ${count}
    ) ${table}`,

    // Settled calls added up. Each call is in the rows of tag '' and again in those of each of its tags; by hours and
    // again by days, so that a year is not added up from hours.
    `CREATE TABLE usage_totals (
      grain TEXT NOT NULL, tag TEXT NOT NULL, start ${integer} NOT NULL, key_id TEXT NOT NULL, project_id TEXT NOT NULL,
      model TEXT NOT NULL, provider TEXT NOT NULL, ending TEXT NOT NULL,
      calls ${count}, prompt_tokens ${count}, completion_tokens ${count}, reasoning_tokens ${count},
      cached_tokens ${count}, audio_tokens ${count}, cost ${count}, unpriced ${count}, estimated ${count}, resumed ${count},
      PRIMARY KEY (grain, tag, start, key_id, project_id, model, provider, ending)
    ) ${clustered}`,

    `CREATE TABLE contents (
      call_id TEXT PRIMARY KEY, request TEXT NOT NULL, answer TEXT, expires_at ${integer} NOT NULL
    ) ${table}`,
    "CREATE INDEX contents_by_expiry ON contents (expires_at)",
  ]
}
