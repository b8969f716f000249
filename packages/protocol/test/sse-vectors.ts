/** Byte streams and what the standard makes of each. Every answer holds for every split of the bytes. */
import type { SseEvent } from "@sluice/protocol"

export interface SseVector {
  readonly name: string
  readonly stream: string | Uint8Array
  readonly events: readonly SseEvent[]
  readonly retries?: readonly number[]
  readonly comments?: readonly string[]
  readonly lastEventId?: string
}

const BOM = "\uFEFF"

export const SSE_VECTORS: readonly SseVector[] = [
  // Lines and their ends
  { name: "one event", stream: "data: a\n\n", events: [event("a")] },
  {
    name: "a lone CR ends a line, also as the last byte",
    stream: "data: a\rdata: b\r\r",
    events: [event("a\nb")],
  },
  {
    name: "CRLF is one line end",
    stream: "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n",
    events: [event("a\nb"), event("c")],
  },
  {
    name: "line ends mixed, LF CR being two",
    stream: "data: a\n\rdata: b\r\n\r\ndata: c\r\rdata: d\r\n\ndata: e\n\r\n",
    events: [event("a"), event("b"), event("c"), event("d"), event("e")],
  },
  {
    name: "the LF behind a CR that closed the event",
    stream: "data: a\r\r\ndata: b\n\n",
    events: [event("a"), event("b")],
  },
  { name: "blank lines by themselves", stream: "\n\r\n\r\n\n\n\rdata: a\n\n\n\n\n\r", events: [event("a")] },
  {
    name: "what other languages take for line ends",
    stream: "data: a\u2028b\u2029c\u0085d\ve\ff\n\n",
    events: [event("a\u2028b\u2029c\u0085d\ve\ff")],
  },
  // Byte order mark
  { name: "a byte order mark at the start is taken off", stream: `${BOM}data: a\n\n`, events: [event("a")] },
  { name: "the second of two is not", stream: `${BOM}${BOM}data: a\n\ndata: b\n\n`, events: [event("b")] },
  {
    name: "a later one belongs to the field's name, or to the data",
    stream: `data: a\n\n${BOM}data: b\n\ndata: ${BOM}c\n\n`,
    events: [event("a"), event(`${BOM}c`)],
  },
  { name: "a byte order mark before a blank line", stream: `${BOM}\ndata: a\n\n`, events: [event("a")] },
  // Data
  { name: "data without a colon", stream: "data\n\ndata\ndata\n\n", events: [event(""), event("\n")] },
  {
    name: "empty data is data",
    stream: "data:\n\ndata: \n\ndata:\ndata: \n\n",
    events: [event(""), event(""), event("\n")],
  },
  {
    name: "one space goes, no more and no tab",
    stream: "data:a\ndata: b\ndata:  c\ndata:\td\n\n",
    events: [event("a\nb\n c\n\td")],
  },
  { name: "colons in the value", stream: "data::a:\n\ndata: : b\n\n", events: [event(":a:"), event(": b")] },
  { name: "NUL in data stays", stream: "data: a\0b\n\n", events: [event("a\0b")] },
  {
    name: "JSON over several lines",
    stream: 'data: {"a":\ndata:  1\ndata: }\n\n',
    events: [event('{"a":\n 1\n}')],
  },
  // Event names
  {
    name: "a name holds for its event alone, the last one given",
    stream: "event: x\nevent: y\ndata: a\n\ndata: b\n\nevent:z\ndata: c\n\n",
    events: [event("a", { event: "y" }), event("b"), event("c", { event: "z" })],
  },
  {
    name: "an empty name is message",
    stream: "event: x\nevent:\ndata: a\n\nevent\ndata: b\n\n",
    events: [event("a"), event("b")],
  },
  { name: "a name without data is forgotten", stream: "event: x\n\ndata: a\n\n", events: [event("a")] },
  { name: "a name behind the data", stream: "data: a\nevent: x\n\n", events: [event("a", { event: "x" })] },
  // Ids
  {
    name: "an id stays until another comes",
    stream: "id: 1\ndata: a\n\ndata: b\n\ndata: c\nid:2\n\n",
    events: [event("a", { id: "1" }), event("b", { id: "1" }), event("c", { id: "2" })],
    lastEventId: "2",
  },
  {
    name: "an empty id forgets it",
    stream: "id: 1\ndata: a\n\nid\ndata: b\n\nid: 3\n\nid:\ndata: c\n\n",
    events: [event("a", { id: "1" }), event("b"), event("c")],
  },
  {
    name: "an id with NUL is passed over",
    stream: "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n",
    events: [event("a", { id: "1" }), event("b", { id: "1" })],
    lastEventId: "1",
  },
  {
    name: "an id without data counts from the next event on",
    stream: "id: 1\n\ndata: a\n\nid: 2\n\n",
    events: [event("a", { id: "1" })],
    lastEventId: "2",
  },
  {
    name: "the id of an event that was cut does not count",
    stream: "id: 1\ndata: a\n\nid: 2\ndata: b\n",
    events: [event("a", { id: "1" })],
    lastEventId: "1",
  },
  // Reconnection time
  {
    name: "retry, digits only",
    stream:
      "retry: 1000\ndata: a\n\nretry:250\n\nretry: -1\nretry: 1.5\nretry: 0x10\nretry:  7\nretry: 5 \nretry\nretry:\nretry: ٣\ndata: b\n\n",
    events: [event("a", { retry: 1000 }), event("b")],
    retries: [1000, 250],
  },
  {
    name: "the last retry of a block stands in its event",
    stream: "retry: 1\nretry: 007\ndata: a\n\n",
    events: [event("a", { retry: 7 })],
    retries: [1, 7],
  },
  {
    name: "a retry too long for a number",
    stream: `retry: ${"9".repeat(400)}\n\n`,
    events: [],
    retries: [Number.MAX_SAFE_INTEGER],
  },
  { name: "a retry in an event that was cut", stream: "retry: 5\nretry: 6", events: [], retries: [5] },
  // Comments and unknown fields
  {
    name: "comments between, inside and like data",
    stream: ": ping\n\n:\n\ndata: a\n:data: no\n::\ndata: b\n\n: cut",
    events: [event("a\nb")],
    comments: ["ping", "", "data: no", ":"],
  },
  {
    name: "fields that are none",
    stream:
      "Data: a\nDATA: b\n data: c\ndata : d\ndatum: e\ndat: f\nevents: x\nevent : y\nidx: 1\ni: 2\nfoo\nretrying: 5\ndata: g\n\n",
    events: [event("g")],
  },
  // The end
  {
    name: "an event without its blank line is dropped",
    stream: "data: a\n\ndata: b\n",
    events: [event("a")],
  },
  { name: "a line without its end is dropped", stream: "data: a\n\ndata: b", events: [event("a")] },
  {
    name: "[DONE] without its blank line is dropped like any other",
    stream: "data: a\n\ndata: [DONE]\n",
    events: [event("a")],
  },
  {
    name: "what follows [DONE] is the reader's to judge",
    stream: "data: [DONE]\n\ndata: a\n\n",
    events: [event("[DONE]"), event("a")],
  },
  { name: "nothing at all", stream: "", events: [] },
  // UTF-8
  {
    name: "characters of two, three and four bytes",
    stream: "data: é…€漢😀👩‍👩‍👧\n\n",
    events: [event("é…€漢😀👩‍👩‍👧")],
  },
  {
    name: "bytes that are no UTF-8",
    stream: bytes(
      "data: a",
      0xc3,
      "b\n\ndata: ",
      0xff,
      0xfe,
      "\n\ndata: ",
      0xed,
      0xa0,
      0x80,
      "\n\ndata: ",
      0xf0,
      0x9f,
      0x98,
      "\n\n",
    ),
    events: [event("a\uFFFDb"), event("\uFFFD\uFFFD"), event("\uFFFD\uFFFD\uFFFD"), event("\uFFFD")],
  },
  {
    name: "a character cut by the end",
    stream: bytes("data: a\n\ndata: ", 0xf0, 0x9f),
    events: [event("a")],
  },
  {
    name: "half surrogate pairs as JSON escapes are left to the reader of the JSON",
    stream: 'data: "\\ud83d"\n\ndata: "\\ude00"\n\n',
    events: [event('"\\ud83d"'), event('"\\ude00"')],
  },
]

function event(data: string, rest: Partial<SseEvent> = {}): SseEvent {
  return { event: "message", data, id: "", ...rest }
}

function bytes(...parts: (string | number)[]): Uint8Array {
  const encoder = new TextEncoder()
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === "number" ? part : [...encoder.encode(part)])),
  )
}
