import assert from "node:assert/strict"
import { test } from "node:test"
import { bytesOf, factsOf, GENEROUS } from "./log.suite.ts"
import type { StreamRecord } from "./log.ts"
import { createMemoryLog } from "./memory.ts"
import { createStream, type Reader, type Stream } from "./stream.ts"
import { createTurn } from "./turn.ts"

/** A reader that takes nothing, and says how far behind it is. */
interface Told {
  behind: number
  caughtUp: boolean
  dropped: boolean
}

function readerOf(told: Told): Reader {
  return {
    wake() {},
    behind: () => told.behind,
    get caughtUp() {
      return told.caughtUp
    },
    drop() {
      told.dropped = true
    },
  }
}

const told = (behind: number, caughtUp = true): Told => ({ behind, caughtUp, dropped: false })

function streamOf(record: StreamRecord): Stream {
  return createStream(
    record,
    createTurn((done) => done()),
    { rule: "detach" },
    () => {},
  )
}

test("a reader is dropped for being far behind another that was level with the head, and for nobody else", () => {
  for (const [other, dropped] of [
    // The client whose status is waited for: it reads nothing yet.
    [told(0, false), false],
    [told(3 << 20), false],
    [told(0), true],
  ] as const) {
    const stream = streamOf(createMemoryLog(GENEROUS).create(factsOf("a")))
    const slow = told(2 << 20)
    stream.attach(readerOf(other))
    stream.attach(readerOf(slow))
    assert.equal(slow.dropped, dropped)
  }
})

test("a reader alone is never dropped", () => {
  const stream = streamOf(createMemoryLog(GENEROUS).create(factsOf("a")))
  const slow = told(2 << 20)
  stream.attach(readerOf(slow))
  assert.equal(slow.dropped, false)
})

test("a stream lets go of what all its readers have taken, and of nothing while one is behind", async () => {
  const record = createMemoryLog(GENEROUS).create(factsOf("a"))
  let letGo = 0
  record.letGo = () => letGo++
  const stream = streamOf(record)
  const next = async (): Promise<number> => {
    const before = letGo
    stream.append(bytesOf("event"))
    // The turn ends in this phase of the loop, the readers are woken in it.
    await new Promise(setImmediate)
    return letGo - before
  }
  const [quick, slow] = [told(0), told(5)]
  assert.equal(await next(), 1, "nobody follows")
  stream.attach(readerOf(quick))
  assert.equal(await next(), 1)
  const late = readerOf(slow)
  stream.attach(late)
  assert.equal(await next(), 0)
  slow.behind = 0
  assert.equal(await next(), 1)
  slow.behind = 1
  stream.detach(late)
  assert.equal(await next(), 1)
})
