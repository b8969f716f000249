/** What every store must do with a call's row. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON } from "../../test/store-support.ts"
import type { StoreSubject } from "./store.suite.ts"

export function suiteOfTheLedger({ name, place: newPlace }: StoreSubject): void {
  test(`${name}: a call has a row from its opening on, without an ending until it is settled`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.keys.create(aKey("ann"))
    assert.deepEqual(await store.openCall(anOpenCall("a")), { admitted: true, rates: {} })
    const opened = await store.calls.get("a")
    assert.equal(opened?.ending, null)
    assert.equal(opened?.process, store.process)
    assert.equal(await store.settleCall(aSettledCall("a")), true)
    assert.equal((await store.calls.get("a"))?.ending, "finished")
    assert.equal(await store.calls.get("b"), undefined)
    await assertBooksAgree(query)
  })

  test(`${name}: the first ending stays, whoever comes after it and however often`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.keys.create(aKey("ann"))
    await store.openCall(anOpenCall("a"))
    const first = aSettledCall("a", { cost: 7n })
    const second = aSettledCall("a", { ending: "interrupted", cost: 900n, endedAt: NOON + 5_000 })
    assert.deepEqual(await Promise.all([store.settleCall(first), store.settleCall(second)]), [true, false])
    assert.equal(await store.settleCall(second), false)
    assert.equal(await store.settleCall(aSettledCall("never opened")), false)
    const row = await store.calls.get("a")
    assert.deepEqual([row?.ending, row?.cost], ["finished", 7n])
    assert.equal((await store.spend("key", "ann", NOON)).total, 7n)
    await assertBooksAgree(query)
  })

  test(`${name}: a row reads as it was written, 64-bit money and odd texts included`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    await store.projects.create({ id: "team", name: "Team", budget: null, createdAt: NOON })
    await store.keys.create(aKey("ann", { project: "team" }))
    const huge = 2n ** 58n + 1n
    const opened = anOpenCall("a", {
      dialect: "orq",
      dialectRule: "user-agent",
      modelAsked: "a'b\"c%_\\ü😀",
      streamed: false,
      client: "agent/1.0 \u0000(nul)",
      clientRequestId: "req-1'; DROP TABLE calls; --",
      tags: ['a"b', "c,d", "[e", "ü"],
      hold: { amount: 2n ** 46n - 1n, tokens: 2 ** 36 },
    })
    const attempt = {
      provider: "acme",
      model: "large",
      startedAt: NOON,
      endedAt: NOON + 3,
      usage: { promptTokens: 1, completionTokens: 2, reasoningTokens: 3, cachedTokens: 4, audioTokens: 5 },
      cost: huge,
      estimated: true,
      status: 502,
      error: { type: "provider_error", message: "no\u0000thing" },
    }
    const settled = aSettledCall("a", {
      ending: "failed",
      reason: "provider_error",
      attempts: [attempt, { ...attempt, usage: null, cost: null, status: undefined, error: undefined }],
      usage: {
        promptTokens: 2 ** 52,
        completionTokens: 1,
        reasoningTokens: 2,
        cachedTokens: 3,
        audioTokens: 4,
      },
      cost: huge,
      estimated: true,
      flags: ["finish_added"],
      firstContentAt: NOON + 10,
      timeToFirstContent: 10.25,
      tokensPerSecond: 80,
      gapP50: 1.5,
      gapP99: Number.NaN,
      longestStall: 0,
      resumed: 2,
    })
    await store.openCall(opened)
    await store.settleCall(settled)
    const { seq, process, ...row } = (await store.calls.get("a"))!
    assert.equal(process, store.process)
    assert.ok(seq > 0)
    const { hold, keyIsStored, client, ...asOpened } = opened
    const { gapP99, attempts, ...asSettled } = settled
    assert.deepEqual(row, {
      ...asOpened,
      ...asSettled,
      project: "team",
      client: "agent/1.0 (nul)",
      held: hold.amount,
      gapP99: null,
      attempts: [
        attempt,
        {
          provider: "acme",
          model: "large",
          startedAt: NOON,
          endedAt: NOON + 3,
          usage: null,
          cost: null,
          estimated: true,
        },
      ],
    })
    assert.equal((await store.spend("project", "team", NOON)).total, huge)
    assert.equal((await store.usage({ from: NOON, to: NOON + 1, by: [] }))[0]?.cost, huge)
    assert.deepEqual(
      (await Promise.all(opened.tags.map((tag) => store.calls.page({ filter: { tag }, limit: 1 })))).map(
        ({ calls }) => calls.length,
      ),
      [1, 1, 1, 1],
    )
    for (const tag of ["b", "d", "e", 'a"', "c"]) {
      assert.equal((await store.calls.page({ filter: { tag }, limit: 1 })).calls.length, 0, tag)
    }
  })

  test(`${name}: a settlement is never refused for what it says: absurd counts are set right and flagged`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.openCall(anOpenCall("a", { keyIsStored: false }))
    const usage = {
      promptTokens: -5,
      completionTokens: 1e300,
      reasoningTokens: 1.9,
      cachedTokens: Number.NaN,
      audioTokens: Number.POSITIVE_INFINITY,
    }
    assert.equal(await store.settleCall(aSettledCall("a", { usage, cost: -1n, flags: ["odd"] })), true)
    const row = await store.calls.get("a")
    const most = Number.MAX_SAFE_INTEGER
    assert.deepEqual(row?.usage, {
      promptTokens: 0,
      completionTokens: most,
      reasoningTokens: 1,
      cachedTokens: 0,
      audioTokens: most,
    })
    assert.deepEqual([row?.cost, row?.flags], [0n, ["odd", "clamped"]])
    await assertBooksAgree(query)
  })

  test(`${name}: a call that is resumed is counted, before its ending and after it`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    await store.openCall(anOpenCall("a", { keyIsStored: false }))
    await store.countResume("a")
    await store.settleCall(aSettledCall("a", { resumed: 1 }))
    await store.countResume("a")
    assert.equal((await store.calls.get("a"))?.resumed, 3)
  })
}
