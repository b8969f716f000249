import assert from "node:assert/strict"
import { test } from "node:test"
import { type Chunk, type Usage, wireError } from "@sluice/protocol"
import type { SettledCall } from "../store/call-record.ts"
import { countTokens } from "../tokens/count.ts"
import { createEntry, type Entry } from "./entry.ts"
import type { Price } from "./price.ts"

const PRICES: Record<string, Price> = {
  "a/x": { input: 1_000, output: 2_000 },
  "b/x": { input: 10_000, output: 20_000 },
}

function entry(options: { prompt?: string[]; relayed?: string[] } = {}): {
  entry: Entry
  settled: SettledCall[]
  tick: (ms: number) => void
} {
  const settled: SettledCall[] = []
  let now = 1_000
  return {
    entry: createEntry({
      id: "call-1",
      now: () => now,
      priceOf: (provider, model) => PRICES[`${provider}/${model}`],
      settle: async (call) => settled.push(call),
      promptTexts: () => options.prompt ?? [],
      countRelayed: () => countTokens(options.relayed ?? []),
    }),
    settled,
    tick(ms) {
      now += ms
    },
  }
}

const usage = (prompt: number, completion: number): Usage => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
})
const chunk = (content: string): Chunk => ({
  id: "1",
  object: "chat.completion.chunk",
  created: 1,
  model: "x",
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
})
const asked = (provider: string) => ({ provider, model: "x", startedAt: 5 })

test("a finished call costs what its provider reported, and its attempts add up", async () => {
  const { entry: one, settled, tick } = entry()
  one.missed(asked("b"), wireError("provider_error", "gone"), undefined)
  one.missed(asked("b"), wireError("provider_error", "gone"), usage(10, 0))
  tick(40)
  one.answered(asked("a"))
  one.chunk(chunk(""))
  one.chunk(chunk("one"))
  tick(10)
  one.chunk(chunk("two"))
  one.reported(usage(100, 50))
  await one.close("finished")
  const row = settled[0]!
  assert.deepEqual(
    row.attempts.map(({ provider, cost, usage: used }) => [provider, cost, used?.promptTokens ?? null]),
    [
      ["b", 0n, null],
      ["b", 100n, 10],
      ["a", 200n, 100],
    ],
  )
  assert.equal(row.cost, 300n)
  assert.equal(row.usage.completionTokens, 50, "the client's usage is the answering attempt's")
  assert.equal(row.estimated, false)
  assert.equal(row.timeToFirstContent, 40)
  assert.equal(row.provider, "a")
  assert.equal(row.attempts[0]?.error?.type, "provider_error")
})

test("without a report the input and what was relayed are counted, and the row says so", async () => {
  const { entry: one, settled } = entry({ prompt: ["hello world"], relayed: [" once upon", " a time"] })
  one.answered(asked("a"))
  one.chunk(chunk(" once upon"))
  await one.close("cancelled", wireError("cancelled", "The client left."))
  const row = settled[0]!
  assert.equal(row.ending, "cancelled")
  assert.equal(row.reason, "cancelled")
  assert.equal(row.estimated, true)
  assert.deepEqual([row.usage.promptTokens, row.usage.completionTokens], [2, 4])
  assert.equal(row.cost, 2n + 8n)
})

test("a call that nobody answered costs nothing, and one of unknown price is not free", async () => {
  const nobody = entry()
  nobody.entry.missed(asked("a"), wireError("timeout", "late"), undefined)
  await nobody.entry.close("failed", wireError("timeout", "late"))
  assert.equal(nobody.settled[0]?.cost, 0n)
  assert.equal(nobody.settled[0]?.provider, undefined)

  const unknown = entry()
  unknown.entry.answered(asked("c"))
  unknown.entry.reported(usage(1, 1))
  await unknown.entry.close("finished")
  assert.equal(unknown.settled[0]?.cost, null)
})

test("it is closed once: the first ending is the one that is written", async () => {
  const { entry: one, settled } = entry()
  one.answered(asked("a"))
  one.reported(usage(1, 1))
  await Promise.all([one.close("finished"), one.close("cancelled")])
  assert.deepEqual(
    settled.map(({ ending }) => ending),
    ["finished"],
  )
})
