/**
 * The journal alone, in a process of its own: `bench/journal.ts` runs it and reads its last line. The streams are
 * written as the gateway writes them, turn by turn, and each has a reader that takes what is new after every flush.
 */
import { join } from "node:path"
import { createJournal } from "../src/streams/disk.ts"
import type { LogLimits, StreamLog, StreamRecord } from "../src/streams/log.ts"
import { createMemoryLog } from "../src/streams/memory.ts"

const STREAMS = 500
/** Streams that have something new in one turn of the loop. */
const PER_TURN = 50
const EVENTS_OF_A_STREAM = 400
const LIMITS: LogLimits = { keep: 600_000, maxBytes: 8_000_000, totalBytes: 1_000_000_000 }

interface Figures {
  readonly events: number
  readonly seconds: number
  readonly perSecond: number
  readonly microseconds: number
  /** Milliseconds of the longest turn, and of the 99 % of them that are shorter. */
  readonly longestTurn: number
  readonly turnP99: number
}

const [folder, eventsText, level] = process.argv.slice(2)
if (folder === undefined || eventsText === undefined || level === undefined)
  throw new Error("journal.bench.ts <folder> <events> <memory|process|power|recover>")
console.log(
  JSON.stringify(
    level === "recover" ? recover(folder) : await write(openLog(folder, level), Number(eventsText)),
  ),
)

function openLog(folder: string, level: string): StreamLog {
  if (level === "memory") return createMemoryLog(LIMITS)
  return createJournal({
    folder: join(folder, level),
    level: level === "power" ? "power" : "process",
    limits: LIMITS,
  })
}

async function write(log: StreamLog, events: number): Promise<Figures> {
  const event = Buffer.from(`id: 1\ndata: {"id":"chatcmpl-${"x".repeat(282)}"}\n\n`)
  let created = 0
  const begin = (): { record: StreamRecord; position: number } => ({
    record: log.create({
      id: `chatcmpl-${String(created++).padStart(32, "0")}`,
      owner: "env",
      streamed: true,
      dialect: "openai",
      createdAt: Date.now(),
      askedModel: "sim/story",
    }),
    position: 0,
  })
  const streams = Array.from({ length: STREAMS }, begin)
  const turns: number[] = []
  const begun = performance.now()
  let written = 0
  for (let turn = 0; written < events; turn++) {
    const turnBegun = performance.now()
    for (let count = 0; count < PER_TURN; count++, written++) {
      const index = (turn * PER_TURN + count) % STREAMS
      const { record } = streams[index]!
      // Each event is a buffer of its own, as the pump makes them.
      record.append(Buffer.from(event))
      if (record.head < EVENTS_OF_A_STREAM) continue
      record.end("finished")
    }
    await new Promise<void>((resolve) => log.flush(resolve))
    for (let count = 0; count < PER_TURN; count++) {
      const index = (turn * PER_TURN + count) % STREAMS
      const stream = streams[index]!
      stream.position += stream.record.read(stream.position, 1 << 18).length
      if (stream.position !== stream.record.head) throw new Error("the reader did not get all")
      if (stream.record.visibleEnding !== undefined) streams[index] = begin()
    }
    turns.push(performance.now() - turnBegun)
  }
  const seconds = (performance.now() - begun) / 1_000
  await log.close()
  turns.sort((a, b) => a - b)
  return {
    events: written,
    seconds,
    perSecond: written / seconds,
    microseconds: (seconds * 1e6) / written,
    longestTurn: turns.at(-1)!,
    turnP99: turns[Math.floor(turns.length * 0.99)]!,
  }
}

interface Recovered {
  readonly milliseconds: number
  /** Of this process's CPU: what is left when nobody else wants the machine. */
  readonly cpuMilliseconds: number
  readonly streams: number
  readonly events: number
  /** Microseconds an event costs that is read from the disk, when 500 readers come back at once. */
  readonly readMicroseconds: number
}

function recover(folder: string): Recovered {
  const begun = performance.now()
  const cpuBegun = process.cpuUsage()
  const log = createJournal({ folder, level: "process", limits: LIMITS })
  const milliseconds = performance.now() - begun
  const { user, system } = process.cpuUsage(cpuBegun)
  const events = [...log.all()].reduce((sum, { visible }) => sum + visible, 0)
  const again = performance.now()
  let read = 0
  for (const record of [...log.all()].filter(({ visible }) => visible > 0).slice(-STREAMS)) {
    for (let position = record.first - 1; position < record.visible; ) {
      const count = record.read(position, 1 << 18).length
      position += count
      read += count
    }
  }
  const readMicroseconds = ((performance.now() - again) * 1_000) / read
  return {
    milliseconds,
    cpuMilliseconds: (user + system) / 1_000,
    streams: log.size,
    events,
    readMicroseconds,
  }
}
