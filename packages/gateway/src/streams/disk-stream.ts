/** One stream of the journal: where its events stand on the disk, and the newest of them in memory. */
import { KIND, type Kind } from "./disk-format.ts"
import type { Ending, StreamFacts, StreamNotes, StreamRecord } from "./log.ts"
import { createTail } from "./tail.ts"

/** What a stream asks of its journal. */
export interface StreamKeeper {
  readonly maxBytes: number
  now(): number
  /** Puts a record into the next batch; gives the place of its payload. */
  put(stream: DiskStream, kind: Kind, event: number, payload: Uint8Array): number
  /** Bytes that stand one after the other at a place; undefined where they cannot be read. */
  readAt(place: number, length: number): Uint8Array | undefined
  /** The stream holds so many bytes more, or fewer. */
  changed(difference: number): void
  /** It has ended, or its ending was taken back. */
  ended(stream: DiskStream, ending: Ending | undefined): void
  /** The event at this place was dropped. */
  dropped(place: number): void
}

export interface DiskStream extends StreamRecord {
  readonly number: number
  readonly held: number
  readonly endedAt: number | undefined
  /** Its ending is visible but stands in memory alone. */
  readonly lost: boolean
  /** Segments that have records of it. */
  readonly segments: number[]
  /** The batch that is being filled has records of it. */
  queued: boolean
  begin(): void
  /** Its records go to the disk now: what `settle` will make visible. */
  taken(): void
  /** They are there. */
  settle(): void
  /** They could not be kept: back to what is visible. */
  takeBack(): void
  /** Shows what it has, though it stands in memory alone. */
  showLost(): void
  /** Puts what stands in memory alone into the next batch again. */
  putAgain(): void
  /** Lets go of the events in memory. */
  forgetTail(): void
  /** It is deleted: nothing can be read any more. */
  forget(): void
  /** What the process before has written, record by record, then `restored`. */
  restore(kind: number, event: number, payload: Buffer): void
  restoreEvent(event: number, place: number, length: number): void
  restored(): void
}

/** A read from the disk ends here, so that no reader holds up the loop. */
const READ_BYTES = 64 << 10
const READ_PIECES = 128
/** Bytes between two events that are cheaper to read than to jump over. */
const NEAR = 2 << 10

