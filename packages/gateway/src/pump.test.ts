import assert from "node:assert/strict"
import { test } from "node:test"
import type { Chunk } from "@sluice/protocol"
import { openai } from "@sluice/protocol/dialects"
import { createPump, type PumpEntry } from "./pump.ts"
import { createMemoryLog } from "./streams/memory.ts"
import { createStreams } from "./streams/streams.ts"

test("a provider that has the whole answer ready is let go on after each wait for the hold", async (t) => {
  const streams = createStreams({
    log: createMemoryLog({ keep: 60_000, maxBytes: 1 << 20, totalBytes: 1 << 20 }),
    sweepEvery: 60_000,
    lost() {},
    interrupted() {},
  })
  t.after(() => streams.close())
  const facts = { id: "a", owner: "k", streamed: true, dialect: "openai", createdAt: 0, askedModel: "m" }
  const stream = streams.begin(facts, { rule: "detach" }, () => {})

  let tokens = 0
  let waits = 0
  let mayGoOn = true
  const entry: PumpEntry = {
    missed() {},
    answered() {},
    chunk() {
      tokens += 1
    },
    completion() {},
    reported() {},
    flag() {},
    meter: {
      content() {},
      get roughTokens() {
        return tokens
      },
    },
    withCost: (usage) => usage,
    close: async () => {},
  }
  const pump = createPump({
    stream,
    dialect: openai,
    wantsUsage: false,
    created: 0,
    askedModel: "m",
    entry,
    report: {
      tried() {},
      metadata: () => undefined,
      echoes: () => [],
      told: (error) => error,
    },
    covers: async () => true,
    waitForHold(wait) {
      if (wait) waits += 1
      mayGoOn = !wait
      // As a parser does that has more in its buffer: all of it comes before this returns.
      send()
    },
    log: (line) => assert.fail(line),
    now: () => 0,
    outOfBudget: () => assert.fail("the hold covers everything"),
    committed() {},
  })

  let left = 2_000
  function send(): void {
    while (mayGoOn && left > 0) {
      left -= 1
      pump.chunk(WORD)
    }
    if (mayGoOn && !pump.isOver()) pump.finished(true)
  }
  send()
  await new Promise<void>((resolve) => stream.onEnd(resolve))

  assert.equal(tokens, 2_000)
  assert.ok(waits > 1, `${waits} waits`)
})

const WORD: Chunk = {
  id: "a",
  object: "chat.completion.chunk",
  created: 0,
  model: "m",
  choices: [{ index: 0, delta: { content: " word" }, finish_reason: null }],
}
