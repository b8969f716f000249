/**
 * Statements that are run for many rows at once, said once for both databases: SQLite runs the prepared statement for
 * each row, which costs it a microsecond; Postgres gets a column as an array, one round trip for all rows. Either way
 * a statement's text does not depend on how many rows there are, so it is prepared once.
 */
import type { RowStatement } from "./engine.ts"

export type ColumnType = "text" | "integer" | "real"
export type Columns = Readonly<Record<string, ColumnType>>

const ARRAYS: Readonly<Record<ColumnType, string>> = {
  text: "text[]",
  integer: "bigint[]",
  real: "double precision[]",
}

/** What happens when the row is there: it stays, it is replaced, or the numbers are added to its own. */
export interface Conflict {
  readonly key: readonly string[]
  readonly existing: "keep" | "replace" | "add"
}

/** Values in the order of the columns. */
export function insertInto(table: string, columns: Columns, conflict?: Conflict): RowStatement {
  const names = Object.keys(columns)
  const into = `INSERT INTO ${table} (${names.join(", ")})`
  const after = conflict === undefined ? "" : ` ${onConflict(table, names, conflict)}`
  return {
    // SQLite would take the ON of a conflict for a join's, were there no WHERE: hence VALUES for the one.
    one: `${into} VALUES (${names.map(() => "?").join(", ")})${after}`,
    many: `${into} SELECT * FROM ${unnest(columns)}${after}`,
    returns: false,
  }
}

/** Values in the order of the columns, then the row's key. `added`: columns whose value is added to what is there. */
export function update(
  table: string,
  columns: Columns,
  key: string,
  { added = [], where, returning = [] }: UpdateOptions,
): RowStatement {
  const set = (value: (name: string) => string) =>
    Object.keys(columns)
      .map((name) => `${name} = ${added.includes(name) ? `${table}.${name} + ` : ""}${value(name)}`)
      .join(", ")
  const condition = where === undefined ? "" : ` AND ${where}`
  const given =
    returning.length === 0 ? "" : ` RETURNING ${returning.map((name) => `${table}.${name}`).join(", ")}`
  const all: Columns = { ...columns, [`the_${key}`]: "text" }
  return {
    one: `UPDATE ${table} SET ${set(() => "?")} WHERE ${table}.${key} = ?${condition}${given}`,
    many:
      `UPDATE ${table} SET ${set((name) => `given.${name}`)} FROM ${unnest(all)} AS given(${Object.keys(all).join(", ")})` +
      ` WHERE ${table}.${key} = given.the_${key}${condition}${given}`,
    returns: returning.length > 0,
  }
}

interface UpdateOptions {
  readonly added?: readonly string[]
  readonly where?: string
  readonly returning?: readonly string[]
}

export function deleteFrom(
  table: string,
  key: string,
  where: string,
  returning: readonly string[],
): RowStatement {
  const rest = `AND ${where} RETURNING ${returning.join(", ")}`
  return {
    one: `DELETE FROM ${table} WHERE ${key} = ? ${rest}`,
    many: `DELETE FROM ${table} WHERE ${key} = ANY($1::text[]) ${rest}`,
    returns: true,
  }
}

/** `lock`: nobody else changes these rows until the transaction is over. In the key's order, so that two never wait for each other. */
export function select(
  table: string,
  columns: readonly string[],
  key: string,
  more: SelectOptions = {},
): RowStatement {
  const from = `SELECT ${columns.join(", ")} FROM ${table}`
  const condition = more.where === undefined ? "" : ` AND ${more.where}`
  return {
    one: `${from} WHERE ${key} = ?${condition}`,
    many: `${from} WHERE ${key} = ANY($1::text[])${condition} ORDER BY ${key}${more.lock === true ? " FOR UPDATE" : ""}`,
    returns: true,
  }
}

interface SelectOptions {
  readonly where?: string
  readonly lock?: boolean
}

function unnest(columns: Columns): string {
  return `unnest(${Object.values(columns)
    .map((type, index) => `$${index + 1}::${ARRAYS[type]}`)
    .join(", ")})`
}

function onConflict(table: string, names: readonly string[], { key, existing }: Conflict): string {
  const target = `ON CONFLICT (${key.join(", ")}) DO`
  if (existing === "keep") return `${target} NOTHING`
  const changes = names
    .filter((name) => !key.includes(name))
    .map((name) => `${name} = ${existing === "add" ? `${table}.${name} + ` : ""}excluded.${name}`)
  return `${target} UPDATE SET ${changes.join(", ")}`
}
