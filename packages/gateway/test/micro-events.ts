/** Cases of what happens to every event of a stream. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Chunk, createSseDecoder, type Dialect, encodeEvent as encodeText } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import { Meter } from "../src/ledger/meter.ts"
import { encodeEvent } from "../src/pump.ts"
import { Splice } from "../src/splice.ts"
import { createJournal } from "../src/streams/disk.ts"
import type { LogLimits, StreamLog, StreamRecord } from "../src/streams/log.ts"
import { createMemoryLog } from "../src/streams/memory.ts"
import type { Case } from "./micro-measure.ts"

type Name = keyof typeof dialects

/** Prose has an apostrophe or a dash of its own in about one token of twenty. */
const TOKENS =
  " The| tide| comes| in| twice| a| day|,| and| nobody|’s| clock| is| asked|:| it| simply| is| there| again".split(
    "|",
  )

/** As these systems send their chunks: conformance/transcripts has whole streams of theirs. */
const CHUNKS: Readonly<Record<Name, (token: string) => object>> = {
  openai: (content) => ({
    ...envelope("gpt-4.1-nano-2025-04-14"),
    service_tier: "default",
    system_fingerprint: "fp_de604bd877",
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
    usage: null,
  }),
  openrouter: (content) => ({
    ...envelope("openai/gpt-4.1-nano"),
    provider: "OpenAI",
    choices: [
      {
        index: 0,
        delta: { role: "assistant", content },
        finish_reason: null,
        native_finish_reason: null,
        logprobs: null,
      },
    ],
  }),
  r9s: (content) => ({ ...envelope("gpt-4.1-nano"), choices: [{ index: 0, delta: { content } }] }),
  atoma: (content) => ({
    ...envelope("meta-llama/Llama-3.3-70B-Instruct"),
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null, stop_reason: null }],
    usage: null,
  }),
  orq: (content) => ({
    ...envelope("openai/gpt-4.1-nano"),
    system_fingerprint: null,
    choices: [{ index: 0, delta: { content }, finish_reason: null, logprobs: null }],
    usage: null,
  }),
}

function envelope(model: string): object {
  return {
    id: "chatcmpl-b5f0c3a1d2e94876a1b2c3d4e5f60718",
    object: "chat.completion.chunk",
    created: 1_763_053_063,
    model,
  }
}

const OURS = {
  id: "chatcmpl-0123456789abcdef0123456789abcdef",
  created: 1_763_053_064,
  model: "acme/gpt-4.1-nano",
}

export function eventCases(): Case[] {
  const names = Object.keys(CHUNKS) as Name[]
  return [
    decoding("sse decode, an event a read", 1),
    decoding("sse decode, 64 KB a read", 64_000),
    { name: "sse encode, text", run: inTurn(eventsOf("openai"), (data) => encodeText({ id: "43", data })) },
    { name: "sse encode, logged bytes", run: inTurn(eventsOf("openai"), (data) => encodeEvent(43, data)) },
    ...names.map(dialectCase),
    ...names.map((name) => laneCase(name, "parsed")),
    ...names.map((name) => laneCase(name, "splice")),
    logCase("log append, memory", createMemoryLog(LIMITS), () => {}),
    onDisk(),
    metering(),
  ]
}

function eventsOf(name: Name): string[] {
  return TOKENS.map((token) => JSON.stringify(CHUNKS[name](token)))
}

/** The next of these at each run, so that no run is like the one before. */
function inTurn<Item>(items: readonly Item[], work: (item: Item) => unknown): () => unknown {
  let at = 0
  return () => {
    at = at + 1 === items.length ? 0 : at + 1
    return work(items[at]!)
  }
}

function decoding(name: string, size: number): Case {
  const frames = eventsOf("openai").map((data) => `data: ${data}\n\n`)
  const text = frames.join("")
  const whole = text.repeat(Math.max(1, Math.round(size / text.length)))
  const reads = size === 1 ? frames : [whole]
  let seen = 0
  const decoder = createSseDecoder({
    onEvent(event) {
      seen += event.data.length
    },
  })
  return {
    name,
    operations: size === 1 ? 1 : whole.split("\n\n").length - 1,
    run: inTurn(
      reads.map((read) => Buffer.from(read)),
      (read) => {
        decoder.push(read)
        return seen
      },
    ),
  }
}

