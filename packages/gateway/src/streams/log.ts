/**
 * The stream log: what a call has sent, as bytes, event by event.
 *
 * A stream is an append-only list of events numbered 1, 2, 3 …; an event is one SSE frame, its `id:` line
 * included, exactly as it was first written. Nothing here knows tokens, models or clients. What is not an event
 * of the call itself is not logged: heartbeats, Atoma's pad and `[DONE]` belong to the reader.
 *
 * What was appended is visible to readers once it is kept at the log's level of durability; `flush` brings it there.
 * The writer's side is `head` and `ending`, the readers' side `visible` and `visibleEnding`.
 *
 * Invariants, held by `log.suite.ts` for every implementation:
 *   1. `head` is the number of the newest event; of events `first … visible` those not dropped can be read.
 *   2. What was read once reads the same again, byte for byte, until it is dropped.
 *   3. A stream ends once: the first ending wins, and nothing is appended after it.
 *   4. Dropping takes the oldest events first and never the newest one.
 *   5. An ending is visible no sooner than the last event before it.
 */

export type Ending = "finished" | "failed" | "cancelled" | "interrupted"

/** What a stream is, said once at its beginning. */
export interface StreamFacts {
  /** The completion id: also the stream's. */
  readonly id: string
  /** The identity of the key that began it, which outlives the key's secret. */
  readonly owner: string
  /** False: the call was not streamed, and its answer is one event that is a whole JSON body. */
  readonly streamed: boolean
  /** The dialect its bytes are written in. */
  readonly dialect: string
  readonly createdAt: number
  /** As the client wrote it; what its events say until a candidate answers. */
  readonly askedModel: string
  /** Whose repetition joins this stream; undefined where the client gave no key. */
  readonly idempotency?: { readonly scope: string; readonly bodyHash: string }
}

/** What is learnt of a stream later. The log keeps it for its owner and does not read it. */
export interface StreamNotes {
  readonly opened?: unknown
  readonly failure?: unknown
}

export interface StreamRecord {
  readonly facts: StreamFacts
  readonly notes: StreamNotes
  /** The oldest event that is left; head + 1 when there is none. */
  readonly first: number
  readonly head: number
  /** The newest event that a reader may be shown. */
  readonly visible: number
  /** Bytes of all events ever appended: a reader's distance is a difference of two of these. */
  readonly written: number
  readonly ending: Ending | undefined
  readonly visibleEnding: Ending | undefined
  /** Appends one event and gives its number. */
  append(event: Uint8Array): number
  note(notes: StreamNotes): void
  /** Keeps bytes that are for no reader, where the log outlives its process. */
  putSlip(slip: Uint8Array): void
  /** Until it is `paid` its slips may be the only ones who know of its call: it is kept, whatever its time or the room. */
  owe(): void
  paid(): void
  /** The process before has kept some. */
  readonly hasSlips: boolean
  /** What it has kept, oldest first: read from where it stands. */
  slips(): readonly Uint8Array[]
  forgetSlips(): void
  /** True if this call ended it; false if it had ended before. */
  end(ending: Ending, notes?: StreamNotes): boolean
  /**
   * The visible events after `seq`, oldest first: at least one if there is one, at most about `limit` bytes. It may
   * be fewer than there are: who wants all asks again from where this ended.
   */
  read(seq: number, limit: number): readonly Uint8Array[]
  /** The newest visible event, where it is at hand; else it has to be read. */
  readonly newest: Uint8Array | undefined
  /** Whoever follows has taken all there is: what can be read elsewhere need not stand in memory. */
  letGo(): void
  /** The bytes of the events after `seq`, of those that are left. */
  bytesAfter(seq: number): number
}

export interface StreamLog {
  /** What is kept outlives the process. */
  readonly outlives: boolean
  create(facts: StreamFacts): StreamRecord
  get(id: string): StreamRecord | undefined
  /** All it has, oldest first: at the start those of the process before, the ones without an ending included. */
  all(): Iterable<StreamRecord>
  /** Brings what was appended to the level of durability; calls back when it is visible, at once where that is quick. */
  flush(done: () => void): void
  /** Why nothing can be kept at the moment. */
  readonly trouble: string | undefined
  /**
   * Set by whoever owns the streams. Told of each stream whose newest events could not be kept: they are taken back,
   * and it must be ended. That ending is visible from memory, and kept as soon as anything can be.
   */
  onLost: (record: StreamRecord) => void
  /** Replaced at a reload; what is too much from then on goes at once, but for a running stream's at its next event. */
  limits: LogLimits
  /** Forgets streams whose time is over and gives their ids; called on a coarse clock. */
  sweep(now: number): string[]
  readonly size: number
  /** Bytes of the events it has: what `totalBytes` limits. */
  readonly bytes: number
  close(): Promise<void>
}

export interface LogLimits {
  /** Milliseconds that a stream is kept after its ending. */
  readonly keep: number
  /** Bytes of one stream; past it its oldest events go. */
  readonly maxBytes: number
  /** Bytes of all streams; past it the oldest ended streams go. */
  readonly totalBytes: number
  /** How many ended streams are kept; MOST_ENDED, but for tests. */
  readonly mostEnded?: number
}

/** Each takes about 2 KB of memory, however short it was: past this the oldest ended ones go before their time. */
export const MOST_ENDED = 200_000
