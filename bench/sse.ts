/**
 * Events per second of our SSE decoder beside eventsource-parser's, bytes in, events out.
 *
 * Each is used as its users use it: ours takes the bytes; the other takes text, from one streaming TextDecoder for the
 * whole body, and is fed directly, without the cost of a TransformStream. Both hand every event to a callback that
 * reads its data, and the sums must agree.
 *
 * How it avoids fooling itself: both run in every round, the order changing from round to round, on the same reads; the
 * rounds are short, so that what else happens on the machine meets both; the ratio is the median of the rounds' own
 * ratios. The first rounds, in which the compiler is still at work, are not counted.
 *
 * The case that has the goal is a token's usual life: a provider flushes each event, and it arrives in a read of its own.
 */
import { parseArgs } from "node:util"
import { createSseDecoder } from "@sluice/protocol"
import { createParser } from "eventsource-parser"
import type { Goal } from "./goal.ts"

const GOAL = 1.5
const EVENTS = 1000
const WARM_UP = 40

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: { rounds: { type: "string", default: "200" } },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError("--rounds takes a whole number from 1 on")

  console.log(
    `${EVENTS} events a round, ${rounds} rounds, Node ${process.version}; million events a second\n`,
  )
  console.log(row("frames", "reads", "ours", "theirs", "ratio"))
  const results = FRAMES.flatMap((frames) =>
    READS.map((reads) => ({ frames, reads, ...measure(frames, reads, rounds) })),
  )
  const main = results[0]!
  return [
    {
      name: "sse events per second beside eventsource-parser",
      goal: `at least ${GOAL} times, ${main.frames.name}, ${main.reads.name}`,
      figure: `${main.ratio.toFixed(2)} times`,
      outcome: main.ratio >= GOAL ? "met" : "short",
    },
  ]
}

interface Frames {
  readonly name: string
  frame(token: string, position: number): string
}
interface Reads {
  readonly name: string
  cut(frames: readonly string[]): Uint8Array[]
}

/** The main case is the first of both lists. */
const FRAMES: readonly Frames[] = [
  { name: "chat chunks", frame: (token) => `data: ${chunk(token)}\n\n` },
  { name: "only ASCII", frame: (token) => `data: ${chunk(token.replaceAll(/[^ -~]/g, "-"))}\n\n` },
  { name: "with id lines", frame: (token, position) => `id: ${position + 1}\ndata: ${chunk(token)}\n\n` },
  { name: "CRLF", frame: (token) => `data: ${chunk(token)}\r\n\r\n` },
]

const READS: readonly Reads[] = [
  { name: "one event a read", cut: (frames) => frames.map((frame) => new TextEncoder().encode(frame)) },
  { name: "64 KB reads", cut: (frames) => inReadsOf(65536, frames) },
  { name: "1400-byte reads", cut: (frames) => inReadsOf(1400, frames) },
]

/** Prose has an apostrophe or a dash of its own in about one token of twenty. */
const TOKENS =
  "The| tide| comes| in| twice| a| day|,| and| nobody|’s| clock| is| asked|:| it| simply| is| there| again".split(
    "|",
  )

function chunk(token: string): string {
  return JSON.stringify({
    id: "chatcmpl-b5f0c3a1d2e94876a1b2c3d4e5f60718",
    object: "chat.completion.chunk",
    created: 1763053063,
    model: "openai/gpt-4.1-nano-2025-04-14",
    service_tier: "default",
    system_fingerprint: "fp_de604bd877",
    choices: [{ index: 0, delta: { content: token }, logprobs: null, finish_reason: null }],
  })
}

function inReadsOf(size: number, frames: readonly string[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(frames.join(""))
  const reads: Uint8Array[] = []
  for (let begin = 0; begin < bytes.length; begin += size) reads.push(bytes.slice(begin, begin + size))
  return reads
}

function measure(frames: Frames, { name, cut }: Reads, rounds: number): { ratio: number } {
  const reads = cut(Array.from({ length: EVENTS }, (_, at) => frames.frame(TOKENS[at % TOKENS.length]!, at)))
  const wanted = ours(reads)
  const times = { ours: [] as number[], theirs: [] as number[], ratio: [] as number[] }
  for (let round = -WARM_UP; round < rounds; round++) {
    const oursFirst = round % 2 === 0
    const first = timed(oursFirst ? ours : theirs, reads, wanted)
    const second = timed(oursFirst ? theirs : ours, reads, wanted)
    if (round < 0) continue
    times.ours.push(oursFirst ? first : second)
    times.theirs.push(oursFirst ? second : first)
    times.ratio.push(oursFirst ? second / first : first / second)
  }
  const ratio = median(times.ratio)
  const speed = (milliseconds: readonly number[]) => (EVENTS / median(milliseconds) / 1000).toFixed(2)
  console.log(row(frames.name, name, speed(times.ours), speed(times.theirs), ratio.toFixed(2)))
  return { ratio }
}

function ours(reads: readonly Uint8Array[]): number {
  let sum = 0
  const decoder = createSseDecoder({
    onEvent(event) {
      sum += event.data.length + 1
    },
  })
  for (const bytes of reads) decoder.push(bytes)
  decoder.end()
  return sum
}

function theirs(reads: readonly Uint8Array[]): number {
  let sum = 0
  const parser = createParser({
    onEvent(event) {
      sum += event.data.length + 1
    },
  })
  const decoder = new TextDecoder()
  for (const bytes of reads) parser.feed(decoder.decode(bytes, { stream: true }))
  parser.feed(decoder.decode())
  return sum
}

function timed(
  decode: (reads: readonly Uint8Array[]) => number,
  reads: readonly Uint8Array[],
  wanted: number,
): number {
  const begin = performance.now()
  const sum = decode(reads)
  const milliseconds = performance.now() - begin
  if (sum !== wanted) throw new Error(`${decode.name} found ${sum} where ${wanted} was to be found`)
  return milliseconds
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

function row(frames: string, reads: string, ours: string, theirs: string, ratio: string): string {
  return `${frames.padEnd(16)}${reads.padEnd(18)}${ours.padStart(8)}${theirs.padStart(8)}${ratio.padStart(8)}`
}
