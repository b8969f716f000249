/** The journal's segment files: where a place is, which are still needed, and the removal of what is not. */
import { join } from "node:path"
import { type Alive, copyAlive } from "./disk-clean.ts"
import type { Files } from "./disk-files.ts"
import { kindOfSegment, type RecordVisitor, SEGMENT_HEADER, scanSegment } from "./disk-format.ts"

/** A place is a number: segment × PLACES + offset. No segment comes near so many bytes. */
const PLACES = 2 ** 32

export interface Segment {
  readonly number: number
  readonly path: string
  /** Opened with its first batch. */
  file: number | undefined
  /** Where the next batch will stand: after all that have been given a place, written or not. */
  end: number
  /** No batch is given a place here any more. */
  sealed: boolean
  /** A write or a cleaning is under way. */
  busy: boolean
  /** Streams that have records here. */
  live: number
  /** Since when it has had bytes that nobody needs. */
  dirtySince: number | undefined
}

export interface Segments {
  /** The next one, without a file as yet. */
  next(): Segment
  get(number: number): Segment | undefined
  all(): Iterable<Segment>
  placeOf(segment: Segment, offset: number): number
  segmentOf(place: number): Segment | undefined
  readAt(place: number, length: number): Uint8Array
  seal(segment: Segment): void
  /** Removes it if no stream needs it any more. */
  release(segment: Segment): void
  /** A write at `end` has failed: what stands there is cut off, and nothing is written here again. */
  abandon(segment: Segment, end: number): void
  /** Writes all that is alive anew. */
  clean(segment: Segment, alive: Alive): Promise<void>
  /** Reads what is there, oldest first, and takes each file into the list. */
  recover(visitor: (segment: Segment, bytes: Buffer) => RecordVisitor): void
  close(): void
}

/** What is in the folder cannot be read by this version: the start stops and touches nothing. */
export class JournalError extends Error {
  override readonly name = "JournalError"
}

/** A record of `stream` stands in `segment`, which is needed as long as the stream is. */
export function belongs(stream: { readonly segments: number[] }, segment: Segment): void {
  if (stream.segments.at(-1) === segment.number) return
  stream.segments.push(segment.number)
  segment.live++
}

const NAME = /^(\d{8,})\.journal$/
const CLEAN = ".clean"

export function createSegments(folder: string, files: Files, warn: (line: string) => void): Segments {
  const segments = new Map<number, Segment>()
  let last = 0
  let closed = false
  try {
    files.makeFolder(folder)
  } catch (error) {
    throw new JournalError(
      `the journal's folder cannot be made: ${error instanceof Error ? error.message : error}`,
    )
  }

  function add(number: number): Segment {
    last = Math.max(last, number)
    const path = join(folder, `${String(number).padStart(8, "0")}.journal`)
    const segment: Segment = {
      number,
      path,
      file: undefined,
      end: SEGMENT_HEADER.length,
      sealed: false,
      busy: false,
      live: 0,
      dirtySince: undefined,
    }
    segments.set(number, segment)
    return segment
  }

  function closeFile(segment: Segment): void {
    if (segment.file !== undefined) files.close(segment.file)
    segment.file = undefined
  }

  function remove(segment: Segment): void {
    segments.delete(segment.number)
    closeFile(segment)
    files.remove(segment.path)
  }

  /** All are looked at before the first one is changed. */
  function openExisting(segment: Segment): { segment: Segment; file: number; size: number }[] {
    const file = files.open(segment.path, "existing")
    segment.file = file
    segment.sealed = true
    const size = files.size(file)
    const header = Buffer.alloc(Math.min(size, SEGMENT_HEADER.length))
    files.read(file, header, 0)
    const kind = kindOfSegment(header)
    if (kind === "journal") return [{ segment, file, size }]
    if (kind === "newer") {
      self.close()
      throw new JournalError(`${segment.path} was written by a newer version of sluice: start that version`)
    }
    warn(`${segment.path} does not begin as a journal does: it is left alone`)
    closeFile(segment)
    segments.delete(segment.number)
    return []
  }

  const self: Segments = {
    next: () => add(last + 1),
    get: (number) => segments.get(number),
    all: () => segments.values(),
    placeOf: (segment, offset) => segment.number * PLACES + offset,
    segmentOf: (place) => segments.get(Math.floor(place / PLACES)),
    readAt(place, length) {
      const file = self.segmentOf(place)?.file
      const buffer = Buffer.allocUnsafe(length)
      const read = file === undefined ? 0 : files.read(file, buffer, place % PLACES)
      if (read < length) throw new Error(`the journal has no ${length} bytes at ${place}`)
      return buffer
    },
    seal(segment) {
      segment.sealed = true
      self.release(segment)
    },
    release(segment) {
      if (segment.sealed && segment.live === 0 && !segment.busy && !closed) remove(segment)
    },
    abandon(segment, end) {
      segment.sealed = true
      segment.end = end
      try {
        if (segment.file !== undefined) files.truncate(segment.file, end)
      } catch (error) {
        warn(`the journal's ${segment.path} could not be cut: ${error}`)
      }
    },
    async clean(segment, alive) {
      const { file } = segment
      if (file === undefined || segment.busy) return
      segment.busy = true
      segment.dirtySince = undefined
      const path = segment.path + CLEAN
      try {
        const copying = copyAlive(files, { file, end: segment.end }, path, alive)
        let step = copying.next()
        for (; !step.done && !closed; step = copying.next()) await new Promise(setImmediate)
        if (!step.done) {
          copying.return(0)
          return files.remove(path)
        }
        const copy = step.value
        try {
          await files.sync(copy)
          if (closed) return files.close(copy)
          files.rename(path, segment.path)
        } catch (error) {
          files.close(copy)
          throw error
        }
        files.close(file)
        segment.file = copy
      } catch (error) {
        warn(`the journal's ${segment.path} could not be cleaned: ${error}`)
      } finally {
        segment.busy = false
        self.release(segment)
      }
    },
    recover(visitor) {
      const names = files.list(folder)
      const numbers = names.flatMap((name) => (NAME.test(name) ? [Number.parseInt(name, 10)] : []))
      const found = numbers.sort((a, b) => a - b).flatMap((number) => openExisting(add(number)))
      for (const name of names) if (name.endsWith(CLEAN)) files.remove(join(folder, name))
      let buffer = Buffer.alloc(0)
      for (const { segment, file, size } of found) {
        if (buffer.length < size) buffer = Buffer.allocUnsafe(size)
        const bytes = buffer.subarray(0, files.read(file, buffer.subarray(0, size), 0))
        const { end, damaged } = scanSegment(bytes, visitor(segment, bytes))
        if (damaged > 0) warn(`${segment.path} is damaged: ${damaged} bytes in it could not be read`)
        segment.end = end
        if (end < size) files.truncate(file, end)
      }
    },
    close() {
      closed = true
      for (const segment of segments.values()) closeFile(segment)
    },
  }
  return self
}