/** From the value that JSON.parse gave to the one that JSON.stringify takes. */
function dialectCase(name: Name): Case {
  const dialect: Dialect = dialects[name]
  const read = dialect.createChunkReader()
  const write = dialect.createChunkWriter()
  const values: unknown[] = eventsOf(name).map((event) => JSON.parse(event))
  return {
    name: `dialect read and write, ${name}`,
    run: inTurn(values, (value) => write({ ...chunkOf(read(value)), ...OURS })),
  }
}

/** A provider's event as it came, bytes → the bytes that are logged for a client of the same dialect. */
function laneCase(name: Name, lane: "parsed" | "splice"): Case {
  const dialect: Dialect = dialects[name]
  const read = dialect.createChunkReader()
  const write = dialect.createChunkWriter()
  const toJson = (chunk: Chunk): string => JSON.stringify(write({ ...chunk, ...OURS }))
  const splice = new Splice(toJson)
  function parsed(block: Buffer): Buffer {
    const event = block.toString("utf8", "data: ".length, block.length - 2)
    return encodeEvent(43, toJson(chunkOf(read(JSON.parse(event)))))
  }
  /** As the pump does: an event that is not taken is parsed, and learned from. */
  function spliced(block: Buffer): Buffer {
    if (splice.match(block, 0, block.length) > 0) return splice.event(43)
    const event = block.toString("utf8", "data: ".length, block.length - 2)
    const chunk = chunkOf(read(JSON.parse(event)))
    const written = toJson(chunk)
    splice.learn(event, chunk)
    return encodeEvent(43, written)
  }
  const blocks = eventsOf(name).map((event) => Buffer.from(`data: ${event}\n\n`))
  for (const block of blocks)
    if (!spliced(block).equals(parsed(block))) throw new Error(`${name}: the lanes differ at ${block}`)
  return { name: `${lane} lane, ${name}`, run: inTurn(blocks, lane === "parsed" ? parsed : spliced) }
}

function chunkOf(read: ReturnType<ReturnType<Dialect["createChunkReader"]>>): Chunk {
  if (read.type !== "chunk") throw new Error(`not a chunk: ${JSON.stringify(read)}`)
  return read.chunk
}

const LIMITS: LogLimits = { keep: 600_000, maxBytes: 8_000_000, totalBytes: 64_000_000 }
/** Streams that have something new in one turn of the loop, and the events after which one ends. */
const PER_TURN = 50
const LENGTH = 400

/** One turn: an event into each of so many streams, then the flush. */
function logCase(name: string, log: StreamLog, close: () => void): Case {
  const event = Buffer.from(encodeEvent(43, eventsOf("openai")[0]!))
  let created = 0
  const begin = (): StreamRecord =>
    log.create({
      id: `chatcmpl-${String(created++).padStart(32, "0")}`,
      owner: "env",
      streamed: true,
      dialect: "openai",
      createdAt: 0,
      askedModel: "acme/gpt-4.1-nano",
    })
  const records = Array.from({ length: PER_TURN }, begin)
  let flushed = 0
  return {
    name,
    operations: PER_TURN,
    run() {
      for (const [index, record] of records.entries()) {
        record.append(event)
        if (record.head < LENGTH) continue
        record.end("finished")
        records[index] = begin()
      }
      log.flush(() => flushed++)
      return flushed
    },
    async close() {
      await log.close()
      close()
    },
  }
}

function onDisk(): Case {
  const folder = mkdtempSync(join(tmpdir(), "sluice-micro-"))
  return logCase("log append, disk", createJournal({ folder, level: "process", limits: LIMITS }), () =>
    rmSync(folder, { recursive: true, force: true }),
  )
}

/** As long as a call is, then another one's. */
function metering(): Case {
  let meter = new Meter(0)
  let now = 0
  return {
    name: "meter, an event",
    run() {
      now += 20
      if (now > 20 * LENGTH) {
        meter = new Meter(0)
        now = 0
      }
      meter.content(now, 5)
      return meter
    },
  }
}