export function createDiskStream(number: number, facts: StreamFacts, keeper: StreamKeeper): DiskStream {
  const tail = createTail()
  const segments: number[] = []
  /** Place and length of event `base + index`. */
  let places = new Float64Array(32)
  let lengths = new Uint32Array(32)
  let base = 1
  let first = 1
  let head = 0
  let visible = 0
  let takenHead = 0
  /** The newest event on the disk: `visible`, but where the stream was lost. */
  let kept = 0
  let held = 0
  let written = 0
  let notes: StreamNotes = {}
  let ending: Ending | undefined
  let takenEnding: Ending | undefined
  let visibleEnding: Ending | undefined
  let endedAt: number | undefined
  let lost = false
  let gone = false
  let begun = false

  function index(event: number, place: number, length: number): void {
    if (event - base >= places.length) {
      const from = first - base
      const roomy = from * 2 > places.length ? places.length : places.length * 2
      const morePlaces = new Float64Array(roomy)
      const moreLengths = new Uint32Array(roomy)
      morePlaces.set(places.subarray(from))
      moreLengths.set(lengths.subarray(from))
      places = morePlaces
      lengths = moreLengths
      base = first
    }
    places[event - base] = place
    lengths[event - base] = length
    head = event
    held += length
    written += length
  }

  /** What the disk does not give back is dropped: a reader who needs it is told so. */
  function dropBefore(event: number): void {
    const before = held
    for (; first < event; first++) held -= lengths[first - base]!
    keeper.changed(held - before)
  }

  function dropOldest(): void {
    while (held > keeper.maxBytes && first < head) {
      held -= lengths[first - base]!
      keeper.dropped(places[first - base]!)
      first++
    }
  }

  function putEnd(): void {
    const { opened: _, ...endNotes } = notes
    keeper.put(stream, KIND.end, head, json({ ending, at: endedAt, notes: endNotes }))
  }

  function readTail(from: number, limit: number): Uint8Array[] {
    const events: Uint8Array[] = []
    let bytes = 0
    for (let seq = from; seq <= visible; seq++) {
      const event = tail.get(seq)
      bytes += event.length
      if (events.length > 0 && bytes > limit) break
      events.push(event)
    }
    return events
  }

  function readDisk(from: number, to: number, limit: number): Uint8Array[] {
    const events: Uint8Array[] = []
    let bytes = 0
    let seq = from
    for (let pieces = 0; seq <= to && pieces < READ_PIECES && (bytes < limit || pieces === 0); pieces++) {
      const start = places[seq - base]!
      let next = seq + 1
      let end = start + lengths[seq - base]!
      bytes += end - start
      while (next <= to) {
        const place = places[next - base]!
        const length = lengths[next - base]!
        // A place beyond the segment's end is far away: segments are apart by more than they can hold.
        if (place < end || place - end > NEAR || bytes + length > limit) break
        end = place + length
        bytes += length
        next++
      }
      const piece = keeper.readAt(start, end - start)
      if (piece === undefined) {
        dropBefore(next)
        return events
      }
      for (; seq < next; seq++) {
        const at = places[seq - base]! - start
        events.push(piece.subarray(at, at + lengths[seq - base]!))
      }
      if (bytes >= limit) break
    }
    return events
  }

  const stream: DiskStream = {
    number,
    facts,
    segments,
    queued: false,
    get notes() {
      return notes
    },
    get first() {
      return first
    },
    get head() {
      return head
    },
    get visible() {
      return visible
    },
    get written() {
      return written
    },
    get held() {
      return held
    },
    get ending() {
      return ending
    },
    get visibleEnding() {
      return visibleEnding
    },
    get endedAt() {
      return endedAt
    },
    get lost() {
      return lost
    },

    begin: () => void keeper.put(stream, KIND.begin, 0, json(facts)),
    append(event) {
      if (ending !== undefined)
        throw new Error(`stream ${facts.id} has ended (${ending}); nothing can be appended`)
      const before = held
      const seq = head + 1
      index(seq, keeper.put(stream, KIND.event, seq, event), event.length)
      tail.push(event)
      if (held > keeper.maxBytes) dropOldest()
      keeper.changed(held - before)
      return seq
    },
    note(more) {
      notes = { ...notes, ...more }
      keeper.put(stream, KIND.note, 0, json(more))
    },
    end(how, more) {
      if (ending !== undefined) return false
      notes = { ...notes, ...more }
      ending = how
      endedAt = keeper.now()
      putEnd()
      keeper.ended(stream, how)
      return true
    },
    read(seq, limit) {
      const from = Math.max(seq + 1, first)
      if (from > visible) return []
      if (from >= tail.first) return readTail(from, limit)
      return readDisk(from, Math.min(visible, tail.first - 1), Math.min(limit, READ_BYTES))
    },
    bytesAfter(seq) {
      let bytes = 0
      for (let event = Math.max(seq + 1, first); event <= head; event++) bytes += lengths[event - base]!
      return bytes
    },

    taken() {
      stream.queued = false
      takenHead = head
      takenEnding = ending
    },
    settle() {
      if (gone) return
      begun = true
      visible = kept = takenHead
      visibleEnding = takenEnding
      lost = false
      tail.age()
    },
    takeBack() {
      stream.queued = false
      if (lost) return
      cutBackTo(visible)
      tail.cutAfter(visible)
      if (first > head) {
        first = base = head + 1
        tail.clear(first)
      }
      if (ending === visibleEnding) return
      ending = visibleEnding
      endedAt = undefined
      keeper.ended(stream, undefined)
    },
    showLost() {
      lost = true
      visible = head
      visibleEnding = ending
    },
    putAgain() {
      if (!begun) keeper.put(stream, KIND.begin, 0, json(facts))
      keeper.put(stream, KIND.note, 0, json(notes))
      for (let seq = Math.max(kept + 1, first); seq <= head; seq++)
        places[seq - base] = keeper.put(stream, KIND.event, seq, tail.get(seq))
      putEnd()
    },
    forgetTail: () => tail.clear(head + 1),
    forget() {
      gone = true
      first = base = head + 1
      held = 0
      tail.clear(first)
      places = new Float64Array(0)
      lengths = new Uint32Array(0)
    },
    restore(kind, event, payload) {
      if (kind === KIND.note) notes = { ...notes, ...parse(payload) }
      if (kind !== KIND.end) return
      // The last events are missing: nothing that is left is a whole.
      if (event !== head) skipTo(event + 1)
      const said = parse(payload)
      notes = { ...notes, ...(said["notes"] as StreamNotes) }
      ending = said["ending"] as Ending
      endedAt = Number(said["at"])
      keeper.ended(stream, ending)
    },
    restoreEvent(event, place, length) {
      // Numbered anew: the former ones were taken back. A gap: what stands before it is no whole any more.
      if (event <= head && event >= first) cutBackTo(event - 1)
      else if (event !== head + 1) skipTo(event)
      const before = held
      index(event, place, length)
      if (held > keeper.maxBytes) dropOldest()
      keeper.changed(held - before)
    },
    restored() {
      begun = true
      visible = takenHead = kept = head
      visibleEnding = takenEnding = ending
      tail.clear(head + 1)
    },
  }

  function cutBackTo(event: number): void {
    let bytes = 0
    for (let seq = Math.max(event + 1, first); seq <= head; seq++) bytes += lengths[seq - base]!
    held -= bytes
    written -= bytes
    head = event
    keeper.changed(-bytes)
  }

  function skipTo(event: number): void {
    keeper.changed(-held)
    held = 0
    first = base = event
    head = event - 1
  }

  return stream
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function parse(payload: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(payload.toString())
  return typeof value === "object" && value !== null ? { ...value } : {}
}
