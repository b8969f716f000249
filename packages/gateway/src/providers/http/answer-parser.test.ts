import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { AnswerError, AnswerParser, MAX_HEAD } from "./answer-parser.ts"

const RUNS = 3_000

/** What was told of one answer. */
interface Heard {
  status: number
  headers: [string, string][]
  /** As latin1: one character for each byte. */
  body: string
  ended: boolean
  reusable: boolean
  keptFor: number | undefined
}

interface Reading {
  readonly answers: Heard[]
  /** Of the bytes that are no part of an answer that was asked for. */
  readonly behind: number
  readonly refused: boolean
  /** What `ended` gave when the bytes were all read. */
  readonly whole: boolean | undefined
}

/**
 * Reads as a connection does: each read lies somewhere in one buffer, which is overwritten afterwards, and the
 * next request is sent when an answer has ended.
 */
function listen(reads: Iterable<Uint8Array>, asked: number): Reading {
  const parser = new AnswerParser()
  const answers: Heard[] = []
  let behind = 0
  const ask = (): void => {
    const heard = nothingHeard()
    parser.begin(strictSink(heard, () => answers.push(heard)))
  }
  const note = (): void => {
    const last = answers.at(-1)
    // Where the next answer is awaited, it is of that one that the parser would speak.
    if (last !== undefined && (parser.done || !last.ended))
      [last.reusable, last.keptFor] = [parser.reusable, parser.keptFor]
  }
  ask()
  try {
    for (const read of reads) {
      const place = 3
      const buffer = Buffer.alloc(place + read.length + 3, "\n")
      buffer.set(read, place)
      const end = place + read.length
      let at = place
      while (at < end) {
        if (parser.done) {
          if (answers.length === asked) break
          ask()
        }
        const before = at
        at = parser.read(buffer, at, end)
        note()
        assert.ok(at > before && at <= end, "it goes on, and never beyond the read")
        assert.ok(at === end || parser.done, "nobody has stopped it")
      }
      behind += end - at
      buffer.fill("\n")
    }
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    note()
    return { answers, behind, refused: true, whole: undefined }
  }
  const whole = parser.ended()
  note()
  return { answers, behind, refused: false, whole }
}

function nothingHeard(): Heard {
  return { status: 0, headers: [], body: "", ended: false, reusable: false, keptFor: undefined }
}

/** Fails where something is told that cannot be: a body before its head, or anything after the end. */
function strictSink(heard: Heard, begun: () => void = () => {}): Parameters<AnswerParser["begin"]>[0] {
  return {
    head(status, headers) {
      assert.equal(heard.status, 0, "one head for each answer")
      heard.status = status
      heard.headers = [...headers]
      begun()
    },
    body(bytes, start, end) {
      assert.ok(heard.status !== 0 && !heard.ended, "a body stands between its head and its end")
      assert.ok(start < end && end <= bytes.length, "a piece is some bytes of the read")
      heard.body += Buffer.from(bytes.subarray(start, end)).toString("latin1")
    },
    end() {
      assert.ok(heard.status !== 0 && !heard.ended, "one end, after the head")
      heard.ended = true
    },
  }
}

/** Text of which each character is one byte. */
const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1")

/** Cut at the given places, in whatever order and however often they are named. */
function cutAt(places: readonly number[], stream: Uint8Array): Uint8Array[] {
  const cuts = places.map((place) => place % (stream.length + 1))
  const sorted = [0, ...cuts, stream.length].toSorted((a, b) => a - b)
  return sorted.slice(1).map((end, at) => stream.subarray(sorted[at], end))
}

function inReadsOf(size: number, stream: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(stream.length / size) }, (_, at) =>
    stream.subarray(at * size, (at + 1) * size),
  )
}

// What a provider may send, and what is to be heard of it.

interface Sent {
  readonly text: string
  readonly heard: Heard
}

const token = fc.string({
  unit: fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"),
  minLength: 1,
  maxLength: 12,
})
const FRAMING = new Set(["content-length", "transfer-encoding", "connection", "keep-alive"])
const headerName = fc
  .oneof(token, fc.constantFrom("Content-Type", "SET-COOKIE", "x-request-id", "Date"))
  .filter((name) => !FRAMING.has(name.toLowerCase()))
