/** A process is killed when its journal knows of its calls and its database does not, or not all. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { anOpenCall, aSettledCall, assertBooksAgree, NOON } from "../../test/store-support.ts"
import type { OpenCall, SettledCall } from "../store/call-record.ts"
import { openStore } from "../store/open.ts"
import { readSlip, writeSlip } from "../store/slip.ts"
import type { Store } from "../store/store.ts"
import { createJournal, type Journal } from "../streams/disk.ts"
import { enterSlips } from "./slips.ts"

const LIMITS = { keep: 60_000, maxBytes: 1 << 20, totalBytes: 1 << 24 }
const attempt = {
  provider: "acme",
  model: "large",
  startedAt: NOON,
  endedAt: NOON + 3,
  usage: null,
  estimated: false,
}

test("a slip says what it was given, money and what is missing included", () => {
  const open = anOpenCall("a", { tags: ["x"], hold: { amount: 2n ** 58n + 1n, tokens: 7 } })
  const settled = aSettledCall("a", {
    cost: 2n ** 58n + 3n,
    attempts: [
      { ...attempt, cost: 2n ** 58n },
      { ...attempt, cost: null },
    ],
  })
  assert.deepEqual(readSlip(writeSlip({ open, process: "p" })), { open, process: "p" })
  assert.deepEqual(readSlip(writeSlip({ settled })), { settled })
  const unpriced = anOpenCall("b", { hold: { amount: null } })
  assert.deepEqual(readSlip(writeSlip({ open: unpriced })), { open: unpriced })
  assert.deepEqual(readSlip(writeSlip({ settled: { ...settled, cost: null } })).settled?.cost, null)
})

test("what the books had not learned before the process was killed is entered once, by the process that began it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-slips-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const place = (): { folder: string; level: "process"; limits: typeof LIMITS } => ({
    folder,
    level: "process",
    limits: LIMITS,
  })
  const start = async (): Promise<{ log: Journal; store: Store }> => {
    const started = { log: createJournal(place()), store: await openStore({ dataFolder: folder }) }
    t.after(() => Promise.all([started.log.close(), started.store.close()]))
    return started
  }
  const before = await start()
  const { process } = before.store
  const opened = (id: string): OpenCall =>
    anOpenCall(id, { keyIsStored: false, hold: { amount: 10n, tokens: 3 } })
  const settled = (id: string): SettledCall =>
    aSettledCall(id, { cost: 7n, attempts: [{ ...attempt, cost: 7n }] })
  const begin = (id: string, hasEnded: boolean): void => {
    const stream = before.log.create({
      id,
      owner: "ann",
      streamed: true,
      dialect: "openai",
      createdAt: NOON,
      askedModel: "fast",
    })
    stream.putSlip(writeSlip({ open: opened(id), process }))
    stream.append(Buffer.from("data: {}\n\n"))
    if (hasEnded) stream.putSlip(writeSlip({ settled: settled(id) }))
  }
  begin("nothing is there", true)
  begin("runs, and nothing is there", false)
  begin("only its beginning is there", true)
  begin("runs, and is there", false)
  begin("all is there", true)
  before.log.create({
    id: "has no slip",
    owner: "ann",
    streamed: true,
    dialect: "openai",
    createdAt: NOON,
    askedModel: "fast",
  })
  before.log.flush(() => {})
  for (const id of ["only its beginning is there", "runs, and is there", "all is there"])
    before.store.postCall(opened(id))
  before.store.postSettlement(settled("all is there"))
  assert.equal((await before.store.calls.page({ limit: 10 })).calls.length, 3)

  const expected: Record<string, string | null> = {
    "nothing is there": "finished",
    "runs, and nothing is there": null,
    "only its beginning is there": "finished",
    "runs, and is there": null,
    "all is there": "finished",
  }
  // It is not closed: to those after it, it was killed. One that stops before it has looked leaves that to the next.
  const failed = await start()
  assert.equal(failed.store.afterKill, true)
  await failed.store.close()
  for (const missing of [3, 0]) {
    const after = await start()
    assert.equal(after.store.afterKill, true)
    assert.equal(await enterSlips(after), missing)
    const { calls } = await after.store.calls.page({ limit: 10 })
    assert.deepEqual(Object.fromEntries(calls.map(({ id, ending }) => [id, ending])), expected)
    assert.ok(calls.every((call) => call.process === process))
    assert.equal((await after.store.spend("key", "ann", NOON)).total, 21n)
    assert.equal(await enterSlips(after), 0)
  }
  const last = await start()
  assert.equal(await enterSlips(last), 0)
  await last.store.close()
  const afterAll = await start()
  assert.equal(afterAll.store.afterKill, false)
  assert.equal(await enterSlips(afterAll), 0)
  const database = new DatabaseSync(join(folder, "sluice.db"))
  await assertBooksAgree(async (sql) => database.prepare(sql).all() as never)
  database.close()
})
