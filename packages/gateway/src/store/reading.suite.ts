/** What every store must tell: pages of calls, and usage. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON } from "../../test/store-support.ts"
import type { CallRecord } from "./call-record.ts"
import type { StoreSubject } from "./store.suite.ts"
import type { Store } from "./store.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR

export function suiteOfReading({ name, place: newPlace }: StoreSubject): void {
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

/** The same numbers every time: a small linear congruential generator. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
