/** How tests read a stream in pieces. */
import { createSseDecoder, type SseDecoderOptions, type SseEvent } from "@sluice/protocol"

export interface ReadStream {
  readonly events: SseEvent[]
  readonly retries: number[]
  readonly comments: string[]
  readonly lastEventId: string
}

export function readStream(
  reads: Iterable<Uint8Array>,
  options: Pick<SseDecoderOptions, "maxEventBytes"> = {},
): ReadStream {
  const events: SseEvent[] = []
  const retries: number[] = []
  const comments: string[] = []
  const decoder = createSseDecoder({
    ...options,
    onEvent: (event) => events.push(event),
    onRetry: (milliseconds) => retries.push(milliseconds),
    onComment: (text) => comments.push(text),
  })
  for (const bytes of reads) decoder.push(bytes)
  decoder.end()
  return { events, retries, comments, lastEventId: decoder.lastEventId() }
}

/** The stream whole, cut in two at each byte, and in small reads of one size. */
export function* everyCut(stream: Uint8Array): Generator<Iterable<Uint8Array>> {
  yield [stream]
  for (const size of [1, 2, 3, 7]) yield inReadsOf(size, stream)
  for (let at = 0; at <= stream.length; at++) yield [stream.subarray(0, at), stream.subarray(at)]
}

/** One buffer for all reads, as sockets have it: what a decoder keeps of a read it has to copy. */
export function* inReadsOf(size: number, stream: Uint8Array): Generator<Uint8Array> {
  const buffer = new Uint8Array(size)
  for (let begin = 0; begin < stream.length; begin += size) {
    const read = stream.subarray(begin, begin + size)
    buffer.set(read)
    yield buffer.subarray(0, read.length)
    buffer.fill(0x0a)
  }
}

/** Cut at the given places, in whatever order and however often they are named. */
export function cutAt(places: readonly number[], stream: Uint8Array): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (stream.length + 1)), stream.length].toSorted(
    (a, b) => a - b,
  )
  return sorted.slice(1).map((end, at) => stream.subarray(sorted[at], end))
}
