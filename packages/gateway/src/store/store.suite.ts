/** What every store must do, whichever database is below it. */
import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON } from "../../test/store-support.ts"
import type { CallRecord } from "./call-record.ts"
import type { Row } from "./engine.ts"
import type { FaultSwitch } from "./fault.ts"
import type { StoreOptions } from "./open.ts"
import type { Store } from "./store.ts"

export interface StoreSubject {
  readonly name: string
  /** An empty database, gone at the test's end. */
  place(t: TestContext): Promise<Place>
}

export interface Place {
  /** One process's store, closed at the test's end. */
  open(options?: Partial<StoreOptions>): Promise<Store>
  /** Past the store, straight to the database. */
  query(sql: string): Promise<Row[]>
}

export interface FaultySubject extends StoreSubject {
  createFault(): FaultSwitch
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const DOLLAR = 1_000_000_000n

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
      hold: { amount: huge, tokens: 2 ** 40 },
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

  test(`${name}: a call that is resumed is counted, before its ending and after it`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    await store.openCall(anOpenCall("a", { keyIsStored: false }))
    await store.countResume("a")
    await store.settleCall(aSettledCall("a", { resumed: 1 }))
    await store.countResume("a")
    assert.equal((await store.calls.get("a"))?.resumed, 3)
  })

  test(`${name}: pages go through all calls once, newest first, also where many began at the same time`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    const ids = Array.from({ length: 25 }, (_, index) => `call-${index}`)
    await Promise.all(
      ids.map((id, index) =>
        store.openCall(
          anOpenCall(id, {
            keyIsStored: false,
            key: index % 2 === 0 ? "ann" : "bob",
            startedAt: NOON + Math.floor(index / 10),
          }),
        ),
      ),
    )
    await store.settleCall(aSettledCall("call-3", { ending: "failed" }))
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.calls.page({ limit: 4, cursor })
      seen.push(...page.calls.map(({ id }) => id))
      assert.ok(page.calls.length <= 4)
      cursor = page.next
    } while (cursor !== undefined)
    assert.deepEqual(seen, [...ids].reverse())
    const exported: string[] = []
    for await (const { id } of store.calls.all({})) exported.push(id)
    assert.deepEqual(exported, seen)

    const found = async (filter: Parameters<Store["calls"]["all"]>[0]) =>
      (await store.calls.page({ filter, limit: 100 })).calls.map(({ id }) => id)
    assert.deepEqual(
      await found({ key: "bob" }),
      seen.filter((id) => Number(id.slice(5)) % 2 === 1),
    )
    assert.deepEqual(await found({ ending: "failed" }), ["call-3"])
    assert.equal((await found({ ending: "open" })).length, 24)
    assert.deepEqual(await found({ model: "acme/large" }), ["call-3"])
    assert.equal((await found({ model: "fast" })).length, 24)
    assert.deepEqual(await found({ provider: "acme", from: NOON, to: NOON + 1 }), ["call-3"])
    assert.equal((await found({ from: NOON + 1, to: NOON + 2 })).length, 10)
    assert.deepEqual(await found({ project: "none" }), [])
    await assert.rejects(store.calls.page({ limit: 1, cursor: "1.1; --" }), { code: "invalid" })
  })

  test(`${name}: usage says what adding up the calls says, however it is grouped, filtered and cut`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.projects.create({ id: "team", name: "Team", budget: null, createdAt: NOON })
    await store.keys.create(aKey("ann", { project: "team" }))
    await store.keys.create(aKey("bob"))
    const random = seeded(7)
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
    const ids = Array.from({ length: 400 }, (_, index) => `call-${index}`)
    await Promise.all(
      ids.map((id) =>
        store.openCall(
          anOpenCall(id, {
            key: pick(["ann", "bob"]),
            startedAt: NOON - Math.floor(random() * 45 * DAY),
            tags: pick([[], ["x"], ["x", "y"], ["y", "y"]]),
          }),
        ),
      ),
    )
    await Promise.all(
      ids.slice(5).map((id) =>
        store.settleCall(
          aSettledCall(id, {
            ending: pick(["finished", "finished", "failed"]),
            cost: pick([null, 5n, 2n ** 40n]),
            model: pick(["acme/large", "acme/small", undefined]),
            provider: pick(["acme", undefined]),
            estimated: random() < 0.2,
          }),
        ),
      ),
    )
    await assertBooksAgree(query)
    const calls: CallRecord[] = []
    for await (const call of store.calls.all({})) if (call.ending !== null) calls.push(call)

    const groups = {
      key: (call: CallRecord) => [call.key],
      project: (call: CallRecord) => [call.project ?? ""],
      model: (call: CallRecord) => [call.model ?? call.modelAsked],
      provider: (call: CallRecord) => [call.provider ?? ""],
      ending: (call: CallRecord) => [call.ending ?? ""],
      tag: (call: CallRecord) => call.tags,
    }
    for (const [from, to] of [
      [NOON - 50 * DAY, NOON + DAY],
      [NOON - 20 * DAY, NOON - 3 * DAY + 5 * HOUR],
      [NOON - 7 * HOUR, NOON - 2 * HOUR],
      [NOON + 5 * DAY, NOON + 6 * DAY],
    ] as const) {
      const began = from - (from % HOUR)
      const ended = Math.ceil(to / HOUR) * HOUR
      const within = calls.filter(({ startedAt }) => startedAt >= began && startedAt < ended)
      for (const [group, read] of Object.entries(groups)) {
        const expected = new Map<
          string,
          { calls: number; cost: bigint; unpriced: number; estimated: number }
        >()
        for (const call of within) {
          for (const value of read(call)) {
            const sum = expected.get(value) ?? { calls: 0, cost: 0n, unpriced: 0, estimated: 0 }
            sum.calls += 1
            sum.cost += call.cost ?? 0n
            sum.unpriced += call.cost === null ? 1 : 0
            sum.estimated += call.estimated ? 1 : 0
            expected.set(value, sum)
          }
        }
        const rows = await store.usage({ from, to, by: [group as keyof typeof groups] })
        const said = new Map(
          rows.map((row) => [
            row.group[group as keyof typeof groups] ?? "",
            { calls: row.calls, cost: row.cost, unpriced: row.unpriced, estimated: row.estimated },
          ]),
        )
        assert.deepEqual(new Map([...said].sort()), new Map([...expected].sort()), `by ${group}`)
      }
    }
    const whole = { from: NOON - 50 * DAY, to: NOON + DAY }
    for (const bucket of ["day", "week", "month"] as const) {
      const rows = await store.usage({
        ...whole,
        by: ["time", "key"],
        bucket,
        filter: { tag: "x", ending: "failed" },
      })
      const expected = calls.filter(({ tags, ending }) => tags.includes("x") && ending === "failed")
      assert.equal(
        rows.reduce((sum, row) => sum + row.calls, 0),
        expected.length,
      )
      for (const { group } of rows) {
        const date = new Date(group.time ?? 0)
        assert.equal(date.getTime() % DAY, 0)
        if (bucket === "week") assert.equal(date.getUTCDay(), 1)
        if (bucket === "month") assert.equal(date.getUTCDate(), 1)
      }
      assert.equal(new Set(rows.map(({ group }) => JSON.stringify(group))).size, rows.length)
    }
    await assert.rejects(store.usage({ ...whole, by: ["time"], bucket: "hour" }), { code: "invalid" })
    const hours = await store.usage({ from: NOON - 10 * DAY, to: NOON, by: ["time"], bucket: "hour" })
    assert.ok(hours.length > 0 && hours.every(({ group }) => (group.time ?? 1) % HOUR === 0))
  })
}

