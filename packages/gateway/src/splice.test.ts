/** The short lane against the parsed one: for whatever a provider sends, both write the same bytes. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Chunk, Dialect } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import fc from "fast-check"
import { Splice } from "./splice.ts"

interface Lanes {
  /** The event as each lane writes it; the short one where it can, as the pump does. */
  write(event: string): { parsed: string; short: string; taken: boolean }
}

function lanes(from: Dialect, to: Dialect): Lanes {
  const read = from.createChunkReader()
  const writers = [to.createChunkWriter(), to.createChunkWriter()] as const
  const ours = { id: "chatcmpl-ours", created: 1_700_000_000, model: "p/m" }
  const toJson = (writer: number, chunk: Chunk): string =>
    JSON.stringify(writers[writer]!({ ...chunk, ...ours }))
  const splice = new Splice((chunk) => toJson(1, chunk))
  return {
    write(event) {
      const result = read(JSON.parse(event))
      assert.equal(result.type, "chunk")
      if (result.type !== "chunk") throw new Error("unreachable")
      const parsed = toJson(0, result.chunk)
      const taken = take(splice, event)
      if (taken !== undefined) return { parsed, short: taken, taken: true }
      const short = toJson(1, result.chunk)
      splice.learn(event, result.chunk)
      return { parsed, short, taken: false }
    },
  }
}

/** What the lane makes of this data as it stands on the wire; undefined: it must be parsed. */
function take(
  splice: Splice,
  data: string,
  frame = (json: string) => `data: ${json}\n\n`,
): string | undefined {
  const bytes = Buffer.from(frame(data))
  const end = splice.match(bytes, 0, bytes.length)
  if (end === 0) return undefined
  assert.equal(end, bytes.length)
  const written = splice.event(42).toString()
  assert.ok(written.startsWith("id: 42\ndata: ") && written.endsWith("\n\n"), written)
  return written.slice("id: 42\ndata: ".length, -2)
}

const plain = (content: string, more: object = {}): string =>
  JSON.stringify({
    id: "c-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    system_fingerprint: "fp",
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
    usage: null,
    ...more,
  })

test("the second event of a kind is spliced, and so is every one after it", () => {
  const { write } = lanes(dialects.openai, dialects.openai)
  const taken = ["one", " two", "", "\n", 'a "quote"', "tab\t and \\", "Ω 漢 🙂", "\u2028"].map(
    (text) => write(plain(text)).taken,
  )
  assert.deepEqual(taken, [false, true, false, true, true, true, true, true])
})

test("reasoning is spliced under each name that a client reads, and content after it again", () => {
  for (const name of ["reasoning", "reasoning_content"]) {
    const { write } = lanes(dialects.openai, dialects.openrouter)
    const event = (text: string): string =>
      JSON.stringify({ choices: [{ index: 0, delta: { [name]: text }, finish_reason: null }] })
    const written = [event("a"), event("b"), plain("c"), plain("d")].map(write)
    assert.deepEqual(
      written.map(({ taken }) => taken),
      [false, true, false, true],
    )
    for (const { parsed, short } of written) assert.equal(short, parsed)
    assert.match(written[1]!.short, /"reasoning_content":"b","reasoning":"b"/)
  }
})

test("a role that is said again and again does not keep a text from being spliced", () => {
  const { write } = lanes(dialects.openrouter, dialects.openrouter)
  const event = (content: string): string =>
    JSON.stringify({ choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }] })
  const written = ["a", "b", "c"].map((text) => write(event(text)))
  assert.deepEqual(
    written.map(({ taken }) => taken),
    [false, true, true],
  )
  for (const { parsed, short } of written) assert.equal(short, parsed)
})

test("OpenAI's padding, another in each event, does not keep it from being spliced", () => {
  const { write } = lanes(dialects.openai, dialects.openai)
  const written = ["abc", "d", "ef+/=="].map((obfuscation) => write(plain("text", { obfuscation })))
  assert.deepEqual(
    written.map(({ taken }) => taken),
    [false, true, true],
  )
  for (const { parsed, short } of written) assert.equal(short, parsed)
})

test("what is escaped in another way than ours is parsed", () => {
  const { write } = lanes(dialects.openai, dialects.openai)
  write(plain("first"))
  for (const escaped of ["\\u00e9", "a\\/b", "\\u0041"]) {
    const event = plain("TEXT").replace("TEXT", escaped)
    const { parsed, short, taken } = write(event)
    assert.equal(taken, false)
    assert.equal(short, parsed)
  }
})

test("a text that looks like what is around it breaks out of nothing", () => {
  const { write } = lanes(dialects.openai, dialects.openai)
  write(plain("first"))
  for (const text of [
    '"},"finish_reason":"stop"}]}',
    '","content":"',
    ',"obfuscation":"',
    "\u{f0000}text\u{f0000}",
  ]) {
    const { parsed, short } = write(plain(text))
    assert.equal(short, parsed)
  }
  // The same bytes unescaped are another event, and are read as one.
  const other = plain("TEXT").replace('"content":"TEXT"', '"content":"x","refusal":"no"')
  const { parsed, short, taken } = write(other)
  assert.equal(taken, false)
  assert.equal(short, parsed)
})

test("a stream whose events are never alike is not learned from for ever", () => {
  let asked = 0
  const splice = new Splice((chunk) => {
    asked++
    return JSON.stringify(chunk)
  })
  for (let number = 0; number < 100; number++) {
    const read = plain("x", { number })
    assert.equal(take(splice, read), undefined)
    splice.learn(read, JSON.parse(read.replace('"usage":null,', "")) as Chunk)
  }
  assert.equal(asked, 16)
})

