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
  /** By hour and tags: what both have alike is told apart only once per batch. */
  const sums = new Map<string, Sum>()

  return {
    add(row, call) {
      const { usage, cost, ending, model = row["model_asked"], provider = "" } = call
      const startedAt = Number(row["started_at"])
      const hour = startedAt - (startedAt % HOUR)
      const { key_id: key = "", tags = "" } = row
      const project = row["project_id"] ?? ""
      const name = `${hour}\n${key}\n${project}\n${model}\n${provider}\n${ending}\n${tags}`
      let sum = sums.get(name)
      if (sum === undefined) {
        sum = {
          hour,
          tags: String(tags),
          place: [key, project, model ?? "", provider, ending],
          cost: 0n,
          counts: [],
        }
        sums.set(name, sum)
      }
      sum.cost += cost ?? 0n
      addTo(sum.counts, [
        1,
        usage.promptTokens,
        usage.completionTokens,
        usage.reasoningTokens,
        usage.cachedTokens,
        usage.audioTokens,
        cost === null ? 1 : 0,
        call.estimated ? 1 : 0,
        call.resumed,
      ])
    },
    rows() {
      const rows = new Map<string, Sum & { readonly key: readonly Value[] }>()
      for (const sum of sums.values()) {
        const day = sum.hour - (sum.hour % DAY)
        for (const tag of [NO_TAG, ...fromJson<string[]>(sum.tags)]) {
          for (const key of [
            ["hour", tag, sum.hour, ...sum.place],
            ["day", tag, day, ...sum.place],
          ]) {
            const name = key.join("\n")
            const row = rows.get(name) ?? { ...sum, key, cost: 0n, counts: [] }
            row.cost += sum.cost
            addTo(row.counts, sum.counts)
            rows.set(name, row)
          }
        }
      }
      // In one order for all processes: two that add to the same totals never wait for each other.
      return [...rows.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { key, cost, counts }]) => [...key, ...counts.slice(0, 6), cost, ...counts.slice(6)])
    },
  }
}

interface Sum {
  readonly hour: number
  /** As JSON. */
  readonly tags: string
  readonly place: readonly Value[]
  cost: bigint
  /** The columns of counts, in their order, without the cost. */
  readonly counts: number[]
}

function addTo(counts: number[], more: readonly number[]): void {
  for (const [index, count] of more.entries()) counts[index] = (counts[index] ?? 0) + count
}
