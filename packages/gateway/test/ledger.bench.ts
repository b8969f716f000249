/**
 * The books under load, on top of a ledger of a million rows: calls a second through their whole life (opened with a
 * hold against the budgets of a key and its project, settled with their cost), and questions to all of them.
 *
 * How it avoids fooling itself: every promise is waited for, so every row that counts is committed; the rows have the
 * members that real ones have; the books are compared with what was put in before a figure is given; and the event
 * loop that sends the calls is the one that would serve streams, in the same process. Calls are counted in ten windows,
 * and what counts is the median: what else happens on the machine meets some of them. Each question is asked five
 * times, the slowest time is shown beside the median, and what counts is the median of the slowest question.
 *
 * The million rows are written by the store itself, as calls over 90 days, of 40 keys, five models and some tags; the
 * totals they make are those that the questions read. Ids have the gateway's form: the second, then what is random.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { parseArgs } from "node:util"
import { testPostgres } from "../../../scripts/postgres.ts"
import { openStore } from "../src/store/open.ts"
import type { Store, UsageQuestion } from "../src/store/store.ts"
import { BEGIN, COST, createKeys, DAY, DAYS, KEYS, keyName, write } from "./ledger-rows.ts"

/** As bench/goal.ts has it, which is on the other side of the process's wall. */
interface Goal {
  readonly name: string
  readonly goal: string
  readonly outcome: "met" | "short"
  readonly figure: string
}

const ROWS_GOAL = 20_000
const QUESTION_GOAL = 200
const ASKED = 5
const WINDOWS = 10

