import assert from "node:assert/strict"
import { test } from "node:test"
import { createLane, type LaneOptions } from "./lane.ts"
import { StoreError } from "./store-error.ts"

interface Job {
  readonly id: string
  readonly kind?: "open" | "settle"
}

const passing = new StoreError("unavailable", "away")
const lasting = new StoreError("invalid", "bad")

/** A lane whose batches are ended by hand, on a clock that only waiting moves. */
function handLane(options: Partial<LaneOptions<Job, string>> = {}) {
  const batches: { jobs: string[]; retried: boolean; end(): void; fail(error: Error): void }[] = []
  const waits: number[] = []
  let begun = Promise.withResolvers<void>()
  let now = 0
  const lane = createLane<Job, string>({
    execute(jobs, retried) {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>()
      const ids = jobs.map(({ id }) => id)
      batches.push({ jobs: ids, retried, end: () => resolve(ids.map((id) => `done ${id}`)), fail: reject })
      begun.resolve()
      begun = Promise.withResolvers()
      return promise
    },
    patience: ({ kind }) => (kind === "open" ? 100 : Number.POSITIVE_INFINITY),
    now: () => now,
    async wait(milliseconds) {
      waits.push(milliseconds)
      now += milliseconds
    },
    ...options,
  })
  return {
    lane,
    batches,
    waits,
    /** The n-th batch, when it has begun. */
    async batch(n: number) {
      while (batches.length < n) await begun.promise
      return batches[n - 1]!
    },
  }
}

test("one batch carries all that queued while the last one ran", async () => {
  const { lane, batch } = handLane()
  const first = ["a", "b"].map((id) => lane.push({ id }))
  const one = await batch(1)
  assert.deepEqual(one.jobs, ["a", "b"])
  const second = ["c", "d", "e"].map((id) => lane.push({ id }))
  one.end()
  assert.deepEqual(await Promise.all(first), ["done a", "done b"])
  const two = await batch(2)
  assert.deepEqual(two.jobs, ["c", "d", "e"])
  two.end()
  assert.deepEqual(await Promise.all(second), ["done c", "done d", "done e"])
})

test("a job that may wait goes with the next that may not, and alone when none comes", async () => {
  const mayWait = ({ kind }: Job): boolean => kind === "settle"
  const { lane, batch, batches } = handLane({ mayWait, moment: 600_000 })
  const waiting = ["a", "b"].map((id) => lane.push({ id, kind: "settle" }))
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  assert.equal(batches.length, 0)
  const urgent = lane.push({ id: "c" })
  const one = await batch(1)
  assert.deepEqual(one.jobs, ["a", "b", "c"])
  one.end()
  assert.deepEqual(await Promise.all([...waiting, urgent]), ["done a", "done b", "done c"])

  const alone = handLane({ mayWait, moment: 1 })
  const settled = alone.lane.push({ id: "d", kind: "settle" })
  const only = await alone.batch(1)
  assert.deepEqual(only.jobs, ["d"])
  only.end()
  assert.equal(await settled, "done d")

  const closing = handLane({ mayWait, moment: 600_000 })
  const last = closing.lane.push({ id: "e", kind: "settle" })
  await new Promise(setImmediate)
  const closed = closing.lane.close(60_000)
  ;(await closing.batch(1)).end()
  assert.equal(await last, "done e")
  await closed
})

test("jobs of one call never share a batch and keep their order", async () => {
  const { lane, batch } = handLane({ most: 3 })
  const pushed = ["a", "b", "a", "c", "d", "e", "f"].map((id) => lane.push({ id }))
  for (const [n, jobs] of [
    ["a", "b"],
    ["a", "c", "d"],
    ["e", "f"],
  ].entries()) {
    const next = await batch(n + 1)
    assert.deepEqual(next.jobs, jobs)
    next.end()
  }
  await Promise.all(pushed)
})

test("what may pass is tried again, whole and in its place, with longer and longer pauses", async () => {
  const { lane, batch, waits } = handLane()
  const pushed = ["a", "b"].map((id) => lane.push({ id }))
  const one = await batch(1)
  const late = lane.push({ id: "c" })
  one.fail(passing)
  for (let n = 2; n < 12; n++) {
    const again = await batch(n)
    assert.deepEqual([again.jobs, again.retried], [["a", "b", "c"], true])
    again.fail(new Error("anything that the store does not know"))
  }
  ;(await batch(12)).end()
  await Promise.all([...pushed, late])
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 320, 500, 500, 500, 500])
  const after = lane.push({ id: "d" })
  const next = await batch(13)
  assert.equal(next.retried, false)
  next.end()
  await after
})

