/**
 * Which processes are alive. Each says so every BEAT; one that has not for DEAD_AFTER is gone, and the others release
 * what its calls hold. By the database's clock, so that no process's own can kill another. One that was only slow
 * writes itself in again; its calls go on, paid when they are settled, without a hold until then.
 */
import { type RawBuilder, sql } from "kysely"
import type { Engine } from "./engine.ts"
import { type Queries, statement } from "./tables.ts"

export const BEAT = 5_000
const DEAD_AFTER = 30_000

export interface Processes {
  /** The ids of open calls that hold something for a process that is gone. */
  beat(): Promise<string[]>
  leave(): Promise<void>
}

export async function enterProcess(engine: Engine, queries: Queries, id: string): Promise<Processes> {
  const now = sql<number>`${sql.raw(engine.clock)}`
  const alive = statement(
    queries
      .insertInto("processes")
      .values({ id, started_at: now, beat_at: now } as never)
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ beat_at: now })),
  )
  const buryOthers = statement(
    engine.kind === "sqlite"
      ? // The data folder has one owner: whoever is in here as well was its owner before.
        queries.deleteFrom("processes").where("id", "<>", id)
      : queries.deleteFrom("processes").where("beat_at", "<=", deadline(engine.clock)),
  )

  const leftBehind = statement(
    queries
      .selectFrom("calls")
      .select("id")
      .where("ending", "is", null)
      .where("holding", "=", 1)
      .where("process", "not in", aliveProcesses(queries, engine.clock)),
  )

  return {
    /** All in one: SQLite's reading thread would never rest if it were asked every few seconds. */
    async beat() {
      const [, , rows = []] = await engine.write([alive, buryOthers, leftBehind])
      return rows.map(({ id }) => String(id))
    },
    async leave() {
      await engine.write([statement(queries.deleteFrom("processes").where("id", "=", id))])
    },
  }
}

export function aliveProcesses(queries: Queries, clock: string) {
  return queries.selectFrom("processes").select("id").where("beat_at", ">", deadline(clock))
}

function deadline(clock: string): RawBuilder<number> {
  return sql<number>`${sql.raw(clock)} - ${sql.lit(DEAD_AFTER)}`
}
