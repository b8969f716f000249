/**
 * Keys and projects. Every change takes the next number of the feed, under the lock of its one row, so the numbers are
 * in the order of the commits: whoever has seen all up to n misses nothing by asking for what comes after n.
 */
import { sql } from "kysely"
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
import type { Keys, Projects } from "./store.ts"
import { StoreError } from "./store-error.ts"
import { type Queries, statement } from "./tables.ts"
import { flag, fromJson, json, text, textOrNull } from "./values.ts"

export function createKeyStore(engine: Engine, queries: Queries): Keys {
  const nextVersion = statement(queries.updateTable("key_feed").set({ version: sql`version + 1` }))
  const version = sql<number>`(SELECT version FROM key_feed)`

  async function get(id: string): Promise<KeyRecord | undefined> {
    const row = await queries
      .selectFrom("keys")
      .selectAll()
      .where("id", "=", id)
      .where("deleted_at", "is", null)
      .executeTakeFirst()
    return row === undefined ? undefined : readKey(row)
  }

  return {
    get,
    async create(key) {
      const columns = { ...keyColumns(key), id: text(key.id), created_at: key.createdAt, version }
      const insert = queries
        .insertInto("keys")
        .values(columns as never)
        .returningAll()
      const [, rows] = await engine.write([nextVersion, statement(insert)], true)
      return readKey(rows![0]!)
    },
    async list() {
      const rows = await queries
        .selectFrom("keys")
        .selectAll()
        .where("deleted_at", "is", null)
        .orderBy("created_at", "desc")
        .orderBy("id")
        .execute()
      return rows.map(readKey)
    },
    async patch(id, patch) {
      const update = queries
        .updateTable("keys")
        .set({ ...keyColumns(patch), version })
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .returningAll()
      const [, rows] = await engine.write([nextVersion, statement(update)], true)
      return rows?.[0] === undefined ? undefined : readKey(rows[0])
    },
    async delete(id) {
      const update = queries
        .updateTable("keys")
        .set({
          deleted_at: sql<number>`${sql.raw(engine.clock)}`,
          hash: "",
          prefix: "",
          previous_hash: null,
          version,
        })
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .returning("id")
      const [, rows] = await engine.write([nextVersion, statement(update)], true)
      return rows?.length === 1
    },
    async changes(after) {
      const rows = await queries
        .selectFrom("keys")
        .selectAll()
        .where("version", ">", after)
        .orderBy("version")
        .execute()
      return rows.map(
        (row): KeyChange => ({
          id: row.id,
          version: row.version,
          key: row.deleted_at === null ? readKey(row) : undefined,
        }),
      )
    },
    onChange: (listener) => engine.onAnnounced(listener),
  }
}

export function createProjectStore(engine: Engine, queries: Queries): Projects {
  const live = queries.selectFrom("projects").selectAll().where("deleted_at", "is", null)

  async function get(id: string): Promise<ProjectRecord | undefined> {
    const row = await live.where("id", "=", id).executeTakeFirst()
    return row === undefined ? undefined : readProject(row)
  }

  return {
    get,
    async create(project) {
      const columns = { ...projectColumns(project), id: text(project.id), created_at: project.createdAt }
      const insert = queries
        .insertInto("projects")
        .values(columns as never)
        .returningAll()
      const [rows] = await engine.write([statement(insert)], true)
      return readProject(rows![0]!)
    },
    async list() {
      const rows = await live.orderBy("created_at", "desc").orderBy("id").execute()
      return rows.map(readProject)
    },
    async patch(id, patch) {
      const columns = projectColumns(patch)
      if (Object.keys(columns).length === 0) return get(id)
      const update = queries
        .updateTable("projects")
        .set(columns)
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .returningAll()
      const [rows] = await engine.write([statement(update)], true)
      return rows?.[0] === undefined ? undefined : readProject(rows[0])
    },
    async delete(id) {
      const members = queries
        .selectFrom("keys")
        .select("id")
        .where("project_id", "=", id)
        .where("deleted_at", "is", null)
      const update = queries
        .updateTable("projects")
        .set({ deleted_at: sql<number>`${sql.raw(engine.clock)}` })
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .where(({ not, exists }) => not(exists(members)))
        .returning("id")
      const [rows] = await engine.write([statement(update)], true)
      if (rows?.length === 1) return true
      if ((await members.execute()).length === 0) return false
      throw new StoreError(
        "conflict",
        "The project has keys: delete them or move them to another project first.",
      )
    },
  }
}

/** The columns of what a patch names, and of nothing else. */
function keyColumns(patch: KeyPatch | NewKey) {
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

function projectColumns(patch: ProjectPatch) {
  return {
    ...(patch.name === undefined ? {} : { name: text(patch.name) }),
    ...budgetColumns(patch.budget),
  }
}

function budgetColumns(budget: Budget | null | undefined) {
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
