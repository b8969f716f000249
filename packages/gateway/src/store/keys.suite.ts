/** What every store must do with keys and projects. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON, until } from "../../test/store-support.ts"
import type { StoreSubject } from "./store.suite.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR

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
