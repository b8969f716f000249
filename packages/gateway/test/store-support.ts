/** Calls and keys for tests of the store, and the check that its books agree. */
import assert from "node:assert/strict"
import type { HoldWanted, OpenCall, SettledCall } from "../src/store/call-record.ts"
import type { Row } from "../src/store/engine.ts"
import type { NewKey } from "../src/store/key-record.ts"

/** 2026-03-12 10:20:30 UTC, a Thursday. */
export const NOON = Date.UTC(2026, 2, 12, 10, 20, 30)

export function aKey(id: string, more: Partial<NewKey> = {}): NewKey {
  return {
    id,
    name: `the key ${id}`,
    project: null,
    tags: [],
    admin: false,
    prefix: `sl-${id}`,
    hash: `hash of ${id}`,
    models: null,
    providers: null,
    budget: null,
    limits: { requestsPerMinute: null, tokensPerMinute: null, parallel: null },
    onDisconnect: null,
    dialect: null,
    forbidDetach: false,
    logContent: false,
    disabled: false,
    expiresAt: null,
    createdAt: NOON,
    ...more,
  }
}

export function anOpenCall(
  id: string,
  { hold, ...more }: Partial<Omit<OpenCall, "hold">> & { hold?: Partial<HoldWanted> } = {},
): OpenCall {
  return {
    id,
    key: "ann",
    keyIsStored: true,
    dialect: "openai",
    dialectRule: "mount",
    modelAsked: "fast",
    streamed: true,
    tags: [],
    startedAt: NOON,
    hold: { amount: 0n, tokens: 0, unpriced: "allow", ...hold },
    ...more,
  }
}

export function aSettledCall(id: string, more: Partial<SettledCall> = {}): SettledCall {
  return {
    id,
    ending: "finished",
    endedAt: NOON + 1_000,
    model: "acme/large",
    provider: "acme",
    attempts: [],
    usage: { promptTokens: 3, completionTokens: 5, reasoningTokens: 0, cachedTokens: 0, audioTokens: 0 },
    cost: 100n,
    estimated: false,
    flags: [],
    resumed: 0,
    ...more,
  }
}

/** What must agree in every database at any time between two transactions. */
export async function assertBooksAgree(query: (sql: string) => Promise<Row[]>): Promise<void> {
  const accounts = new Map((await query("SELECT * FROM accounts")).map((row) => [row["subject"], row]))
  for (const [prefix, column] of [
    ["key", "key_id"],
    ["project", "project_id"],
  ]) {
    const rows = await query(`
      SELECT ${column} AS id,
        CAST(sum(CASE WHEN ending IS NULL AND holding = 1 THEN held ELSE 0 END) AS bigint) AS held,
        CAST(sum(CASE WHEN ending IS NULL AND holding = 1 THEN 1 ELSE 0 END) AS bigint) AS running,
        CAST(sum(coalesce(cost, 0)) AS bigint) AS spent
      FROM calls WHERE ${column} IS NOT NULL GROUP BY ${column}`)
    for (const { id, ...sums } of rows) {
      const account = accounts.get(`${prefix}:${id}`)
      const said = { held: account?.["held"], running: account?.["running"], spent: account?.["total_spent"] }
      assert.deepEqual(said, sums, `the account of ${prefix} ${id} says what the calls say`)
    }
  }
  const [calls] = await query(`
    SELECT count(*) AS calls, CAST(coalesce(sum(cost), 0) AS bigint) AS cost,
      CAST(coalesce(sum(prompt_tokens + completion_tokens), 0) AS bigint) AS tokens
    FROM calls WHERE ending IS NOT NULL`)
  for (const grain of ["hour", "day"]) {
    const [totals] = await query(`
      SELECT CAST(coalesce(sum(calls), 0) AS bigint) AS calls, CAST(coalesce(sum(cost), 0) AS bigint) AS cost,
        CAST(coalesce(sum(prompt_tokens + completion_tokens), 0) AS bigint) AS tokens
      FROM usage_totals WHERE grain = '${grain}' AND tag = ''`)
    assert.deepEqual(totals, calls, `the totals by the ${grain} say what the settled calls say`)
  }
  const [twice] = await query("SELECT count(*) - count(DISTINCT id) AS twice FROM calls")
  assert.equal(twice?.["twice"], 0, "no call has two rows")
}

/** Waits for what an event will bring about; the test's own time limit ends what never comes. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}
