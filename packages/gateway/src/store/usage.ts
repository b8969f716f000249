/**
 * Usage is read from the totals: whole days from the totals of days, what is left at both ends from those of hours.
 * A question is answered from some ten thousand rows where the ledger has a million.
 */
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from "kysely"
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
  const { by, bucket = "day", filter = {} } = question
  const from = question.from - (question.from % HOUR)
  const to = Math.ceil(question.to / HOUR) * HOUR
  const hourly = by.includes("time") && bucket === "hour"
  if (hourly && to - from > LONGEST_BY_HOUR) {
    throw new StoreError(
      "invalid",
      "Usage by the hour is told for 32 days at most: ask for days, or for less time.",
    )
  }

  let query = queries
    .selectFrom("usage_totals")
    .where(hourly ? hours(from, to) : daysAndHours(from, to))
    .where("tag", ...tagCondition(filter.tag, by.includes("tag")))
  if (filter.key !== undefined) query = query.where("key_id", "=", filter.key)
  if (filter.project !== undefined) query = query.where("project_id", "=", filter.project)
  if (filter.model !== undefined) query = query.where("model", "=", filter.model)
  if (filter.provider !== undefined) query = query.where("provider", "=", filter.provider)
  if (filter.ending !== undefined) query = query.where("ending", "=", filter.ending)

  const groups = by.map((group) =>
    group === "time"
      ? sql<number>`${sql.raw(BUCKETS[bucket])}`.as("time")
      : sql.ref(COLUMNS[group]).as(group),
  )
  if (by.length > 0) {
    query = query.groupBy(
      by.map((group) => (group === "time" ? sql.raw(BUCKETS[bucket]) : sql.ref(COLUMNS[group]))),
    )
  }
  const rows = await query
    .select(groups)
    .select(SUMS.map((name) => sql<number>`CAST(coalesce(sum(${sql.ref(name)}), 0) AS bigint)`.as(name)))
    .execute()
  const answer = rows.filter((row) => row["calls"] !== 0).map((row) => readRow(row as Row, by))
  return by.includes("time") && bucket === "month" ? byMonth(answer) : answer
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

type Condition = (builder: ExpressionBuilder<Tables, "usage_totals">) => Expression<SqlBool>

function hours(from: number, to: number): Condition {
  return (builder) =>
    builder.and([builder("grain", "=", "hour"), builder("start", ">=", from), builder("start", "<", to)])
}

function daysAndHours(from: number, to: number): Condition {
  const firstDay = Math.ceil(from / DAY) * DAY
  const lastDay = to - (to % DAY)
  if (firstDay >= lastDay) return hours(from, to)
  return (builder) =>
    builder.or([
      builder.and([
        builder("grain", "=", "day"),
        builder("start", ">=", firstDay),
        builder("start", "<", lastDay),
      ]),
      hours(from, firstDay)(builder),
      hours(lastDay, to)(builder),
    ])
}

function tagCondition(tag: string | undefined, grouped: boolean): ["=" | "<>", string] {
  if (tag !== undefined) return ["=", tag]
  return [grouped ? "<>" : "=", NO_TAG]
}

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

function byMonth(rows: readonly UsageRow[]): UsageRow[] {
  const months = new Map<string, UsageRow>()
  for (const row of rows) {
    const group = { ...row.group, time: periodStart("monthly", row.group.time ?? 0) }
    const name = JSON.stringify(Object.values(group))
    const known = months.get(name)
    months.set(name, known === undefined ? { ...row, group } : sum(known, row))
  }
  return [...months.values()]
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
