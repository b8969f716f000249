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

  const keeper: MemoryKeeper = {
    maxBytes: () => limits.maxBytes,
    now,
    changed(difference) {
      total += difference
      makeRoom()
    },
    hasEnded() {
      ended++
      makeRoom()
    },
  }

  return {
    outlives: false,
    create(facts) {
      const stream = new MemoryStream(facts, keeper)
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

/** A class for the reason that the journal's is one: of every call that is kept one stays in memory. */
class MemoryStream implements StreamRecord {
  readonly facts: StreamFacts
  notes: StreamNotes = {}
  first = 1
  head = 0
  held = 0
  written = 0
  ending: Ending | undefined = undefined
  endedAt: number | undefined = undefined
  readonly #keeper: MemoryKeeper
  #events: Uint8Array[] = []
  /** How many of them were dropped but not yet cut off: cutting one by one would be quadratic. */
  #dropped = 0

  constructor(facts: StreamFacts, keeper: MemoryKeeper) {
    this.facts = facts
    this.#keeper = keeper
  }

  get visible(): number {
    return this.head
  }

  get visibleEnding(): Ending | undefined {
    return this.ending
  }

  get newest(): Uint8Array | undefined {
    return this.#events.length > this.#dropped ? this.#events.at(-1) : undefined
  }

  append(event: Uint8Array): number {
    if (this.ending !== undefined)
      throw new Error(`stream ${this.facts.id} has ended (${this.ending}); nothing can be appended`)
    const before = this.held
    this.#events.push(event)
    this.head++
    this.held += event.length
    this.written += event.length
    this.#dropOldest()
    this.#keeper.changed(this.held - before)
    return this.head
  }

  note(more: StreamNotes): void {
    this.notes = { ...this.notes, ...more }
  }

  /** Nobody would read it. */
  putSlip(): void {}

  get hasSlips(): boolean {
    return false
  }

  slips(): Uint8Array[] {
    return []
  }

  forgetSlips(): void {}

  /** What the process does not outlive it need not wait for. */
  owe(): void {}

  paid(): void {}

  end(how: Ending, more?: StreamNotes): boolean {
    if (this.ending !== undefined) return false
    this.notes = { ...this.notes, ...more }
    this.ending = how
    this.endedAt = this.#keeper.now()
    this.#keeper.hasEnded()
    return true
  }

  read(seq: number, limit: number): Uint8Array[] {
    const events = this.#events
    const from = this.#indexAfter(seq)
    let bytes = 0
    let to = from
    while (to < events.length && (to === from || bytes + events[to]!.length <= limit))
      bytes += events[to++]!.length
    return events.slice(from, to)
  }

  /** There is no elsewhere. */
  letGo(): void {}

  bytesAfter(seq: number): number {
    let bytes = 0
    for (let index = this.#indexAfter(seq); index < this.#events.length; index++)
      bytes += this.#events[index]!.length
    return bytes
  }

  #indexAfter(seq: number): number {
    return Math.max(seq, this.first - 1) - this.first + 1 + this.#dropped
  }

  #dropOldest(): void {
    const events = this.#events
    while (this.held > this.#keeper.maxBytes() && events.length - this.#dropped > 1) {
      this.held -= events[this.#dropped]!.length
      events[this.#dropped] = EMPTY
      this.#dropped++
      this.first++
    }
    if (this.#dropped > 256 && this.#dropped * 2 > events.length) {
      this.#events = events.slice(this.#dropped)
      this.#dropped = 0
    }
  }
}

/** What a stream asks of its log. */
interface MemoryKeeper {
  maxBytes(): number
  now(): number
  /** It holds so many bytes more, or fewer. */
  changed(difference: number): void
  hasEnded(): void
}

const EMPTY = new Uint8Array(0)
