import assert from "node:assert/strict"
import { test } from "node:test"
import { bytesOf, factsOf, GENEROUS } from "./log.suite.ts"
import { createMemoryLog } from "./memory.ts"
import { createStream, type Reader } from "./stream.ts"
import { createTurn } from "./turn.ts"

test("a stream lets go of what all its readers have taken, and of nothing while one is behind", async () => {
  const record = createMemoryLog(GENEROUS).create(factsOf("a"))
  let letGo = 0
  record.letGo = () => letGo++
  const stream = createStream(
    record,
    createTurn((done) => done()),
    { rule: "detach" },
    () => {},
  )
  const next = async (): Promise<number> => {
    const before = letGo
    stream.append(bytesOf("event"))
    // The turn ends in this phase of the loop, the readers are woken in it.
    await new Promise(setImmediate)
    return letGo - before
  }
  const readerAt = (reader: { behind: number }): Reader => ({
    wake() {},
    behind: () => reader.behind,
    caughtUp: false,
    drop() {},
  })
  const [quick, slow] = [{ behind: 0 }, { behind: 5 }]
  assert.equal(await next(), 1, "nobody follows")
  stream.attach(readerAt(quick))
  assert.equal(await next(), 1)
  const late = readerAt(slow)
  stream.attach(late)
  assert.equal(await next(), 0)
  slow.behind = 0
  assert.equal(await next(), 1)
  slow.behind = 1
  stream.detach(late)
  assert.equal(await next(), 1)
})
