/** Queries over an engine. What changes something is made a statement and given to the engine's `write`. */
import type { Engine, Row, Statement } from "./engine.ts"
import { type Sql, statementOf } from "./sql.ts"

export interface Queries {
  all(query: Sql): Promise<Row[]>
  first(query: Sql): Promise<Row | undefined>
  statement(query: Sql): Statement
}

export function createQueries(engine: Engine): Queries {
  const statement = (query: Sql): Statement => statementOf(query, engine.kind)
  const all = (query: Sql): Promise<Row[]> => engine.read(statement(query))
  return { all, first: async (query) => (await all(query))[0], statement }
}