export function suiteOfTheKeys({ name, place: newPlace }: StoreSubject): void {
  test(`${name}: a key reads as it was written, and a patch changes what it names and nothing else`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    const written = aKey("ann", {
      tags: ["a", "b"],
      admin: true,
      models: ["fast"],
      providers: [],
      budget: { amount: 2n ** 60n, period: "weekly" },
      limits: { requestsPerMinute: 1, tokensPerMinute: 2, parallel: 3 },
      onDisconnect: "drain:60",
      dialect: "orq",
      forbidDetach: true,
      logContent: true,
      expiresAt: NOON + DAY,
    })
    const created = await store.keys.create(written)
    assert.deepEqual(created, { ...written, previousHash: null, previousUntil: null, version: 1 })
    assert.deepEqual(await store.keys.get("ann"), created)
    const rotated = { prefix: "sl-new", hash: "new", previousHash: created.hash, previousUntil: NOON + 5 }
    assert.deepEqual(await store.keys.patch("ann", rotated), { ...created, ...rotated, version: 2 })
    const emptied = await store.keys.patch("ann", {
      budget: null,
      models: null,
      expiresAt: null,
      previousHash: null,
    })
    assert.deepEqual(emptied, {
      ...created,
      ...rotated,
      budget: null,
      models: null,
      expiresAt: null,
      previousHash: null,
      version: 3,
    })
    assert.equal(await store.keys.patch("nobody", { name: "x" }), undefined)
    await assert.rejects(store.keys.create(aKey("ann")), { code: "conflict" })
    await assert.rejects(store.keys.create(aKey("bob", { hash: "new" })), { code: "conflict" })
    assert.deepEqual(await store.keys.list(), [emptied])
  })

  test(`${name}: a key that is disabled, expired, deleted or unknown opens no call`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    await store.keys.create(aKey("disabled", { disabled: true }))
    await store.keys.create(aKey("expired", { expiresAt: NOON }))
    await store.keys.create(aKey("deleted"))
    await store.openCall(anOpenCall("running", { key: "deleted" }))
    assert.equal(await store.keys.delete("deleted"), true)
    assert.equal(await store.keys.delete("deleted"), false)
    const reason = async (key: string) => {
      const admission = await store.openCall(anOpenCall(`of-${key}`, { key }))
      return admission.admitted ? "admitted" : admission.refusal.reason
    }
    assert.equal(await reason("disabled"), "disabled_key")
    assert.equal(await reason("expired"), "expired_key")
    assert.equal(await reason("deleted"), "unknown_key")
    assert.equal(await reason("unknown"), "unknown_key")
    assert.equal(await store.settleCall(aSettledCall("running")), true)
    assert.deepEqual(await query("SELECT count(*) AS calls FROM calls"), [{ calls: 1 }])
    assert.deepEqual(await query("SELECT hash, prefix FROM keys WHERE id = 'deleted'"), [
      { hash: "", prefix: "" },
    ])
    // Two may be deleted: what is gone is not compared.
    await store.keys.create(aKey("deleted too"))
    assert.equal(await store.keys.delete("deleted too"), true)
    await assertBooksAgree(query)
  })

  test(`${name}: whoever follows the changes knows every key, and learns of a deletion`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    let told = 0
    store.keys.onChange(() => {
      told += 1
    })
    await store.keys.create(aKey("ann"))
    await store.keys.create(aKey("bob"))
    await store.keys.patch("ann", { disabled: true })
    await store.keys.delete("bob")
    const changes = await store.keys.changes(0)
    assert.deepEqual(
      changes.map(({ id, key }) => [id, key?.disabled]),
      [
        ["ann", true],
        ["bob", undefined],
      ],
    )
    assert.deepEqual(await store.keys.changes(changes.at(-1)!.version), [])
    await until(() => told > 0)
  })

  test(`${name}: a project keeps its budget, and is not deleted while it has keys`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    const team = {
      id: "team",
      name: "Team",
      budget: { amount: 5n, period: "monthly" as const },
      createdAt: NOON,
    }
    assert.deepEqual(await store.projects.create(team), team)
    await store.keys.create(aKey("ann", { project: "team" }))
    assert.deepEqual(await store.projects.patch("team", { budget: null }), { ...team, budget: null })
    assert.deepEqual(await store.projects.patch("team", {}), { ...team, budget: null })
    assert.deepEqual(await store.projects.list(), [{ ...team, budget: null }])
    await assert.rejects(store.projects.delete("team"), { code: "conflict" })
    await store.keys.patch("ann", { project: null })
    assert.equal(await store.projects.delete("team"), true)
    assert.equal(await store.projects.delete("team"), false)
    assert.equal(await store.projects.get("team"), undefined)
  })

  test(`${name}: a setting is chosen once, whoever asks and at the same time`, async (t) => {
    const { open } = await newPlace(t)
    const store = await open()
    const chosen = await Promise.all(["a", "b", "c"].map((value) => store.setting("pepper", () => value)))
    assert.equal(new Set(chosen).size, 1)
    assert.equal(await store.setting("pepper", () => "d"), chosen[0])
  })
}