test("whose patience is over is refused and reported, the others go on", async () => {
  const abandoned: string[] = []
  const { lane, batch } = handLane({ abandoned: ({ id }) => void abandoned.push(id) })
  const opening = lane.push({ id: "a", kind: "open" })
  const settling = lane.push({ id: "b" })
  const refused = assert.rejects(opening, passing)
  let n = 1
  while (abandoned.length === 0) {
    const next = await batch(n)
    n += 1
    next.fail(passing)
    // The clock stands still but for the pauses: 5 + 10 + 20 + 40 + 80 is past a hundred.
    if (n > 7) assert.fail("its patience never ended")
    await new Promise(setImmediate)
  }
  await refused
  assert.deepEqual(abandoned, ["a"])
  const rest = await batch(n)
  assert.deepEqual(rest.jobs, ["b"])
  rest.end()
  assert.equal(await settling, "done b")
})

test("one bad job does not fail its neighbours", async () => {
  const { lane, batch } = handLane()
  const [good, bad, fine] = ["a", "b", "c"].map((id) => lane.push({ id }))
  const refused = assert.rejects(bad!, lasting)
  ;(await batch(1)).fail(lasting)
  for (const [n, id] of ["a", "b", "c"].entries()) {
    const alone = await batch(n + 2)
    assert.deepEqual(alone.jobs, [id])
    if (id === "b") alone.fail(lasting)
    else alone.end()
  }
  assert.deepEqual(await Promise.all([good, fine]), ["done a", "done c"])
  await refused
})

test("closing waits for what was taken and takes nothing more", async () => {
  const { lane, batch } = handLane()
  const taken = lane.push({ id: "a" })
  const closed = lane.close(60_000)
  await assert.rejects(lane.push({ id: "b" }), { code: "closed" })
  ;(await batch(1)).end()
  assert.equal(await taken, "done a")
  assert.equal(await closed, true)
})

test("closing gives up what cannot be written in time", async () => {
  const failing = { execute: () => Promise.reject(passing) }
  const { lane } = handLane({ ...failing, wait: () => new Promise(setImmediate) })
  const refused = assert.rejects(lane.push({ id: "a" }), { code: "closed" })
  assert.equal(await lane.close(1), false)
  await refused
})

test("who waits behind a batch that does not go through loses patience as well, untried", async () => {
  const abandoned: string[] = []
  const { lane, batch } = handLane({ abandoned: ({ id }) => abandoned.push(id) })
  const first = lane.push({ id: "a", kind: "settle" })
  const one = await batch(1)
  const second = lane.push({ id: "a", kind: "settle" })
  const behind = lane.push({ id: "b", kind: "open" })
  const refused = assert.rejects(behind, passing)
  for (let n = 1; n < 8; n++) (await batch(n)).fail(passing)
  await refused
  assert.deepEqual(abandoned, [])
  ;(await batch(8)).end()
  await first
  ;(await batch(9)).end()
  await second
  assert.deepEqual(one.jobs, ["a"])
})

test("whoever was tried and loses patience behind another is abandoned, and that is done", async () => {
  const { lane, batch } = handLane({
    abandoned: ({ id }) => void lane.push({ id, kind: "settle" }),
    patience: ({ kind }) => (kind === "open" ? 8 : Number.POSITIVE_INFINITY),
  })
  const refused = assert.rejects(lane.push({ id: "a", kind: "open" }), passing)
  const other = lane.push({ id: "b" })
  ;(await batch(1)).fail(lasting)
  // Alone each may pass: both go back, and their patience is over by then.
  const one = await batch(2)
  assert.deepEqual(one.jobs, ["a"])
  one.fail(passing)
  const two = await batch(3)
  assert.deepEqual(two.jobs, ["b"])
  two.fail(passing)
  await refused
  const last = await batch(4)
  assert.deepEqual(last.jobs, ["b", "a"])
  last.end()
  await other
})