test("what is around the data may be framed in each way that a single line can be", () => {
  const { learned, other } = learnedSplice()
  for (const frame of [
    (json: string) => `data: ${json}\n\n`,
    (json: string) => `data:${json}\n\n`,
    (json: string) => `data: ${json}\r\n\r\n`,
  ])
    assert.equal(take(learned, plain("text"), frame), other("text"))
  for (const frame of [
    (json: string) => `data: ${json}\n`,
    (json: string) => `data: ${json}\n:\n\n`,
    (json: string) => `data: ${json}\r\r`,
    (json: string) => `data:  ${json}\n\n`,
    (json: string) => `id: 1\ndata: ${json}\n\n`,
    (json: string) => `datum: ${json}\n\n`,
  ])
    assert.equal(take(learned, plain("text"), frame), undefined)
})

test("of several events in one read each is taken where it stands, under its own number", () => {
  const { learned, other } = learnedSplice()
  const texts = ["a", " b", "ä\n", "🙂"]
  const bytes = Buffer.from(`: ping\n\n${texts.map((text) => `data: ${plain(text)}\n\n`).join("")}data: {`)
  assert.equal(learned.match(bytes, 0, bytes.length), 0)
  let at = 8
  for (const [index, text] of texts.entries()) {
    at = learned.match(bytes, at, bytes.length)
    const seq = 10 ** index + 1
    assert.equal(learned.event(seq).toString(), `id: ${seq}\ndata: ${other(text)}\n\n`)
  }
  assert.equal(learned.said, 1)
  assert.equal(learned.match(bytes, at, bytes.length), 0)
})

test("an event that is cut anywhere is not taken", () => {
  const { learned } = learnedSplice()
  const bytes = Buffer.from(`data: ${plain("text")}\n\n`)
  for (let length = 0; length < bytes.length; length++) assert.equal(learned.match(bytes, 0, length), 0)
})

test("bytes that are no UTF-8 are parsed, so that they become what the decoder makes of them", () => {
  const { learned } = learnedSplice()
  const bytes = Buffer.from(`data: ${plain("a?b")}\n\n`)
  for (const broken of [0x80, 0xc3, 0xff]) {
    bytes[bytes.indexOf("?")] = broken
    assert.equal(learned.match(bytes, 0, bytes.length), 0)
    bytes[bytes.indexOf(broken)] = "?".charCodeAt(0)
  }
  assert.equal(learned.match(bytes, 0, bytes.length), bytes.length)
})

test("data of several lines is not learned from", () => {
  const splice = new Splice((chunk) => JSON.stringify(chunk))
  const data = plain("text").replace(',"model"', ',\n"model"')
  splice.learn(data, CHUNK)
  assert.equal(take(splice, data), undefined)
})

const CHUNK = JSON.parse(plain("first").replace(',"usage":null', "")) as Chunk

/** A lane that has learned from `plain`, and what it is to write. */
function learnedSplice(): { learned: Splice; other: (text: string) => string } {
  const other = (text: string): string =>
    JSON.stringify({ ...CHUNK, choices: [{ ...CHUNK.choices[0]!, delta: { content: text } }] })
  const learned = new Splice((chunk) => JSON.stringify(chunk))
  learned.learn(plain("first"), CHUNK)
  return { learned, other }
}

test("for whatever is sent, in whatever form, to whatever client, both lanes write the same bytes", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }).map((value) => value.toWellFormed()),
    fc.constantFrom("", " word", '"', "\\", "\n", "},", '"content":', "é", "/"),
  )
  const delta = fc.oneof(
    { weight: 6, arbitrary: fc.record({ content: text }) },
    { weight: 3, arbitrary: fc.record({ reasoning_content: text }) },
    fc.record({ reasoning: text }),
    { weight: 3, arbitrary: fc.record({ role: fc.constant("assistant"), content: text }) },
    fc.record({ content: text, refusal: text }),
    fc.constant({}),
    fc.record({
      tool_calls: fc.tuple(
        fc.record({
          index: fc.constant(0),
          id: fc.constant("t"),
          type: fc.constant("function"),
          function: fc.record({ name: text, arguments: text }),
        }),
      ),
    }),
  )
  const choice = fc.record(
    {
      index: fc.constantFrom(...Array<number>(9).fill(0), 1),
      delta,
      finish_reason: fc.constantFrom(null, null, null, null, "stop"),
      logprobs: fc.constant(null),
    },
    { requiredKeys: ["index", "delta", "finish_reason"] },
  )
  const envelope = fc.record({
    id: fc.constantFrom(...Array<string>(9).fill("c-1"), "c-2"),
    object: fc.constant("chat.completion.chunk"),
    created: fc.constantFrom(...Array<number>(9).fill(1), 2),
    model: fc.constant("m"),
    choices: fc.tuple(choice),
  })
  const form = fc.constantFrom(
    (value: object) => JSON.stringify(value),
    (value: object) => JSON.stringify(value),
    // As Python's json writes: spaces, and nothing but ASCII.
    (value: object) =>
      JSON.stringify(value)
        .replaceAll('":', '": ')
        .replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
    (value: object) => JSON.stringify({ ...value, obfuscation: "aB3" }),
  )
  const names = Object.keys(dialects) as (keyof typeof dialects)[]
  let taken = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.constantFrom(...names),
      form,
      fc.array(envelope, { minLength: 2, maxLength: 24 }),
      (from, to, written, events) => {
        const { write } = lanes(dialects[from], dialects[to])
        for (const event of events) {
          const both = write(written(event))
          assert.equal(both.short, both.parsed)
          if (both.taken) taken++
        }
      },
    ),
    { numRuns: 3_000 },
  )
  assert.ok(taken > 1_000, `only ${taken} events were spliced`)
})
