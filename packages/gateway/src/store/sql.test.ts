import assert from "node:assert/strict"
import { test } from "node:test"
import { changes, join, row, sql, statementOf, where, words } from "./sql.ts"

test("values become parameters and pieces are spliced in, in each database's own form", () => {
  const query = sql`SELECT * FROM calls ${where([sql`id = ${"a"}`, sql`${1} < seq`])} LIMIT ${2}`
  assert.deepEqual(statementOf(query, "sqlite"), {
    sql: "SELECT * FROM calls WHERE id = ? AND ? < seq LIMIT ?",
    parameters: ["a", 1, 2],
  })
  assert.deepEqual(statementOf(query, "postgres"), {
    sql: "SELECT * FROM calls WHERE id = $1 AND $2 < seq LIMIT $3",
    parameters: ["a", 1, 2],
  })
})

test("no value is a part of the text, whatever it looks like", () => {
  const hostile = "'; DROP TABLE keys; -- ? $1"
  const { sql: text, parameters } = statementOf(
    sql`UPDATE keys SET ${changes({ name: hostile })}`,
    "postgres",
  )
  assert.equal(text, "UPDATE keys SET name = $1")
  assert.deepEqual(parameters, [hostile])
})

test("rows and changes take values, pieces and nothing at all", () => {
  const columns = { id: "k", created_at: words("now()"), tags: null, version: sql`(SELECT ${3n})` }
  assert.deepEqual(statementOf(sql`INSERT INTO keys ${row(columns)}`, "postgres"), {
    sql: "INSERT INTO keys (id, created_at, tags, version) VALUES ($1, now(), $2, (SELECT $3))",
    parameters: ["k", null, 3n],
  })
  assert.deepEqual(statementOf(changes(columns), "sqlite"), {
    sql: "id = ?, created_at = now(), tags = ?, version = (SELECT ?)",
    parameters: ["k", null, 3n],
  })
  assert.deepEqual(statementOf(sql`SELECT 1${where([])}`, "sqlite"), { sql: "SELECT 1", parameters: [] })
  assert.deepEqual(statementOf(join([], ", "), "sqlite"), { sql: "", parameters: [] })
})
