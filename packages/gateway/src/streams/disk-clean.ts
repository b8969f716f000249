/**
 * Cleaning a segment: what belongs to nobody any more is written nowhere again. A copy is made in which every record
 * that is left stands at its old place, and nothing but zeros (holes, where the file system has them) between; then it
 * takes the segment's name. A crash at any point leaves the one or the other.
 */
import type { Files } from "./disk-files.ts"
import {
  BATCH_HEADER_BYTES,
  batchLength,
  endOfBatch,
  findBatch,
  KIND,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER,
  sealBatch,
  visitRecords,
  writeRecordHeader,
} from "./disk-format.ts"

/** Is this record still somebody's? */
export type Alive = (kind: number, stream: number, event: number) => boolean

const SLICE = 128 << 10
/** Zeros in a row that are worth a hole. */
const HOLE = 4 << 10

/** Copies slice by slice, so that the loop can turn in between; gives the copy's file. */
export function* copyAlive(
  files: Files,
  from: { readonly file: number; readonly end: number },
  toPath: string,
  alive: Alive,
): Generator<void, number> {
  files.remove(toPath)
  const to = files.open(toPath)
  let done = false
  try {
    files.write(to, SEGMENT_HEADER, 0)
    let buffer = Buffer.allocUnsafe(SLICE)
    for (let at = SEGMENT_HEADER.length; at < from.end; ) {
      const length = files.read(from.file, buffer.subarray(0, Math.min(buffer.length, from.end - at)), at)
      if (length === 0) break
      const slice = buffer.subarray(0, length)
      const consumed = copySlice(slice, alive, (start, end) =>
        files.write(to, slice.subarray(start, end), at + start),
      )
      if (consumed === 0) {
        // A batch that is larger than the slice; where none begins the rest was never readable.
        const needed = batchLength(slice, 0)
        if (needed === undefined || needed <= length || at + needed > from.end) at++
        else buffer = Buffer.allocUnsafe(needed)
      }
      at += consumed
      yield
    }
    done = true
    return to
  } finally {
    if (!done) files.close(to)
  }
}

/** Writes what is alive in the whole batches of this slice; gives how far they reach. */
function copySlice(slice: Buffer, alive: Alive, write: (start: number, end: number) => void): number {
  let at = 0
  let pending = 0
  const jump = (from: number, to: number): void => {
    if (from > pending) write(pending, from)
    pending = to
  }
  while (at < slice.length) {
    const end = endOfBatch(slice, at)
    if (end === undefined) {
      const claimed = batchLength(slice, at)
      if (claimed !== undefined && at + claimed > slice.length) break
      const next = nextBatch(slice, at + 1)
      jump(at, next)
      at = next
      continue
    }
    const dead = blankDead(slice, at, end, alive)
    if (dead === undefined) jump(at, end)
    else for (const run of dead) jump(run.start, run.end)
    at = end
  }
  jump(at, at)
  return at
}

/** Blanks what is dead in one batch: the long runs of zeros in it, or undefined if nothing in it is alive. */
function blankDead(
  slice: Buffer,
  start: number,
  end: number,
  alive: Alive,
): { start: number; end: number }[] | undefined {
  const runs: { start: number; end: number }[] = []
  let anyAlive = false
  let runStart = -1
  const close = (at: number): void => {
    if (runStart < 0) return
    writeRecordHeader(slice, runStart, at - runStart - RECORD_HEADER_BYTES, KIND.blank, 0, 0)
    slice.fill(0, runStart + RECORD_HEADER_BYTES, at)
    if (at - runStart > HOLE) runs.push({ start: runStart + RECORD_HEADER_BYTES, end: at })
    runStart = -1
  }
  visitRecords(slice, start, end, (kind, stream, event, payload) => {
    const at = payload - RECORD_HEADER_BYTES
    if (alive(kind, stream, event)) {
      anyAlive = true
      close(at)
    } else if (runStart < 0) runStart = at
  })
  close(end)
  if (!anyAlive) return undefined
  sealBatch(slice, start, end)
  return runs
}

/** Where the next batch may begin; its header may stand half in the next slice. */
function nextBatch(slice: Buffer, from: number): number {
  const found = findBatch(slice, from)
  return found < 0 ? Math.max(from, slice.length - BATCH_HEADER_BYTES + 1) : found
}
