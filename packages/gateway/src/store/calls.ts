/** Reading the ledger: one call, pages, everything, and what a dead process has left behind. */
import { type SqlBool, sql } from "kysely"
import type { CallRecord } from "./call-record.ts"
import { readCall } from "./call-row.ts"
import { aliveProcesses } from "./processes.ts"
import type { CallFilter, Calls, PageQuestion } from "./store.ts"
import { StoreError } from "./store-error.ts"
import type { Queries } from "./tables.ts"

const EXPORT_PAGE = 1_000

export function createCalls(queries: Queries, clock: string): Calls {
  async function page({ filter = {}, limit, cursor }: PageQuestion) {
    let query = filtered(queries, filter)
    if (cursor !== undefined) {
      const { startedAt, seq } = readCursor(cursor)
      query = query.where(sql<SqlBool>`(started_at, seq) < (${startedAt}, ${seq})`)
    }
    const rows = await query
      .selectAll()
      .orderBy("started_at", "desc")
      .orderBy("seq", "desc")
      // One more tells whether there is a next page.
      .limit(limit + 1)
      .execute()
    const calls = rows.slice(0, limit).map(readCall)
    const last = calls.at(-1)
    return rows.length > limit && last !== undefined
      ? { calls, next: `${last.startedAt}.${last.seq}` }
      : { calls }
  }

  return {
    page,
    async get(id) {
      const row = await queries.selectFrom("calls").selectAll().where("id", "=", id).executeTakeFirst()
      return row === undefined ? undefined : readCall(row)
    },
    async *all(filter) {
      let cursor: string | undefined
      do {
        const { calls, next }: { calls: CallRecord[]; next?: string } = await page({
          filter,
          limit: EXPORT_PAGE,
          cursor,
        })
        yield* calls
        cursor = next
      } while (cursor !== undefined)
    },
    async orphaned() {
      const rows = await queries
        .selectFrom("calls")
        .selectAll()
        .where("ending", "is", null)
        .where("process", "not in", aliveProcesses(queries, clock))
        .orderBy("seq")
        .execute()
      return rows.map(readCall)
    },
  }
}

function filtered(queries: Queries, { key, project, model, provider, ending, tag, from, to }: CallFilter) {
  let query = queries.selectFrom("calls")
  if (key !== undefined) query = query.where("key_id", "=", key)
  if (project !== undefined) query = query.where("project_id", "=", project)
  if (model !== undefined) query = query.where(sql<SqlBool>`coalesce(model, model_asked) = ${model}`)
  if (provider !== undefined) query = query.where("provider", "=", provider)
  if (ending === "open") query = query.where("ending", "is", null)
  // What few calls have is in an index of its own, which is found by this condition.
  else if (ending !== undefined && ending !== "finished")
    query = query.where("ending", "=", ending).where("ending", "<>", sql.lit("finished"))
  else if (ending !== undefined) query = query.where("ending", "=", ending)
  if (from !== undefined) query = query.where("started_at", ">=", from)
  if (to !== undefined) query = query.where("started_at", "<", to)
  if (tag !== undefined) query = query.where(hasTag(tag))
  return query
}

/**
 * In JSON a quote inside a string stands behind a backslash: behind a comma or bracket it begins an element. REPLACE is
 * the one search for a text as it is that both databases spell alike.
 */
function hasTag(tag: string) {
  const element = JSON.stringify(tag)
  return sql<SqlBool>`(replace(tags, ${`[${element}`}, '') <> tags OR replace(tags, ${`,${element}`}, '') <> tags)`
}

function readCursor(cursor: string): { startedAt: number; seq: number } {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor)
  if (match === null) throw new StoreError("invalid", "The cursor is not one that a page of calls has given.")
  return { startedAt: Number(match[1]), seq: Number(match[2]) }
}
