/** Settled calls added up, by the hour and by the day in which they began. A batch adds to each total once. */
import type { SettledCall } from "./call-record.ts"
import type { Row, Value } from "./engine.ts"
import type { Columns } from "./row-statement.ts"
import { fromJson } from "./values.ts"

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

const KEY: Columns = {
  grain: "text",
  tag: "text",
  start: "integer",
  key_id: "text",
  project_id: "text",
  model: "text",
  provider: "text",
  ending: "text",
}
/** Of every call; each of its tags has rows of its own besides. */
export const NO_TAG = ""

export const TOTALS_KEY = Object.keys(KEY)
export const TOTALS_COLUMNS: Columns = {
  ...KEY,
  calls: "integer",
  prompt_tokens: "integer",
  completion_tokens: "integer",
  reasoning_tokens: "integer",
  cached_tokens: "integer",
  audio_tokens: "integer",
  cost: "integer",
  unpriced: "integer",
  estimated: "integer",
  resumed: "integer",
}

export interface Totals {
  /** `row`: what the call's row said before it was settled. */
  add(row: Row, call: SettledCall): void
  rows(): Value[][]
}

export function createTotals(): Totals {
  const totals = new Map<string, { readonly key: readonly Value[]; readonly sums: [bigint, ...number[]] }>()

  return {
    add(row, call) {
      const { usage, cost } = call
      const startedAt = Number(row["started_at"])
      const place: Value[] = [
        row["key_id"] ?? "",
        row["project_id"] ?? "",
        call.model ?? row["model_asked"] ?? "",
        call.provider ?? "",
        call.ending,
      ]
      const counts = [
        1,
        usage.promptTokens,
        usage.completionTokens,
        usage.reasoningTokens,
        usage.cachedTokens,
        usage.audioTokens,
        cost === null ? 1 : 0,
        call.estimated ? 1 : 0,
        call.resumed,
      ]
      for (const tag of [NO_TAG, ...fromJson<string[]>(row["tags"])]) {
        addTo(["hour", tag, startedAt - (startedAt % HOUR), ...place], cost ?? 0n, counts)
        addTo(["day", tag, startedAt - (startedAt % DAY), ...place], cost ?? 0n, counts)
      }
    },
    // In one order for all processes: two that add to the same totals never wait for each other.
    rows: () =>
      [...totals.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { key, sums }]) => {
          const [cost, calls, prompt, completion, reasoning, cached, audio, ...rest] = sums
          return [...key, calls, prompt, completion, reasoning, cached, audio, cost, ...rest] as Value[]
        }),
  }

  function addTo(key: readonly Value[], cost: bigint, counts: readonly number[]): void {
    const name = key.join("\u0001")
    const known = totals.get(name)
    if (known === undefined) totals.set(name, { key, sums: [cost, ...counts] })
    else {
      known.sums[0] += cost
      for (const [index, count] of counts.entries())
        known.sums[index + 1]! = Number(known.sums[index + 1]) + count
    }
  }
}
