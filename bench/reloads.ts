/**
 * The configuration saved again and again under running streams: none of them may be dropped, and nothing of the
 * configurations that were may be left in memory.
 *
 * Every save changes the route that the streams ask for: its provider (the simulator inside the gateway, one behind
 * HTTP) and its text. A stream must have the text of the route it began with, to the letter, however many reloads it
 * lives through. A reload counts when the gateway has said so and a call gets what is new; every tenth is followed by a
 * broken file, which must be refused and change nothing.
 *
 * Ended streams are kept for two seconds only: what is kept on purpose must not look like a leak, nor hide one.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { type Child, start } from "./children.ts"
import type { Goal } from "./goal.ts"
import { memoryOf } from "./relay/machine.ts"
import { CLOSING, INSPECTED, left, untilClosed, whatIsOpen } from "./soak/open.ts"
import { median, quarter } from "./soak/quarters.ts"
import { type Asked, answerOf, expectedText, soak } from "./soak/streams.ts"

export const usage = `npm run bench -- reloads [options]

  --count N     how many reloads, after a warm-up of a third as many (default 1000)
  --streams N   how many streams at once (default 100)`

const SLUICE = resolve(import.meta.dirname, "../packages/cli/bin/sluice")
const KEY = "sk-reloads"
/** By the route's name: some streams live through a few reloads, some through many. */
const TOKENS = { story: 40, novel: 240 }
const GAP = 50
const SEEDS = [1, 2] as const
const BROKEN_EVERY = 10
/** Milliseconds from one reload to the next: a quarter of the run must be longer than the sweeps that forget streams. */
const PACE = 60
/** So many names a probe can have: every candidate that was ever asked stays known, up to a bound, which is no leak. */
const PROBES = 50
/** How many times memory is measured. */
const SAMPLES = 40
/** With no more than these the streams would all be of the first configuration and the last. */
const FEWEST_ROUTES = 2
/** Percent. A leak of every configuration that was comes to 6. */
const MOST_GROWTH = 3

export interface ReloadsAsked {
  readonly count: number
  readonly streams: number
  /** Milliseconds from one reload to the next. */
  readonly pace?: number
}

export interface ReloadsResult {
  readonly reloads: number
  readonly refused: number
  /** Whole to the letter. */
  readonly streams: number
  readonly errors: readonly string[]
  /** How many different routes they had. */
  readonly routes: number
  /** Megabytes on the heap after a full collection, and of the process, from the end of the warm-up on. */
  readonly heap: readonly number[]
  readonly resident: readonly number[]
  readonly seconds: number
  readonly left: readonly string[]
  readonly warnings: readonly string[]
}

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: { count: { type: "string", default: "1000" }, streams: { type: "string", default: "100" } },
  })
  const [count, streams] = [Number(values.count), Number(values.streams)]
  if (!(Number.isInteger(count) && count >= SAMPLES && Number.isInteger(streams) && streams >= 1))
    throw new RangeError(`--count takes a whole number from ${SAMPLES} on, --streams one from 1 on`)
  const result = await runReloads({ count, streams, pace: PACE }, (line) => console.log(line))
  console.log(`heap in MB: ${result.heap.map((sample) => sample.toFixed(1)).join(" ")}`)
  for (const error of result.errors.slice(0, 5)) console.log(`error: ${error}`)
  for (const warning of result.warnings.slice(0, 5)) console.log(`warning: ${warning}`)
  const [before, after] = [median(quarter(result.resident, 2)), median(quarter(result.resident, 4))]
  console.log(
    `${result.reloads} reloads and ${result.refused} refusals in ${result.seconds.toFixed(0)} s, ${result.streams} streams; ` +
      `resident ${before.toFixed(0)} MB in the 2nd quarter, ${after.toFixed(0)} MB in the 4th\n`,
  )
  return judge(result, streams)
}

