/** What every stream log must do: run by each implementation's test with a factory of its own. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { LogLimits, StreamFacts, StreamLog, StreamRecord } from "./log.ts"

export interface LogUnderTest {
  create(limits: LogLimits, now: () => number): StreamLog
}

export const GENEROUS: LogLimits = { keep: 1_000, maxBytes: 1 << 20, totalBytes: 1 << 24 }

export function factsOf(id: string): StreamFacts {
  return { id, owner: "key", streamed: true, dialect: "openai", createdAt: 0, askedModel: "sim/story" }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export function textsOf(events: readonly Uint8Array[]): string[] {
  return events.map((event) => new TextDecoder().decode(event))
}

/** All that a reader from `seq` gets. */
export function readAll(stream: StreamRecord, seq = 0): string[] {
  const texts: string[] = []
  for (;;) {
    const more = stream.read(Math.max(seq, stream.first - 1) + texts.length, Number.POSITIVE_INFINITY)
    if (more.length === 0) return texts
    texts.push(...textsOf(more))
  }
}

export function flushed(log: StreamLog): Promise<void> {
  return new Promise((resolve) => log.flush(resolve))
}

export function logSuite(name: string, subject: LogUnderTest): void {
  test(`${name}: events are numbered from 1 and read back in order from any number`, async () => {
    const log = subject.create(GENEROUS, () => 0)
    const stream = log.create(factsOf("a"))
    assert.equal(stream.head, 0)
    assert.equal(stream.newest, undefined)
    for (let seq = 1; seq <= 200; seq++) assert.equal(stream.append(bytesOf(`event ${seq}`)), seq)
    await flushed(log)
    assert.equal(stream.visible, 200)
    for (let after = 0; after <= 200; after++) {
      const expected = Array.from({ length: 200 - after }, (_, index) => `event ${after + index + 1}`)
      assert.deepEqual(textsOf(stream.read(after, Number.POSITIVE_INFINITY)), expected)
      assert.equal(stream.bytesAfter(after), expected.join("").length)
    }
    assert.deepEqual(textsOf([stream.newest!]), ["event 200"])
    await log.close()
  })

  test(`${name}: what is let go is read as before, and what comes after it is at hand`, async () => {
    const log = subject.create(GENEROUS, () => 0)
    const stream = log.create(factsOf("a"))
    const sent: string[] = []
    for (let round = 1; round <= 60; round++) {
      for (let count = round % 4; count > 0; count--) {
        sent.push(`event ${sent.length + 1}`)
        stream.append(bytesOf(sent.at(-1)!))
      }
      // What is not visible yet stands nowhere else.
      if (round % 3 === 0) stream.letGo()
      await flushed(log)
      if (round % 4 > 0) assert.deepEqual(textsOf([stream.newest!]), [sent.at(-1)])
      if (round % 5 === 0) stream.letGo()
      const after = Math.floor((sent.length * (round % 7)) / 7)
      assert.deepEqual(readAll(stream, after), sent.slice(after))
      assert.equal(stream.bytesAfter(after), sent.slice(after).join("").length)
    }
    await log.close()
  })

  test(`${name}: a stream that is owed outlives its time and its room, where the log outlives its process`, async () => {
    const log = subject.create(GENEROUS, () => 0)
    const streams = ["a", "b"].map((id) => log.create(factsOf(id)))
    for (const stream of streams) {
      stream.append(bytesOf("12345"))
      stream.owe()
      stream.end("finished")
    }
    await flushed(log)
    if (log.outlives) {
      assert.deepEqual(log.sweep(10_000), [])
      log.limits = { ...GENEROUS, totalBytes: 1 }
      assert.equal(log.size, 2)
      // Its room is made when it is paid, and not only when somebody looks again.
      streams[0]!.paid()
      assert.deepEqual([log.size, log.get("a")], [1, undefined])
    } else log.limits = { ...GENEROUS, totalBytes: 1 }
    for (const stream of streams) stream.paid()
    assert.equal(log.size, 0)
    await flushed(log)
    await log.close()
  })

  test(`${name}: a slip is no event: readers and limits know nothing of it`, async () => {
    const log = subject.create({ ...GENEROUS, maxBytes: 10 }, () => 0)
    const stream = log.create(factsOf("a"))
    stream.putSlip(bytesOf("a slip of more bytes than a stream may have"))
    stream.append(bytesOf("one"))
    stream.putSlip(bytesOf("another"))
    stream.append(bytesOf("two"))
    stream.end("finished")
    await flushed(log)
    assert.deepEqual(readAll(stream), ["one", "two"])
    assert.deepEqual([stream.head, stream.written, log.bytes, stream.hasSlips], [2, 6, 6, false])
    await log.close()
  })

  test(`${name}: of more ended streams than are kept the oldest go, and no running one`, async () => {
    const log = subject.create({ ...GENEROUS, mostEnded: 3 }, () => 0)
    const running = log.create(factsOf("running"))
    running.append(bytesOf("one"))
    for (let number = 0; number < 10; number++) {
      const stream = log.create(factsOf(`s${number}`))
      stream.append(bytesOf(`${number}`))
      stream.end("finished")
      await flushed(log)
    }
    assert.deepEqual(
      [...log.all()].map(({ facts }) => facts.id),
      ["running", "s7", "s8", "s9"],
    )
    assert.deepEqual(readAll(log.get("s8")!), ["8"])
    assert.equal(log.bytes, 6)
    await log.close()
  })

  test(`${name}: many streams written in turns read back each its own, whatever their size`, async () => {
    const log = subject.create(GENEROUS, () => 0)
    const streams = Array.from({ length: 20 }, (_, number) => log.create(factsOf(`s${number}`)))
    const expected = streams.map((): string[] => [])
    for (let turn = 0; turn < 60; turn++) {
      for (const [number, stream] of streams.entries()) {
        for (let count = (turn + number) % 3; count > 0; count--) {
          const text = `${number}/${turn}/${"x".repeat((turn * 37 + number * 101) % 3_000)}`
          stream.append(bytesOf(text))
          expected[number]!.push(text)
        }
      }
      await flushed(log)
    }
    for (const [number, stream] of streams.entries()) {
      for (const after of [0, 1, 17, stream.head - 1, stream.head])
        assert.deepEqual(readAll(stream, after), expected[number]!.slice(after))
    }
    await log.close()
  })

  test(`${name}: a read stops at its limit but always gives one event`, async () => {
    const log = subject.create(GENEROUS, () => 0)
    const stream = log.create(factsOf("a"))
    for (const text of ["aaaa", "bbbb", "cccc"]) stream.append(bytesOf(text))
    await flushed(log)
    assert.deepEqual(textsOf(stream.read(0, 1)), ["aaaa"])
    assert.deepEqual(textsOf(stream.read(0, 8)), ["aaaa", "bbbb"])
    assert.deepEqual(textsOf(stream.read(3, 8)), [])
    await log.close()
  })

  test(`${name}: the first ending wins and nothing is appended after it`, async () => {
    const log = subject.create(GENEROUS, () => 0)
    const stream = log.create(factsOf("a"))
    stream.append(bytesOf("x"))
    stream.note({ opened: { ok: true } })
    assert.equal(stream.end("finished", { failure: { kind: "none" } }), true)
    assert.equal(stream.end("cancelled"), false)
    assert.equal(stream.ending, "finished")
    assert.throws(() => stream.append(bytesOf("y")), /has ended/)
    await flushed(log)
    assert.equal(stream.visibleEnding, "finished")
    assert.deepEqual(stream.notes, { opened: { ok: true }, failure: { kind: "none" } })
    assert.deepEqual(textsOf(stream.read(0, 100)), ["x"])
    await log.close()
  })

  test(`${name}: past max_bytes the oldest events go, and the newest always stays`, async () => {
    const log = subject.create({ ...GENEROUS, maxBytes: 10 }, () => 0)
    const stream = log.create(factsOf("a"))
    for (let seq = 1; seq <= 1_000; seq++) {
      stream.append(bytesOf("12345"))
      if (seq % 7 === 0) await flushed(log)
    }
    await flushed(log)
    assert.equal(stream.head, 1_000)
    assert.equal(stream.first, 999)
    assert.equal(stream.written, 5_000)
    assert.equal(stream.read(998, 100).length, 2)
    assert.equal(log.bytes, 2 * 5)
    stream.append(bytesOf("a much longer event than ten bytes"))
    await flushed(log)
    assert.equal(stream.first, 1_001)
    assert.deepEqual(textsOf(stream.read(1_000, 100)), ["a much longer event than ten bytes"])
    await log.close()
  })

  test(`${name}: past total_bytes the oldest ended streams go, running ones stay`, async () => {
    const log = subject.create({ ...GENEROUS, totalBytes: 20 }, () => 0)
    const running = log.create(factsOf("running"))
    running.append(bytesOf("0123456789"))
    const ended = log.create(factsOf("ended"))
    ended.append(bytesOf("01234"))
    ended.end("finished")
    await flushed(log)
    assert.equal(log.bytes, 15)
    const newest = log.create(factsOf("newest"))
    newest.append(bytesOf("0123456789"))
    assert.equal(log.get("ended"), undefined)
    assert.equal(log.get("running"), running)
    assert.equal(log.get("newest"), newest)
    assert.equal(log.bytes, 20)
    await flushed(log)
    await log.close()
  })

  test(`${name}: limits can be replaced: for ended streams at once, for running ones at their next event`, async () => {
    let now = 0
    const log = subject.create(GENEROUS, () => now)
    const running = log.create(factsOf("running"))
    for (const text of ["one", "two", "three"]) running.append(bytesOf(text))
    const [older, newer] = ["older", "newer"].map((id) => {
      const stream = log.create(factsOf(id))
      stream.append(bytesOf("0123456789"))
      stream.end("finished")
      return stream
    })
    await flushed(log)

    log.limits = { ...GENEROUS, totalBytes: 25 }
    assert.equal(log.get("older"), undefined)
    assert.equal(log.get("newer"), newer)
    assert.ok(older !== undefined)

    log.limits = { ...GENEROUS, maxBytes: 8 }
    assert.deepEqual(readAll(running), ["one", "two", "three"])
    running.append(bytesOf("four"))
    await flushed(log)
    assert.deepEqual(readAll(running), ["four"])

    log.limits = { ...GENEROUS, keep: 10 }
    now = 9
    assert.deepEqual(log.sweep(now), [])
    now = 10
    assert.deepEqual(log.sweep(now), ["newer"])
    await flushed(log)
    await log.close()
  })

  test(`${name}: a stream is kept from its ending on, not from its beginning`, async () => {
    let now = 0
    const log = subject.create(GENEROUS, () => now)
    const stream = log.create(factsOf("a"))
    now = 10_000
    assert.deepEqual(log.sweep(now), [])
    stream.append(bytesOf("12345"))
    stream.end("failed")
    await flushed(log)
    now = 10_999
    assert.deepEqual(log.sweep(now), [])
    now = 11_000
    assert.deepEqual(log.sweep(now), ["a"])
    assert.equal(log.get("a"), undefined)
    assert.equal(log.size, 0)
    assert.equal(log.bytes, 0)
    await flushed(log)
    await log.close()
  })
}
