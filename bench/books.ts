/**
 * The books, against a provider that keeps its own: thousands of calls, each with a fault drawn from a seed, through a
 * gateway that is drained and killed in between; then every row of the ledger is compared with the lines that the
 * simulator wrote in its journal when it had sent, or not sent, its tokens. Over HTTP alone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { testPostgres } from "../scripts/postgres.ts"
import { type Admin, createAdmin } from "./books/admin.ts"
import { compare, type Line, type Row, type Verdict } from "./books/compare.ts"
import { addedUp, answeredStreams, type Lost, lostOf, lostPerTenThousand } from "./books/lost.ts"
import { configFor, type PlannedCall, planCalls, randomNumbers } from "./books/plan.ts"
import { play, type Seen } from "./books/play.ts"
import { type Child, start } from "./children.ts"
import { figure } from "./figure.ts"
import type { Goal } from "./goal.ts"
import { howBusy, watched } from "./quiet.ts"
import { aligned } from "./relay/table.ts"
import { keepResults } from "./results.ts"

export const usage = `npm run bench -- books [options]

  --streams N     how many calls (default 10000)
  --database D    sqlite or postgres (default: one after the other)
  --seed N        decides every call and its fault (default 1)
  --keep          keep the tokens lost in bench/results/books.json
  --budget        1,000 calls at once against a budget for 100 instead, on one process and on three`

export type Database = "sqlite" | "postgres"
const DATABASES: readonly Database[] = ["sqlite", "postgres"]

export interface BooksResult extends Verdict {
  readonly rows: number
  readonly lost: Lost
  readonly endings: Readonly<Record<string, number>>
  readonly kills: number
  readonly drains: number
  /** After all is over: what is still held, in USD, and how many calls it is for. */
  readonly held: string
  readonly running: number
  /** Seconds until nothing was held any more. */
  readonly releasedAfter: number
  readonly seconds: number
}

const SLUICE = resolve(import.meta.dirname, "../packages/cli/bin/sluice")
const ADMIN_KEY = "sk-bench-books-admin"
/** Calls of one gateway's life: its configuration has a route and prices for each. */
const PART = 2_500
const AT_ONCE = 40
const RELEASE_WITHIN = 60_000

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      streams: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      database: { type: "string" },
      budget: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
    },
  })
  const streams = Number(values.streams)
  const seed = Number(values.seed)
  const databases = DATABASES.filter((name) => values.database === undefined || name === values.database)
  if (!(Number.isInteger(streams) && streams > 0 && Number.isInteger(seed)) || databases.length === 0)
    throw new RangeError("--streams and --seed take whole numbers, --database sqlite or postgres")
  if (values.budget) return (await import("./books/budget.ts")).run()
  const goals: Goal[] = []
  try {
    for (const database of databases) {
      const results: BooksResult[] = []
      const busy: number[] = []
      for (let from = 0; from < streams; from += PART) {
        const part = `${database}, seed ${seed + from / PART}`
        const count = Math.min(PART, streams - from)
        const say = (line: string): void => console.log(`${part}: ${line}`)
        const whole = await watched(() => runBooks(count, seed + from / PART, database, say), { wait: false })
        const { result } = whole
        if (whole.busy !== undefined) busy.push(whole.busy)
        for (const fault of [...result.missing, ...result.double, ...result.wrong].slice(0, 20)) say(fault)
        results.push(result)
      }
      goals.push(...goalsOf(results, database))
      const lost = { database, ...lostBy(results, busy) }
      console.log(`\n${database}, ${howBusy(lost.busy, lost.rounds)}\n\n${lostTable(lost.lost)}\n`)
      // The default's figures are those that are shown.
      if (values.keep && database === "sqlite") await keepResults("books", lost)
    }
  } finally {
    if (databases.includes("postgres")) await (await testPostgres()).stop()
  }
  return goals
}

export interface LostResult {
  readonly rounds: number
  readonly busy: number | undefined
  readonly streams: number
  readonly lost: Lost
}

function lostBy(results: readonly BooksResult[], busy: readonly number[]): LostResult {
  const lost = addedUp(results.map((result) => result.lost))
  return {
    rounds: results.length,
    busy: busy.length === 0 ? undefined : Math.max(...busy),
    streams: Object.values(lost).reduce((sum, of) => sum + of.streams, 0),
    lost,
  }
}

