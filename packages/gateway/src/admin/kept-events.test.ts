import assert from "node:assert/strict"
import test, { type TestContext } from "node:test"
import { createMemoryLog } from "../streams/memory.ts"
import { createStreams } from "../streams/streams.ts"
import { readKeptEvents } from "./kept-events.ts"

test("a stream's events are read page by page, each with its number, as they were written", async (t) => {
  const { streams, write } = begin(t, 10_000_000)
  const frames = Array.from({ length: 9 }, (_, n) => `id: ${n + 1}\ndata: ${"ü".repeat(50_000)}${n}\n\n`)
  const { record } = write(frames)
  record.end("finished")
  const seen: string[] = []
  let after: number | null = 0
  let pages = 0
  while (after !== null) {
    const page = await readKeptEvents(streams, "a", after)
    assert.ok(page !== undefined && page.data.length > 0)
    assert.deepEqual([page.first, page.last, page.ending], [1, 9, "finished"])
    for (const { seq, frame } of page.data) {
      assert.equal(frame, frames[seq - 1])
      seen.push(frame)
    }
    after = page.next
    pages += 1
  }
  assert.deepEqual(seen, frames)
  assert.ok(pages > 1)
  assert.deepEqual((await readKeptEvents(streams, "a", 9))?.data, [])
})

test("of a stream whose oldest events were dropped the rest is told, and where it begins", async (t) => {
  const { streams, write } = begin(t, 1_000)
  const frames = Array.from({ length: 9 }, (_, n) => `id: ${n + 1}\ndata: ${"x".repeat(300)}\n\n`)
  const { record } = write(frames)
  assert.ok(record.first > 1)
  const page = await readKeptEvents(streams, "a", 0)
  assert.equal(page?.ending, null)
  assert.equal(page?.first, record.first)
  assert.deepEqual(
    page?.data,
    frames.slice(record.first - 1).map((frame, n) => ({ seq: record.first + n, frame })),
  )
})

test("a stream that is not known has no events", async (t) => {
  const { streams } = begin(t, 1_000)
  assert.equal(await readKeptEvents(streams, "nobody", 0), undefined)
})

function begin(t: TestContext, maxBytes: number) {
  const log = createMemoryLog({ keep: 60_000, maxBytes, totalBytes: 100_000_000 })
  const streams = createStreams({ log, sweepEvery: 60_000, lost: () => {}, interrupted: () => {} })
  t.after(() => {
    streams.close()
    return log.close()
  })
  return {
    streams,
    write(frames: readonly string[]) {
      const facts = {
        id: "a",
        owner: "ann",
        streamed: true,
        dialect: "openai",
        createdAt: 0,
        askedModel: "sim/story",
      }
      const { record } = streams.begin(facts, { rule: "detach" }, () => {})
      for (const frame of frames) record.append(Buffer.from(frame))
      log.flush(() => {})
      return { record }
    },
  }
}
