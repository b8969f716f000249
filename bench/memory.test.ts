import assert from "node:assert/strict"
import { test } from "node:test"
import { runMemory } from "./memory.ts"

test("an idle stream and a slow reader are measured, and no provider of theirs is read to its end", async (t) => {
  if (process.platform !== "linux") return t.skip("it reads /proc")
  const { streams, readers, rounds } = await runMemory(
    { streams: 40, readers: 8, rounds: 1, warmUp: 10 },
    () => {},
    false,
  )
  assert.equal(rounds, 1)
  assert.ok(Number.isFinite(streams.bytes))
  // What waits for such a reader, before its provider is paused, is 1 MB.
  assert.ok(readers.bytes > 500_000, `${readers.bytes} bytes`)
  t.diagnostic(
    `${Math.round(streams.bytes / 1e3)} KB a stream, ${(readers.bytes / 1e6).toFixed(1)} MB a reader`,
  )
})
