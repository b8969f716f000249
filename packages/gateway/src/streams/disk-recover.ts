/** The streams that the processes before have written, put together again from the segments' records. */
import { KIND } from "./disk-format.ts"
import { belongs, type Segments } from "./disk-segments.ts"
import { DiskStream, type StreamKeeper } from "./disk-stream.ts"
import type { StreamFacts } from "./log.ts"

export interface Recovered {
  readonly byNumber: Map<number, DiskStream>
  /** The highest number that was ever given to a stream. */
  readonly lastNumber: number
}

export function recoverStreams(segments: Segments, keeper: StreamKeeper): Recovered {
  const byNumber = new Map<number, DiskStream>()
  let lastNumber = 0

  segments.recover((segment, bytes) => (kind, number, event, start, end) => {
    lastNumber = Math.max(lastNumber, number)
    let stream = byNumber.get(number)
    if (kind === KIND.begin && stream === undefined) {
      const facts = JSON.parse(bytes.toString("utf8", start, end)) as StreamFacts
      stream = new DiskStream(number, facts, keeper)
      byNumber.set(number, stream)
    }
    if (stream === undefined || kind === KIND.gone) {
      if (stream !== undefined) forget(stream)
      if (kind !== KIND.blank) segment.dirtySince ??= keeper.now()
      return
    }
    belongs(stream, segment)
    if (kind === KIND.event) stream.restoreEvent(event, segments.placeOf(segment, start), end - start)
    else if (kind === KIND.slip) stream.restoreSlip(segments.placeOf(segment, start), end - start)
    else stream.restore(kind, event, bytes.subarray(start, end))
  })
  for (const stream of byNumber.values()) stream.restored()
  return { byNumber, lastNumber }

  function forget(stream: DiskStream): void {
    byNumber.delete(stream.number)
    keeper.ended(stream, undefined)
    keeper.changed(-stream.held)
    for (const number of stream.segments) {
      const segment = segments.get(number)
      if (segment === undefined) continue
      segment.live--
      segment.dirtySince ??= keeper.now()
    }
  }
}
