import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeComment, encodeEvent, type SseEvent } from "@sluice/protocol"
import fc from "fast-check"
import { cutAt, readStream } from "./sse-reading.ts"

const RUNS = 10_000

/** Text with what matters to the format more often than chance would have it; no half surrogates, as UTF-8 has none. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r", "\r\n", " ", ":", "data: ", "\0", "\uFEFF"),
      fc.string({ unit: "binary" }),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => pieces.join("").toWellFormed())
const singleLine = text.map((value) => value.replaceAll(/[\r\n\0]/g, ""))
const event = fc.record(
  {
    data: text,
    event: singleLine,
    id: singleLine,
    retry: fc.nat(),
  },
  { requiredKeys: ["data"] },
)
const entry = fc.oneof({ weight: 5, arbitrary: event }, { weight: 1, arbitrary: text })

test("events written, cut anywhere and read again are the same", () => {
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (entries, places) => {
        const written = entries.map((entry) =>
          typeof entry === "string" ? encodeComment(entry) : encodeEvent(entry),
        )
        const wanted: SseEvent[] = []
        let id = ""
        for (const entry of entries) {
          if (typeof entry === "string") continue
          id = entry.id ?? id
          const { retry } = entry
          const data = entry.data.replaceAll(/\r\n?/g, "\n")
          wanted.push({ event: entry.event || "message", data, id, ...(retry !== undefined && { retry }) })
        }
        const read = readStream(cutAt(places, new TextEncoder().encode(written.join(""))))
        assert.deepEqual(read.events, wanted)
        assert.equal(read.lastEventId, id)
        assert.deepEqual(
          read.retries,
          wanted.flatMap(({ retry }) => retry ?? []),
        )
      },
    ),
    { numRuns: RUNS },
  )
})

test("bytes of any kind give the same however they are cut", () => {
  const byte = fc.oneof(fc.constantFrom(10, 13, 32, 58, 0xef, 0xbb, 0xbf), fc.integer({ min: 0, max: 255 }))
  const piece = fc.oneof(
    fc.constantFrom(
      "data: a",
      "data",
      "id: 1",
      "event: x",
      "retry: 5",
      ": c",
      "\n\n",
      "\r\r",
      "\r\n\r\n",
      "\n",
      "\r",
    ),
    fc.uint8Array({ maxLength: 4 }),
    byte.map((value) => Uint8Array.of(value)),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (pieces, places) => {
        const encoder = new TextEncoder()
        const bytes = pieces.map((piece) => (typeof piece === "string" ? encoder.encode(piece) : piece))
        const stream = new Uint8Array(Buffer.concat(bytes))
        assert.deepEqual(readStream(cutAt(places, stream)), readStream([stream]))
      },
    ),
    { numRuns: RUNS },
  )
})

/** The rules once more, in the words of the standard: slow, and with nothing in common with the decoder. */
function byTheStandard(stream: Uint8Array): { events: SseEvent[]; lastEventId: string } {
  const lines = new TextDecoder().decode(stream).split(/\r\n|\r|\n/)
  lines.pop()
  const events: SseEvent[] = []
  let [dataBuffer, eventTypeBuffer, idBuffer, lastEventId] = ["", "", "", ""]
  let retry: number | undefined
  for (const line of lines) {
    if (line === "") {
      lastEventId = idBuffer
      if (dataBuffer !== "") {
        const data = dataBuffer.slice(0, -1)
        events.push({
          event: eventTypeBuffer || "message",
          data,
          id: idBuffer,
          ...(retry !== undefined && { retry }),
        })
      }
      dataBuffer = eventTypeBuffer = ""
      retry = undefined
      continue
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === "data") dataBuffer += `${value}\n`
    if (field === "event") eventTypeBuffer = value
    if (field === "id" && !value.includes("\0")) idBuffer = value
    if (field === "retry" && /^[0-9]+$/.test(value)) retry = Number(value)
  }
  return { events, lastEventId }
}

test("the decoder gives what the standard's own steps give", () => {
  const line = fc
    .tuple(
      fc.constantFrom(
        "data",
        "data:",
        "data: ",
        "event: ",
        "id:",
        "id: ",
        "retry: ",
        ":",
        "",
        "\uFEFF",
        "datax: ",
        " data: ",
      ),
      fc.constantFrom("", "a", " b", "12", "0", ":", "\0", "é😀", '{"c":1}'),
      fc.constantFrom("\n", "\n", "\n\n", "\r", "\r\r", "\r\n", "\r\n\r\n"),
    )
    .map((parts) => parts.join(""))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 15 }), fc.array(fc.nat(), { maxLength: 6 }), (lines, places) => {
      const stream = new TextEncoder().encode(lines.join(""))
      const { events, lastEventId } = readStream(cutAt(places, stream))
      assert.deepEqual({ events, lastEventId }, byTheStandard(stream))
    }),
    { numRuns: RUNS },
  )
})
