/**
 * The journal's bytes.
 *
 *   <data folder>/streams/00000001.journal, 00000002.journal, …   segments, oldest first
 *
 *   segment   32 bytes of text that name format and version, then batches
 *   batch     magic u32 · length of the body u32 · crc32 of the body u32 · body: records
 *   record    length of the payload u32 · kind u32 · stream number u32 · event number u32 · payload
 *
 * Integers are little endian. One batch is what one turn of the event loop has appended for all streams: it is there
 * as a whole or not at all. The kinds of records:
 *
 *   blank     nothing any more: where records of streams that are gone stood, there are zeros
 *   begin     JSON: the stream's facts
 *   note      JSON: what was learnt of it later
 *   event     the event's bytes
 *   end       JSON: the ending, its time and its notes; the event number is that of the last event
 *   slip      bytes that are not for readers: what the books must know of its call
 *   gone      the stream was deleted; what older segments still have of it is nobody's
 *
 * How it is read, at the start: segment after segment, batch after batch. A batch is taken if its magic, length and
 * checksum hold. Where they do not, the next place where they do is looked for: none is there after a torn write, and
 * the file is cut; one is there where a batch was cleaned away (zeros) or damaged (anything else), and what lies between
 * is skipped. A stream whose events have a gap keeps those after it.
 *
 * Invariants:
 *   1. Only the newest segment grows, and only at its end. One that an earlier process wrote never grows again.
 *   2. A stream's records stand in the order in which they were appended, across segments too.
 *   3. A record never moves: cleaning a segment leaves every record that is left at its place.
 *   4. No event is shown to a reader before its batch is in the file (level `process`) or on the disk (`power`).
 */
import { crc32 } from "node:zlib"

export const KIND = { blank: 0, begin: 1, note: 2, event: 3, end: 4, gone: 5, slip: 6 } as const
export type Kind = (typeof KIND)[keyof typeof KIND]

export const SEGMENT_HEADER = Buffer.from(`${"sluice journal 1".padEnd(31)}\n`)
export const BATCH_HEADER_BYTES = 12
export const RECORD_HEADER_BYTES = 16
/** Its first byte stands in no UTF-8 text, so the search for it is not led astray by what models say. */
const MAGIC = 0xb74c53f5
const MAGIC_BYTES = Buffer.from([0xf5, 0x53, 0x4c, 0xb7])
/** A buffer that one great burst has made larger than this is not kept. */
const KEPT_BUFFER = 4 << 20

export interface Batch {
  /** Bytes so far, header included. */
  readonly length: number
  readonly empty: boolean
  /** Adds one record; gives the offset of its payload from the batch's beginning. */
  add(kind: Kind, stream: number, event: number, payload: Uint8Array): number
  /** The batch as it goes to the disk. It is valid until `clear`. */
  sealed(): Buffer
  clear(): void
}

export function createBatch(): Batch {
  let buffer = Buffer.allocUnsafe(64 << 10)
  let length = BATCH_HEADER_BYTES

  function grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, needed))
    buffer.copy(larger, 0, 0, length)
    buffer = larger
  }

  return {
    get length() {
      return length
    },
    get empty() {
      return length === BATCH_HEADER_BYTES
    },
    add(kind, stream, event, payload) {
      const start = length + RECORD_HEADER_BYTES
      const end = start + payload.length
      if (end > buffer.length) grow(end)
      writeRecordHeader(buffer, length, payload.length, kind, stream, event)
      buffer.set(payload, start)
      length = end
      return start
    },
    sealed() {
      sealBatch(buffer, 0, length)
      return buffer.subarray(0, length)
    },
    clear() {
      length = BATCH_HEADER_BYTES
      if (buffer.length > KEPT_BUFFER) buffer = Buffer.allocUnsafe(64 << 10)
    },
  }
}

export function writeRecordHeader(
  buffer: Buffer,
  at: number,
  length: number,
  kind: Kind,
  stream: number,
  event: number,
): void {
  buffer.writeUInt32LE(length, at)
  buffer.writeUInt32LE(kind, at + 4)
  buffer.writeUInt32LE(stream, at + 8)
  buffer.writeUInt32LE(event, at + 12)
}

