/** Content that is kept for a time, and its end. */
import type { Engine } from "./engine.ts"
import type { Queries } from "./queries.ts"
import { changes, row, type Sql, sql } from "./sql.ts"
import type { Contents } from "./store.ts"
import { text, textOrNull } from "./values.ts"

/** A delete of a million rows in one transaction would keep the books waiting. */
const AT_ONCE = 500

export interface ExpiringContents extends Contents {
  deleteExpired(now: number, callsBefore?: number): Promise<{ contents: number; calls: number }>
}

export function createContents(engine: Engine, queries: Queries): ExpiringContents {
  return {
    async save(id, { request, answer }, expiresAt) {
      const kept = { request: text(request), answer: textOrNull(answer), expires_at: expiresAt }
      const insert = sql`INSERT INTO contents ${row({ ...kept, call_id: id })}
        ON CONFLICT (call_id) DO UPDATE SET ${changes(kept)}`
      await engine.write([queries.statement(insert)])
    },
    async get(id) {
      const found = await queries.first(sql`SELECT request, answer FROM contents WHERE call_id = ${id}`)
      if (found === undefined) return undefined
      const { request, answer } = found
      return { request: String(request), answer: answer == null ? null : String(answer) }
    },
    async deleteExpired(now, callsBefore) {
      const old = sql`SELECT call_id FROM contents WHERE expires_at <= ${now} LIMIT ${AT_ONCE}`
      const contents = await repeat(sql`DELETE FROM contents WHERE call_id IN (${old}) RETURNING call_id`)
      const calls = callsBefore === undefined ? 0 : await deleteCalls(callsBefore)
      if (contents + calls > 0) await engine.scrub()
      return { contents, calls }
    },
  }

  function deleteCalls(before: number): Promise<number> {
    const old = sql`SELECT seq FROM calls WHERE started_at < ${before} AND ending IS NOT NULL LIMIT ${AT_ONCE}`
    return repeat(sql`DELETE FROM calls WHERE seq IN (${old}) RETURNING seq`)
  }

  async function repeat(query: Sql): Promise<number> {
    let deleted = 0
    for (;;) {
      const [rows] = await engine.write([queries.statement(query)])
      deleted += rows?.length ?? 0
      if ((rows?.length ?? 0) < AT_ONCE) return deleted
    }
  }
}
