/**
 * Budgets under a rush: many more calls at once than the budget is for, on one process and on three over one Postgres;
 * and what a prompt that is slow to count does to everybody else.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { testPostgres } from "../../scripts/postgres.ts"
import { type Child, start } from "../children.ts"
import type { Goal } from "../goal.ts"
import { createAdmin } from "./admin.ts"
import { ask } from "./play.ts"

export interface Rush {
  readonly processes: number
  readonly calls: number
  /** How many calls the budget pays. */
  readonly paid: number
  /** Answers without a cap, longer than what is held for one: they extend their holds. */
  readonly uncapped: boolean
}

export interface RushResult {
  readonly statuses: Readonly<Record<string, number>>
  /** Nano-dollars, all of them. */
  readonly budget: number
  readonly spent: number
  /** What the budget may be overdrawn by: one extension of each stream that ran. */
  readonly bound: number
  /** Nothing is held and nothing runs any more. */
  readonly released: boolean
  /** Answers that `[DONE]` ended, and those that `budget` ended. */
  readonly done: number
  readonly outOfBudget: number
  /** Rows that were not settled once, or whose costs are not what the key has spent. */
  readonly faults: readonly string[]
}

const SLUICE = resolve(import.meta.dirname, "../../packages/cli/bin/sluice")
const ADMIN_KEY = "sk-bench-budget-admin"
/** Nano-dollars a token; the prompt's are cheap, so that what is held is nearly what is paid. */
const OUTPUT = 10_000
const CAPPED = 10
const LONG = 6_000
const EXTENSION = 4_096 * OUTPUT
const RELEASE_WITHIN = 60_000
const HEALTH_GOAL = 50

export async function run(): Promise<readonly Goal[]> {
  const goals: Goal[] = []
  try {
    for (const processes of [1, 3]) {
      for (const uncapped of [false, true]) {
        const rush = { processes, calls: uncapped ? 300 : 1_000, paid: uncapped ? 30 : 100, uncapped }
        const result = await runRush(rush)
        const { budget, spent, bound, released, faults } = result
        console.log(`${JSON.stringify(rush)}: ${JSON.stringify(result)}`)
        goals.push({
          name: `${rush.calls} calls ${uncapped ? "without a cap " : ""}against a budget for ${rush.paid}, ${processes} process${processes > 1 ? "es" : ""}`,
          figure: `${((spent / budget) * 100).toFixed(2)} % of the budget spent, ${released ? "all" : "not all"} released, ${faults.length} faults`,
          goal: `at most ${(((budget + bound) / budget) * 100).toFixed(2)} %, all released, 0 faults`,
          outcome: spent > 0 && spent <= budget + bound && released && faults.length === 0 ? "met" : "short",
        })
      }
    }
    const { p99, status, seconds } = await runSlowPrompt()
    console.log(`400,000 times the letter a: ${status} after ${seconds.toFixed(1)} s`)
    goals.push({
      name: "/healthz p99 while 400,000 times the letter a is counted",
      figure: `${p99.toFixed(1)} ms`,
      goal: `at most ${HEALTH_GOAL} ms`,
      outcome: p99 <= HEALTH_GOAL ? "met" : "short",
    })
  } finally {
    await (await testPostgres()).stop()
  }
  return goals
}

