/**
 * Usage is read from the totals: whole days from the totals of days, what is left at both ends from those of hours.
 * A question is answered from some ten thousand rows where the ledger has a million.
 */
import { sql } from "kysely"
import { periodStart } from "./accounts.ts"
import type { Row } from "./engine.ts"
import type { UsageGroup, UsageQuestion, UsageRow } from "./store.ts"
import { StoreError } from "./store-error.ts"
import type { Queries, Tables } from "./tables.ts"
import { DAY, HOUR, NO_TAG } from "./totals.ts"
import { money } from "./values.ts"

const COLUMNS = {
  key: "key_id",
  project: "project_id",
  model: "model",
  provider: "provider",
  ending: "ending",
  tag: "tag",
} as const satisfies Partial<Record<UsageGroup, keyof Tables["usage_totals"]>>

const SUMS = [
  "calls",
  "prompt_tokens",
  "completion_tokens",
  "reasoning_tokens",
  "cached_tokens",
  "audio_tokens",
  "cost",
  "unpriced",
  "estimated",
  "resumed",
] as const

/** By the hour a year would be ten thousand rows of each group, which nobody reads. */
const LONGEST_BY_HOUR = 32 * DAY

export async function readUsage(queries: Queries, question: UsageQuestion): Promise<UsageRow[]> {
  const { by, bucket = "day" } = question
  const from = question.from - (question.from % HOUR)
  const to = Math.ceil(question.to / HOUR) * HOUR
  const hourly = by.includes("time") && bucket === "hour"
  if (hourly && to - from > LONGEST_BY_HOUR) {
    throw new StoreError(
      "invalid",
      "Usage by the hour is told for 32 days at most: ask for days, or for less time.",
    )
  }

  const parts = hourly ? [hours(from, to)] : daysAndHours(from, to)
  const rows = await Promise.all(parts.map((part) => readPart(queries, question, part)))
  return merge(rows.flat(), by.includes("time") && bucket === "month")
}

/** Totals of one grain that begin in `[from, to)`. */
interface Part {
  readonly grain: "hour" | "day"
  readonly from: number
  readonly to: number
}

/** One range of the totals' primary key each: joined by OR, they would be looked for among all totals. */
function daysAndHours(from: number, to: number): Part[] {
  const firstDay = Math.ceil(from / DAY) * DAY
  const lastDay = to - (to % DAY)
  if (firstDay >= lastDay) return [hours(from, to)]
  const days: Part = { grain: "day", from: firstDay, to: lastDay }
  return [days, hours(from, firstDay), hours(lastDay, to)].filter((part) => part.from < part.to)
}

function hours(from: number, to: number): Part {
  return { grain: "hour", from, to }
}

async function readPart(
  queries: Queries,
  { by, bucket = "day", filter = {} }: UsageQuestion,
  { grain, from, to }: Part,
): Promise<UsageRow[]> {
  let query = queries
    .selectFrom("usage_totals")
    .where("grain", "=", grain)
    .where("start", ">=", from)
    .where("start", "<", to)
  if (filter.tag !== undefined) query = query.where("tag", "=", filter.tag)
  else query = query.where("tag", by.includes("tag") ? ">" : "=", NO_TAG)
  if (filter.key !== undefined) query = query.where("key_id", "=", filter.key)
  if (filter.project !== undefined) query = query.where("project_id", "=", filter.project)
  if (filter.model !== undefined) query = query.where("model", "=", filter.model)
  if (filter.provider !== undefined) query = query.where("provider", "=", filter.provider)
  if (filter.ending !== undefined) query = query.where("ending", "=", filter.ending)
  if (by.length > 0) {
    query = query.groupBy(
      by.map((group) => (group === "time" ? sql.raw(BUCKETS[bucket]) : sql.ref(COLUMNS[group]))),
    )
  }
  const rows = await query
    .select(
      by.map((group) =>
        group === "time"
          ? sql<number>`${sql.raw(BUCKETS[bucket])}`.as("time")
          : sql.ref(COLUMNS[group]).as(group),
      ),
    )
    .select(SUMS.map((name) => sql<number>`CAST(coalesce(sum(${sql.ref(name)}), 0) AS bigint)`.as(name)))
    .execute()
  return rows.filter((row) => row["calls"] !== 0).map((row) => readRow(row as Row, by))
}

/** The beginning of the bucket in which a total begins; integers divide without a rest in both databases. */
const BUCKETS = {
  hour: `start / ${HOUR} * ${HOUR}`,
  day: `start / ${DAY} * ${DAY}`,
  // 1970 began on a Thursday.
  week: `(start + ${3 * DAY}) / ${7 * DAY} * ${7 * DAY} - ${3 * DAY}`,
  // Months have no one length: they are put together from days.
  month: `start / ${DAY} * ${DAY}`,
} as const

function readRow(row: Row, by: readonly UsageGroup[]): UsageRow {
  const number = (name: string) => Number(row[name])
  return {
    group: Object.fromEntries(by.map((group) => [group, row[group]])),
    calls: number("calls"),
    promptTokens: number("prompt_tokens"),
    completionTokens: number("completion_tokens"),
    reasoningTokens: number("reasoning_tokens"),
    cachedTokens: number("cached_tokens"),
    audioTokens: number("audio_tokens"),
    cost: money(row["cost"]),
    unpriced: number("unpriced"),
    estimated: number("estimated"),
    resumed: number("resumed"),
  }
}

/** Groups that several parts have, or several days of one month, become one. */
function merge(rows: readonly UsageRow[], byMonth: boolean): UsageRow[] {
  const merged = new Map<string, UsageRow>()
  for (const row of rows) {
    const { time = 0 } = row.group
    const group = byMonth ? { ...row.group, time: periodStart("monthly", time) } : row.group
    const name = JSON.stringify(Object.values(group))
    const known = merged.get(name)
    merged.set(name, known === undefined ? { ...row, group } : sum(known, row))
  }
  return [...merged.values()]
}

function sum(a: UsageRow, b: UsageRow): UsageRow {
  return {
    group: a.group,
    calls: a.calls + b.calls,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    audioTokens: a.audioTokens + b.audioTokens,
    cost: a.cost + b.cost,
    unpriced: a.unpriced + b.unpriced,
    estimated: a.estimated + b.estimated,
    resumed: a.resumed + b.resumed,
  }
}