async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      rows: { type: "string", default: "1000000" },
      calls: { type: "string", default: "200000" },
      only: { type: "string" },
    },
  })
  const rows = wholeNumber("--rows", values.rows)
  const calls = wholeNumber("--calls", values.calls)
  const goals: Goal[] = []
  if (values.only !== "postgres") {
    const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"))
    try {
      const figures = await measure(() => openStore({ dataFolder: folder }), calls, rows)
      goals.push(...goalsOf(figures, rows))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  if (values.only !== "sqlite") {
    const server = await testPostgres({ durable: true })
    try {
      const databaseUrl = await server.createDatabase()
      await measure(() => openStore({ dataFolder: tmpdir(), databaseUrl }), calls, rows)
    } finally {
      await server.stop()
    }
  }
  return goals
}

interface Figures {
  readonly perSecond: number
  readonly slowest: { readonly name: string; readonly milliseconds: number }
}

function goalsOf({ perSecond, slowest }: Figures, rows: number): Goal[] {
  return [
    {
      name: "ledger rows per second",
      goal: `at least ${ROWS_GOAL}, opened and settled, SQLite`,
      figure: perSecond.toFixed(0),
      outcome: perSecond >= ROWS_GOAL ? "met" : "short",
    },
    {
      name: `usage queries over ${rows} rows`,
      goal: `at most ${QUESTION_GOAL} ms, the median of ${ASKED}, SQLite`,
      figure: `${slowest.milliseconds.toFixed(0)} ms, ${slowest.name}`,
      outcome: slowest.milliseconds <= QUESTION_GOAL ? "met" : "short",
    },
  ]
}

async function measure(open: () => Promise<Store>, calls: number, rows: number): Promise<Figures> {
  const store = await open()
  try {
    await createKeys(store)
    const filled = performance.now()
    await write(store, 0, rows, (number) => BEGIN + Math.floor((number / rows) * DAYS * DAY))
    console.log(`\n${store.kind}: ${rows} rows written in ${seconds(performance.now() - filled)}`)
    const perSecond = await measureCalls(store, rows, calls)
    await compareBooks(store, rows + calls)
    return { perSecond, slowest: await measureQuestions(store, rows + calls) }
  } finally {
    await store.close()
  }
}

/** On top of what is there, one after another as calls come: ten begin in the same millisecond. */
async function measureCalls(store: Store, first: number, calls: number): Promise<number> {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const used = process.cpuUsage()
  const rates: number[] = []
  const each = Math.ceil(calls / WINDOWS)
  for (let from = first; from < first + calls; from += each) {
    const count = Math.min(each, first + calls - from)
    const begun = performance.now()
    await write(store, from, count, (number) => BEGIN + DAYS * DAY + Math.floor((number - first) / 10))
    rates.push((count / (performance.now() - begun)) * 1_000)
  }
  const { user, system } = process.cpuUsage(used)
  loop.disable()
  rates.sort((a, b) => a - b)
  const median = rates[rates.length >> 1] ?? 0
  console.log(
    `  ${calls} calls more, opened and settled; a second: ${rates.map((rate) => rate.toFixed(0)).join(" ")}`,
  )
  console.log(
    `  each ${((user + system) / calls).toFixed(1)} µs of processor time;` +
      ` the event loop stood still for at most ${(loop.max / 1e6).toFixed(0)} ms`,
  )
  return median
}

async function measureQuestions(store: Store, rows: number): Promise<Figures["slowest"]> {
  console.log(`  questions to ${rows} rows, ms: the slowest of ${ASKED}, the median`)
  let slowest = { name: "", milliseconds: 0 }
  for (const { name, ask } of questions(store)) {
    const times: number[] = []
    for (let time = 0; time < ASKED; time++) {
      const asked = performance.now()
      await ask()
      times.push(performance.now() - asked)
    }
    times.sort((a, b) => a - b)
    const [milliseconds, median] = [times.at(-1) ?? 0, times[ASKED >> 1] ?? 0]
    console.log(
      `    ${name.padEnd(44)}${milliseconds.toFixed(1).padStart(8)}${median.toFixed(1).padStart(8)}`,
    )
    if (median > slowest.milliseconds) slowest = { name, milliseconds: median }
  }
  return slowest
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`
}

async function compareBooks(store: Store, rows: number): Promise<void> {
  const [all] = await store.usage({ from: BEGIN, to: BEGIN + (DAYS + 1) * DAY, by: [] })
  const spends = await Promise.all(
    Array.from({ length: KEYS }, (_, key) => store.spend("key", keyName(key), BEGIN)),
  )
  const spent = spends.reduce((sum, { total }) => sum + total, 0n)
  const held = spends.reduce((sum, account) => sum + account.held, 0n)
  const wanted = BigInt(rows) * COST
  if (all?.calls !== rows || all.cost !== wanted || spent !== wanted || held !== 0n) {
    throw new Error(
      `the books do not agree: ${all?.calls} calls, cost ${all?.cost}, spent ${spent}, held ${held}`,
    )
  }
}

function questions(store: Store): { name: string; ask: () => Promise<unknown> }[] {
  const whole = { from: BEGIN, to: BEGIN + (DAYS + 1) * DAY }
  const uneven = { from: BEGIN + 5 * DAY + 3_600_000 * 7, to: BEGIN + 80 * DAY - 3_600_000 * 5 }
  const month = { from: BEGIN + 30 * DAY, to: BEGIN + 62 * DAY }
  const usage = (name: string, question: UsageQuestion) => ({ name, ask: () => store.usage(question) })
  return [
    usage("all, added up", { ...whole, by: [] }),
    usage("by day", { ...whole, by: ["time"] }),
    usage("by day and model", { ...whole, by: ["time", "model"] }),
    usage("by hour over 32 days", { ...month, by: ["time"], bucket: "hour" }),
    usage("by month and project", { ...whole, by: ["time", "project"], bucket: "month" }),
    usage("by key, model and ending, uneven ends", { ...uneven, by: ["key", "model", "ending"] }),
    usage("by tag", { ...whole, by: ["tag"] }),
    usage("by provider of one key", { ...whole, by: ["provider"], filter: { key: keyName(7) } }),
    usage("by week of one model and tag", {
      ...whole,
      by: ["time"],
      bucket: "week",
      filter: { model: "acme/small", tag: "nightly" },
    }),
    { name: "calls: the newest 100", ask: () => store.calls.page({ limit: 100 }) },
    {
      name: "calls: 100 of one key from the middle",
      ask: () => store.calls.page({ limit: 100, filter: { key: keyName(3), to: BEGIN + 45 * DAY } }),
    },
    {
      name: "calls: 100 that failed",
      ask: () => store.calls.page({ limit: 100, filter: { ending: "failed" } }),
    },
    {
      name: "calls: nothing is open",
      ask: () => store.calls.page({ limit: 100, filter: { ending: "open" } }),
    },
  ]
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`${name} takes a whole number from 1 on`)
  return number
}

// bench/ledger.ts has started it, and prints what comes back.
process.send?.(await run(process.argv.slice(2)))
process.disconnect?.()
