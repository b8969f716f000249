/**
 * The log on disk: a journal of segment files (format, reader and invariants: disk-format.ts) with an index in memory.
 *
 *   append    copies the event into the batch that is being filled, and into the stream's tail in memory
 *   flush     `process`: one write hands the batch to the operating system, then all in it is visible
 *             `power`: the batch is written and synced by a thread of Node's pool, one batch at a time; what comes
 *             meanwhile is the next batch, so the wait is never longer than two syncs
 *   read      the tail, or the segment at the event's place
 *   sweep     streams whose time is over are forgotten; a segment that no stream needs is removed at once, one that
 *             others still need is cleaned within `cleanAfter`
 *
 * When nothing can be written (disk full, I/O error), what was not kept is taken back, its streams are lost (told to
 * the owner, who ends them), and `trouble` says why. Each sweep tries again with what the lost ones have to say.
 */
import { join } from "node:path"
import { type Files, realFiles } from "./disk-files.ts"
import { createBatch, KIND, SEGMENT_HEADER } from "./disk-format.ts"
import { recoverStreams } from "./disk-recover.ts"
import { belongs, createSegments, type Segment } from "./disk-segments.ts"
import { DiskStream, type StreamKeeper } from "./disk-stream.ts"
import { type LogLimits, MOST_ENDED, type StreamLog } from "./log.ts"

export { JournalError } from "./disk-segments.ts"

export interface JournalOptions {
  /** The data folder. */
  readonly folder: string
  readonly level: "process" | "power"
  readonly limits: LogLimits
  readonly now?: () => number
  readonly files?: Files
  readonly warn?: (line: string) => void
  readonly segmentBytes?: number
  /** Milliseconds that a deleted stream's bytes may outlive it in a segment which others still need. */
  readonly cleanAfter?: number
}

export interface Journal extends StreamLog {
  /** Comes back when no segment is being cleaned. */
  cleaned(): Promise<void>
}

/** A batch on its way to the disk. */
interface Taken {
  readonly segment: Segment
  readonly at: number
  readonly bytes: Buffer
  readonly streams: readonly DiskStream[]
}

const NOTHING = new Uint8Array(0)

