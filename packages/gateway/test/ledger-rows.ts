/**
 * Rows of the ledger for benches: calls over 90 days, of 40 keys, five models and some tags, written by the store itself
 * through their whole life, opened with a hold and settled with their cost.
 */
import type { Store } from "../src/store/store.ts"
import { aKey, anOpenCall, aSettledCall } from "./store-support.ts"

export const BEGIN = Date.UTC(2026, 0, 1)
export const DAY = 86_400_000
export const DAYS = 90
export const KEYS = 40
/** Calls that are under way at the same time. */
const AT_ONCE = 4_000

export async function createKeys(store: Store): Promise<void> {
  const budget = { amount: 10n ** 17n, period: "monthly" } as const
  for (let project = 0; project < 4; project++) {
    await store.projects.create({
      id: `project-${project}`,
      name: `Project ${project}`,
      budget,
      createdAt: BEGIN,
    })
  }
  for (let key = 0; key < KEYS; key++) {
    await store.keys.create(aKey(keyName(key), { project: `project-${key % 4}`, budget }))
  }
}

/** So many calls from this number on, each begun when `began` says. */
export async function write(
  store: Store,
  first: number,
  count: number,
  began: (number: number) => number,
): Promise<void> {
  let next = first
  const lane = async (): Promise<void> => {
    while (next < first + count) {
      const number = next
      next += 1
      await live(store, number, began(number))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

const MODELS = ["acme/large", "acme/small", "acme/tiny", "other/large", "other/small"]
const TAGS = [[], ["team-a"], ["team-b"], ["team-a", "nightly"]]
export const COST = 1_234_567n

/** One call's whole life. Its members follow from its number alone, but for the time at which it began. */
async function live(store: Store, number: number, startedAt: number): Promise<void> {
  const random = scramble(number + 0x9e3779b9)
  const model = MODELS[(random >>> 12) % MODELS.length]!
  const provider = model.slice(0, model.indexOf("/"))
  const id = `chatcmpl-${Math.floor(startedAt / 1_000).toString(16)}${random.toString(16).padStart(8, "0")}${number.toString(16).padStart(24, "0")}`
  const admission = await store.openCall(
    anOpenCall(id, {
      key: keyName(random % KEYS),
      modelAsked: "fast",
      client: "openai/node 7.55.0",
      tags: TAGS[(random >>> 28) & 3] ?? [],
      startedAt,
      hold: { amount: 2n * COST, tokens: 4_500 },
    }),
  )
  if (!admission.admitted) throw new Error(`call ${number} was refused: ${admission.refusal.reason}`)
  const usage = {
    promptTokens: 400,
    completionTokens: 120,
    reasoningTokens: 0,
    cachedTokens: 100,
    audioTokens: 0,
  }
  const endedAt = startedAt + 3_000
  await store.settleCall(
    aSettledCall(id, {
      ending: (random >>> 6) % 50 === 0 ? "failed" : "finished",
      endedAt,
      model,
      provider,
      usage,
      cost: COST,
      attempts: [{ provider, model, startedAt, endedAt, usage, cost: COST, estimated: false }],
      firstContentAt: startedAt + 300,
      timeToFirstContent: 300.5,
      tokensPerSecond: 44.4,
      gapP50: 20.1,
      gapP99: 80.2,
      longestStall: 200.3,
    }),
  )
}

export function keyName(key: number): string {
  return `key-${key.toString().padStart(28, "0")}`
}

/** Spreads consecutive numbers over all of 32 bits, each to another. */
function scramble(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x45d9f3b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