function lostTable(lost: Lost): string {
  const rows = Object.entries(lost).map(([ending, of]) => [
    ending,
    ...[of.streams, of.sent, of.lost].map((count) => count.toLocaleString("en")),
  ])
  return `${aligned([["ending", "streams", "tokens sent", "tokens lost"], ...rows]).join("\n")}

tokens lost per 10,000 streams that nobody cancelled: ${figure(lostPerTenThousand(lost, "went on"))} where their gateway went on, ${figure(lostPerTenThousand(lost, "stopped too"))} with those under which it was stopped or killed`
}

function goalsOf(results: readonly BooksResult[], database: Database): Goal[] {
  const sum = (count: (result: BooksResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0)
  const rows = sum((result) => result.rows)
  const lost = addedUp(results.map((result) => result.lost))
  const none = (name: string, count: number): Goal => ({
    name: `${name}, ${database}`,
    figure: `${count} of ${rows}`,
    goal: "0",
    outcome: count === 0 && rows > 0 ? "met" : "short",
  })
  return [
    none(
      "rows missing",
      sum(({ missing }) => missing.length),
    ),
    none(
      "rows double",
      sum(({ double }) => double.length),
    ),
    none(
      "rows wrong",
      sum(({ wrong }) => wrong.length),
    ),
    {
      name: `tokens lost per 10,000 faulted streams, ${database}`,
      goal: "0, of those whose gateway went on and whom nobody cancelled",
      figure: figure(lostPerTenThousand(lost, "went on")),
      outcome: lostPerTenThousand(lost, "went on") === 0 ? "met" : "short",
    },
    none(
      `holds left ${RELEASE_WITHIN / 1_000} s later`,
      sum(({ running, held }) => Math.max(running, Number(held) === 0 ? 0 : 1)),
    ),
  ]
}

export async function runBooks(
  count: number,
  seed: number,
  database: Database,
  progress: (line: string) => void = () => {},
): Promise<BooksResult> {
  const begun = performance.now()
  const folder = mkdtempSync(join(tmpdir(), "sluice-books-"))
  const children: Child[] = []
  try {
    const journal = join(folder, "journal.jsonl")
    writeFileSync(journal, "")
    const simulator = await start([SLUICE, "sim", "--port", "0", "--journal", journal])
    children.push(simulator)
    const simulatorUrl = (await simulator.said(/^sluice sim listening on (\S+)$/m))[1]!
    const calls = planCalls(count, seed)
    writeFileSync(join(folder, "sluice.yaml"), configFor(calls, simulatorUrl))
    const databaseUrl = database === "postgres" ? await (await testPostgres()).createDatabase() : undefined
    const gateway = createGateway(folder, databaseUrl, children)
    await gateway.start()

    const admin = createAdmin(gateway.url, ADMIN_KEY)
    const key = await admin.createKey({ budget: { amount_usd: "1000000", period: "total" } })
    const { seen, killed, kills, drains } = await playAll(calls, seed, gateway, key.secret, progress)
    const release = await untilReleased(admin, key.id)
    const rows = await admin.calls<Row>()
    const relayed = new Map<string, number>()
    for (const row of rows) if (row.model !== null) relayed.set(row.id, await tokensOf(admin, row.id))
    // Its journal is complete when it has ended.
    await simulator.stop()
    const lines = readFileSync(journal, "utf8").trim().split("\n").map(parseLine)
    const verdict = compare({ calls, seen, killed, rows, lines, relayed })
    const answered = answeredStreams({ calls, rows, lines, replayed: relayed })
    for (const { call, ending, sent, lost } of answered)
      if (lost > 0 && (ending === "finished" || ending === "failed"))
        progress(`${call.model} (${call.fate}, ${ending}): ${lost} of ${sent} tokens are lost`)
    const spent = rows.reduce((sum, { cost_nano }) => sum + BigInt(cost_nano ?? 0), 0n)
    const wrong = [...verdict.wrong]
    if (nanoFrom(release.spent) !== spent)
      wrong.push(`the key has spent ${release.spent} USD, its rows come to ${spent} nano-dollars`)
    if (count >= 100 && (kills === 0 || drains === 0))
      wrong.push("the gateway was never killed or never drained")
    const endings = Object.fromEntries(
      [...Map.groupBy(rows, ({ ending }) => ending ?? "open")].map(([ending, of]) => [ending, of.length]),
    )
    const result = {
      ...verdict,
      wrong,
      rows: rows.length,
      lost: lostOf(answered),
      endings,
      kills,
      drains,
      held: release.held,
      running: release.running,
      releasedAfter: release.after,
      seconds: (performance.now() - begun) / 1_000,
    }
    progress(
      `${result.rows} rows and ${lines.length} lines of the journal, ${kills} kills, ${drains} drains, ${result.seconds.toFixed(0)} s; ${JSON.stringify(endings)}`,
    )
    return result
  } finally {
    for (const child of children) if (child.running) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Gateway {
  /** Of the process that runs, or of the one that is about to. */
  url(): Promise<string>
  start(): Promise<void>
  /** SIGKILL or SIGTERM, and the next start on the same data. */
  replace(signal: "SIGKILL" | "SIGTERM"): Promise<void>
}

function createGateway(folder: string, databaseUrl: string | undefined, children: Child[]): Gateway {
  let child: Child | undefined
  let url = Promise.resolve("")

  async function begin(): Promise<string> {
    child = await start([SLUICE, "serve", "--port", "0", "--config", join(folder, "sluice.yaml")], {
      environment: {
        SLUICE_ADMIN_KEY: ADMIN_KEY,
        SLUICE_DATA: join(folder, "data"),
        DATABASE_URL: databaseUrl ?? "",
      },
    })
    children.push(child)
    return (await child.said(/^sluice listening on (\S+)$/m))[1]!
  }

  return {
    url: () => url,
    async start() {
      url = begin()
      await url
    },
    async replace(signal) {
      child?.signal(signal)
      // Whoever comes now waits for the next; a drain refuses the new ones that know its address.
      url = (child?.ended ?? Promise.resolve()).then(begin)
      await url
    },
  }
}

/** Every call once, so many at a time; of four rounds one is ended by a kill, one by a drain. */
async function playAll(
  calls: readonly PlannedCall[],
  seed: number,
  gateway: Gateway,
  key: string,
  progress: (line: string) => void,
): Promise<{ seen: Seen[]; killed: Set<string>; kills: number; drains: number }> {
  const next = randomNumbers(seed + 1)
  const round = Math.min(250, Math.ceil(calls.length / 4))
  const seen: Seen[] = []
  /** Calls that may have run when the gateway was killed: those of the round before, too. */
  const killed = new Set<string>()
  let kills = 0
  let drains = 0
  for (let from = 0; from < calls.length; from += round) {
    const turn = (from / round) % 4
    const signal = ([undefined, "SIGKILL", undefined, "SIGTERM"] as const)[turn]
    const waiting = calls.slice(from, from + round)
    if (turn < 2) for (const { model } of waiting) killed.add(model)
    const moment = next(Math.max(1, waiting.length - AT_ONCE))
    let replaced: Promise<void> | undefined
    let over = 0
    const client = async (): Promise<void> => {
      for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
        seen.push(await play(call, await gateway.url(), key))
        over += 1
        if (over > moment && signal !== undefined) replaced ??= gateway.replace(signal)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, client))
    await replaced
    if (signal === "SIGKILL") kills += 1
    if (signal === "SIGTERM") drains += 1
    if (turn === 3) progress(`${Math.min(from + round, calls.length)} of ${calls.length} calls`)
  }
  return { seen, killed, kills, drains }
}

interface Release {
  readonly held: string
  readonly running: number
  readonly spent: string
  readonly after: number
}

async function untilReleased(admin: Admin, key: string): Promise<Release> {
  const begun = performance.now()
  for (;;) {
    const { held_usd, running, total_usd } = await admin.spend(key)
    const after = performance.now() - begun
    if ((Number(held_usd) === 0 && running === 0) || after > RELEASE_WITHIN)
      return { held: held_usd, running, spent: total_usd, after: after / 1_000 }
    await sleep(100)
  }
}

/** What the log of a call adds up to. Each of the simulator's tokens is a space and a word. */
async function tokensOf(admin: Admin, id: string): Promise<number> {
  const { choices = [] } = await admin.get<{
    choices?: { message?: { content?: string | null; reasoning?: string | null } }[]
  }>(`/v1/chat/completions/${id}`)
  const texts = choices.flatMap(({ message }) => [message?.content ?? "", message?.reasoning ?? ""])
  return texts.reduce((sum, text) => sum + text.split(" ").length - 1, 0)
}

function parseLine(line: string): Line {
  return JSON.parse(line) as Line
}

function nanoFrom(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".")
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"))
}
