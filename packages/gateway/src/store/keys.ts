/**
 * Keys and projects. Every change takes the next number of the feed, under the lock of its one row, so the numbers are
 * in the order of the commits: whoever has seen all up to n misses nothing by asking for what comes after n.
 */
import type { Engine, Row } from "./engine.ts"
import type {
  Budget,
  KeyChange,
  KeyPatch,
  KeyRecord,
  NewKey,
  ProjectPatch,
  ProjectRecord,
} from "./key-record.ts"
import { readBudget, readTerms } from "./ledger-statements.ts"
import type { Queries } from "./queries.ts"
import { changes, type RowOf, row, type Sql, sql, words } from "./sql.ts"
import type { Keys, Projects } from "./store.ts"
import { StoreError } from "./store-error.ts"
import { flag, fromJson, json, text, textOrNull } from "./values.ts"

export function createKeyStore(engine: Engine, queries: Queries): Keys {
  const nextVersion = queries.statement(sql`UPDATE key_feed SET version = version + 1`)
  const version = sql`(SELECT version FROM key_feed)`

  /** The rows that a change of keys gives back. */
  async function write(change: Sql): Promise<Row[]> {
    const [, rows = []] = await engine.write([nextVersion, queries.statement(change)], true)
    return rows
  }

  async function get(id: string): Promise<KeyRecord | undefined> {
    const found = await queries.first(sql`SELECT * FROM keys WHERE id = ${id} AND deleted_at IS NULL`)
    return found === undefined ? undefined : readKey(found)
  }

  return {
    get,
    async create(key) {
      const columns = { ...keyColumns(key), id: text(key.id), created_at: key.createdAt, version }
      const [created] = await write(sql`INSERT INTO keys ${row(columns)} RETURNING *`)
      return readKey(created!)
    },
    async list() {
      const rows = await queries.all(
        sql`SELECT * FROM keys WHERE deleted_at IS NULL ORDER BY created_at DESC, id`,
      )
      return rows.map(readKey)
    },
    async patch(id, patch) {
      const columns = { ...keyColumns(patch), version }
      const [patched] = await write(
        sql`UPDATE keys SET ${changes(columns)} WHERE id = ${id} AND deleted_at IS NULL RETURNING *`,
      )
      return patched === undefined ? undefined : readKey(patched)
    },
    async delete(id) {
      const columns = { deleted_at: words(engine.clock), hash: "", prefix: "", previous_hash: null, version }
      const deleted = await write(
        sql`UPDATE keys SET ${changes(columns)} WHERE id = ${id} AND deleted_at IS NULL RETURNING id`,
      )
      return deleted.length === 1
    },
    async changes(after) {
      const rows = await queries.all(sql`SELECT * FROM keys WHERE version > ${after} ORDER BY version`)
      return rows.map(
        (row): KeyChange => ({
          id: String(row["id"]),
          version: Number(row["version"]),
          key: row["deleted_at"] === null ? readKey(row) : undefined,
        }),
      )
    },
    onChange: (listener) => engine.onAnnounced(listener),
  }
}

export function createProjectStore(engine: Engine, queries: Queries): Projects {
  async function get(id: string): Promise<ProjectRecord | undefined> {
    const found = await queries.first(sql`SELECT * FROM projects WHERE id = ${id} AND deleted_at IS NULL`)
    return found === undefined ? undefined : readProject(found)
  }

  async function write(change: Sql): Promise<Row | undefined> {
    const [rows = []] = await engine.write([queries.statement(change)], true)
    return rows[0]
  }

  return {
    get,
    async create(project) {
      const columns = { ...projectColumns(project), id: text(project.id), created_at: project.createdAt }
      const created = await write(sql`INSERT INTO projects ${row(columns)} RETURNING *`)
      return readProject(created!)
    },
    async list() {
      const rows = await queries.all(
        sql`SELECT * FROM projects WHERE deleted_at IS NULL ORDER BY created_at DESC, id`,
      )
      return rows.map(readProject)
    },
    async patch(id, patch) {
      const columns = projectColumns(patch)
      if (Object.keys(columns).length === 0) return get(id)
      const patched = await write(
        sql`UPDATE projects SET ${changes(columns)} WHERE id = ${id} AND deleted_at IS NULL RETURNING *`,
      )
      return patched === undefined ? undefined : readProject(patched)
    },
    async delete(id) {
      const members = sql`SELECT id FROM keys WHERE project_id = ${id} AND deleted_at IS NULL`
      const deleted = await write(
        sql`UPDATE projects SET deleted_at = ${words(engine.clock)}
          WHERE id = ${id} AND deleted_at IS NULL AND NOT EXISTS (${members}) RETURNING id`,
      )
      if (deleted !== undefined) return true
      if ((await queries.first(members)) === undefined) return false
      throw new StoreError(
        "conflict",
        "The project has keys: delete them or move them to another project first.",
      )
    },
  }
}