export async function runRush({ processes, calls, paid, uncapped }: Rush): Promise<RushResult> {
  return withGateways(processes, async (urls) => {
    const admin = createAdmin(async () => urls[0]!, ADMIN_KEY)
    const tokens = uncapped ? LONG : CAPPED
    // One token more pays for the prompts, which are nearly free.
    const budget = paid * tokens * OUTPUT + OUTPUT
    const key = await admin.createKey({ budget: { amount_usd: (budget / 1e9).toFixed(9), period: "total" } })
    await Promise.all(urls.map((url) => knows(url, key.secret)))
    const answers = await Promise.all(
      Array.from({ length: calls }, (_, number) =>
        ask(`${urls[number % urls.length]}/v1/chat/completions`, key.secret, {
          body: {
            model: `sim/story:tokens=${tokens}`,
            messages: [{ role: "user", content: "Go on." }],
            stream: true,
            ...(uncapped ? {} : { max_tokens: CAPPED }),
          },
        }),
      ),
    )
    const begun = performance.now()
    let spend = await admin.spend(key.id)
    const isHeld = (): boolean => Number(spend.held_usd) !== 0 || spend.running !== 0
    while (isHeld() && performance.now() - begun < RELEASE_WITHIN) {
      await sleep(100)
      spend = await admin.spend(key.id)
    }
    const rows = await admin.calls<{ ending: string | null; cost_nano: string | null }>()
    const spent = Math.round(Number(spend.total_usd) * 1e9)
    const accepted = answers.filter(({ status }) => status === 200).length
    const faults: string[] = []
    if (rows.length !== accepted)
      faults.push(`${accepted} calls were accepted, and there are ${rows.length} rows`)
    if (rows.some(({ ending }) => ending === null)) faults.push("a row is still open")
    const sum = rows.reduce((total, { cost_nano }) => total + Number(cost_nano), 0)
    if (sum !== spent) faults.push(`the rows cost ${sum}, the key has spent ${spent}`)
    return {
      statuses: Object.fromEntries(
        [...Map.groupBy(answers, ({ status }) => status)].map(([status, of]) => [status, of.length]),
      ),
      budget,
      spent,
      bound: uncapped ? accepted * EXTENSION : 0,
      released: !isHeld(),
      done: answers.filter(({ text }) => text.endsWith("data: [DONE]\n\n")).length,
      outOfBudget: answers.filter(({ text }) => text.includes('"error_type":"budget"')).length,
      faults,
    }
  })
}

/** Asks /healthz all the time while a prompt that no tokenizer likes is being counted. */
export async function runSlowPrompt(): Promise<{ p99: number; status: number; seconds: number }> {
  return withGateways(1, async ([url = ""]) => {
    const admin = createAdmin(async () => url, ADMIN_KEY)
    // Less than the prompt's bytes could cost, so that it must be counted.
    const { secret } = await admin.createKey({ budget: { amount_usd: "0.003", period: "total" } })
    const begun = performance.now()
    let counting = true
    const asked = ask(`${url}/v1/chat/completions`, secret, {
      body: {
        model: "sim/story:tokens=1",
        max_tokens: 1,
        messages: [{ role: "user", content: "a".repeat(400_000) }],
      },
    }).finally(() => {
      counting = false
    })
    const latencies: number[] = []
    while (counting) {
      const from = performance.now()
      await ask(`${url}/healthz`, "", {})
      latencies.push(performance.now() - from)
      await sleep(2)
    }
    const { status } = await asked
    latencies.sort((one, other) => one - other)
    const p99 = latencies[Math.ceil(latencies.length * 0.99) - 1] ?? Number.NaN
    return { p99, status, seconds: (performance.now() - begun) / 1_000 }
  })
}

async function withGateways<Result>(
  count: number,
  work: (urls: readonly string[]) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-budget-"))
  const children: Child[] = []
  try {
    const databaseUrl = count > 1 ? await (await testPostgres()).createDatabase() : ""
    const config = join(folder, "sluice.yaml")
    writeFileSync(config, `prices: { sim/story: { input: 0.01, output: ${OUTPUT / 1_000} } }\n`)
    for (let number = 0; number < count; number++) {
      children.push(
        await start([SLUICE, "serve", "--port", "0", "--config", config], {
          environment: {
            SLUICE_ADMIN_KEY: ADMIN_KEY,
            SLUICE_DATA: join(folder, `data-${number}`),
            DATABASE_URL: databaseUrl,
          },
        }),
      )
    }
    const urls = await Promise.all(
      children.map(async (child) => (await child.said(/^sluice listening on (\S+)$/m))[1]!),
    )
    return await work(urls)
  } finally {
    for (const child of children) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A key that was made at another process is known within a second. */
async function knows(url: string, secret: string): Promise<void> {
  while ((await ask(`${url}/v1/models`, secret, {})).status !== 200) await sleep(20)
}