export function suiteOfTheStart({ name, place: newPlace }: StoreSubject): void {
  test(`${name}: several that start at once on an empty database all start, and it is migrated once`, async (t) => {
    const { open, query } = await newPlace(t)
    await Promise.all(Array.from({ length: 4 }, () => open()))
    assert.deepEqual(await query("SELECT name FROM migrations"), [{ name: "001-ledger" }])
    assert.deepEqual(await query("SELECT version FROM key_feed"), [{ version: 0 }])
  })

  for (const [migration, code, sentence] of [
    ["999-from-the-future", "newer_database", /^The database was written by a newer version of Sluice .*\.$/],
    ["000-from-elsewhere", "unknown_migration", /^The database has a migration '000-from-elsewhere' .*\.$/],
  ] as const) {
    test(`${name}: the migration ${migration} stops the start with one sentence and nothing is touched`, async (t) => {
      const { open, query } = await newPlace(t)
      await (await open()).close()
      await query(`INSERT INTO migrations (name, applied_at) VALUES ('${migration}', 1)`)
      await query("DELETE FROM migrations WHERE name = '001-ledger'")
      await query("DROP TABLE calls")
      await assert.rejects(open(), (error) => {
        assert.ok(error instanceof Error && "code" in error)
        assert.equal(error.code, code)
        assert.match(error.message, sentence)
        return true
      })
      assert.deepEqual(await query("SELECT name FROM migrations"), [{ name: migration }])
      await assert.rejects(query("SELECT 1 FROM calls"))
      assert.deepEqual(await query("SELECT id FROM processes"), [])
    })
  }

  test(`${name}: a closed store takes nothing more, and what it took before is written`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    const opening = store.openCall(anOpenCall("a", { keyIsStored: false }))
    await store.close()
    assert.equal((await opening).admitted, true)
    await assert.rejects(store.openCall(anOpenCall("b", { keyIsStored: false })), { code: "closed" })
    await assert.rejects(store.settleCall(aSettledCall("a")), { code: "closed" })
    assert.deepEqual(await query("SELECT id FROM calls"), [{ id: "a" }])
    assert.deepEqual(await query("SELECT id FROM processes"), [])
  })

  test(`${name}: content is kept until its time is over, and calls for as long as asked, totals for ever`, async (t) => {
    const { open, query } = await newPlace(t)
    const store = await open()
    for (const id of ["old", "young", "running"]) {
      await store.openCall(
        anOpenCall(id, { keyIsStored: false, startedAt: id === "young" ? NOON + 5 : NOON }),
      )
      await store.contents.save(
        id,
        { request: `about ${id}`, answer: null },
        id === "young" ? NOON + 10 : NOON,
      )
    }
    await store.contents.save("old", { request: "about old", answer: "yes" }, NOON)
    await store.settleCall(aSettledCall("old"))
    await store.settleCall(aSettledCall("young"))
    assert.deepEqual(await store.contents.get("old"), { request: "about old", answer: "yes" })
    assert.deepEqual(await store.deleteExpired(NOON - 1), { contents: 0, calls: 0 })
    assert.deepEqual(await store.deleteExpired(NOON, NOON + 5), { contents: 2, calls: 1 })
    assert.equal(await store.contents.get("old"), undefined)
    assert.deepEqual(await store.contents.get("young"), { request: "about young", answer: null })
    assert.deepEqual(
      (await query("SELECT id FROM calls ORDER BY id")).map(({ id }) => id),
      ["running", "young"],
    )
    assert.equal((await store.usage({ from: NOON, to: NOON + HOUR, by: [] }))[0]?.calls, 2)
  })
}