const headerValue = fc.string({
  unit: fc.constantFrom(..."abz09:,;=\"'()/ \t{}\x01\x7f\x80\xe9\xff"),
  maxLength: 20,
})
const space = fc.constantFrom("", " ", "\t", "  ")
const header = fc.record({ name: headerName, before: space, value: headerValue, behind: space })
const interim = fc.constantFrom(
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n",
  "HTTP/1.1 102\r\ncontent-length: 7\r\nconnection: close\r\n\r\n",
)
/** The bytes of the format itself more often than chance would have them. */
const byte = fc.oneof(fc.constantFrom(10, 13, 48, 58), fc.integer({ min: 0, max: 255 }))
const bodyText = (minLength: number): fc.Arbitrary<string> =>
  fc.array(byte, { minLength, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1"))
const chunk = fc
  .record({
    data: bodyText(1),
    digits: fc.integer({ min: 1, max: 12 }),
    large: fc.boolean(),
    extension: fc.constantFrom("", "", ";a", ";a=b", ' ; a="b;c\xe9" ', "\t;a", ";"),
  })
  .map(({ data, digits, large, extension }) => {
    const size = data.length.toString(16).padStart(digits, "0")
    return { data, text: `${large ? size.toUpperCase() : size}${extension}\r\n${data}\r\n` }
  })

interface Body {
  /** The headers that tell of it. */
  readonly headers: [string, string][]
  readonly text: string
  readonly data: string
}

const counted: fc.Arbitrary<Body> = bodyText(0).chain((data) =>
  fc.integer({ min: 1, max: 15 }).map((digits) => ({
    headers: [["Content-Length", String(data.length).padStart(digits, "0")]],
    text: data,
    data,
  })),
)
const chunked: fc.Arbitrary<Body> = fc
  .record({
    coding: fc.constantFrom("chunked", "Chunked", "CHUNKED"),
    chunks: fc.array(chunk, { maxLength: 6 }),
    last: fc.constantFrom("0", "000", "0;a=b"),
    trailers: fc.array(fc.constantFrom("x-sum: 12\r\n", "a:\r\n", "content-length: 5\r\n"), { maxLength: 3 }),
  })
  .map(({ coding, chunks, last, trailers }) => ({
    headers: [["Transfer-Encoding", coding]],
    text: `${chunks.map((one) => one.text).join("")}${last}\r\n${trailers.join("")}\r\n`,
    data: chunks.map((one) => one.data).join(""),
  }))
const toTheEnd: fc.Arbitrary<Body> = bodyText(0).map((data) => ({ headers: [], text: data, data }))
const none: fc.Arbitrary<Body> = fc
  .constantFrom<[string, string][]>([], [["content-length", "12"]], [["transfer-encoding", "chunked"]])
  .map((headers) => ({ headers, text: "", data: "" }))

const KEPT = {
  "timeout=5": 5_000,
  "timeout=5, max=100": 5_000,
  "max=3, timeout=0": 0,
  "max=100": undefined,
} as const

const answerWith = (
  body: fc.Arbitrary<Body>,
  statuses: readonly number[],
  versions: readonly string[],
  ends: boolean,
): fc.Arbitrary<Sent> =>
  fc
    .record({
      interims: fc.array(interim, { maxLength: 2 }),
      version: fc.constantFrom(...versions),
      status: fc.constantFrom(...statuses),
      reason: fc.constantFrom("", " ", " OK", " Not \xe9 Word: at all"),
      headers: fc.array(header, { maxLength: 5 }),
      place: fc.nat(),
      connection: fc.constantFrom(undefined, "close", "Keep-Alive", "x, Close"),
      kept: fc.constantFrom(undefined, ...(Object.keys(KEPT) as (keyof typeof KEPT)[])),
      body,
    })
    .map(({ interims, version, status, reason, headers, place, connection, kept, body }) => {
      const lines = headers.map(({ name, before, value, behind }) => ({
        text: `${name}:${before}${value}${behind}`,
        name: name.toLowerCase(),
        value: value.replaceAll(/^[ \t]+|[ \t]+$/g, ""),
      }))
      const framing: [string, string][] = [...body.headers]
      if (connection !== undefined) framing.push(["Connection", connection])
      if (kept !== undefined) framing.push(["keep-alive", kept])
      const told = framing.map(([name, value]) => ({
        text: `${name}: ${value}`,
        name: name.toLowerCase(),
        value,
      }))
      lines.splice(place % (lines.length + 1), 0, ...told)
      const heardHeaders = new Map<string, string>()
      for (const { name, value } of lines) {
        const known = heardHeaders.get(name)
        heardHeaders.set(name, known === undefined ? value : `${known}, ${value}`)
      }
      const head = [`HTTP/${version} ${status}${reason}`, ...lines.map((line) => line.text), "", ""]
      return {
        text: interims.join("") + head.join("\r\n") + body.text,
        heard: {
          status,
          headers: [...heardHeaders],
          body: body.data,
          ended: true,
          reusable: !ends && version === "1.1" && !/close/i.test(connection ?? ""),
          keptFor: kept === undefined ? undefined : KEPT[kept],
        },
      }
    })

const STATUSES = [200, 200, 201, 206, 400, 429, 500, 503, 599]
const delimited = fc.oneof(
  answerWith(counted, STATUSES, ["1.1", "1.1", "1.0"], false),
  answerWith(chunked, STATUSES, ["1.1"], false),
  answerWith(none, [204, 304], ["1.1"], false),
)
/** Answers on one connection; only the last may end with it. */
const connection = fc
  .tuple(
    fc.array(delimited, { maxLength: 2 }),
    fc.oneof(
      { weight: 3, arbitrary: delimited },
      { weight: 1, arbitrary: answerWith(toTheEnd, STATUSES, ["1.1", "1.0"], true) },
    ),
  )
  .map(([before, last]) => [...before, last])

test("well-formed answers, cut anywhere, are heard as they were sent", () => {
  fc.assert(
    fc.property(connection, fc.array(fc.nat(), { maxLength: 12 }), (sent, places) => {
      const stream = bytesOf(sent.map((answer) => answer.text).join(""))
      const wanted: Reading = {
        answers: sent.map((answer) => answer.heard),
        behind: 0,
        refused: false,
        whole: true,
      }
      assert.deepEqual(listen([stream], sent.length), wanted)
      assert.deepEqual(listen(cutAt(places, stream), sent.length), wanted)
    }),
    { numRuns: RUNS },
  )
})

test("what stands behind the answer that was asked for is left, wherever it is cut", () => {
  fc.assert(
    fc.property(
      delimited,
      bodyText(1),
      fc.array(fc.nat(), { maxLength: 12 }),
      ({ text, heard }, more, places) => {
        const stream = bytesOf(text + more)
        const wanted: Reading = { answers: [heard], behind: more.length, refused: false, whole: true }
        assert.deepEqual(listen([stream], 1), wanted)
        assert.deepEqual(listen(cutAt(places, stream), 1), wanted)
      },
    ),
    { numRuns: RUNS },
  )
})

const COUNTED =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nKeep-Alive: timeout=5\r\n\r\n" +
  "hello\r\n\r\nyou"
const CHUNKED =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00B\r\n\r\n0\r\n\r\n you\r\n" +
  "0 ;c\r\nx-sum: 1\r\ny: \r\n\r\n"
const TO_THE_END = "HTTP/1.0 200 OK\r\nX: 1\r\nX: 2\r\n\r\nhello\r\n\r\nyou"
const NO_BODY = "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n"
const INTERIM = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"

test("fixed answers are the same when cut in two at each byte, and in small reads of one size", () => {
  const counted: Heard = {
    status: 200,
    headers: [
      ["content-type", "text/plain"],
      ["content-length", "12"],
      ["keep-alive", "timeout=5"],
    ],
    body: "hello\r\n\r\nyou",
    ended: true,
    reusable: true,
    keptFor: 5_000,
  }
  const chunked: Heard = {
    status: 200,
    headers: [["transfer-encoding", "chunked"]],
    body: "hello\r\n0\r\n\r\n you",
    ended: true,
    reusable: true,
    keptFor: undefined,
  }
  const toTheEnd: Heard = {
    status: 200,
    headers: [["x", "1, 2"]],
    body: "hello\r\n\r\nyou",
    ended: true,
    reusable: false,
    keptFor: undefined,
  }
  const noBody: Heard = {
    status: 204,
    headers: [["content-length", "5"]],
    body: "",
    ended: true,
    reusable: true,
    keptFor: undefined,
  }
  const cases: [string, Heard[]][] = [
    [COUNTED, [counted]],
    [CHUNKED, [chunked]],
    [TO_THE_END, [toTheEnd]],
    [NO_BODY, [noBody]],
    [INTERIM + COUNTED, [counted]],
    [COUNTED + NO_BODY + INTERIM + CHUNKED + TO_THE_END, [counted, noBody, chunked, toTheEnd]],
  ]
  for (const [text, answers] of cases) {
    const stream = bytesOf(text)
    const wanted: Reading = { answers, behind: 0, refused: false, whole: true }
    assert.deepEqual(listen([stream], answers.length), wanted)
    for (let at = 0; at <= stream.length; at++)
      assert.deepEqual(listen([stream.subarray(0, at), stream.subarray(at)], answers.length), wanted)
    for (const size of [1, 2, 3, 7]) assert.deepEqual(listen(inReadsOf(size, stream), answers.length), wanted)
  }
})

test("204, 304 and a content length of 0 have no body: what follows is the next answer", () => {
  const heads = [
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
    "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 000\r\n\r\n",
  ]
  for (const head of heads)
    for (const reads of [[bytesOf(head + COUNTED)], inReadsOf(1, bytesOf(head + COUNTED))]) {
      const { answers, whole } = listen(reads, 2)
      assert.deepEqual(
        answers.map(({ body, ended, reusable }) => ({ body, ended, reusable })),
        [
          { body: "", ended: true, reusable: true },
          { body: "hello\r\n\r\nyou", ended: true, reusable: true },
        ],
        head,
      )
      assert.equal(whole, true)
    }
})

// What is refused.

/** Nothing of it may be taken for an answer: neither in one read nor byte by byte. */
function refused(text: string, why: string): void {
  const stream = bytesOf(text)
  for (const reads of [[stream], inReadsOf(1, stream), inReadsOf(7, stream)]) {
    const reading = listen(reads, 1)
    assert.equal(reading.refused, true, `${why}: ${JSON.stringify(text.slice(0, 200))}`)
    assert.equal(reading.answers[0]?.ended ?? false, false, why)
  }
}

/** As `refused`, and the head itself is never told. */
function headRefused(head: string, why: string): void {
  // With all that a body might need, so that whoever took the head would come to an end.
  const text = `${head}5\r\nhello\r\n0\r\n\r\n`
  refused(text, why)
  assert.deepEqual(listen([bytesOf(text)], 1).answers, [], why)
}

const OK = "HTTP/1.1 200 OK\r\n"
const IN_CHUNKS = `${OK}transfer-encoding: chunked\r\n\r\n`

test("a head that tells of the length of its body in two ways, or in none that is known, is refused", () => {
  const wrong: [string, string][] = [
    ["both ways", "content-length: 5\r\ntransfer-encoding: chunked\r\n"],
    ["both ways, the other way round", "transfer-encoding: chunked\r\ncontent-length: 5\r\n"],
    ["both ways, in other letters", "Transfer-Encoding: Chunked\r\nCONTENT-LENGTH: 5\r\n"],
    ["two lengths", "content-length: 5\r\ncontent-length: 6\r\n"],
    ["two lengths in one header", "content-length: 5, 6\r\n"],
    ["two lengths far from each other", "content-length: 5\r\nx: y\r\nContent-Length: 50\r\n"],
    ["a length and an empty one", "content-length: 5\r\ncontent-length:\r\n"],
    ["a negative length", "content-length: -5\r\n"],
    ["a length with a sign", "content-length: +5\r\n"],
    ["a length in hex", "content-length: 0x5\r\n"],
    ["a length of hex digits", "content-length: a\r\n"],
    ["a length with a fraction", "content-length: 5.0\r\n"],
    ["a length with an exponent", "content-length: 5e0\r\n"],
    ["a length of two words", "content-length: 5 5\r\n"],
    ["a length in digits that are none here", "content-length: \xb2\r\n"],
    ["an empty length", "content-length:\r\n"],
    ["a blank length", "content-length: \t \r\n"],
    ["a huge length", `content-length: ${"9".repeat(16)}\r\n`],
    ["a length without end", `content-length: ${"9".repeat(400)}\r\n`],
    ["a zero without end", `content-length: ${"0".repeat(400)}5\r\n`],
    ["gzip", "transfer-encoding: gzip\r\n"],
    ["gzip, chunked", "transfer-encoding: gzip, chunked\r\n"],
    ["gzip, chunked in two headers", "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n"],
    ["chunked, gzip", "transfer-encoding: chunked, gzip\r\n"],
    ["chunked, chunked", "transfer-encoding: chunked, chunked\r\n"],
    ["chunked twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"],
    ["chunked and an empty one", "transfer-encoding: chunked\r\ntransfer-encoding:\r\n"],
    ["chunked with a parameter", "transfer-encoding: chunked;a=b\r\n"],
    ["chunked in quotes", 'transfer-encoding: "chunked"\r\n'],
    ["nearly chunked", "transfer-encoding: xchunked\r\n"],
    ["identity", "transfer-encoding: identity\r\n"],
    ["an empty coding", "transfer-encoding:\r\n"],
  ]
  for (const [why, headers] of wrong) headRefused(`${OK}${headers}\r\n`, why)
  headRefused("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "chunks in HTTP/1.0")
  headRefused(
    "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
    "both ways, where there is no body",
  )
})

test("chunks that are not just what they say are refused", () => {
  const wrong: [string, string][] = [
    ["no digits", "\r\nhello\r\n"],
    ["an extension without digits", ";a=b\r\nhello\r\n"],
    ["13 digits", "0000000000005\r\nhello\r\n"],
    ["13 digits that are many bytes", "1000000000000\r\nhello\r\n"],
    ["a minus", "-5\r\nhello\r\n"],
    ["a plus", "+5\r\nhello\r\n"],
    ["0x", "0x5\r\nhello\r\n"],
    ["a letter behind the size", "5g\r\nhello\r\n"],
    ["a comma behind the size", "5,5\r\nhello\r\n"],
    ["an underscore in the size", "0_5\r\nhello\r\n"],
    ["a NUL behind the size", "5\0\r\nhello\r\n"],
    ["a space before the size", " 5\r\nhello\r\n"],
    ["no CR after the size", "5\nhello\r\n"],
    ["no LF after the size", "5\rhello\r\n"],
    ["nothing after the size", "5hello\r\n"],
    ["no CR after the extension", "5;a=b\nhello\r\n"],
    ["no LF after the extension", "5;a=b\rhello\r\n"],
    ["no CR after the data", "5\r\nhello\n0\r\n\r\n"],
    ["no LF after the data", "5\r\nhello\r0\r\n\r\n"],
    ["nothing after the data", "5\r\nhello0\r\n\r\n"],
    ["more data than was said", "5\r\nhello!\r\n"],
    ["less data than was said", "5\r\nhell\r\n0\r\n\r\n"],
    ["a fault in the second chunk", "5\r\nhello\r\nx\r\n"],
    ["an empty line between chunks", "5\r\nhello\r\n\r\n0\r\n\r\n"],
    ["no CR after the last size", "0\n\r\n"],
    ["no LF after the last size", "0\r\r\n"],
    ["no CR at the end", "0\r\n\n"],
    ["no LF at the end", "0\r\n\rx"],
    ["no CR after a trailer", "0\r\nx: y\n\r\n"],
    ["no LF after a trailer", "0\r\nx: y\rz\r\n\r\n"],
    ["no LF after the trailers", "0\r\nx: y\r\n\r\r\n"],
  ]
  for (const [why, body] of wrong) refused(IN_CHUNKS + body, why)
  const { answers } = listen([bytesOf(`${IN_CHUNKS}5\r\nhello\r\n-1\r\n`)], 1)
  assert.equal(answers[0]?.body, "hello", "what came before the fault had come")
})

test("a head that is not HTTP/1.1 is refused", () => {
  const length = "content-length: 5\r\n"
  const wrong: [string, string][] = [
    ["a line without colon", `${OK}no colon\r\n${length}\r\n`],
    ["a line without name", `${OK}: value\r\n${length}\r\n`],
    ["a space before the colon", `${OK}x : y\r\n${length}\r\n`],
    ["a tab before the colon", `${OK}content-length\t: 5\r\n\r\n`],
    ["a space in the name", `${OK}x y: z\r\n${length}\r\n`],
    ["a name that is no token", `${OK}x(y): z\r\n${length}\r\n`],
    ["a name beyond ASCII", `${OK}\xe9: z\r\n${length}\r\n`],
    ["a folded header", `${OK}x: y\r\n z\r\n${length}\r\n`],
    ["a folded header, by a tab", `${OK}x: y\r\n\tz: 1\r\n${length}\r\n`],
    ["a space before the first header", `${OK} x: y\r\n${length}\r\n`],
    ["a NUL in a value", `${OK}x: y\0z\r\n${length}\r\n`],
    ["a NUL in a name", `${OK}x\0: y\r\n${length}\r\n`],
    ["a NUL in the reason", `HTTP/1.1 200 O\0K\r\n${length}\r\n`],
    ["a bare CR in a value", `${OK}x: y\rz\r\n${length}\r\n`],
    ["a bare CR at the end of a value", `${OK}x: y\r\r\n${length}\r\n`],
    ["a bare CR in the reason", `HTTP/1.1 200 O\rK\r\n${length}\r\n`],
    ["a bare LF behind the status line", `HTTP/1.1 200 OK\n${length}\r\n`],
    ["a bare LF behind a header", `${OK}x: y\n${length}\r\n`],
    ["a bare LF before the blank line", `${OK}${length.slice(0, -2)}\n\r\n\r\n`],
    ["bare LFs alone", `${`${OK}${length}\r\n`.replaceAll("\r\n", "\n")}\r\n\r\n`],
    ["HTTP/2.0", `HTTP/2.0 200 OK\r\n${length}\r\n`],
    ["HTTP/2", `HTTP/2 200 OK\r\n${length}\r\n`],
    ["HTTP/0.9", `HTTP/0.9 200 OK\r\n${length}\r\n`],
    ["HTTP/1.2", `HTTP/1.2 200 OK\r\n${length}\r\n`],
    ["HTTP/1.10", `HTTP/1.10 200 OK\r\n${length}\r\n`],
    ["HTTP/1", `HTTP/1 200 OK\r\n${length}\r\n`],
    ["small letters", `http/1.1 200 OK\r\n${length}\r\n`],
    ["another protocol", `ICY 200 OK\r\n${length}\r\n`],
    ["a request", `GET / HTTP/1.1\r\n${length}\r\n`],
    ["a greeting", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["no status", `HTTP/1.1 OK\r\n${length}\r\n`],
    ["a status of two digits", `HTTP/1.1 20 OK\r\n${length}\r\n`],
    ["a status of four digits", `HTTP/1.1 2000 OK\r\n${length}\r\n`],
    ["a status below 100", `HTTP/1.1 099 OK\r\n${length}\r\n`],
    ["a negative status", `HTTP/1.1 -20 OK\r\n${length}\r\n`],
    ["two spaces before the status", `HTTP/1.1  200 OK\r\n${length}\r\n`],
    ["a tab before the status", `HTTP/1.1\t200 OK\r\n${length}\r\n`],
    ["a blank line before the status line", `\r\n${OK}${length}\r\n`],
    ["a space before the status line", ` ${OK}${length}\r\n`],
    ["nothing but a blank line", "\r\n\r\n"],
    ["a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n"],
    ["a switch of protocols behind a 100", `${INTERIM}HTTP/1.1 101 Switching Protocols\r\n\r\n`],
    ["a fault behind a 100", `${INTERIM}HTTP/1.1 200 OK\r\nno colon\r\n\r\n`],
    ["a fault in a 100", `HTTP/1.1 100 Continue\r\nno colon\r\n\r\n${OK}${length}\r\n`],
  ]
  for (const [why, head] of wrong) headRefused(head, why)
  // Without any blank line that we know it is a head that is still to come.
  const { answers, whole } = listen([bytesOf(`${OK}${length}\r\n`.replaceAll("\r\n", "\n"))], 1)
  assert.deepEqual(answers, [])
  assert.equal(whole, false)
})

test("a head may have MAX_HEAD bytes and no more, however it is cut", () => {
  const headOf = (size: number): string => {
    const [before, behind] = [`${OK}content-length: 5\r\nx: `, "\r\n\r\n"]
    return before + "y".repeat(size - before.length - behind.length) + behind
  }
  for (const size of [1, MAX_HEAD - 1, MAX_HEAD, 2 * MAX_HEAD])
    for (const first of [0, 5, MAX_HEAD - 6]) {
      const cut = (text: string): Uint8Array[] => {
        const stream = bytesOf(text)
        return [stream.subarray(0, first), ...inReadsOf(size, stream.subarray(first, first + 12))].concat(
          inReadsOf(Math.max(size, 1_000), stream.subarray(first + 12)),
        )
      }
      const taken = listen(cut(`${headOf(MAX_HEAD)}hello`), 1)
      assert.equal(taken.refused, false)
      assert.equal(taken.answers[0]?.body, "hello")
      const over = listen(cut(`${headOf(MAX_HEAD + 1)}hello`), 1)
      assert.equal(over.refused, true)
      assert.deepEqual(over.answers, [])
    }
  // Of the many answers before the answer none counts for another.
  const many = `HTTP/1.1 103 Early Hints\r\nx: ${"y".repeat(MAX_HEAD / 2)}\r\n\r\n`.repeat(5)
  assert.equal(listen(inReadsOf(1_000, bytesOf(many + COUNTED)), 1).answers[0]?.ended, true)
})

/** After how many bytes of what never ends the parser says no. */
function bytesUntilRefused(before: string, again: string, size: number): number {
  const parser = new AnswerParser()
  const heard = nothingHeard()
  parser.begin(strictSink(heard))
  const start = bytesOf(before)
  parser.read(start, 0, start.length)
  const read = bytesOf(again.repeat(size))
  for (let count = read.length; count <= 10 * MAX_HEAD; count += read.length)
    try {
      assert.equal(parser.read(read, 0, read.length), read.length)
    } catch (error) {
      assert.ok(error instanceof AnswerError)
      assert.equal(heard.ended, false)
      return count
    }
  return Number.POSITIVE_INFINITY
}

test("what never ends is refused before much of it has come", () => {
  for (const size of [10, 100]) {
    assert.ok(bytesUntilRefused("", "a", size) <= MAX_HEAD + size, "a status line")
    assert.ok(bytesUntilRefused(OK, "x: y\r\n", size) <= MAX_HEAD + 6 * size, "headers")
    assert.ok(bytesUntilRefused(`${OK}x: `, "y", size) <= MAX_HEAD + size, "a header")
    assert.ok(bytesUntilRefused(IN_CHUNKS, "0", size) <= 12 + size, "a size")
    assert.ok(bytesUntilRefused(`${IN_CHUNKS}5;`, "a", size) <= MAX_HEAD, "an extension")
    assert.ok(bytesUntilRefused(`${IN_CHUNKS}5`, " ", size) <= MAX_HEAD, "spaces behind a size")
    assert.ok(bytesUntilRefused(`${IN_CHUNKS}0\r\nx: `, "y", size) <= MAX_HEAD + size, "a trailer")
    // Line ends are not counted, since they are not held either.
    assert.ok(bytesUntilRefused(`${IN_CHUNKS}0\r\n`, "x: y\r\n", size) <= 2 * MAX_HEAD, "trailers")
    assert.ok(bytesUntilRefused(`${IN_CHUNKS}0\r\n`, "x\r\n", size) <= 4 * MAX_HEAD, "short trailers")
  }
})

test("many chunks may have an extension, since each is over when its chunk comes", () => {
  const chunk = `1;${"a".repeat(1_000)}\r\nx\r\n`
  const { answers, refused } = listen([bytesOf(`${IN_CHUNKS}${chunk.repeat(100)}0\r\n\r\n`)], 1)
  assert.equal(refused, false)
  assert.equal(answers[0]?.body, "x".repeat(100))
  assert.equal(answers[0]?.ended, true)
})

test("trailers may have MAX_HEAD bytes, whatever stood before them, and leave the next answer all of its own", () => {
  const trailers = `${"x".repeat(1_000)}\r\n`.repeat(60)
  const long = `${IN_CHUNKS}0;${"a".repeat(4_000)}\r\n${trailers}${"x".repeat(MAX_HEAD - 60_000)}\r\n\r\n`
  const { answers, refused } = listen([bytesOf(long + CHUNKED + long)], 3)
  assert.equal(refused, false)
  assert.deepEqual(
    answers.map(({ ended }) => ended),
    [true, true, true],
  )
  assert.equal(listen([bytesOf(`${long.slice(0, -2)}x\r\n\r\n`)], 1).refused, true)
})

// Where it stops.

/** What the sink is told, with where the parser stands when it was stopped there. */
function stoppedAtEach(text: string): [string, number][] {
  const parser = new AnswerParser()
  const stops: [string, number][] = []
  let told: string[] = []
  const stop = (what: string): void => {
    told.push(what)
    parser.stop()
  }
  parser.begin({
    head: (status) => stop(`head ${status}`),
    body: (bytes, start, end) => stop(Buffer.from(bytes.subarray(start, end)).toString("latin1")),
    end: () => stop("end"),
  })
  const stream = bytesOf(text)
  let at = 0
  while (at < stream.length && !parser.done) {
    at = parser.read(stream, at, stream.length)
    stops.push([told.join(" "), at])
    told = []
  }
  assert.equal(parser.ended(), true)
  if (told.length > 0) stops.push([told.join(" "), at])
  return stops
}

test("a sink that stops it is told nothing more, and the next read goes on from there", () => {
  const head = IN_CHUNKS.length
  const text = `${INTERIM}${IN_CHUNKS}2\r\nab\r\n3;x\r\ncde\r\n0\r\ny: z\r\n\r\nbehind`
  const start = INTERIM.length
  assert.deepEqual(stoppedAtEach(text), [
    ["head 200", start + head],
    ["ab", start + head + "2\r\nab".length],
    ["cde", start + head + "2\r\nab\r\n3;x\r\ncde".length],
    ["end", text.length - "behind".length],
  ])
  const counted = `${OK}content-length: 3\r\n\r\n`
  assert.deepEqual(stoppedAtEach(`${counted}abcbehind`), [
    ["head 200", counted.length],
    // The last byte of a body that was counted is its end as well: who stops there is told of it later.
    ["abc", counted.length + 3],
    ["end", counted.length + 3],
  ])
  const toTheEnd = `${OK}\r\n`
  assert.deepEqual(stoppedAtEach(`${toTheEnd}abc`), [
    ["head 200", toTheEnd.length],
    ["abc", toTheEnd.length + 3],
    ["end", toTheEnd.length + 3],
  ])
})

test("stopped at any of the things it tells, an answer is heard the same", () => {
  fc.assert(
    fc.property(
      delimited,
      fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
      ({ text, heard: wanted }, stops) => {
        const parser = new AnswerParser()
        const heard = nothingHeard()
        const sink = strictSink(heard)
        let told = 0
        let stopped = false
        const then = (): void => {
          assert.equal(stopped && !parser.done, false, "nothing is told after a stop")
          stopped = stops[told++ % stops.length]!
          if (stopped) parser.stop()
        }
        parser.begin({
          head(status, headers) {
            then()
            sink.head(status, headers)
          },
          body(bytes, start, end) {
            then()
            sink.body(bytes, start, end)
          },
          end: sink.end,
        })
        const stream = bytesOf(text)
        let at = 0
        while (!parser.done) {
          stopped = false
          const before = at
          at = parser.read(stream, at, stream.length)
          assert.ok(at > before || parser.done, "each read goes on")
        }
        assert.equal(at, stream.length)
        const { reusable, keptFor } = parser
        assert.deepEqual({ ...heard, reusable, keptFor }, wanted)
      },
    ),
    { numRuns: RUNS },
  )
})

test("the end of the connection is the end of an answer only where all of it has come, or it was to end so", () => {
  const idle = new AnswerParser()
  assert.equal(idle.done, true)
  assert.equal(idle.ended(), true, "nothing was asked")

  const head = TO_THE_END.indexOf("\r\n\r\n") + 4
  const cases: [string, number][] = [
    [COUNTED, COUNTED.length],
    [CHUNKED, CHUNKED.length],
    [NO_BODY, NO_BODY.length],
    [INTERIM + COUNTED, INTERIM.length + COUNTED.length],
    [TO_THE_END, head],
    [INTERIM + TO_THE_END, INTERIM.length + head],
  ]
  for (const [text, from] of cases)
    for (let length = 0; length <= text.length; length++) {
      const parser = new AnswerParser()
      const heard = nothingHeard()
      parser.begin(strictSink(heard))
      const stream = bytesOf(text.slice(0, length))
      parser.read(stream, 0, stream.length)
      const cut = JSON.stringify(text.slice(0, length))
      assert.equal(parser.ended(), length >= from, cut)
      assert.equal(heard.ended, length >= from, cut)
      assert.equal(parser.done, length >= from, cut)
      assert.equal(parser.ended(), length >= from, "asked again, it tells no second end")
    }
})

test("an answer that was broken off leaves nothing to the one behind it", () => {
  for (let length = 0; length < CHUNKED.length; length++) {
    const parser = new AnswerParser()
    parser.begin(strictSink(nothingHeard()))
    const part = bytesOf(CHUNKED.slice(0, length))
    parser.read(part, 0, part.length)
    const heard = nothingHeard()
    parser.begin(strictSink(heard))
    const whole = bytesOf(CHUNKED)
    assert.equal(parser.read(whole, 0, whole.length), whole.length)
    assert.equal(heard.body, "hello\r\n0\r\n\r\n you")
    assert.equal(heard.ended, true)
  }
})

test("bytes of any kind are heard in order or refused, and however they are cut the same", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      OK,
      IN_CHUNKS,
      "HTTP/1.1 ",
      "HTTP/1.0 204 X\r\n",
      "content-length: 3\r\n",
      "transfer-encoding: chunked\r\n",
      "x: y\r\n",
      "\r\n",
      "\r\n\r\n",
      "0\r\n\r\n",
      "1\r\na\r\n",
      "3\r\n",
      ";",
    ),
    bodyText(0),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (pieces, places) => {
        const stream = bytesOf(pieces.join(""))
        assert.deepEqual(listen(cutAt(places, stream), 3), listen([stream], 3))
      },
    ),
    { numRuns: RUNS },
  )
})

