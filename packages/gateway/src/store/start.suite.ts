/** What every store must do when it starts, when it closes, and when time is over. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { anOpenCall, aSettledCall, NOON } from "../../test/store-support.ts"
import type { StoreSubject } from "./store.suite.ts"

const HOUR = 3_600_000

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

  test(`${name}: a start knows whether the process before has left`, async (t) => {
    const { open } = await newPlace(t)
    const first = await open()
    assert.equal(first.afterKill, false)
    assert.equal((await open()).afterKill, true)
    const alone = await (await newPlace(t)).open()
    await alone.close()
    assert.equal(alone.afterKill, false)
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
