/**
 * What metrics cost: telling them of a settled call, and a scrape when there are as many models as may have a name.
 *
 * How it avoids fooling itself: calls differ (ten models in turn, two attempts every tenth time), the labels are looked
 * up each time as the gateway does, and what was counted is compared with what was told before a figure is given. The
 * time of a call is the median of its rounds. A scrape runs through the code that answers `/metrics`; what counts is the
 * longest time for which it keeps the loop, of the fastest of its rounds, since what else runs here stretches others.
 */

import { sendMetrics } from "../src/admin/metrics.ts"
import type { AuthedCall } from "../src/call.ts"
import type { SettledCall } from "../src/store/call-record.ts"
import { createMetrics, type Metrics } from "../src/telemetry/count.ts"
import { readExposition } from "./exposition.ts"
import { aSettledCall } from "./store-support.ts"

const ROUNDS = 15
const CALLS = 20_000
const MODELS = 500
/** Microseconds: about a hundredth of what a call costs otherwise. */
const CALL_GOAL = 5
/** Milliseconds. */
const TURN_GOAL = 10

const ASKED = { modelAsked: "fast", streamed: true, startedAt: Date.now() }

async function run() {
  const figure = await costOfCall()
  const scrape = await costOfScrape()
  console.log(`a settled call              ${figure.toFixed(2)} µs`)
  console.log(
    `a scrape of ${MODELS} models      ${scrape.total.toFixed(1)} ms in ${scrape.turns} turns, ${scrape.megabytes.toFixed(1)} MB, ${scrape.lines} lines`,
  )
  return [
    {
      name: "metrics of a call",
      goal: `at most ${CALL_GOAL} µs`,
      outcome: figure <= CALL_GOAL ? "met" : "short",
      figure: `${figure.toFixed(2)} µs`,
    },
    {
      name: `a scrape of ${MODELS} models keeps the loop`,
      goal: `at most ${TURN_GOAL} ms at a time`,
      outcome: scrape.longest <= TURN_GOAL ? "met" : "short",
      figure: `${scrape.longest.toFixed(1)} ms`,
    },
  ]
}

async function costOfCall(): Promise<number> {
  const metrics = create()
  const calls = Array.from({ length: 100 }, (_, index) => callOf(index % 10, index % 10 === 0))
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now()
    for (let index = 0; index < CALLS; index++) metrics.settled(calls[index % calls.length]!, ASKED)
    rounds.push(((performance.now() - begun) * 1_000) / CALLS)
  }
  const { sum } = readExposition([...metrics.write()].join(""))
  const told = ROUNDS * CALLS
  if (sum("sluice_calls_total") !== told || sum("sluice_attempts_total") !== told * 1.1)
    throw new Error(`of ${told} calls ${sum("sluice_calls_total")} were counted`)
  metrics.close()
  return rounds.sort((one, other) => one - other)[Math.floor(ROUNDS / 2)]!
}

interface Scrape {
  readonly total: number
  readonly longest: number
  readonly turns: number
  readonly megabytes: number
  readonly lines: number
}

async function costOfScrape(): Promise<Scrape> {
  const metrics = create()
  for (let model = 0; model < MODELS; model++) metrics.settled(callOf(model, false), ASKED)
  const scrapes: Scrape[] = []
  for (let round = 0; round < ROUNDS; round++) scrapes.push(await scrapeOnce(metrics))
  metrics.close()
  return scrapes.reduce((best, scrape) => (scrape.longest < best.longest ? scrape : best))
}

/** Answers to nobody, who takes all at once. */
async function scrapeOnce(metrics: Metrics): Promise<Scrape> {
  const turns: number[] = []
  let text = ""
  let begun = performance.now()
  const take = (piece: string): void => {
    // As a socket would: the text becomes bytes in the turn that wrote it.
    Buffer.from(piece)
    turns.push(performance.now() - begun)
    text += piece
    setImmediate(() => {
      begun = performance.now()
    })
  }
  const response = { writeHead() {}, write: take, end: take, destroyed: false }
  await sendMetrics({ key: { admin: true }, requestId: "", response } as unknown as AuthedCall, metrics)
  const { sum, families } = readExposition(text)
  const named = families.get("sluice_attempts_total")?.samples.length
  if (sum("sluice_calls_total") !== MODELS || named !== MODELS)
    throw new Error(`${named} of ${MODELS} models have a name`)
  return {
    total: turns.reduce((all, turn) => all + turn, 0),
    longest: Math.max(...turns),
    turns: turns.length,
    megabytes: text.length / 1e6,
    lines: text.split("\n").length,
  }
}

function create(): Metrics {
  return createMetrics({
    version: "0.0.0",
    nameOf: (_, model) => model,
    isRoute: (name) => name === "fast",
    isKnown: () => false,
    streams: () => ({ running: 0, kept: 0, bytes: 0, writable: true }),
    breakers: () => [],
  })
}

/** Two providers, so that neither has more models than one may. */
function callOf(index: number, fellOver: boolean): SettledCall {
  const usage = {
    promptTokens: 900,
    completionTokens: 300,
    reasoningTokens: 20,
    cachedTokens: 64,
    audioTokens: 0,
  }
  const who = { provider: index % 2 === 0 ? "openrouter" : "acme", model: `vendor/some-model-${index}` }
  const attempt = {
    ...who,
    startedAt: ASKED.startedAt,
    endedAt: ASKED.startedAt + 900 + index,
    usage,
    cost: 1_234n,
    estimated: false,
  }
  const missed = { ...attempt, usage: null, cost: 0n, error: { type: "timeout", message: "late" } }
  return aSettledCall(`call-${index}`, {
    ...who,
    usage,
    attempts: fellOver ? [missed, attempt] : [attempt],
    endedAt: attempt.endedAt,
    timeToFirstContent: 321,
    tokensPerSecond: 80,
    longestStall: 47,
  })
}

// bench/metrics.ts has started it, and prints what comes back.
process.send?.(await run())
process.disconnect?.()
