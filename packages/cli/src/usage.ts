/** `sluice usage`: what was spent on what. */
import type { AdminUsage, AdminUsageQuery, AdminUsageRow } from "@sluice/sdk/admin"
import { type AdminSession, allOf, asAdmin } from "./admin/session.ts"
import { CONNECTION_FLAGS, connectionHelp } from "./connection.ts"
import { type Asked, expectWords, Misuse, readChoice, readFlags, readTime } from "./flags.ts"
import { csvLine, formatCount, formatUsd, toJson } from "./format.ts"
import { type Column, printTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

const FLAGS = {
  ...CONNECTION_FLAGS,
  by: { type: "string" },
  bucket: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  key: { type: "string" },
  project: { type: "string" },
  model: { type: "string" },
  provider: { type: "string" },
  tag: { type: "string" },
  ending: { type: "string" },
  json: { type: "boolean" },
  csv: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const

const GROUPS = ["time", "key", "project", "model", "provider", "ending", "tag"] as const
const ENDINGS = ["finished", "failed", "cancelled", "interrupted"] as const

const HELP = `usage: sluice usage [options]

Calls, tokens and cost of settled calls, in groups, dearest first. Without dates: the last 30 days.

  sluice usage                                   everything, in one line
  sluice usage --by model --from 7d              the last week, model by model
  sluice usage --by time,key --bucket day        who spent what on which day
  sluice usage --by ending --provider openai     how a provider's calls ended
  sluice usage --by project,model --csv > usage.csv

  --by A,B           groups: ${GROUPS.join(", ")}
                     (a call with two tags is in two groups of tags)
  --bucket SPAN      for time: hour, day (default), week, month
  --from, --to WHEN  7d (so long ago), 2026-01-31 or 2026-01-31T09:00:00Z; moved outwards to full hours
  --key, --project, --model, --provider, --tag, --ending    only those
  --json             the admin API's own answer
  --csv              a table for a spreadsheet
${connectionHelp("admin")}`

type Flags = Asked<typeof FLAGS>["flags"]

export async function usage(args: string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readFlags(args, FLAGS)
  if (flags.help === true) {
    terminal.out.write(HELP)
    return 0
  }
  expectWords(words, [], "sluice usage --by model")
  if (flags.json === true && flags.csv === true) throw new Misuse("--json or --csv, not both.")
  const query = readQuery(flags)
  return asAdmin("usage", flags, terminal, async (session) => {
    const { out, notes } = terminal
    const found = await session.admin.usage(query)
    if (flags.json === true) out.line(toJson(found))
    else if (flags.csv === true) out.write(csvOf(query, found))
    else if (found.data.length === 0) notes.line(`No call was settled ${spanOf(found)}.`)
    else await print(session, query, found)
    return 0
  })
}

function readQuery(flags: Flags): AdminUsageQuery {
  const { key, project, model, provider, tag } = flags
  const by = flags.by?.split(",").map((group) => readChoice("--by", group.trim(), GROUPS)!)
  if (flags.bucket !== undefined && by?.includes("time") !== true)
    throw new Misuse("--bucket is for --by time: it says how long each group is.")
  return {
    ...(by && { by: [...new Set(by)] }),
    bucket: readChoice("--bucket", flags.bucket, ["hour", "day", "week", "month"]),
    from: readTime("--from", flags.from, -1),
    to: readTime("--to", flags.to, -1),
    key,
    project,
    model,
    provider,
    tag,
    ending: readChoice("--ending", flags.ending, ENDINGS),
  }
}

async function print(
  session: AdminSession,
  { by = [], bucket = "day" }: AdminUsageQuery,
  found: AdminUsage,
): Promise<void> {
  const { out, notes } = session.terminal
  const names = await namesFor(session, by)
  const rows = found.data
  const groups = by.map(
    (group): Column<AdminUsageRow> => ({
      head: group,
      cell: (row) => (row === total ? "" : cellOf(group, row, bucket, names)),
    }),
  )
  const total = sumOf(rows)
  printTable(
    out,
    [
      ...groups,
      count("calls", ({ calls }) => calls),
      count("prompt", ({ promptTokens }) => promptTokens),
      count("completion", ({ completionTokens }) => completionTokens),
      ...someCount(rows, "reasoning", ({ reasoningTokens }) => reasoningTokens),
      ...someCount(rows, "cached", ({ cachedTokens }) => cachedTokens),
      { head: "cost", align: "right", cell: costOf },
      ...someCount(rows, "without price", ({ unpriced }) => unpriced),
      ...someCount(rows, "estimated", ({ estimated }) => estimated),
      ...someCount(rows, "resumed", ({ resumed }) => resumed),
    ],
    rows,
    // What is in two groups of tags would be added twice.
    rows.length > 1 && !by.includes("tag") ? total : undefined,
  )
  if (notes.isTerminal) notes.line(notes.style.dim(spanOf(found)))
}

/** What nobody knows a price of has not cost nothing. */
function costOf({ calls, unpriced, costUsd }: AdminUsageRow): string {
  return calls > 0 && calls === unpriced ? "unknown" : formatUsd(costUsd)
}

function count(head: string, of: (row: AdminUsageRow) => number): Column<AdminUsageRow> {
  return { head, align: "right", cell: (row) => formatCount(of(row)) }
}

/** A column of zeros tells nobody anything. */
function someCount(
  rows: readonly AdminUsageRow[],
  head: string,
  of: (row: AdminUsageRow) => number,
): Column<AdminUsageRow>[] {
  return rows.some((row) => of(row) > 0) ? [count(head, of)] : []
}

function cellOf(
  group: (typeof GROUPS)[number],
  row: AdminUsageRow,
  bucket: string,
  names: ReadonlyMap<string, string>,
): string {
  const value = row.group[group]
  if (value === null || value === undefined) return "none"
  // Without its zone an hour of somewhere else would be read as one of here.
  if (group === "time")
    return bucket === "hour" ? `${value.slice(0, 16).replace("T", " ")}Z` : value.slice(0, 10)
  return group === "key" || group === "project" ? (names.get(value) ?? value) : value
}

/** By their ids. What was deleted, or is of the environment, keeps its id. */
async function namesFor(
  { admin }: AdminSession,
  by: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = [
    ...(by.includes("key") ? await allOf(admin.keys.list) : []),
    ...(by.includes("project") ? await allOf(admin.projects.list) : []),
  ]
  return new Map(found.map(({ id, name }) => [id, name]))
}

function sumOf(rows: readonly AdminUsageRow[]): AdminUsageRow {
  const sum = (of: (row: AdminUsageRow) => number): number => rows.reduce((total, row) => total + of(row), 0)
  const nano = rows.reduce((total, row) => total + BigInt(row.costNano), 0n)
  return {
    group: {},
    calls: sum(({ calls }) => calls),
    promptTokens: sum(({ promptTokens }) => promptTokens),
    completionTokens: sum(({ completionTokens }) => completionTokens),
    reasoningTokens: sum(({ reasoningTokens }) => reasoningTokens),
    cachedTokens: sum(({ cachedTokens }) => cachedTokens),
    audioTokens: sum(({ audioTokens }) => audioTokens),
    costUsd: `${nano / 1_000_000_000n}.${String(nano % 1_000_000_000n).padStart(9, "0")}`,
    costNano: String(nano),
    unpriced: sum(({ unpriced }) => unpriced),
    estimated: sum(({ estimated }) => estimated),
    resumed: sum(({ resumed }) => resumed),
  }
}

function csvOf({ by = [] }: AdminUsageQuery, { data }: AdminUsage): string {
  const figures = [
    "calls",
    "promptTokens",
    "completionTokens",
    "reasoningTokens",
    "cachedTokens",
    "audioTokens",
    "costUsd",
    "unpriced",
    "estimated",
    "resumed",
  ] as const
  const heads = figures.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
  const lines = data.map((row) =>
    csvLine([...by.map((group) => row.group[group] ?? null), ...figures.map((figure) => row[figure])]),
  )
  return [csvLine([...by, ...heads]), ...lines].join("")
}

function spanOf({ from, to }: Pick<AdminUsage, "from" | "to">): string {
  return `from ${from.slice(0, 16).replace("T", " ")} to ${to.slice(0, 16).replace("T", " ")} UTC`
}
