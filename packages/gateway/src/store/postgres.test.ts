import assert from "node:assert/strict"
import { tmpdir } from "node:os"
import { after, type TestContext, test } from "node:test"
import { type TestPostgres, testPostgres } from "../../../../scripts/postgres.ts"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON, until } from "../../test/store-support.ts"
import type { Row, Value } from "./engine.ts"
import { createFault } from "./fault.ts"
import { openStore } from "./open.ts"
import { type Place, suiteOfTheStore } from "./store.suite.ts"
import type { Store } from "./store.ts"

after(async () => (await testPostgres()).stop())

suiteOfTheStore({ name: "postgres", place, createFault })

interface Database extends Place {
  readonly server: TestPostgres
}

async function place(t: TestContext): Promise<Database> {
  const server = await testPostgres()
  const databaseUrl = await server.createDatabase()
  const stores: Store[] = []
  t.after(() => Promise.all(stores.map((store) => store.close())))
  return {
    server,
    async open(options = {}) {
      const store = await openStore({ dataFolder: tmpdir(), databaseUrl, ...options })
      stores.push(store)
      return store
    },
    query: async (sql) => (await server.query(databaseUrl, sql)).map(numbers),
  }
}

/** Without the store's own settings `pg` gives 64-bit integers as strings. */
function numbers(row: Record<string, unknown>): Row {
  const entries = Object.entries(row).map(([name, value]): [string, Value] => [
    name,
    typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : (value as Value),
  ])
  return Object.fromEntries(entries)
}

test("postgres: three processes on one database never let in more than the budget, and none is stuck", async (t) => {
  const { open, query } = await place(t)
  const stores = await Promise.all([open(), open(), open()])
  const [first] = stores
  await first!.projects.create({
    id: "team",
    name: "Team",
    budget: { amount: 100n, period: "total" },
    createdAt: NOON,
  })
  for (const id of ["ann", "bob", "cid"]) await first!.keys.create(aKey(id, { project: "team" }))
  const opened = await Promise.all(
    Array.from({ length: 600 }, async (_, index) => {
      const store = stores[index % 3]!
      const id = `call-${index}`
      const key = ["ann", "bob", "cid"][Math.floor(index / 3) % 3]!
      const { admitted } = await store.openCall(anOpenCall(id, { key, tags: ["x"], hold: { amount: 1n } }))
      return admitted ? { store, id } : undefined
    }),
  )
  const admitted = opened.filter((call) => call !== undefined)
  assert.equal(admitted.length, 100)
  await assertBooksAgree(query)
  // Each is settled by its own process, and every tenth by a stranger as well.
  const settled = await Promise.all(
    admitted.flatMap(({ store, id }, index) => [
      store.settleCall(aSettledCall(id, { cost: 1n })),
      ...(index % 10 === 0
        ? [stores[(index + 1) % 3]!.settleCall(aSettledCall(id, { cost: 1n, endedAt: NOON + 9 }))]
        : []),
    ]),
  )
  assert.equal(settled.filter(Boolean).length, 100)
  const { total, held, running } = await first!.spend("project", "team", NOON)
  assert.deepEqual([total, held, running], [100n, 0n, 0])
  await assertBooksAgree(query)
})

test("postgres: a revocation is known to every process within a second", async (t) => {
  const { open } = await place(t)
  const [here, there] = await Promise.all([open(), open()])
  const key = await here!.keys.create(aKey("ann"))
  let told: number | undefined
  there!.keys.onChange(async () => {
    const [change] = await there!.keys.changes(key.version)
    if (change?.key?.disabled === true) told ??= performance.now()
  })
  const revoked = performance.now()
  await here!.keys.patch("ann", { disabled: true })
  await until(() => told !== undefined)
  assert.ok(told! - revoked < 1_000)
  const refused = await there!.openCall(anOpenCall("a"))
  assert.equal(!refused.admitted && refused.refusal.reason, "disabled_key")
})

test("postgres: a process that has not said for a while that it lives is released by another, and comes back", async (t) => {
  const { open, query } = await place(t)
  const [here, there] = await Promise.all([open(), open()])
  await here!.keys.create(aKey("ann", { budget: { amount: 100n, period: "total" } }))
  await here!.openCall(anOpenCall("a", { hold: { amount: 60n } }))
  assert.equal(await there!.beat(), 0)
  await query(`UPDATE processes SET beat_at = beat_at - 31000 WHERE id = '${here!.process}'`)
  assert.equal(await there!.beat(), 1)
  assert.deepEqual(
    (await there!.calls.orphaned()).map(({ id }) => id),
    ["a"],
  )
  assert.equal((await there!.spend("key", "ann", NOON)).held, 0n)
  // It was only slow: it is alive again, its call is its own, and is paid when it ends.
  await here!.beat()
  assert.deepEqual(await there!.calls.orphaned(), [])
  assert.equal((await here!.extendHold("a", 80n, NOON)).admitted, true)
  assert.equal((await here!.spend("key", "ann", NOON)).held, 0n)
  assert.equal(await here!.settleCall(aSettledCall("a", { cost: 40n })), true)
  const { total, held, running } = await here!.spend("key", "ann", NOON)
  assert.deepEqual([total, held, running], [40n, 0n, 0])
  await assertBooksAgree(query)
})

test("postgres: a server that crashes and comes back costs no row, and announcements go on", async (t) => {
  const { open, query, server } = await place(t)
  const store = await open({ openPatience: 60_000 })
  await store.keys.create(aKey("ann"))
  const ids = Array.from({ length: 50 }, (_, index) => `call-${index}`)
  await Promise.all(ids.map((id) => store.openCall(anOpenCall(id, { hold: { amount: 5n } }))))
  const restarted = server.restart()
  const settled = await Promise.all(ids.map((id) => store.settleCall(aSettledCall(id))))
  await restarted
  assert.ok(settled.every(Boolean))
  await assertBooksAgree(query)
  assert.equal((await store.spend("key", "ann", NOON)).held, 0n)
  let told = false
  store.keys.onChange(() => {
    told = true
  })
  await store.keys.patch("ann", { name: "renamed" })
  await until(() => told)
})

test("postgres: a server that is not there stops the start, and says where it was looked for, without the password", async () => {
  await assert.rejects(
    openStore({ dataFolder: tmpdir(), databaseUrl: "postgres://user:hunter2@127.0.0.1:1/sluice" }),
    (error) => {
      assert.ok(error instanceof Error && "code" in error)
      assert.equal(error.code, "unusable")
      assert.match(error.message, /^The database at 127\.0\.0\.1:1 cannot be used/)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    },
  )
})