/** Writes the header of the batch that stands from `start` to `end`. */
export function sealBatch(buffer: Buffer, start: number, end: number): void {
  buffer.writeUInt32LE(MAGIC, start)
  buffer.writeUInt32LE(end - start - BATCH_HEADER_BYTES, start + 4)
  buffer.writeUInt32LE(crc32(buffer.subarray(start + BATCH_HEADER_BYTES, end)), start + 8)
}

/** The end of the whole and sound batch at `at`; undefined if there is none. */
export function endOfBatch(buffer: Buffer, at: number): number | undefined {
  if (at + BATCH_HEADER_BYTES > buffer.length || buffer.readUInt32LE(at) !== MAGIC) return undefined
  const end = at + BATCH_HEADER_BYTES + buffer.readUInt32LE(at + 4)
  if (end > buffer.length) return undefined
  return crc32(buffer.subarray(at + BATCH_HEADER_BYTES, end)) === buffer.readUInt32LE(at + 8)
    ? end
    : undefined
}

/** How long the batch at `at` says it is, header included; undefined where no batch begins. */
export function batchLength(buffer: Buffer, at: number): number | undefined {
  if (at + BATCH_HEADER_BYTES > buffer.length || buffer.readUInt32LE(at) !== MAGIC) return undefined
  return BATCH_HEADER_BYTES + buffer.readUInt32LE(at + 4)
}

/** Where the next batch may begin; -1 if nowhere. */
export function findBatch(buffer: Buffer, from: number): number {
  return buffer.indexOf(MAGIC_BYTES, from)
}

/** Where the payload stands is said in the buffer's own offsets. */
export type RecordVisitor = (kind: number, stream: number, event: number, start: number, end: number) => void

/** Visits the records of the batch from `start` to `end`. */
export function visitRecords(buffer: Buffer, start: number, end: number, visit: RecordVisitor): void {
  let at = start + BATCH_HEADER_BYTES
  while (at + RECORD_HEADER_BYTES <= end) {
    const payload = at + RECORD_HEADER_BYTES
    const next = payload + buffer.readUInt32LE(at)
    if (next > end) return
    visit(
      buffer.readUInt32LE(at + 4),
      buffer.readUInt32LE(at + 8),
      buffer.readUInt32LE(at + 12),
      payload,
      next,
    )
    at = next
  }
}

export interface Scanned {
  /** Where the last sound batch ends; what follows is a torn write. */
  readonly end: number
  /** Bytes between sound batches that are not one. */
  readonly damaged: number
}

/** Visits every record of a segment. Whatever the bytes are, it comes to an end and never throws by itself. */
export function scanSegment(buffer: Buffer, visit: RecordVisitor): Scanned {
  let end = Math.min(SEGMENT_HEADER.length, buffer.length)
  let damaged = 0
  for (let at = end; at >= 0 && at < buffer.length; ) {
    const next = endOfBatch(buffer, at)
    if (next === undefined) {
      at = findBatch(buffer, at + 1)
      continue
    }
    if (!isBlank(buffer.subarray(end, at))) damaged += at - end
    visitRecords(buffer, at, next, visit)
    at = end = next
  }
  return { end, damaged }
}

const ZEROS = Buffer.alloc(64 << 10)

function isBlank(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length)
    if (!piece.equals(ZEROS.subarray(0, piece.length))) return false
  }
  return true
}

export type SegmentKind = "journal" | "newer" | "foreign"

/** What a file says that it is. A header that was torn off while it was written is still a journal's. */
export function kindOfSegment(buffer: Buffer): SegmentKind {
  if (buffer.length < SEGMENT_HEADER.length)
    return SEGMENT_HEADER.subarray(0, buffer.length).equals(buffer) ? "journal" : "foreign"
  const header = buffer.subarray(0, SEGMENT_HEADER.length)
  if (header.equals(SEGMENT_HEADER)) return "journal"
  return /^sluice journal \d+ *\n$/.test(header.toString("latin1")) ? "newer" : "foreign"
}
