import assert from "node:assert/strict"
import { test } from "node:test"
import { anOpenCall, aSettledCall, until } from "../../test/store-support.ts"
import type { LedgerJob } from "./batch.ts"
import { createPosting } from "./posting.ts"

/** Jobs are done when the test says so, on a clock that it sets. */
function handPosting() {
  const jobs: { job: string; done(): void; fail(error: Error): void }[] = []
  const said: string[] = []
  const clock = { now: 0 }
  const posting = createPosting({
    push({ kind, id }: LedgerJob) {
      const { promise, resolve, reject } = Promise.withResolvers<boolean>()
      jobs.push({ job: `${kind} ${id}`, done: () => resolve(true), fail: reject })
      return promise
    },
    log: (line) => said.push(line),
    every: 5,
    now: () => clock.now,
  })
  return { posting, jobs, said, clock, names: () => jobs.map(({ job }) => job) }
}

test("a call that ends while it waits is one job, one that ends later is two, in their order", async () => {
  const { posting, jobs, names } = handPosting()
  posting.open(anOpenCall("short"), "p")
  posting.open(anOpenCall("long"), "p")
  posting.settle(aSettledCall("short"))
  await until(() => jobs.length === 2)
  posting.settle(aSettledCall("long"))
  await until(() => jobs.length === 3)
  assert.deepEqual(names(), ["whole short", "open long", "settle long"])
})

test("a flush waits for what was posted before it, batches that are under way included", async () => {
  const { posting, jobs, names } = handPosting()
  posting.open(anOpenCall("a"), "p")
  await until(() => jobs.length === 1)
  posting.open(anOpenCall("b"), "p")
  let flushed = false
  const flushing = posting.flush().then(() => (flushed = true))
  assert.deepEqual(names(), ["open a", "open b"])
  jobs[1]!.done()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(flushed, false)
  jobs[0]!.done()
  await flushing
  await posting.flush()
})

test("a flush gives up where nothing comes back, and says so", async () => {
  const { posting, jobs } = handPosting()
  posting.open(anOpenCall("a"), "p")
  await assert.rejects(posting.flush(5), { code: "unavailable" })
  assert.equal(jobs.length, 1)
  assert.equal(posting.isBehind(), true, "whatever the clock says: it stands still here")
  jobs[0]!.done()
  await posting.flush()
  assert.equal(posting.isBehind(), false)
})

test("it is behind while nothing comes back for a second, and no longer when something has", async () => {
  const { posting, jobs, clock } = handPosting()
  clock.now = 10_000
  posting.open(anOpenCall("a"), "p")
  await until(() => jobs.length === 1)
  assert.equal(posting.isBehind(), false)
  clock.now = 11_001
  assert.equal(posting.isBehind(), true)
  posting.open(anOpenCall("b"), "p")
  assert.equal(posting.isBehind(), true, "what is posted meanwhile makes nothing younger")
  await until(() => jobs.length === 2)
  jobs[0]!.done()
  jobs[1]!.done()
  await posting.flush()
  assert.equal(posting.isBehind(), false)
})

test("a job that fails for good is said, and holds up nothing", async () => {
  const { posting, jobs, said, clock } = handPosting()
  assert.equal(posting.owes(), false)
  posting.open(anOpenCall("a"), "p")
  posting.open(anOpenCall("b"), "p")
  const flushing = posting.flush()
  jobs[0]!.fail(new Error("bad"))
  jobs[1]!.done()
  await flushing
  assert.equal(said.length, 1)
  assert.match(said[0]!, /the call a .+ bad/)
  assert.deepEqual([posting.owes(), posting.isBehind()], [true, true])
  clock.now += 1_001
  assert.deepEqual([posting.owes(), posting.isBehind()], [true, false])
})

test("a settlement that finds no row is refused like any other, and nobody is told that it is entered", async () => {
  const said: string[] = []
  const entered: string[] = []
  const posting = createPosting({ push: async () => false, log: (line) => said.push(line) })
  posting.settle(aSettledCall("a"), () => entered.push("a"))
  await posting.flush()
  assert.deepEqual([entered, said.length, posting.owes()], [[], 1, true])
})

test("of two endings the first stays", async () => {
  const pushed: LedgerJob[] = []
  const posting = createPosting({ push: async (job) => pushed.push(job), log: () => {} })
  posting.open(anOpenCall("a"), "p")
  const entered: number[] = []
  posting.settle(aSettledCall("a", { cost: 1n }), () => entered.push(1))
  posting.settle(aSettledCall("a", { cost: 2n }), () => entered.push(2))
  assert.deepEqual(entered, [])
  await posting.flush()
  assert.deepEqual(entered, [1])
  const [job] = pushed
  assert.ok(job?.kind === "whole" && job.settled.cost === 1n && pushed.length === 1)
})
