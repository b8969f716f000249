/**
 * Usage is read from the totals: whole days from the totals of days, what is left at both ends from those of hours.
 * A question is answered from some ten thousand rows where the ledger has a million.
 */
import { periodStart } from "./accounts.ts"
import type { Row } from "./engine.ts"
import type { Queries } from "./queries.ts"
import { join, type Sql, sql, where, words } from "./sql.ts"
import type { UsageGroup, UsageQuestion, UsageRow } from "./store.ts"
import { StoreError } from "./store-error.ts"
import { DAY, HOUR, NO_TAG } from "./totals.ts"
import { money } from "./values.ts"

const COLUMNS = {
  key: "key_id",
  project: "project_id",
  model: "model",
  provider: "provider",
  ending: "ending",
  tag: "tag",
} as const satisfies Partial<Record<UsageGroup, string>>

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
  const conditions = [sql`grain = ${grain}`, sql`start >= ${from}`, sql`start < ${to}`]
  const is = (column: string, value: string | undefined): void => {
    if (value !== undefined) conditions.push(sql`${words(column)} = ${value}`)
  }
  if (filter.tag !== undefined) is("tag", filter.tag)
  else conditions.push(by.includes("tag") ? sql`tag > ${NO_TAG}` : sql`tag = ${NO_TAG}`)
  is("key_id", filter.key)
  is("project_id", filter.project)
  is("model", filter.model)
  is("provider", filter.provider)
  is("ending", filter.ending)
  const groups = by.map((group) => words(group === "time" ? BUCKETS[bucket] : COLUMNS[group]))
  const columns = [
    ...by.map((group, index) => sql`${groups[index]!} AS ${words(`"${group}"`)}`),
    ...SUMS.map((name) => words(`CAST(coalesce(sum(${name}), 0) AS bigint) AS ${name}`)),
  ]
  const grouped: Sql = groups.length === 0 ? words("") : sql`GROUP BY ${join(groups, ", ")}`
  const rows = await queries.all(
    sql`SELECT ${join(columns, ", ")} FROM usage_totals ${where(conditions)} ${grouped}`,
  )
  return rows.filter((row) => row["calls"] !== 0).map((row) => readRow(row, by))
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
