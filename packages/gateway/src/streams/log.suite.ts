/** What every stream log must do: run by each implementation's test with a factory of its own. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { LogLimits, StreamFacts, StreamLog } from "./log.ts"

export interface LogUnderTest {
  create(limits: LogLimits, now: () => number): StreamLog
}

export function logSuite(name: string, subject: LogUnderTest): void {
  const generous: LogLimits = { keep: 1_000, maxBytes: 1 << 20, totalBytes: 1 << 24 }
  const facts = (id: string): StreamFacts => ({
    id,
    owner: "key",
    streamed: true,
    dialect: "openai",
    createdAt: 0,
  })
  const bytes = (text: string) => new TextEncoder().encode(text)
  const texts = (events: readonly Uint8Array[]) => events.map((event) => new TextDecoder().decode(event))

  test(`${name}: events are numbered from 1 and read back in order from any number`, () => {
    const log = subject.create(generous, () => 0)
    const stream = log.create(facts("a"))
    assert.equal(stream.head, 0)
    for (let seq = 1; seq <= 200; seq++) assert.equal(stream.append(bytes(`event ${seq}`)), seq)
    for (let after = 0; after <= 200; after++) {
      const expected = Array.from({ length: 200 - after }, (_, index) => `event ${after + index + 1}`)
      assert.deepEqual(texts(stream.read(after, Number.POSITIVE_INFINITY)), expected)
    }
  })

  test(`${name}: a read stops at its limit but always gives one event`, () => {
    const stream = subject.create(generous, () => 0).create(facts("a"))
    for (const text of ["aaaa", "bbbb", "cccc"]) stream.append(bytes(text))
    assert.deepEqual(texts(stream.read(0, 1)), ["aaaa"])
    assert.deepEqual(texts(stream.read(0, 8)), ["aaaa", "bbbb"])
    assert.deepEqual(texts(stream.read(3, 8)), [])
  })

  test(`${name}: the first ending wins and nothing is appended after it`, () => {
    const stream = subject.create(generous, () => 0).create(facts("a"))
    stream.append(bytes("x"))
    assert.equal(stream.end("finished"), true)
    assert.equal(stream.end("cancelled"), false)
    assert.equal(stream.ending, "finished")
    assert.throws(() => stream.append(bytes("y")), /has ended/)
    assert.deepEqual(texts(stream.read(0, 100)), ["x"])
  })

  test(`${name}: past max_bytes the oldest events go, and the newest always stays`, () => {
    const stream = subject.create({ ...generous, maxBytes: 10 }, () => 0).create(facts("a"))
    for (let seq = 1; seq <= 1_000; seq++) stream.append(bytes("12345"))
    assert.equal(stream.head, 1_000)
    assert.equal(stream.first, 999)
    assert.equal(stream.written, 5_000)
    assert.equal(stream.read(998, 100).length, 2)
    stream.append(bytes("a much longer event than ten bytes"))
    assert.equal(stream.first, 1_001)
    assert.deepEqual(texts(stream.read(1_000, 100)), ["a much longer event than ten bytes"])
  })

  test(`${name}: past total_bytes the oldest ended streams go, running ones stay`, () => {
    const log = subject.create({ ...generous, totalBytes: 20 }, () => 0)
    const running = log.create(facts("running"))
    running.append(bytes("0123456789"))
    const ended = log.create(facts("ended"))
    ended.append(bytes("01234"))
    ended.end("finished")
    const newest = log.create(facts("newest"))
    newest.append(bytes("0123456789"))
    assert.equal(log.get("ended"), undefined)
    assert.equal(log.get("running"), running)
    assert.equal(log.get("newest"), newest)
  })

  test(`${name}: a stream is kept from its ending on, not from its beginning`, () => {
    let now = 0
    const log = subject.create(generous, () => now)
    const stream = log.create(facts("a"))
    now = 10_000
    assert.deepEqual(log.sweep(now), [])
    stream.end("failed")
    now = 10_999
    assert.deepEqual(log.sweep(now), [])
    now = 11_000
    assert.deepEqual(log.sweep(now), ["a"])
    assert.equal(log.get("a"), undefined)
    assert.equal(log.size, 0)
  })
}
