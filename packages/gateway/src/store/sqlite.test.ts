import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type TestContext, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { anOpenCall, aSettledCall, NOON } from "../../test/store-support.ts"
import type { Row, Value } from "./engine.ts"
import { createFault } from "./fault.ts"
import { openStore } from "./open.ts"
import { openSqlite } from "./sqlite.ts"
import { errorFrom, faultOf } from "./sqlite-error.ts"
import { type Place, suiteOfTheStore } from "./store.suite.ts"
import type { Store } from "./store.ts"

suiteOfTheStore({ name: "sqlite", place, createFault })

interface Folder extends Place {
  readonly folder: string
}

async function place(t: TestContext): Promise<Folder> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-store-"))
  const stores: Store[] = []
  t.after(async () => {
    await Promise.all(stores.map((store) => store.close()))
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    async open(options = {}) {
      const store = await openStore({ dataFolder: folder, ...options })
      stores.push(store)
      return store
    },
    async query(sql) {
      const database = new DatabaseSync(join(folder, "sluice.db"), { timeout: 5_000 })
      try {
        const statement = database.prepare(sql)
        statement.setReadBigInts(true)
        return statement.all().map(numbers)
      } finally {
        database.close()
      }
    },
  }
}

function numbers(row: Record<string, unknown>): Row {
  const entries = Object.entries(row).map(([name, value]): [string, Value] => [
    name,
    typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : (value as Value),
  ])
  return Object.fromEntries(entries)
}

for (const durability of ["process", "power"] as const) {
  test(`sqlite: at level ${durability} a settled call is in the files when its promise resolves`, async (t) => {
    const { open, folder } = await place(t)
    const store = await open({ durability })
    await store.openCall(anOpenCall("a", { keyIsStored: false }))
    await store.settleCall(aSettledCall("a"))
    // What the files hold now is what is left after a kill: a copy of them must have the row.
    const copy = mkdtempSync(join(tmpdir(), "sluice-copy-"))
    t.after(() => rmSync(copy, { recursive: true, force: true }))
    for (const name of readdirSync(folder).filter((name) => !name.endsWith("-shm"))) {
      writeFileSync(join(copy, name), readFileSync(join(folder, name)))
    }
    const later = await openStore({ dataFolder: copy })
    t.after(() => later.close())
    assert.equal((await later.calls.get("a"))?.ending, "finished")
  })
}

test("sqlite: what was deleted is in no byte of the files", async (t) => {
  const { open, folder } = await place(t)
  const store = await open()
  const words = "a very particular confession of 1847 "
  for (let index = 0; index < 40; index++) {
    await store.contents.save(`call-${index}`, { request: words.repeat(300), answer: words }, NOON + index)
  }
  const found = () =>
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name)))
      .filter((bytes) => bytes.includes(words.trim())).length
  assert.ok(found() > 0)
  assert.deepEqual(await store.deleteExpired(NOON + 39), { contents: 40, calls: 0 })
  assert.equal(found(), 0)
})

test("sqlite: a file that is no database stops the start and stays as it is", async (t) => {
  const { open, folder } = await place(t)
  const text = "these are not the bytes you are looking for ".repeat(50)
  writeFileSync(join(folder, "sluice.db"), text)
  await assert.rejects(open(), { code: "unusable" })
  assert.equal(readFileSync(join(folder, "sluice.db"), "utf8"), text)
})

test("sqlite: a database from a newer version keeps every byte", async (t) => {
  const { open, query, folder } = await place(t)
  await (await open()).close()
  await query("INSERT INTO migrations (name, applied_at) VALUES ('999-from-the-future', 1)")
  const before = readFileSync(join(folder, "sluice.db"))
  await assert.rejects(open(), { code: "newer_database" })
  assert.ok(before.equals(readFileSync(join(folder, "sluice.db"))))
})

test("sqlite: the event loop goes on while the books are written", async (t) => {
  const { open } = await place(t)
  const store = await open({ durability: "power" })
  let turns = 0
  let writing = true
  const count = (): void => {
    turns += 1
    if (writing) setImmediate(count)
  }
  count()
  for (let index = 0; index < 20; index++)
    await store.openCall(anOpenCall(`call-${index}`, { keyIsStored: false }))
  writing = false
  assert.ok(turns > 40, `${turns} turns of the loop while 20 commits waited for the disk`)
})

test("sqlite: the thread that answers questions goes when nobody asks, and comes back when somebody does", async (t) => {
  const { folder } = await place(t)
  const threads = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length
  const before = threads()
  const engine = await openSqlite({ dataFolder: folder, durability: "process", letGoAfter: 1 })
  const ask = (): Promise<Row[]> => engine.read({ sql: "SELECT 1 AS one", parameters: [] })
  try {
    const withWriter = threads()
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await ask(), [{ one: 1 }])
      while (threads() > withWriter) await setTimeout(5)
    }
    assert.deepEqual(await Promise.all([ask(), ask(), ask()]), Array(3).fill([{ one: 1 }]))
  } finally {
    await engine.close()
  }
  assert.equal(threads(), before)
})

test("sqlite: while another holds the file, a question about the books is refused and not answered without what waits", async (t) => {
  const { open, folder } = await place(t)
  const store = await open()
  store.postCall(anOpenCall("before", { keyIsStored: false }))
  assert.equal((await store.calls.get("before"))?.ending, null)
  const other = new DatabaseSync(join(folder, "sluice.db"))
  other.exec("BEGIN IMMEDIATE")
  store.postCall(anOpenCall("a", { keyIsStored: false }))
  await assert.rejects(store.calls.get("a"), { code: "unavailable" })
  other.exec("COMMIT")
  other.close()
  await store.caughtUp()
  assert.equal((await store.calls.get("a"))?.ending, null)
})

test("sqlite: a value that does not fit is a mistake, and not tried again", () => {
  for (const error of [new TypeError("too large to bind"), new RangeError("out of range")])
    assert.equal(errorFrom(faultOf(error)).permanent, true)
  assert.equal(errorFrom(faultOf(new Error("made to fail"))).permanent, false)
})