test("well-formed answers with a few bytes changed are heard in order or refused, and the same for any cut", () => {
  const change = fc.record({
    kind: fc.constantFrom("replace", "insert", "remove", "repeat"),
    place: fc.nat(),
    length: fc.integer({ min: 1, max: 12 }),
    bytes: fc.oneof(
      bodyText(1),
      fc.constantFrom("\n", "\r", "\r\n", "\r\n\r\n", "\0", ":", "-", "f", "ffffffff"),
    ),
  })
  let refusals = 0
  fc.assert(
    fc.property(
      connection,
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (sent, changes, places) => {
        let text = sent.map((answer) => answer.text).join("")
        for (const { kind, place, length, bytes } of changes) {
          const at = place % (text.length + 1)
          const gone = kind === "remove" || kind === "replace" ? length : 0
          const added = kind === "repeat" ? text.slice(at, at + length) : kind === "remove" ? "" : bytes
          text = text.slice(0, at) + added + text.slice(at + gone)
        }
        const stream = bytesOf(text)
        const uncut = listen([stream], 4)
        assert.deepEqual(listen(cutAt(places, stream), 4), uncut)
        if (uncut.refused) refusals++
      },
    ),
    { numRuns: RUNS },
  )
  assert.ok(refusals > RUNS / 20 && refusals < RUNS, "some changes are faults, and some are not")
})

test("only spaces and tabs stand around a value", () => {
  for (const odd of ["\x0b", "\x0c", "\xa0"]) {
    headRefused(`${OK}transfer-encoding: ${odd}chunked\r\n\r\n`, "a coding that is not quite chunked")
    headRefused(`${OK}transfer-encoding: chunked${odd}\r\n\r\n`, "a coding that is not quite chunked")
    headRefused(`${OK}content-length: ${odd}5\r\n\r\n`, "a length that is not quite a number")
  }
})

test("behind a size and a space stands an extension or nothing", () => {
  refused(`${IN_CHUNKS}5 5\r\nhello\r\n0\r\n\r\n`, "two sizes")
  refused(`${IN_CHUNKS}5\tjunk\r\nhello\r\n0\r\n\r\n`, "junk behind a size and a tab")
})
