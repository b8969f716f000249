import assert from "node:assert/strict"
import { test } from "node:test"
import { everyCut } from "../../../protocol/test/sse-reading.ts"
import { SSE_VECTORS } from "../../../protocol/test/sse-vectors.ts"
import { createEventReader, type ServerEvent } from "./events.js"

for (const vector of SSE_VECTORS) {
  test(`the page reads events as protocol does, for every split of the bytes: ${vector.name}`, () => {
    const stream = typeof vector.stream === "string" ? new TextEncoder().encode(vector.stream) : vector.stream
    const wanted = vector.events.map(({ event, data, id }) => ({ event, data, id }))
    for (const reads of everyCut(stream)) {
      const events: ServerEvent[] = []
      const retries: number[] = []
      const reader = createEventReader({
        onEvent: (event) => events.push(event),
        onRetry: (milliseconds) => retries.push(milliseconds),
      })
      for (const bytes of reads) reader.push(bytes)
      assert.deepEqual(events, wanted)
      assert.deepEqual(retries, vector.retries ?? [])
    }
  })
}
