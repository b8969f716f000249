/**
 * Which processes are alive. Each says so every BEAT; one that has not for DEAD_AFTER is gone, and the others release
 * what its calls hold. By the database's clock, so that no process's own can kill another. One that was only slow
 * writes itself in again; its calls go on, paid when they are settled, without a hold until then.
 */
import type { Engine } from "./engine.ts"
import type { Queries } from "./queries.ts"
import { type Sql, sql, words } from "./sql.ts"

export const BEAT = 5_000
const DEAD_AFTER = 30_000

export interface Processes {
  /** Another had written itself in and not left: over SQLite it was killed. */
  readonly foundAnother: boolean
  /** The ids of open calls that hold something for a process that is gone. */
  beat(): Promise<string[]>
  leave(): Promise<void>
}

export async function enterProcess(engine: Engine, queries: Queries, id: string): Promise<Processes> {
  const now = words(engine.clock)
  const alive = sql`INSERT INTO processes (id, started_at, beat_at) VALUES (${id}, ${now}, ${now})
    ON CONFLICT (id) DO UPDATE SET beat_at = ${now}`
  const buryOthers =
    engine.kind === "sqlite"
      ? // The data folder has one owner: whoever is in here as well was its owner before.
        sql`DELETE FROM processes WHERE id <> ${id}`
      : sql`DELETE FROM processes WHERE beat_at <= ${deadline(engine.clock)}`
  const leftBehind = sql`SELECT id FROM calls WHERE ending IS NULL AND holding = 1
    AND process NOT IN (${aliveProcesses(engine.clock)})`
  const beat = [alive, buryOthers, leftBehind].map(queries.statement)
  const another = await queries.first(sql`SELECT id FROM processes LIMIT 1`)

  return {
    foundAnother: another !== undefined,
    /** All in one: SQLite's reading thread would never rest if it were asked every few seconds. */
    async beat() {
      const [, , rows = []] = await engine.write(beat)
      return rows.map(({ id }) => String(id))
    },
    async leave() {
      await engine.write([queries.statement(sql`DELETE FROM processes WHERE id = ${id}`)])
    },
  }
}

export function aliveProcesses(clock: string): Sql {
  return sql`SELECT id FROM processes WHERE beat_at > ${deadline(clock)}`
}

function deadline(clock: string): Sql {
  return words(`${clock} - ${DEAD_AFTER}`)
}
