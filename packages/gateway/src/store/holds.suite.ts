/** What every store must do with holds, budgets and limits. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON } from "../../test/store-support.ts"
import type { StoreSubject } from "./store.suite.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
const DOLLAR = 1_000_000_000n

export function suiteOfHolds({ name, place: newPlace }: StoreSubject): void {
  test(`${name}: a thousand calls at once against a budget for a hundred: a hundred are let in, and all is released`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.projects.create({
      id: "team",
      name: "Team",
      budget: { amount: 100n * DOLLAR, period: "total" },
      createdAt: NOON,
    })
    await store.keys.create(aKey("ann", { project: "team" }))
    const ids = Array.from({ length: 1_000 }, (_, index) => `call-${index}`)
    const admissions = await Promise.all(
      ids.map((id) => store.openCall(anOpenCall(id, { hold: { amount: DOLLAR } }))),
    )
    const admitted = ids.filter((_, index) => admissions[index]?.admitted)
    assert.equal(admitted.length, 100)
    const refused = admissions.find((admission) => !admission.admitted)
    assert.deepEqual(refused?.admitted === false && refused.refusal, {
      reason: "budget",
      scope: "project",
      amount: 100n * DOLLAR,
      spent: 0n,
      held: 100n * DOLLAR,
      resetAt: null,
    })
    assert.deepEqual(await query("SELECT count(*) AS calls FROM calls"), [{ calls: 100 }])
    await Promise.all(admitted.map((id) => store.settleCall(aSettledCall(id, { cost: DOLLAR / 2n }))))
    const spend = await store.spend("project", "team", NOON)
    assert.deepEqual([spend.total, spend.held, spend.running], [50n * DOLLAR, 0n, 0])
    assert.equal(
      (await store.openCall(anOpenCall("later", { hold: { amount: 50n * DOLLAR } }))).admitted,
      true,
    )
    assert.equal((await store.openCall(anOpenCall("latest", { hold: { amount: 1n } }))).admitted, false)
    await assertBooksAgree(query)
  })

  test(`${name}: a hold is extended while the budget has room, and to the same height only once`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.keys.create(aKey("ann", { budget: { amount: 1_000n, period: "daily" } }))
    await store.openCall(anOpenCall("a", { hold: { amount: 400n } }))
    assert.equal((await store.extendHold("a", 900n, NOON)).admitted, true)
    assert.equal((await store.extendHold("a", 900n, NOON)).admitted, true)
    assert.equal((await store.spend("key", "ann", NOON)).held, 900n)
    const refused = await store.extendHold("a", 1_001n, NOON)
    assert.equal(!refused.admitted && refused.refusal.reason, "budget")
    await store.settleCall(aSettledCall("a", { cost: 950n }))
    const ended = await store.extendHold("a", 999n, NOON)
    assert.equal(!ended.admitted && ended.refusal.reason, "ended")
    assert.equal((await store.spend("key", "ann", NOON)).held, 0n)
    await assertBooksAgree(query)
  })

  test(`${name}: a budget begins anew with its period, and a call is paid from the period in which it began`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    await store.keys.create(aKey("ann", { budget: { amount: 100n, period: "daily" } }))
    const midnight = NOON - (NOON % DAY) + DAY
    await store.openCall(anOpenCall("a", { startedAt: midnight - 1, hold: { amount: 100n } }))
    await store.settleCall(aSettledCall("a", { endedAt: midnight + 500, cost: 100n }))
    const spend = await store.spend("key", "ann", midnight + 500)
    assert.deepEqual([spend.daily, spend.weekly, spend.monthly, spend.total], [0n, 100n, 100n, 100n])
    assert.equal(
      (await store.openCall(anOpenCall("b", { startedAt: midnight + 501, hold: { amount: 100n } }))).admitted,
      true,
    )
    const refused = await store.openCall(anOpenCall("c", { startedAt: midnight + 502, hold: { amount: 1n } }))
    assert.equal(
      !refused.admitted && refused.refusal.reason === "budget" && refused.refusal.resetAt,
      midnight + DAY,
    )
  })

  test(`${name}: limits refuse with the time at which to come back, and a call without a price is no way around a budget`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    const none = { requestsPerMinute: null, tokensPerMinute: null, parallel: null }
    await store.keys.create(aKey("requests", { limits: { ...none, requestsPerMinute: 2 } }))
    await store.keys.create(aKey("tokens", { limits: { ...none, tokensPerMinute: 100 } }))
    await store.keys.create(aKey("parallel", { limits: { ...none, parallel: 1 } }))
    await store.keys.create(aKey("budget", { budget: { amount: 0n, period: "total" } }))
    let calls = 0
    const ask = (key: string, more: Parameters<typeof anOpenCall>[1] = {}) => {
      calls += 1
      return store.openCall(anOpenCall(`${key}-${calls}`, { key, ...more }))
    }
    const first = await ask("requests")
    assert.deepEqual([first.admitted, first.rates.requests?.remaining], [true, 1])
    await ask("requests")
    const refused = await ask("requests")
    assert.equal(refused.admitted, false)
    assert.equal(refused.rates.requests?.remaining, 0)
    const retryAt = !refused.admitted && refused.refusal.reason === "requests" ? refused.refusal.retryAt : 0
    assert.ok(retryAt > NOON && retryAt <= NOON + 120_000)
    assert.equal((await ask("requests", { startedAt: retryAt - 1 })).admitted, false)
    assert.equal((await ask("requests", { startedAt: retryAt })).admitted, true)

    await ask("tokens", { hold: { tokens: 90 } })
    const tooMany = await ask("tokens", { hold: { tokens: 20 } })
    assert.equal(!tooMany.admitted && tooMany.refusal.reason, "tokens")
    // The first has used 8 of its 90: the rest is free again.
    await store.settleCall(aSettledCall(`tokens-${calls - 1}`))
    assert.equal((await ask("tokens", { hold: { tokens: 20 } })).admitted, true)

    await ask("parallel")
    const second = await ask("parallel")
    assert.deepEqual(!second.admitted && second.refusal, { reason: "parallel", limit: 1 })
    await store.settleCall(aSettledCall(`parallel-${calls - 1}`))
    assert.equal((await ask("parallel")).admitted, true)

    const unpriced = await ask("budget", { hold: { amount: null, unpriced: "refuse" } })
    assert.deepEqual(!unpriced.admitted && unpriced.refusal, { reason: "unpriced", scope: "key" })
    assert.equal((await ask("budget", { hold: { amount: null, unpriced: "allow" } })).admitted, true)
    await assertBooksAgree(query)
  })

  test(`${name}: what a process that is gone has left open is released, and listed until somebody settles it`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.keys.create(aKey("ann", { budget: { amount: 100n, period: "total" } }))
    await store.openCall(anOpenCall("mine", { hold: { amount: 10n } }))
    await store.openCall(anOpenCall("theirs", { hold: { amount: 90n } }))
    // As if another process had written it, which then died.
    await query("UPDATE calls SET process = 'gone' WHERE id = 'theirs'")
    assert.equal(await store.beat(), 1)
    assert.equal(await store.beat(), 0)
    const spend = await store.spend("key", "ann", NOON)
    assert.deepEqual([spend.held, spend.running], [10n, 1])
    await assertBooksAgree(query)
    assert.deepEqual(
      (await store.calls.orphaned()).map(({ id }) => id),
      ["theirs"],
    )
    assert.equal(await store.settleCall(aSettledCall("theirs", { ending: "interrupted", cost: 30n })), true)
    assert.deepEqual(await store.calls.orphaned(), [])
    const after = await store.spend("key", "ann", NOON)
    assert.deepEqual([after.held, after.running, after.total], [10n, 1, 30n])
    await assertBooksAgree(query)
  })
}
