/** Reading the ledger: one call, pages, everything, and what a dead process has left behind. */
import type { CallEnding, CallRecord } from "./call-record.ts"
import { readCall } from "./call-row.ts"
import { aliveProcesses } from "./processes.ts"
import type { Queries } from "./queries.ts"
import { join, type Sql, sql, where } from "./sql.ts"
import type { CallFilter, Calls, PageQuestion } from "./store.ts"
import { StoreError } from "./store-error.ts"

const EXPORT_PAGE = 1_000
const IDS_AT_ONCE = 500

export function createCalls(queries: Queries, clock: string): Calls {
  async function page({ filter = {}, limit, cursor }: PageQuestion) {
    const conditions = conditionsOf(filter)
    if (cursor !== undefined) {
      const { startedAt, seq } = readCursor(cursor)
      conditions.push(sql`(started_at, seq) < (${startedAt}, ${seq})`)
    }
    // One more tells whether there is a next page.
    const rows = await queries.all(
      sql`SELECT * FROM calls ${where(conditions)} ORDER BY started_at DESC, seq DESC LIMIT ${limit + 1}`,
    )
    const calls = rows.slice(0, limit).map(readCall)
    const last = calls.at(-1)
    return rows.length > limit && last !== undefined
      ? { calls, next: `${last.startedAt}.${last.seq}` }
      : { calls }
  }

  return {
    page,
    async get(id) {
      const row = await queries.first(sql`SELECT * FROM calls WHERE id = ${id}`)
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
    async endings(ids) {
      const endings = new Map<string, CallEnding | null>()
      for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
        const some = ids.slice(at, at + IDS_AT_ONCE).map((id) => sql`${id}`)
        for (const { id, ending } of await queries.all(
          sql`SELECT id, ending FROM calls WHERE id IN (${join(some, ", ")})`,
        ))
          endings.set(String(id), ending == null ? null : (String(ending) as CallEnding))
      }
      return endings
    },
    async orphaned() {
      const rows = await queries.all(
        sql`SELECT * FROM calls WHERE ending IS NULL AND process NOT IN (${aliveProcesses(clock)}) ORDER BY seq`,
      )
      return rows.map(readCall)
    },
  }
}

function conditionsOf({ key, project, model, provider, ending, tag, from, to }: CallFilter): Sql[] {
  const conditions: Sql[] = []
  if (key !== undefined) conditions.push(sql`key_id = ${key}`)
  if (project !== undefined) conditions.push(sql`project_id = ${project}`)
  if (model !== undefined) conditions.push(sql`coalesce(model, model_asked) = ${model}`)
  if (provider !== undefined) conditions.push(sql`provider = ${provider}`)
  if (ending === "open") conditions.push(sql`ending IS NULL`)
  else if (ending !== undefined) conditions.push(sql`ending = ${ending}`)
  // What few calls have is in an index of its own, which is found by this condition.
  if (ending !== undefined && ending !== "open" && ending !== "finished")
    conditions.push(sql`ending <> 'finished'`)
  if (from !== undefined) conditions.push(sql`started_at >= ${from}`)
  if (to !== undefined) conditions.push(sql`started_at < ${to}`)
  if (tag !== undefined) conditions.push(hasTag(tag))
  return conditions
}

/**
 * In JSON a quote inside a string stands behind a backslash: behind a comma or bracket it begins an element. REPLACE is
 * the one search for a text as it is that both databases spell alike.
 */
function hasTag(tag: string): Sql {
  const element = JSON.stringify(tag)
  return sql`(replace(tags, ${`[${element}`}, '') <> tags OR replace(tags, ${`,${element}`}, '') <> tags)`
}

function readCursor(cursor: string): { startedAt: number; seq: number } {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor)
  if (match === null) throw new StoreError("invalid", "The cursor is not one that a page of calls has given.")
  return { startedAt: Number(match[1]), seq: Number(match[2]) }
}
