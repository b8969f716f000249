/** One stream of the journal: where its events stand on the disk, and the newest of them in memory. */
import { KIND, type Kind } from "./disk-format.ts"
import type { Ending, StreamFacts, StreamNotes, StreamRecord } from "./log.ts"
import { Tail } from "./tail.ts"

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

/** A read from the disk ends here, so that no reader holds up the loop. */
const READ_BYTES = 64 << 10
const READ_PIECES = 128
/** Bytes between two events that are cheaper to read than to jump over. */
const NEAR = 2 << 10
const NO_SLIPS: number[] = []
/** So many dropped events may stand in the index before it is cut. */
const LOOSE = 64

/**
 * A class, though the house prefers closures: of every call that is kept one stays in memory, and forty closures a call
 * are 9 KB, its fields 0.5 KB.
 */
export class DiskStream implements StreamRecord {
  readonly number: number
  readonly facts: StreamFacts
  /** Segments that have records of it. */
  readonly segments: number[] = []
  notes: StreamNotes = {}
  first = 1
  head = 0
  visible = 0
  held = 0
  written = 0
  ending: Ending | undefined = undefined
  visibleEnding: Ending | undefined = undefined
  endedAt: number | undefined = undefined
  /** Its ending is visible but stands in memory alone. */
  lost = false
  owed = false
  /** The batch that is being filled has records of it. */
  queued = false

  readonly #keeper: StreamKeeper
  readonly #tail = new Tail()
  /** Of event `base + index`: its place at twice the index, and its length behind it. */
  #index: number[] = []
  #base = 1
  #takenHead = 0
  #takenEnding: Ending | undefined = undefined
  /** The newest event on the disk: `visible`, but where the stream was lost. */
  #kept = 0
  #gone = false
  #begun = false
  /** Of the process before: place and length of each. */
  #slips: number[] = NO_SLIPS

  constructor(number: number, facts: StreamFacts, keeper: StreamKeeper) {
    this.number = number
    this.facts = facts
    this.#keeper = keeper
  }

  // ── the record ──

