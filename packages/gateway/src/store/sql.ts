/**
 * SQL in pieces that are put together, in the words that SQLite and Postgres share. What stands in `${}` is spliced in
 * where it is a piece itself, and becomes a parameter where it is a value: no value is ever a part of the text.
 */
import type { Statement, Value } from "./engine.ts"

export class Sql {
  /** One more than values: what stands around them. */
  readonly texts: readonly string[]
  readonly values: readonly Value[]

  constructor(texts: readonly string[], values: readonly Value[]) {
    this.texts = texts
    this.values = values
  }
}

export function sql(texts: TemplateStringsArray, ...parts: readonly (Value | Sql)[]): Sql {
  return concat(texts, parts)
}

/** Words of the program's own, such as a column's name: never what anybody has sent. */
export function words(text: string): Sql {
  return new Sql([text], [])
}

/** `by` stands between each two. */
export function join(pieces: readonly Sql[], by: string): Sql {
  return concat(["", ...pieces.slice(1).map(() => by), ""], pieces)
}

/** `WHERE` all of them; nothing without any. */
export function where(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? words("") : sql`WHERE ${join(conditions, " AND ")}`
}

/** A row's values beside the names of its columns, which are the program's own. */
export type RowOf = Readonly<Record<string, Value | Sql>>

/** `(a, b) VALUES (1, 2)` */
export function row(columns: RowOf): Sql {
  const values = Object.values(columns).map((value) => sql`${value}`)
  return sql`${words(`(${Object.keys(columns).join(", ")})`)} VALUES (${join(values, ", ")})`
}

/** `a = 1, b = 2` */
export function changes(columns: RowOf): Sql {
  return join(
    Object.entries(columns).map(([name, value]) => sql`${words(name)} = ${value}`),
    ", ",
  )
}

/** In a database's own form. */
export function statementOf({ texts, values }: Sql, kind: "sqlite" | "postgres"): Statement {
  const mark = (index: number): string => (kind === "postgres" ? `$${index}` : "?")
  const text = texts.reduce((before, after, index) => `${before}${mark(index)}${after}`)
  return { sql: text, parameters: values }
}

function concat(around: readonly string[], parts: readonly (Value | Sql)[]): Sql {
  const texts = [around[0]!]
  const values: Value[] = []
  const last = (): number => texts.length - 1
  for (const [index, part] of parts.entries()) {
    const after = around[index + 1]!
    if (part instanceof Sql) {
      texts[last()] += part.texts[0]!
      texts.push(...part.texts.slice(1))
      texts[last()] += after
      values.push(...part.values)
    } else {
      texts.push(after)
      values.push(part)
    }
  }
  return new Sql(texts, values)
}
