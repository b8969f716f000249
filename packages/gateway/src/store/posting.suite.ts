/** What every store must do with calls that are posted: what it would have done had it been asked each time, a moment later. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON, until } from "../../test/store-support.ts"
import type { OpenCall, SettledCall } from "./call-record.ts"
import type { Row } from "./engine.ts"
import type { FaultySubject, Place } from "./store.suite.ts"
import type { Store } from "./store.ts"

export function suiteOfPosting({ name, place: newPlace, createFault }: FaultySubject): void {
  test(`${name}: posted calls come to the same books as calls that were waited for`, async (t) => {
    const asked = await filled(await newPlace(t), async (store, open, settled) => {
      await store.openCall(open)
      if (settled !== undefined) await store.settleCall(settled)
    })
    const inOne = await filled(await newPlace(t), async (store, open, settled) => {
      store.postCall(open)
      if (settled !== undefined) store.postSettlement(settled)
    })
    const inTwo = await filled(await newPlace(t), async (store, open, settled) => {
      store.postCall(open)
      await store.spend("key", "any", NOON)
      if (settled !== undefined) store.postSettlement(settled)
    })
    assert.ok(asked["calls"]!.length === CALLS.length && asked["usage_totals"]!.length > 4)
    assert.deepEqual(inOne, asked)
    assert.deepEqual(inTwo, asked)
  })

  test(`${name}: every question about the books finds what was posted before it`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    let number = 0
    for (const question of [
      async (id: string) => (await store.calls.get(id))?.ending,
      async (id: string) =>
        (await store.calls.page({ limit: 1 })).calls.find((call) => call.id === id)?.ending,
      async (id: string) => {
        for await (const call of store.calls.all({})) if (call.id === id) return call.ending
        return undefined
      },
      async (id: string) => (await store.calls.endings(["other", id])).get(id),
      async () =>
        (await store.usage({ from: NOON, to: NOON + 1, by: [] }))[0]?.calls === number ? "finished" : "",
      async () => ((await store.spend("key", "ann", NOON)).total === 100n * BigInt(number) ? "finished" : ""),
    ]) {
      const id = `call-${number++}`
      store.postCall(anOpenCall(id, { keyIsStored: false }))
      store.postSettlement(aSettledCall(id))
      assert.equal(await question(id), "finished", String(question))
    }
    store.postCall(anOpenCall("resumed", { keyIsStored: false }))
    await store.countResume("resumed")
    assert.equal((await store.extendHold("resumed", 20n, NOON)).admitted, true)
    const row = await store.calls.get("resumed")
    assert.deepEqual([row?.resumed, row?.held, row?.ending], [1, 20n, null])
  })

  test(`${name}: a question that the database cannot answer is refused, whatever waits before it`, async (t) => {
    const { open, query } = await newPlace(t)
    const fault = createFault()
    const store = await open({ fault })
    fault.arm(1, "before", 1_000_000)
    store.postCall(anOpenCall("a", { keyIsStored: false }))
    await assert.rejects(store.calls.get("a"))
    assert.equal(store.mayPost(), false)
    fault.arm(0)
    // While the lane pauses between two tries a question may still be refused.
    await until(async () => (await store.calls.get("a").catch(() => undefined)) !== undefined)
    assert.equal(store.mayPost(), store.kind === "sqlite")
    await assertBooksAgree(query)
  })

  test(`${name}: a posted call is entered even if its key was deleted, disabled or limited meanwhile`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    const limits = { requestsPerMinute: 0, tokensPerMinute: 0, parallel: 0 }
    await store.keys.create(aKey("disabled", { disabled: true }))
    await store.keys.create(aKey("limited", { limits, budget: { amount: 0n, period: "total" } }))
    for (const key of ["unknown", "disabled", "limited"]) {
      store.postCall(anOpenCall(`of-${key}`, { key, hold: { amount: 5n } }))
      assert.equal((await store.calls.get(`of-${key}`))?.held, 5n, key)
      store.postSettlement(aSettledCall(`of-${key}`, { cost: 7n }))
      assert.equal((await store.spend("key", key, NOON)).total, 7n, key)
    }
    await assertBooksAgree(query)
  })

  test(`${name}: whatever calls ask for, what they hold adds up to what fits, and nobody else waits`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.keys.create(aKey("ann", { budget: { amount: 2n ** 60n, period: "total" } }))
    const hold = { amount: 2n ** 60n, tokens: Number.MAX_SAFE_INTEGER }
    for (let number = 0; number < 1_100; number++)
      store.postCall(anOpenCall(`greedy-${number}`, { key: "env", keyIsStored: false, hold }))
    assert.equal((await store.openCall(anOpenCall("modest", { hold: { amount: 5n } }))).admitted, true)
    assert.equal((await store.spend("key", "env", NOON)).running, 1_100)
    assert.equal(store.mayPost(), store.kind === "sqlite")
    await assertBooksAgree(query)
  })

  test(`${name}: what waits is written when the store is closed`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    store.postCall(anOpenCall("a", { keyIsStored: false }))
    store.postSettlement(aSettledCall("a"))
    store.postCall(anOpenCall("b", { keyIsStored: false }))
    await store.close()
    assert.deepEqual(await query("SELECT id, ending FROM calls ORDER BY id"), [
      { id: "a", ending: "finished" },
      { id: "b", ending: null },
    ])
    await assertBooksAgree(query)
  })

  for (const when of ["before", "after"] as const) {
    test(`${name}: whichever statement fails (${when} it is done), every posted call has its one row, paid once`, async (t) => {
      const { open, query } = await newPlace(t)
      const fault = createFault()
      const store = await open({ fault })
      let failures = 0
      let n = 0
      do {
        n += 1
        fault.arm(n, when)
        const [one, running] = [`one-${n}`, `running-${n}`]
        store.postCall(anOpenCall(one, { keyIsStored: false }))
        store.postSettlement(aSettledCall(one, { cost: 3n }))
        store.postCall(anOpenCall(running, { keyIsStored: false, hold: { amount: 10n } }))
        await store.countResume("any")
        store.postSettlement(aSettledCall(running, { cost: 4n }))
        await store.countResume("any")
        failures = fault.failed()
        fault.arm(0)
        const { total, held, running: left } = await store.spend("key", "ann", NOON)
        assert.deepEqual([total, held, left], [BigInt(n) * 7n, 0n, 0], `statement ${n}`)
        await assertBooksAgree(query)
      } while (failures > 0)
      assert.ok(n > 10, `${n - 1} statements have failed once`)
    })
  }
}

const DAY = 86_400_000

/** Over two days, of keys that are stored and one that is not, some without a price, some that have not ended. */
const CALLS: readonly (readonly [OpenCall, SettledCall | undefined])[] = Array.from(
  { length: 24 },
  (_, index) => {
    const id = `call-${index}`
    const startedAt = NOON + index * 7_000 + (index > 16 ? DAY : 0)
    const open = anOpenCall(id, {
      key: ["ann", "ben", "env"][index % 3]!,
      keyIsStored: index % 3 !== 2,
      startedAt,
      modelAsked: `m${index % 2}`,
      tags: index % 4 === 0 ? ["x", "y", "x"] : [],
      hold: { amount: index % 5 === 0 ? null : BigInt(index), tokens: index },
    })
    if (index % 8 === 7) return [open, undefined]
    const settled = aSettledCall(id, {
      endedAt: startedAt + 1_500,
      ending: index % 6 === 5 ? "failed" : "finished",
      ...(index % 6 === 5 ? { reason: "timeout", model: undefined, provider: undefined } : {}),
      cost: index % 7 === 0 ? null : BigInt(index) * 11n,
      estimated: index % 9 === 0,
      timeToFirstContent: index + 0.5,
    })
    return [open, settled]
  },
)

/** All that is in the books then, but for what is another each time. */
async function filled(
  { open, query }: Place,
  enter: (store: Store, open: OpenCall, settled: SettledCall | undefined) => Promise<void>,
): Promise<Record<string, Row[]>> {
  const store = await open()
  await store.projects.create({ id: "team", name: "Team", budget: null, createdAt: NOON })
  await store.keys.create(aKey("ann"))
  await store.keys.create(aKey("ben", { project: "team" }))
  for (const [call, settled] of CALLS) await enter(store, call, settled)
  assert.equal((await store.calls.page({ limit: 1 })).calls.length, 1)
  await assertBooksAgree(query)
  const tables: Record<string, Row[]> = {}
  for (const [table, order] of [
    ["calls", "id"],
    ["accounts", "subject"],
    ["usage_totals", "grain, tag, start, key_id, model, provider, ending"],
  ] as const) {
    const rows = await query(`SELECT * FROM ${table} ORDER BY ${order}`)
    tables[table] = rows.map(({ seq: _, process: __, ...row }) => row)
  }
  return tables
}
