/**
 * The stream log: what a call has sent, as bytes, event by event.
 *
 * A stream is an append-only list of events numbered 1, 2, 3 …; an event is one SSE frame, its `id:` line
 * included, exactly as it was first written. Nothing here knows tokens, models or clients. What is not an event
 * of the call itself is not logged: heartbeats, Atoma's pad and `[DONE]` belong to the reader.
 *
 * Invariants, held by `log.suite.ts` for every implementation:
 *   1. `head` is the number of the newest event; events `first … head` can be read, older ones were dropped.
 *   2. What was read once reads the same again, byte for byte, until it is dropped.
 *   3. A stream ends once: the first ending wins, and nothing is appended after it.
 *   4. Dropping takes the oldest events first and never the newest one.
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
}

export interface StreamRecord {
  readonly facts: StreamFacts
  /** The oldest event that is left; head + 1 when there is none. */
  readonly first: number
  readonly head: number
  /** Bytes of all events ever appended: a reader's distance is a difference of two of these. */
  readonly written: number
  readonly ending: Ending | undefined
  /** Appends one event and gives its number. */
  append(event: Uint8Array): number
  /** True if this call ended it; false if it had ended before. */
  end(ending: Ending): boolean
  /** The events after `seq`, oldest first; at most about `limit` bytes, at least one event if there is one. */
  read(seq: number, limit: number): readonly Uint8Array[]
}

export interface StreamLog {
  create(facts: StreamFacts): StreamRecord
  get(id: string): StreamRecord | undefined
  /** Forgets streams whose time is over and gives their ids; called on a coarse clock. */
  sweep(now: number): string[]
  readonly size: number
}

export interface LogLimits {
  /** Milliseconds that a stream is kept after its ending. */
  readonly keep: number
  /** Bytes of one stream; past it its oldest events go. */
  readonly maxBytes: number
  /** Bytes of all streams; past it the oldest ended streams go. */
  readonly totalBytes: number
}
