/** Stored keys as a gateway goes by them: on both databases, and between processes. */
import assert from "node:assert/strict"
import { after, test } from "node:test"
import { testPostgres } from "../../../scripts/postgres.ts"
import type { Keys } from "../src/auth/keys.ts"
import { newSecret } from "../src/auth/secret.ts"
import { openKeys } from "../src/auth/stored-keys.ts"
import type { NewKey } from "../src/store/key-record.ts"
import type { Store } from "../src/store/store.ts"
import { DATABASES, testDatabase } from "./admin-support.ts"
import { aKey } from "./store-support.ts"

after(async () => (await testPostgres()).stop())

const quiet = { log: () => {} }

for (const kind of DATABASES) {
  test(`${kind}: a stored key opens what its record says, after a restart as well`, async (t) => {
    const database = await testDatabase(t, kind)
    const store = await database.open()
    const keys = await openKeys(store, quiet)
    const secret = await create(store, keys, "ann", {
      tags: ["team"],
      models: ["fast"],
      onDisconnect: "drain:30",
      dialect: "orq",
      budget: { amount: 5n, period: "daily" },
    })
    for (const known of [keys, await openKeys(await database.open(), quiet)]) {
      const key = authenticate(known, secret)
      assert.equal(key.id, "ann")
      assert.equal(key.stored, true)
      assert.equal(key.admin, false)
      assert.deepEqual(key.tags, ["team"])
      assert.deepEqual(key.models, ["fast"])
      assert.deepEqual(key.onDisconnect, { rule: "drain", milliseconds: 30_000 })
      assert.equal(key.dialect, "orq")
      assert.deepEqual(key.budget, { amount: 5n, period: "daily" })
    }
  })

  test(`${kind}: what is kept of a secret does not open anything`, async (t) => {
    const store = await (await testDatabase(t, kind)).open()
    const keys = await openKeys(store, quiet)
    const secret = await create(store, keys, "ann")
    const record = await store.keys.get("ann")
    assert.ok(!JSON.stringify(record).includes(secret.slice("sk-sluice-".length + 4)))
    assert.match(refusal(keys, record?.hash ?? ""), /not known/)
    assert.match(refusal(keys, record?.prefix ?? ""), /not known/)
  })

  test(`${kind}: disabled, expired and deleted keys are refused, each with its reason`, async (t) => {
    const store = await (await testDatabase(t, kind)).open()
    const keys = await openKeys(store, quiet)
    const disabled = await create(store, keys, "ann", { disabled: true })
    const expired = await create(store, keys, "bob", { expiresAt: Date.now() - 1 })
    const deleted = await create(store, keys, "eve")
    assert.equal(authenticate(keys, deleted).id, "eve")
    await store.keys.delete("eve")
    await keys.refresh()
    assert.match(refusal(keys, disabled), /is disabled/)
    assert.match(refusal(keys, expired), /expired at \d{4}-/)
    assert.match(refusal(keys, deleted), /was deleted/)
    await store.keys.patch("ann", { disabled: false })
    await keys.refresh()
    assert.equal(authenticate(keys, disabled).id, "ann")
  })

  test(`${kind}: a revocation is known to another process within a second`, async (t) => {
    const database = await testDatabase(t, kind)
    const here = await database.open()
    // SQLite is one process's: there is no other to tell.
    const there = kind === "postgres" ? await database.open() : here
    const keysHere = await openKeys(here, quiet)
    const keysThere = await openKeys(there, quiet)
    const secret = await create(here, keysHere, "ann")
    await until(() => isKnown(keysThere, secret))
    await here.keys.patch("ann", { disabled: true })
    const revokedAt = performance.now()
    await until(() => !isKnown(keysThere, secret))
    const took = performance.now() - revokedAt
    t.diagnostic(`${took.toFixed(0)} ms`)
    assert.ok(took < 1_000, `${took} ms`)
  })

  test(`${kind}: after a rotation the old secret is good for its grace and no longer`, async (t) => {
    let now = Date.now()
    const store = await (await testDatabase(t, kind)).open()
    const keys = await openKeys(store, { ...quiet, now: () => now })
    const old = await create(store, keys, "ann")
    const secret = newSecret()
    const rotation = { hash: keys.hash(secret), previousHash: keys.hash(old) }
    await store.keys.patch("ann", { ...rotation, previousUntil: now + 60_000 })
    await keys.refresh()
    assert.equal(authenticate(keys, old).id, "ann")
    assert.equal(authenticate(keys, secret).id, "ann")
    now += 60_000
    assert.match(refusal(keys, old), /was rotated/)
    assert.equal(authenticate(keys, secret).id, "ann")
  })
}

test("ten thousand keys that look alike are told apart", async (t) => {
  const store = await (await testDatabase(t, "sqlite")).open()
  const keys = await openKeys(store, quiet)
  const secrets = Array.from({ length: 10_000 }, (_, n) => `sk-sluice-${String(n).padStart(6, "0")}same-end`)
  for (const [n, secret] of secrets.entries()) keys.add({ id: `key-${n}`, admin: false }, secret)
  for (const [n, secret] of secrets.entries()) assert.equal(authenticate(keys, secret).id, `key-${n}`)
  assert.match(refusal(keys, "sk-sluice-010000same-end"), /not known/)
})

test("odd headers are refused as unknown keys are, and never reach the database", async (t) => {
  const store = await (await testDatabase(t, "sqlite")).open()
  const keys = await openKeys(store, quiet)
  for (const odd of ["sk-' OR pg_sleep(3)--", "\0", "a".repeat(10_000), "__proto__", "sk-sluice-"]) {
    assert.equal(isKnown(keys, odd), false)
  }
  assert.throws(() => keys.authenticate({}), /No API key was sent/)
})

test("when the changes cannot be read, the keys stay as they were, and it is tried again", async (t) => {
  const store = await (await testDatabase(t, "sqlite")).open()
  let failures = 2
  const lines: string[] = []
  const faulty: Store["keys"] = {
    ...store.keys,
    changes: async (version) => {
      if (version > 0 && failures-- > 0) throw new Error("out of order")
      return store.keys.changes(version)
    },
  }
  const keys = await openKeys({ keys: faulty, setting: store.setting }, { log: (line) => lines.push(line) })
  const secret = newSecret()
  await store.keys.create(aKey("ann", { hash: keys.hash(secret) }))
  await until(() => isKnown(keys, secret))
  failures = 2
  await store.keys.patch("ann", { disabled: true })
  assert.ok(isKnown(keys, secret))
  await until(() => !isKnown(keys, secret))
  assert.ok(lines.length > 0)
  assert.ok(lines.every((line) => !line.includes(secret)))
})

async function create(store: Store, keys: Keys, id: string, more: Partial<NewKey> = {}): Promise<string> {
  const secret = newSecret()
  await store.keys.create(aKey(id, { hash: keys.hash(secret), ...more }))
  await keys.refresh()
  return secret
}

function authenticate(keys: Keys, secret: string) {
  return keys.authenticate({ authorization: `Bearer ${secret}` })
}

function isKnown(keys: Keys, secret: string): boolean {
  try {
    keys.authenticate({ "x-api-key": secret })
    return true
  } catch {
    return false
  }
}

function refusal(keys: Keys, secret: string): string {
  try {
    authenticate(keys, secret)
  } catch (error) {
    return String(error)
  }
  return "it was let in"
}

/** What another process does is seen by looking. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
