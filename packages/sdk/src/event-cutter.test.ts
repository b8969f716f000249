import assert from "node:assert/strict"
import { test } from "node:test"
import { createEventCutter } from "./event-cutter.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

for (const [name, end] of [
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
] as const) {
  test(`with ${name}, whole events come out however the bytes are split, and nothing else`, () => {
    const events = [
      `id: 1${end}data: é${end}${end}`,
      `: ping${end}${end}`,
      `data:x${end}id:2${end}retry: 700${end}${end}`,
    ]
    const bytes = bytesOf(`${events.join("")}id: 3${end}data: half`)
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const cutter = createEventCutter()
        const parts = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        const out = parts.map((part) => textOf(cutter.push(part)))
        assert.equal(out.join(""), events.join(""))
        assert.deepEqual([cutter.lastEventId, cutter.retryMs, cutter.events], ["2", 700, 2])
      }
    }
  })
}

test("what stood half-read when a connection broke is dropped", () => {
  const cutter = createEventCutter()
  cutter.push(bytesOf("id: 1\ndata: a\n\nid: 2\ndata: b\n"))
  cutter.restart()
  assert.equal(textOf(cutter.push(bytesOf("id: 2\ndata: b\n\n"))), "id: 2\ndata: b\n\n")
  assert.equal(cutter.lastEventId, "2")
})

test("the endings are told apart from text that looks like them", () => {
  const endingOf = (data: string) => {
    const cutter = createEventCutter()
    cutter.push(bytesOf(`data: ${data}\n\n`))
    return cutter.ending
  }
  assert.equal(endingOf("[DONE]"), "done")
  assert.equal(endingOf('{"id":"x","error":{"code":502}}'), "error")
  assert.equal(endingOf(JSON.stringify({ content: '{"error":{"code":1}} [DONE]' })), undefined)
  assert.equal(endingOf('{"choices":[{"error":{}}],"error":null}'), undefined)
})

test("a finish reason is seen with and without a space, and not in the text", () => {
  const finishedBy = (data: string) => {
    const cutter = createEventCutter()
    cutter.push(bytesOf(`data: ${data}\n\n`))
    return cutter.finished
  }
  assert.equal(finishedBy('{"finish_reason":"stop"}'), true)
  assert.equal(finishedBy('{"finish_reason": "length"}'), true)
  assert.equal(finishedBy('{"finish_reason":null}'), false)
  assert.equal(finishedBy(JSON.stringify({ content: '"finish_reason":"stop"' })), false)
})

test("an event without end is an error, not all the memory there is", () => {
  const cutter = createEventCutter(1000)
  assert.throws(() => {
    for (let times = 0; times < 20; times++) cutter.push(bytesOf("data: ".padEnd(100, "x")))
  }, RangeError)
})
