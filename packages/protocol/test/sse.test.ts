import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { test } from "node:test"
import {
  createSseDecoder,
  decodeSse,
  encodeEvent,
  type SseEvent,
  SseEventTooLargeError,
} from "@sluice/protocol"
import { standardTextOf, textOf } from "../src/sse/utf8.ts"
import { assertLinear } from "./linear-time.ts"
import { everyCut, inReadsOf, readStream } from "./sse-reading.ts"
import { SSE_VECTORS } from "./sse-vectors.ts"

const SHARED_VECTORS = new URL("../../../../shared/testdata/vectors/sse.json", import.meta.url)
const encoder = new TextEncoder()

for (const vector of SSE_VECTORS) {
  test(`every split of the bytes gives the same: ${vector.name}`, () => {
    const stream = typeof vector.stream === "string" ? encoder.encode(vector.stream) : vector.stream
    for (const reads of everyCut(stream)) {
      const read = readStream(reads)
      assert.deepEqual(read.events, vector.events)
      assert.deepEqual(read.retries, vector.retries ?? [])
      if (vector.comments !== undefined) assert.deepEqual(read.comments, vector.comments)
      assert.equal(read.lastEventId, vector.lastEventId ?? "")
    }
  })
}

test("the shared vectors agree at every split", (t) => {
  if (!existsSync(SHARED_VECTORS)) return t.skip("the shared vectors are absent")
  const { vectors }: { vectors: SharedVector[] } = JSON.parse(readFileSync(SHARED_VECTORS, "utf8"))
  let runs = 0
  for (const vector of vectors) {
    const parts = vector.parts ?? [{ base64: vector.base64 ?? "", repeat: 1 }]
    const bytes = parts.map(({ base64, repeat = 1 }) =>
      Buffer.from(Buffer.from(base64, "base64").toString("latin1").repeat(repeat), "latin1"),
    )
    const stream = new Uint8Array(Buffer.concat(bytes))
    assert.equal(stream.length, vector.bytes, vector.name)
    const sizes = vector.read_sizes
    const cuts = sizes === "every-cut" ? everyCut(stream) : sizes.map((size) => inReadsOf(size, stream))
    for (const reads of cuts) {
      const read = readStream(reads)
      const events = read.events.map(({ event, data, id }, at) =>
        vector.events[at]?.data === undefined
          ? {
              event,
              id,
              data_length: data.length,
              data_sha256: createHash("sha256").update(data).digest("hex"),
            }
          : { event, data, id },
      )
      assert.deepEqual(events, vector.events, vector.name)
      assert.deepEqual(read.retries, vector.retry, vector.name)
      assert.equal(read.lastEventId, vector.last_event_id, vector.name)
      runs++
    }
  }
  assert.ok(runs > vectors.length)
  t.diagnostic(`${vectors.length} shared vectors, ${runs} runs`)
})

interface SharedVector {
  name: string
  base64?: string
  parts?: { base64: string; repeat?: number }[]
  bytes: number
  read_sizes: "every-cut" | number[]
  events: { event: string; id: string; data?: string }[]
  retry: number[]
  last_event_id: string
}

test("an event is given at once when its blank line ends with CR", () => {
  const events: SseEvent[] = []
  const decoder = createSseDecoder({ onEvent: (event) => events.push(event) })
  decoder.push(encoder.encode("data: a\r\n\r"))
  assert.deepEqual(
    events.map(({ data }) => data),
    ["a"],
  )
  decoder.push(encoder.encode("\ndata: b\r\r"))
  assert.deepEqual(
    events.map(({ data }) => data),
    ["a", "b"],
  )
})

test("a read of one event and the same within a longer read give the same", () => {
  for (const data of ["a", "", " a", "a\rb", "é😀", "\uFEFFa", "a\0"]) {
    const single = encoder.encode(`data: ${data}\n\n`)
    const [alone] = readStream([single]).events
    assert.deepEqual(alone, readStream([encoder.encode(`:\n\ndata: ${data}\n\n:\n\n`)]).events[0])
    assert.deepEqual(alone, readStream(inReadsOf(1, single)).events[0])
  }
})

test("bytes become the same text by the runtime's own way and by a TextDecoder", () => {
  const standard = standardTextOf()
  for (const { stream } of SSE_VECTORS) {
    const bytes = typeof stream === "string" ? encoder.encode(stream) : stream
    for (let begin = 0; begin <= bytes.length; begin++) {
      assert.equal(textOf(bytes, begin, bytes.length), standard(bytes, begin, bytes.length))
      assert.equal(textOf(bytes, 0, begin), standard(bytes, 0, begin))
    }
  }
})

test("an event of the limit's size passes, one byte more is a typed error, at every split", () => {
  // All lines of the block count, and their ends.
  for (const [block, before] of [
    ["id: 1\ndata: 2\n\n", ""],
    ["data: 1234567\n\n", "data: a\n\n:\n\n"],
    ["data: é\rdata: b\r\r", "data: a\r\r"],
    ["data: é\r\ndata: b\r\n\r", "data: a\r\n\r\n"],
    [": a comment\n: another\ndata: a\n\n", "\n\n\n"],
    ["data: \uFFFD\uFFFD\n\n", ""],
  ] as const) {
    const stream = encoder.encode(`${before}${block}`)
    const size = encoder.encode(block).length
    const wanted = readStream([stream]).events
    for (const reads of everyCut(stream))
      assert.deepEqual(readStream(reads, { maxEventBytes: size }).events, wanted)
    for (const reads of everyCut(stream)) {
      const events: SseEvent[] = []
      const decoder = createSseDecoder({ onEvent: (event) => events.push(event), maxEventBytes: size - 1 })
      const pushAll = () => {
        for (const bytes of reads) decoder.push(bytes)
      }
      assert.throws(pushAll, SseEventTooLargeError)
      assert.deepEqual(
        events,
        readStream([encoder.encode(before)]).events,
        "what came before it has been given",
      )
      assert.throws(() => decoder.push(encoder.encode("data: later\n\n")), SseEventTooLargeError)
      decoder.end()
      assert.equal(events.length, readStream([encoder.encode(before)]).events.length)
    }
  }
})