export function suiteOfFaults({ name, place: newPlace, createFault }: FaultySubject): void {
  for (const when of ["before", "after"] as const) {
    test(`${name}: whichever statement fails (${when} it is done), every call has its one row, paid once, and no hold is left`, async (t) => {
      const { open, query } = await newPlace(t)
      const fault = createFault()
      const store = await open({ fault })
      await store.projects.create({ id: "team", name: "Team", budget: null, createdAt: NOON })
      await store.keys.create(
        aKey("ann", { project: "team", budget: { amount: 1_000_000n, period: "total" } }),
      )
      let failures = 0
      let n = 0
      do {
        n += 1
        fault.arm(n, when)
        const ids = [`a-${n}`, `b-${n}`]
        const admissions = await Promise.all(
          ids.map((id) => store.openCall(anOpenCall(id, { tags: ["x"], hold: { amount: 10n, tokens: 10 } }))),
        )
        assert.ok(admissions.every(({ admitted }) => admitted))
        assert.equal((await store.extendHold(`a-${n}`, 20n, NOON)).admitted, true)
        const settled = await Promise.all(ids.map((id) => store.settleCall(aSettledCall(id, { cost: 3n }))))
        assert.deepEqual(settled, [true, true], `statement ${n}: whoever settles first is told so`)
        failures = fault.failed()
        fault.arm(0)
        const { total, held, running } = await store.spend("project", "team", NOON)
        assert.deepEqual([total, held, running], [BigInt(n) * 6n, 0n, 0], `statement ${n}`)
        await assertBooksAgree(query)
      } while (failures > 0)
      assert.ok(n > 15, `${n - 1} statements have failed once`)
    })
  }

  for (const when of ["before", "after"] as const) {
    test(`${name}: an opening that fails (${when} any of its statements is done) leaves no row and no hold`, async (t) => {
      const { open, query } = await newPlace(t)
      const fault = createFault()
      const store = await open({ fault, openPatience: 0 })
      await store.keys.create(aKey("ann", { budget: { amount: 1_000n, period: "total" } }))
      let failed = true
      for (let n = 1; failed; n++) {
        fault.arm(n, when)
        failed = await store.openCall(anOpenCall(`call-${n}`, { hold: { amount: 10n } })).then(
          () => false,
          () => true,
        )
        fault.arm(0)
        // Jobs are done in order: once this one is, what had to be undone is undone.
        await store.countResume("any")
        const { held, running } = await store.spend("key", "ann", NOON)
        assert.deepEqual([held, running], failed ? [0n, 0] : [10n, 1], `statement ${n}`)
        await assertBooksAgree(query)
      }
    })
  }

  test(`${name}: a change of a key that fails changes nothing, and is not told`, async (t) => {
    const { open } = await newPlace(t)
    const fault = createFault()
    const store = await open({ fault })
    await store.keys.create(aKey("ann", { name: "before" }))
    let patched = false
    for (let n = 1; !patched; n++) {
      fault.arm(n)
      patched = await store.keys.patch("ann", { name: "after" }).then(
        () => true,
        () => false,
      )
      fault.arm(0)
      const [change] = await store.keys.changes(0)
      assert.deepEqual([change?.key?.name, change?.version], patched ? ["after", 2] : ["before", 1])
    }
  })
}

/** Waits for what an event will bring about; the test's own time limit ends what never comes. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** The same numbers every time: a small linear congruential generator. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
