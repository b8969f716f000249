/** A call's events from its stream, for as long as that is kept. */
import type { AdminCallEvents } from "@sluice/protocol"
import type { Streams } from "../streams/streams.ts"

/** Of one answer. A single event may be larger. */
const PAGE_BYTES = 262_144

export async function readKeptEvents(
  streams: Pick<Streams, "get">,
  id: string,
  after: number,
): Promise<AdminCallEvents | undefined> {
  const record = streams.get(id)?.record
  if (record === undefined) return undefined
  for (;;) {
    const from = Math.max(after, record.first - 1)
    const frames = record.read(from, PAGE_BYTES)
    // The disk did not give them back: what is left begins later now.
    if (record.first - 1 > from) continue
    const last = from + frames.length
    return {
      id,
      ending: record.visibleEnding ?? null,
      first: record.first,
      last: record.visible,
      data: frames.map((frame, index) => ({
        seq: from + index + 1,
        frame: Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString(),
      })),
      next: last < record.visible ? last : null,
    }
  }
}