test("an event without an end is refused when the limit is passed, not when its end comes", () => {
  const decoder = createSseDecoder({ onEvent: () => assert.fail("there is no event"), maxEventBytes: 1000 })
  for (let sent = 0; sent < 1000; sent += 10) decoder.push(encoder.encode("0123456789"))
  assert.throws(() => decoder.push(encoder.encode("0")), {
    name: "SseEventTooLargeError",
    maxEventBytes: 1000,
  })
})

test("many small events pass a small limit in one read", () => {
  const stream = encoder.encode("data: 12\n\n".repeat(1000))
  assert.equal(readStream([stream], { maxEventBytes: 10 }).events.length, 1000)
})

test("the limit is 16 MB unless another is set", () => {
  const decoder = createSseDecoder({ onEvent: () => {} })
  const read = new Uint8Array(1024 * 1024).fill(0x61)
  for (let sent = 0; sent < 16; sent++) decoder.push(read)
  assert.throws(() => decoder.push(Uint8Array.of(0x61)), { maxEventBytes: 16 * 1024 * 1024 })
})

test("1 MB in one line takes time in proportion to its length, in reads of one byte", () => {
  assertLinear(1024 * 1024, (length) => {
    const { events } = readStream(inReadsOf(1, encoder.encode(`data: ${"x".repeat(length)}\n\n`)))
    assert.equal(events[0]?.data.length, length)
  })
})

test("100,000 reads of one byte take time in proportion to their number", () => {
  assertLinear(100_000, (length) => {
    const count = length / 10
    assert.equal(readStream(inReadsOf(1, encoder.encode("data: 12\n\n".repeat(count)))).events.length, count)
  })
})

test("many lines and many events in one read take time in proportion to their number", () => {
  const blocks = [
    'data: {"a":1}\n\n',
    "id: 1\ndata: {}\n\n",
    'data: {"a":1}\r\n\r\n',
    "data: a\r\r",
    ":\n\n",
    "x\n\n",
  ]
  for (const block of blocks) {
    assertLinear(80_000, (count) => readStream([encoder.encode(block.repeat(count))]))
    assertLinear(80_000, (count) => readStream([encoder.encode(`${block.trimEnd()}\n`.repeat(count))]))
  }
})

test("decodeSse reads a stream, and any other source of bytes", async () => {
  const text = ["a", "b\nc", "[DONE]"].map((data) => encodeEvent({ data })).join("")
  const stream = () => new Blob([text]).stream()
  assert.deepEqual(await dataOf(decodeSse(stream())), ["a", "b\nc", "[DONE]"])
  const reader = { getReader: () => stream().getReader() } as ReadableStream<Uint8Array>
  assert.deepEqual(
    await dataOf(decodeSse(reader)),
    ["a", "b\nc", "[DONE]"],
    "a stream that cannot be iterated",
  )
  async function* slowly() {
    yield* inReadsOf(1, encoder.encode(text))
  }
  assert.deepEqual(await dataOf(decodeSse(slowly())), ["a", "b\nc", "[DONE]"])
})

test("decodeSse closes its source when the loop is left", async () => {
  for (const iterable of [true, false]) {
    let closed = false
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encoder.encode("data: a\n\ndata: b\n\n")),
      cancel: () => {
        closed = true
      },
    })
    const source = iterable ? stream : ({ getReader: () => stream.getReader() } as ReadableStream<Uint8Array>)
    for await (const { data } of decodeSse(source)) if (data === "b") break
    assert.ok(closed)
  }
})

test("decodeSse gives what came before an event that is too large, then throws", async () => {
  const seen: string[] = []
  const read = async () => {
    const source = new Blob(["data: a\n\ndata: 12345678901234567890\n\n"]).stream()
    for await (const { data } of decodeSse(source, { maxEventBytes: 16 })) seen.push(data)
  }
  await assert.rejects(read, SseEventTooLargeError)
  assert.deepEqual(seen, ["a"])
})

async function dataOf(events: AsyncIterable<SseEvent>): Promise<string[]> {
  const all: string[] = []
  for await (const { data } of events) all.push(data)
  return all
}

test("large reads that begin and end within events give what the whole gives", () => {
  for (const lineEnd of ["\n", "\r\n", "\r"]) {
    const block = (at: number) => [`id: ${at}`, `data: ${"é".repeat(at % 700)}`, ""].join(lineEnd) + lineEnd
    const stream = encoder.encode(Array.from({ length: 400 }, (_, at) => block(at)).join(""))
    const wanted = readStream([stream])
    assert.equal(wanted.events.length, 400)
    for (const size of [4000, 5000, 65_536]) assert.deepEqual(readStream(inReadsOf(size, stream)), wanted)
  }
})