/** The columns of what a patch names, and of nothing else. */
function keyColumns(patch: KeyPatch | NewKey): RowOf {
  return {
    ...(patch.name === undefined ? {} : { name: text(patch.name) }),
    ...(patch.project === undefined ? {} : { project_id: patch.project }),
    ...(patch.tags === undefined ? {} : { tags: json(patch.tags) }),
    ...(patch.admin === undefined ? {} : { admin: flag(patch.admin) }),
    ...(patch.prefix === undefined ? {} : { prefix: patch.prefix }),
    ...(patch.hash === undefined ? {} : { hash: patch.hash }),
    ...("previousHash" in patch ? { previous_hash: patch.previousHash ?? null } : {}),
    ...("previousUntil" in patch ? { previous_until: patch.previousUntil ?? null } : {}),
    ...(patch.models === undefined ? {} : { models: jsonOrNull(patch.models) }),
    ...(patch.providers === undefined ? {} : { providers: jsonOrNull(patch.providers) }),
    ...budgetColumns(patch.budget),
    ...(patch.limits === undefined
      ? {}
      : {
          limit_requests: patch.limits.requestsPerMinute,
          limit_tokens: patch.limits.tokensPerMinute,
          limit_parallel: patch.limits.parallel,
        }),
    ...(patch.onDisconnect === undefined ? {} : { on_disconnect: textOrNull(patch.onDisconnect) }),
    ...(patch.dialect === undefined ? {} : { dialect: textOrNull(patch.dialect) }),
    ...(patch.forbidDetach === undefined ? {} : { forbid_detach: flag(patch.forbidDetach) }),
    ...(patch.logContent === undefined ? {} : { log_content: flag(patch.logContent) }),
    ...(patch.disabled === undefined ? {} : { disabled: flag(patch.disabled) }),
    ...(patch.expiresAt === undefined ? {} : { expires_at: patch.expiresAt }),
  }
}

function projectColumns(patch: ProjectPatch): RowOf {
  return {
    ...(patch.name === undefined ? {} : { name: text(patch.name) }),
    ...budgetColumns(patch.budget),
  }
}

function budgetColumns(budget: Budget | null | undefined): RowOf {
  if (budget === undefined) return {}
  return { budget_amount: budget?.amount ?? null, budget_period: budget?.period ?? null }
}

function jsonOrNull(value: readonly string[] | null): string | null {
  return value === null ? null : json(value)
}

function readKey(row: Row): KeyRecord {
  const string = (name: string) => String(row[name])
  const stringOrNull = (name: string) => (row[name] == null ? null : String(row[name]))
  const numberOrNull = (name: string) => (row[name] == null ? null : Number(row[name]))
  const listOrNull = (name: string) => (row[name] == null ? null : fromJson<string[]>(row[name]))
  return {
    id: string("id"),
    name: string("name"),
    project: stringOrNull("project_id"),
    tags: fromJson<string[]>(row["tags"]),
    admin: row["admin"] === 1,
    prefix: string("prefix"),
    hash: string("hash"),
    previousHash: stringOrNull("previous_hash"),
    previousUntil: numberOrNull("previous_until"),
    models: listOrNull("models"),
    providers: listOrNull("providers"),
    budget: readBudget(row),
    limits: readTerms(row).limits,
    onDisconnect: stringOrNull("on_disconnect"),
    dialect: stringOrNull("dialect"),
    forbidDetach: row["forbid_detach"] === 1,
    logContent: row["log_content"] === 1,
    disabled: row["disabled"] === 1,
    expiresAt: numberOrNull("expires_at"),
    createdAt: Number(row["created_at"]),
    version: Number(row["version"]),
  }
}

function readProject(row: Row): ProjectRecord {
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    budget: readBudget(row),
    createdAt: Number(row["created_at"]),
  }
}