export async function runReloads(
  { count, streams, pace = 0 }: ReloadsAsked,
  say: (line: string) => void = () => {},
): Promise<ReloadsResult> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-reloads-"))
  const children: Child[] = []
  try {
    const far = await start([SLUICE, "sim", "--port", "0"])
    children.push(far)
    const farUrl = (await far.said(/^sluice sim listening on (\S+)$/m))[1]!
    const file = join(folder, "sluice.yaml")
    writeFileSync(file, configuration(farUrl, 0))
    const gateway = await start([SLUICE, "serve", "--port", "0", "--config", file], {
      environment: { NODE_OPTIONS: INSPECTED, SLUICE_API_KEY: KEY, SLUICE_DATA: join(folder, "data") },
    })
    children.push(gateway)
    const url = (await gateway.said(/^sluice listening on (\S+)$/m))[1]!
    const models = Object.entries(TOKENS).map(([model, tokens]): Asked => ({ url, key: KEY, model, tokens }))
    const texts = await textsOf(models[0]!)
    const routes = new Set<string>()
    const before = await whatIsOpen(gateway)

    const reload = reloader(gateway, file, farUrl, models[0]!)
    const running = soak(models, streams, (model) => {
      routes.add(model)
      return texts.get(model)
    })
    const warmUp = Math.ceil(count / 3)
    say(`${streams} streams at once, ${warmUp} reloads of warm-up and ${count}, Node ${process.version}`)
    for (let number = 1; number <= warmUp; number++) {
      const due = sleep(pace)
      await reload(number)
      await due
    }
    const [heap, resident]: [number[], number[]] = [[], []]
    let refused = 0
    const begun = performance.now()
    let reloads = 0
    // A quick machine has reloaded that often before the first streams have ended: it goes on until others have begun.
    while (reloads < count || (routes.size <= FEWEST_ROUTES && reloads < count * 100)) {
      const number = ++reloads
      const due = sleep(pace)
      if (await reload(warmUp + number)) refused++
      if (number <= count && number % Math.ceil(count / SAMPLES) === 0) {
        heap.push((await whatIsOpen(gateway)).heapMegabytes)
        resident.push(memoryOf([gateway.pid], "VmRSS"))
      }
      await due
    }
    const seconds = (performance.now() - begun) / 1_000
    await running.stop()
    // Its end closes the idle connections between the two.
    await far.stop()
    const after = await untilClosed(gateway, before)
    return {
      reloads,
      refused,
      streams: running.good,
      errors: running.errors,
      routes: routes.size,
      heap,
      resident,
      seconds,
      left: left(before, after).map(({ name, count }) => `${count} ${name}`),
      warnings: after.warnings,
    }
  } finally {
    for (const child of children) if (child.running) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Saves the file of that number and comes back when it holds. True: a broken one after it was refused. */
function reloader(
  gateway: Child,
  file: string,
  farUrl: string,
  asked: Asked,
): (number: number) => Promise<boolean> {
  async function holds(number: number): Promise<void> {
    const body = JSON.parse(await answerOf({ ...asked, model: "probe" })) as { model?: string }
    const wanted = `sim/${probe(number)}`
    if (body.model !== wanted) throw new Error(`reload ${number}: ${body.model} answers, not ${wanted}`)
  }

  return async (number) => {
    const said = gateway.next(/^sluice: configuration reloaded$/m)
    // As some editors save, and as the others do.
    if (number % 2 === 0) writeFileSync(file, configuration(farUrl, number))
    else {
      writeFileSync(`${file}~`, configuration(farUrl, number))
      renameSync(`${file}~`, file)
    }
    await said
    await holds(number)
    if (number % BROKEN_EVERY !== 0) return false
    writeFileSync(file, broken(number))
    await gateway.complained(new RegExp(`sluice\\.yaml:4: .*"nobody-${number}" is not a provider`))
    await holds(number)
    return true
  }
}

function configuration(farUrl: string, number: number): string {
  const [provider, prefix] = number % 2 === 0 ? ["sim", ""] : ["far", "sim/"]
  const seed = SEEDS[(number >> 1) % 2]!
  const route = (name: string, model: string, at = provider): string =>
    `  ${name}: { candidates: [{ provider: ${at}, model: "${model}" }] }\n`
  const routes = Object.entries(TOKENS).map(([name, tokens]) =>
    route(name, `${prefix}${script(tokens, seed)}`),
  )
  return `providers:
  far: { kind: openai-compatible, base_url: "${farUrl}/v1", credential: none }
models:
${routes.join("")}${route("probe", probe(number), "sim")}
prices:
  sim/soak: { input: 0, output: ${number % 7} }
defaults: { timers: { total: ${60 + (number % 5)}s } }
streams: { keep: 2s, max_bytes: ${8 + (number % 3)}MB }
`
}

function broken(number: number): string {
  return `providers: {}
models:
  story:
    candidates: [{ provider: nobody-${number}, model: m }]
`
}

function probe(number: number): string {
  return `probe-${number % PROBES}:tokens=1`
}

function script(tokens: number, seed: number): string {
  return `soak:tokens=${tokens},gap=${GAP},seed=${seed}`
}

/** By the model that a stream's events name. */
async function textsOf(asked: Asked): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const tokens of Object.values(TOKENS)) {
    for (const seed of SEEDS) {
      // The same text, without the wait between its tokens.
      const text = await expectedText({ ...asked, model: `sim/soak:tokens=${tokens},seed=${seed}` })
      for (const provider of ["sim", "far/sim"]) texts.set(`${provider}/${script(tokens, seed)}`, text)
    }
  }
  if (new Set(texts.values()).size !== texts.size / 2)
    throw new Error("the seeds do not make different texts")
  return texts
}

function judge(result: ReloadsResult, atOnce: number): Goal[] {
  const { reloads, refused, streams, errors, heap, warnings } = result
  const second = median(quarter(heap, 2))
  const growth = (median(quarter(heap, 4)) / second - 1) * 100
  const goal = (name: string, figure: string, goal: string, met: boolean): Goal => ({
    name,
    figure,
    goal,
    outcome: met ? "met" : "short",
  })
  return [
    goal(
      "reloads dropped streams",
      `${errors.length} of ${streams + errors.length}, ${atOnce} at once, ${reloads} reloads, ${refused} refused`,
      "0",
      errors.length === 0 && streams >= atOnce,
    ),
    goal(
      "reloads memory",
      `${growth.toFixed(1)} % of ${second.toFixed(1)} MB heap from the 2nd to the 4th quarter`,
      `at most ${MOST_GROWTH} %`,
      growth <= MOST_GROWTH,
    ),
    goal(
      `reloads left open after ${CLOSING} s`,
      result.left.length === 0 ? "0" : result.left.join(", "),
      "0",
      result.left.length === 0,
    ),
    goal("reloads warnings of the process", String(warnings.length), "0", warnings.length === 0),
  ]
}
