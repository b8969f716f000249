/** Events as the body of a response. */
import { encodeEvent } from "@sluice/protocol"

/** Read no faster than it is read itself: whoever sends feels a slow reader as if nobody stood between. */
export function eventBody(
  events: AsyncIterator<{ data: string; id?: string }>,
  source: Pick<UnderlyingDefaultSource<Uint8Array>, "start" | "cancel">,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      ...source,
      async pull(controller) {
        const { value, done } = await events.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(encodeEvent({ ...value, id: value.id || undefined })))
      },
    },
    { highWaterMark: 0 },
  )
}

/** What stands behind the last event of a stream that has not failed. */
export const DONE = { data: "[DONE]" }
