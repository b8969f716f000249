/** The log in memory (`durability: memory`): survives the client's loss, not the process's. */
import {
  type Ending,
  type LogLimits,
  MOST_ENDED,
  type StreamFacts,
  type StreamLog,
  type StreamNotes,
  type StreamRecord,
} from "./log.ts"

export function createMemoryLog(initial: LogLimits, now: () => number = Date.now): StreamLog {
  const streams = new Map<string, MemoryStream>()
  let limits = initial
  let total = 0
  let ended = 0

  function isFull(): boolean {
    return total > limits.totalBytes || ended > (limits.mostEnded ?? MOST_ENDED)
  }

  function remove(id: string, stream: MemoryStream): void {
    streams.delete(id)
    total -= stream.held
    ended--
  }

  function makeRoom(): void {
    if (!isFull()) return
    // A Map keeps insertion order, so the first ended stream is the oldest one.
    for (const [id, stream] of streams) {
      if (stream.ending === undefined) continue
      remove(id, stream)
      if (!isFull()) return
    }
  }

  return {
    create(facts) {
      const stream = createStream(
        facts,
        () => limits.maxBytes,
        now,
        (difference) => {
          total += difference
          makeRoom()
        },
        () => {
          ended++
          makeRoom()
        },
      )
      streams.set(facts.id, stream)
      return stream
    },
    get: (id) => streams.get(id),
    all: () => streams.values(),
    flush: (done) => done(),
    trouble: undefined,
    onLost() {},
    get limits() {
      return limits
    },
    set limits(wanted) {
      limits = wanted
      makeRoom()
    },
    sweep(at) {
      const gone: string[] = []
      for (const [id, stream] of streams) {
        if (stream.endedAt === undefined || at - stream.endedAt < limits.keep) continue
        remove(id, stream)
        gone.push(id)
      }
      return gone
    },
    get size() {
      return streams.size
    },
    get bytes() {
      return total
    },
    async close() {},
  }
}

interface MemoryStream extends StreamRecord {
  readonly held: number
  readonly endedAt: number | undefined
}

function createStream(
  facts: StreamFacts,
  maxBytes: () => number,
  now: () => number,
  changed: (difference: number) => void,
  hasEnded: () => void,
): MemoryStream {
  let events: Uint8Array[] = []
  let notes: StreamNotes = {}
  /** How many of `events` were dropped but not yet cut off: cutting one by one would be quadratic. */
  let dropped = 0
  let first = 1
  let held = 0
  let written = 0
  let ending: Ending | undefined
  let endedAt: number | undefined

  function dropOldest(): number {
    const before = held
    const most = maxBytes()
    while (held > most && events.length - dropped > 1) {
      held -= events[dropped]!.length
      events[dropped] = EMPTY
      dropped++
      first++
    }
    if (dropped > 256 && dropped * 2 > events.length) {
      events = events.slice(dropped)
      dropped = 0
    }
    return before - held
  }

  return {
    facts,
    get notes() {
      return notes
    },
    get first() {
      return first
    },
    get head() {
      return first + events.length - dropped - 1
    },
    get visible() {
      return this.head
    },
    get written() {
      return written
    },
    get ending() {
      return ending
    },
    get visibleEnding() {
      return ending
    },
    get held() {
      return held
    },
    get endedAt() {
      return endedAt
    },
    append(event) {
      if (ending !== undefined)
        throw new Error(`stream ${facts.id} has ended (${ending}); nothing can be appended`)
      events.push(event)
      held += event.length
      written += event.length
      changed(event.length - dropOldest())
      return this.head
    },
    note(more) {
      notes = { ...notes, ...more }
    },
    end(how, more) {
      if (ending !== undefined) return false
      notes = { ...notes, ...more }
      ending = how
      endedAt = now()
      hasEnded()
      return true
    },
    read(seq, limit) {
      const from = Math.max(seq, first - 1) - first + 1 + dropped
      let bytes = 0
      let to = from
      while (to < events.length && (to === from || bytes + events[to]!.length <= limit))
        bytes += events[to++]!.length
      return events.slice(from, to)
    },
    get newest() {
      return events.length > dropped ? events.at(-1) : undefined
    },
    bytesAfter(seq) {
      let bytes = 0
      for (let index = Math.max(seq, first - 1) - first + 1 + dropped; index < events.length; index++)
        bytes += events[index]!.length
      return bytes
    },
  }
}

const EMPTY = new Uint8Array(0)