export function createJournal(options: JournalOptions): Journal {
  const { level, files = realFiles, now = Date.now, warn = () => {} } = options
  const { segmentBytes = 32 << 20, cleanAfter = 30_000 } = options
  const folder = join(options.folder, "streams")
  const segments = createSegments(folder, files, warn)
  const streams = new Map<string, DiskStream>()
  const byNumber = new Map<number, DiskStream>()
  /** Oldest ending first. */
  const ended = new Set<DiskStream>()
  /** Ended, but the ending stands in memory alone. */
  const lost = new Set<DiskStream>()
  let freshlyEnded: DiskStream[] = []
  let limits = options.limits
  let lastNumber = 0
  let total = 0
  let trouble: string | undefined
  let closed = false
  let recovering = true
  let cleaning: Promise<void> = Promise.resolve()

  let batch = createBatch()
  let spare = createBatch()
  let queued: DiskStream[] = []
  /** Where the batch that is being filled will stand. */
  let target: Segment | undefined
  let waiting: (() => void)[] = []
  let syncing: Promise<void> | undefined

  const keeper: StreamKeeper = {
    get maxBytes() {
      return limits.maxBytes
    },
    now,
    put(stream, kind, event, payload) {
      const segment = aim()
      const offset = batch.add(kind, stream.number, event, payload)
      if (!stream.queued) {
        stream.queued = true
        queued.push(stream)
      }
      belongs(stream, segment)
      return segments.placeOf(segment, segment.end + offset)
    },
    readAt(place, length) {
      try {
        return segments.readAt(place, length)
      } catch (error) {
        warn(`the journal cannot be read: ${messageOf(error)}`)
        return undefined
      }
    },
    changed(difference) {
      total += difference
      // What is paid while the process stops leaves its room to the next.
      if (!recovering && !closed && isFull()) makeRoom()
    },
    ended(stream, ending) {
      if (ending === undefined) ended.delete(stream)
      else ended.add(stream)
      if (!recovering && isFull()) makeRoom()
    },
    dropped(place) {
      const segment = segments.segmentOf(place)
      if (segment !== undefined) segment.dirtySince ??= now()
    },
  }

  /** The segment for the batch; chosen with its first record, since places are given out from then on. */
  function aim(): Segment {
    if (target !== undefined && (!batch.empty || (!target.sealed && target.end < segmentBytes))) return target
    if (target !== undefined) segments.seal(target)
    target = segments.next()
    return target
  }

  function isFull(): boolean {
    return total > limits.totalBytes || ended.size > (limits.mostEnded ?? MOST_ENDED)
  }

  function makeRoom(): void {
    for (const stream of ended) {
      if (!isFull()) return
      if (!stream.owed) remove(stream)
    }
  }

  function remove(stream: DiskStream): void {
    streams.delete(stream.facts.id)
    byNumber.delete(stream.number)
    ended.delete(stream)
    lost.delete(stream)
    total -= stream.held
    stream.forget()
    if (!closed) {
      aim()
      batch.add(KIND.gone, stream.number, 0, NOTHING)
    }
    for (const number of stream.segments) {
      const segment = segments.get(number)
      if (segment === undefined) continue
      segment.live--
      segment.dirtySince ??= now()
      segments.release(segment)
    }
  }

  function take(): Taken {
    const segment = aim()
    const taken = { segment, at: segment.end, bytes: batch.sealed(), streams: queued }
    segment.end += batch.length
    for (const stream of queued) stream.taken()
    queued = []
    const filled = batch
    batch = spare
    spare = filled
    return taken
  }

  function settle(taken: Taken): void {
    for (const stream of freshlyEnded) stream.letGo()
    freshlyEnded = []
    for (const stream of taken.streams) {
      stream.settle()
      if (lost.size > 0) lost.delete(stream)
      if (stream.visibleEnding !== undefined) freshlyEnded.push(stream)
    }
  }

  /** Neither what was taken nor what waits behind it can be kept. */
  function lose(error: unknown, taken: Taken | undefined): void {
    if (trouble === undefined) warn(`the journal cannot be written: ${messageOf(error)}`)
    trouble = messageOf(error)
    if (taken !== undefined) segments.abandon(taken.segment, taken.at)
    if (target !== undefined) target.sealed = true
    target = undefined
    const hit = new Set([...(taken?.streams ?? []), ...queued])
    discard()
    for (const stream of hit) {
      const known = stream.lost
      stream.takeBack()
      if (!known && byNumber.has(stream.number)) {
        journal.onLost(stream)
        stream.end("failed")
        stream.showLost()
      }
      if (byNumber.has(stream.number)) lost.add(stream)
    }
    discard()
    if (taken !== undefined) segments.release(taken.segment)
  }

  function discard(): void {
    for (const stream of queued) stream.queued = false
    queued = []
    batch.clear()
  }

  function flushNow(): void {
    if (batch.empty) return
    if (closed) return discard()
    if (trouble !== undefined) return lose(trouble, undefined)
    const taken = take()
    try {
      const { segment } = taken
      if (segment.file === undefined) {
        segment.file = files.open(segment.path)
        files.write(segment.file, SEGMENT_HEADER, 0)
      }
      files.write(segment.file, taken.bytes, taken.at)
      settle(taken)
    } catch (error) {
      lose(error, taken)
    }
    spare.clear()
  }

  async function flushSynced(): Promise<void> {
    while (!batch.empty && !closed && trouble === undefined) {
      const done = waiting
      waiting = []
      const taken = take()
      taken.segment.busy = true
      try {
        await writeSynced(taken)
        settle(taken)
      } catch (error) {
        lose(error, taken)
      }
      taken.segment.busy = false
      segments.release(taken.segment)
      spare.clear()
      for (const call of done) call()
    }
    syncing = undefined
    if (!batch.empty) flushNow()
    for (const call of waiting.splice(0)) call()
  }

  async function writeSynced({ segment, bytes, at }: Taken): Promise<void> {
    const isNew = segment.file === undefined
    segment.file ??= await files.openLater(segment.path)
    if (isNew) await files.writeLater(segment.file, SEGMENT_HEADER, 0)
    await files.writeLater(segment.file, bytes, at)
    await files.sync(segment.file)
    if (isNew) await files.syncFolder(folder)
  }

  /** What the lost streams have to say shows whether the disk takes anything again. */
  function tryAgain(): void {
    if (trouble === undefined) return
    trouble = undefined
    for (const stream of lost) stream.putAgain()
  }

  async function cleanDirty(at: number): Promise<void> {
    for (const segment of [...segments.all()]) {
      const { dirtySince } = segment
      if (!segment.sealed || dirtySince === undefined || at - dirtySince < cleanAfter || closed) continue
      await segments.clean(segment, (kind, number, event) => {
        const stream = byNumber.get(number)
        return stream !== undefined && (kind !== KIND.event || event >= stream.first)
      })
    }
  }

  function recover(): void {
    const recovered = recoverStreams(segments, keeper)
    lastNumber = recovered.lastNumber
    for (const stream of recovered.byNumber.values()) {
      streams.set(stream.facts.id, stream)
      byNumber.set(stream.number, stream)
    }
    const inOrder = [...ended].sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0))
    ended.clear()
    for (const stream of inOrder) ended.add(stream)
    recovering = false
    makeRoom()
    for (const segment of [...segments.all()]) segments.release(segment)
  }

  const journal: Journal = {
    outlives: true,
    create(facts) {
      const stream = new DiskStream(++lastNumber, facts, keeper)
      streams.set(facts.id, stream)
      byNumber.set(stream.number, stream)
      stream.begin()
      return stream
    },
    get: (id) => streams.get(id),
    all: () => streams.values(),
    get trouble() {
      return trouble
    },
    onLost() {},
    get limits() {
      return limits
    },
    set limits(wanted) {
      limits = wanted
      makeRoom()
    },
    flush(done) {
      if (level === "process" || closed || trouble !== undefined) {
        if (syncing === undefined) {
          flushNow()
          return done()
        }
      }
      // With a batch under way even a turn that appended nothing may wait for what stands in it.
      if (batch.empty && syncing === undefined) return done()
      waiting.push(done)
      syncing ??= flushSynced()
    },
    sweep(at) {
      tryAgain()
      const gone: string[] = []
      for (const stream of ended) {
        if (stream.owed || at - (stream.endedAt ?? at) < limits.keep) continue
        gone.push(stream.facts.id)
        remove(stream)
      }
      for (const stream of freshlyEnded) stream.letGo()
      freshlyEnded = []
      journal.flush(() => {
        const current = target
        if (current === undefined || !batch.empty || current.dirtySince === undefined) return
        if (current.live > 0 && at - current.dirtySince < cleanAfter) return
        target = undefined
        segments.seal(current)
      })
      cleaning = cleaning.then(() => cleanDirty(at))
      return gone
    },
    get size() {
      return streams.size
    },
    get bytes() {
      return total
    },
    cleaned: () => cleaning,
    async close() {
      if (closed) return
      while (syncing !== undefined) await syncing
      if (level === "power") {
        journal.flush(() => {})
        while (syncing !== undefined) await syncing
      } else flushNow()
      closed = true
      segments.close()
      await cleaning
    },
  }

  recover()
  return journal
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