  append(event: Uint8Array): number {
    if (this.ending !== undefined)
      throw new Error(`stream ${this.facts.id} has ended (${this.ending}); nothing can be appended`)
    const before = this.held
    const seq = this.head + 1
    this.#add(seq, this.#keeper.put(this, KIND.event, seq, event), event.length)
    this.#tail.push(event)
    if (this.held > this.#keeper.maxBytes) this.#dropOldest()
    this.#keeper.changed(this.held - before)
    return seq
  }

  note(more: StreamNotes): void {
    this.notes = { ...this.notes, ...more }
    this.#keeper.put(this, KIND.note, 0, json(more))
  }

  putSlip(slip: Uint8Array): void {
    if (this.#gone) return
    this.#keeper.put(this, KIND.slip, 0, slip)
  }

  get hasSlips(): boolean {
    return this.#slips.length > 0
  }

  slips(): Uint8Array[] {
    const slips: Uint8Array[] = []
    for (let at = 0; at < this.#slips.length; at += 2) {
      const slip = this.#keeper.readAt(this.#slips[at]!, this.#slips[at + 1]!)
      if (slip !== undefined) slips.push(slip)
    }
    return slips
  }

  forgetSlips(): void {
    this.#slips = NO_SLIPS
  }

  owe(): void {
    this.owed = true
  }

  paid(): void {
    if (!this.owed) return
    this.owed = false
    // There may have been no room for it for some time.
    this.#keeper.changed(0)
  }

  end(how: Ending, more?: StreamNotes): boolean {
    if (this.ending !== undefined) return false
    this.notes = { ...this.notes, ...more }
    this.ending = how
    this.endedAt = this.#keeper.now()
    this.#putEnd()
    this.#keeper.ended(this, how)
    return true
  }

  read(seq: number, limit: number): Uint8Array[] {
    const from = Math.max(seq + 1, this.first)
    if (from > this.visible) return []
    if (from >= this.#tail.first) return this.#readTail(from, limit)
    return this.#readDisk(from, Math.min(this.visible, this.#tail.first - 1), Math.min(limit, READ_BYTES))
  }

  get newest(): Uint8Array | undefined {
    return this.visible >= this.#tail.first && this.visible >= this.first
      ? this.#tail.get(this.visible)
      : undefined
  }

  bytesAfter(seq: number): number {
    let bytes = 0
    for (let event = Math.max(seq + 1, this.first); event <= this.head; event++)
      bytes += this.#lengthOf(event)
    return bytes
  }

  // ── its way to the disk ──

  begin(): void {
    this.#keeper.put(this, KIND.begin, 0, json(this.facts))
  }

  /** Its records go to the disk now: what `settle` will make visible. */
  taken(): void {
    this.queued = false
    this.#takenHead = this.head
    this.#takenEnding = this.ending
  }

  /** They are there. */
  settle(): void {
    if (this.#gone) return
    this.#begun = true
    this.visible = this.#kept = this.#takenHead
    this.visibleEnding = this.#takenEnding
    this.lost = false
    this.#tail.age()
  }

  /** They could not be kept: back to what is visible. */
  takeBack(): void {
    this.queued = false
    if (this.lost) return
    this.#cutBackTo(this.visible)
    this.#tail.cutAfter(this.visible)
    if (this.first > this.head) {
      this.#startAt(this.head + 1)
      this.#tail.clear(this.first)
    }
    if (this.ending === this.visibleEnding) return
    this.ending = this.visibleEnding
    this.endedAt = undefined
    this.#keeper.ended(this, undefined)
  }

  /** Shows what it has, though it stands in memory alone. */
  showLost(): void {
    this.lost = true
    this.visible = this.head
    this.visibleEnding = this.ending
  }

  /** Puts what stands in memory alone into the next batch again. */
  putAgain(): void {
    if (!this.#begun) this.begin()
    this.#keeper.put(this, KIND.note, 0, json(this.notes))
    for (let seq = Math.max(this.#kept + 1, this.first); seq <= this.head; seq++)
      this.#index[2 * (seq - this.#base)] = this.#keeper.put(this, KIND.event, seq, this.#tail.get(seq))
    this.#putEnd()
  }

  letGo(): void {
    if (this.#kept === this.head) this.#tail.clear(this.head + 1)
  }

  /** It is deleted: nothing can be read any more. */
  forget(): void {
    this.#gone = true
    this.#startAt(this.head + 1)
    this.held = 0
    this.#tail.clear(this.first)
  }

  // ── what the process before has written, record by record, then `restored` ──

  restore(kind: number, event: number, payload: Buffer): void {
    if (kind === KIND.note) this.notes = { ...this.notes, ...parse(payload) }
    if (kind !== KIND.end) return
    // The last events are missing: nothing that is left is a whole.
    if (event !== this.head) this.#skipTo(event + 1)
    const said = parse(payload)
    this.notes = { ...this.notes, ...(said["notes"] as StreamNotes) }
    this.ending = said["ending"] as Ending
    this.endedAt = Number(said["at"])
    this.#keeper.ended(this, this.ending)
  }

  restoreEvent(event: number, place: number, length: number): void {
    // Numbered anew: the former ones were taken back. A gap: what stands before it is no whole any more.
    if (event <= this.head && event >= this.first) this.#cutBackTo(event - 1)
    else if (event !== this.head + 1) this.#skipTo(event)
    const before = this.held
    this.#add(event, place, length)
    if (this.held > this.#keeper.maxBytes) this.#dropOldest()
    this.#keeper.changed(this.held - before)
  }

  restoreSlip(place: number, length: number): void {
    this.owed = true
    this.#slips = [...this.#slips, place, length]
  }

  restored(): void {
    this.#begun = true
    this.visible = this.#takenHead = this.#kept = this.head
    this.visibleEnding = this.#takenEnding = this.ending
    this.#tail.clear(this.head + 1)
  }

  // ── the index ──

  #lengthOf(event: number): number {
    return this.#index[2 * (event - this.#base) + 1]!
  }

  #placeOf(event: number): number {
    return this.#index[2 * (event - this.#base)]!
  }

  #add(event: number, place: number, length: number): void {
    const dropped = this.first - this.#base
    // What was dropped is cut off now and then: one by one would be quadratic.
    if (dropped > LOOSE && dropped * 4 > this.#index.length) {
      this.#index = this.#index.slice(2 * dropped)
      this.#base = this.first
    }
    const at = 2 * (event - this.#base)
    this.#index[at] = place
    this.#index[at + 1] = length
    this.head = event
    this.held += length
    this.written += length
  }

  #startAt(event: number): void {
    this.first = this.#base = event
    this.#index = []
  }

  #skipTo(event: number): void {
    this.#keeper.changed(-this.held)
    this.held = 0
    this.#startAt(event)
    this.head = event - 1
  }

  #cutBackTo(event: number): void {
    let bytes = 0
    for (let seq = Math.max(event + 1, this.first); seq <= this.head; seq++) bytes += this.#lengthOf(seq)
    this.held -= bytes
    this.written -= bytes
    this.head = event
    this.#keeper.changed(-bytes)
  }

  /** What the disk does not give back is dropped: a reader who needs it is told so. */
  #dropBefore(event: number): void {
    const before = this.held
    for (; this.first < event; this.first++) this.held -= this.#lengthOf(this.first)
    this.#keeper.changed(this.held - before)
  }

  #dropOldest(): void {
    while (this.held > this.#keeper.maxBytes && this.first < this.head) {
      this.held -= this.#lengthOf(this.first)
      this.#keeper.dropped(this.#placeOf(this.first))
      this.first++
    }
  }

  #putEnd(): void {
    const { opened: _, ...endNotes } = this.notes
    this.#keeper.put(
      this,
      KIND.end,
      this.head,
      json({ ending: this.ending, at: this.endedAt, notes: endNotes }),
    )
  }

  #readTail(from: number, limit: number): Uint8Array[] {
    const events: Uint8Array[] = []
    let bytes = 0
    for (let seq = from; seq <= this.visible; seq++) {
      const event = this.#tail.get(seq)
      bytes += event.length
      if (events.length > 0 && bytes > limit) break
      events.push(event)
    }
    return events
  }

  #readDisk(from: number, to: number, limit: number): Uint8Array[] {
    const events: Uint8Array[] = []
    let bytes = 0
    let seq = from
    for (let pieces = 0; seq <= to && pieces < READ_PIECES && (bytes < limit || pieces === 0); pieces++) {
      const start = this.#placeOf(seq)
      let next = seq + 1
      let end = start + this.#lengthOf(seq)
      bytes += end - start
      while (next <= to) {
        const place = this.#placeOf(next)
        const length = this.#lengthOf(next)
        // A place beyond the segment's end is far away: segments are apart by more than they can hold.
        if (place < end || place - end > NEAR || bytes + length > limit) break
        end = place + length
        bytes += length
        next++
      }
      const piece = this.#keeper.readAt(start, end - start)
      if (piece === undefined) {
        this.#dropBefore(next)
        return events
      }
      for (; seq < next; seq++) {
        const at = this.#placeOf(seq) - start
        events.push(piece.subarray(at, at + this.#lengthOf(seq)))
      }
      if (bytes >= limit) break
    }
    return events
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function parse(payload: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(payload.toString())
  return typeof value === "object" && value !== null ? { ...value } : {}
}
