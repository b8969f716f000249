/** Content that is kept for a time, and its end. */
import type { Engine } from "./engine.ts"
import type { Contents } from "./store.ts"
import { type Queries, statement } from "./tables.ts"
import { text, textOrNull } from "./values.ts"

/** A delete of a million rows in one transaction would keep the books waiting. */
const AT_ONCE = 500

export interface ExpiringContents extends Contents {
  deleteExpired(now: number, callsBefore?: number): Promise<{ contents: number; calls: number }>
}

export function createContents(engine: Engine, queries: Queries): ExpiringContents {
  return {
    async save(id, { request, answer }, expiresAt) {
      const row = { request: text(request), answer: textOrNull(answer), expires_at: expiresAt }
      const insert = queries
        .insertInto("contents")
        .values({ ...row, call_id: id })
        .onConflict((conflict) => conflict.column("call_id").doUpdateSet(row))
      await engine.write([statement(insert)])
    },
    async get(id) {
      return queries
        .selectFrom("contents")
        .select(["request", "answer"])
        .where("call_id", "=", id)
        .executeTakeFirst()
    },
    async deleteExpired(now, callsBefore) {
      const oldContents = queries
        .selectFrom("contents")
        .select("call_id")
        .where("expires_at", "<=", now)
        .limit(AT_ONCE)
      const contents = await repeat(
        queries.deleteFrom("contents").where("call_id", "in", oldContents).returning("call_id"),
      )
      const calls = callsBefore === undefined ? 0 : await deleteCalls(callsBefore)
      if (contents + calls > 0) await engine.scrub()
      return { contents, calls }
    },
  }

  function deleteCalls(before: number): Promise<number> {
    const old = queries
      .selectFrom("calls")
      .select("seq")
      .where("started_at", "<", before)
      .where("ending", "is not", null)
      .limit(AT_ONCE)
    return repeat(queries.deleteFrom("calls").where("seq", "in", old).returning("seq"))
  }

  async function repeat(query: Parameters<typeof statement>[0]): Promise<number> {
    let deleted = 0
    for (;;) {
      const [rows] = await engine.write([statement(query)])
      deleted += rows?.length ?? 0
      if ((rows?.length ?? 0) < AT_ONCE) return deleted
    }
  }
}
