/** What happens in the gateway → its metrics. It is told once of each call, when the call's row is in the ledger. */
import { ERROR_KINDS } from "@sluice/protocol"
import { METRICS } from "./metrics.ts"
import { createNames, type NameSources } from "./names.ts"
import { watchProcess } from "./process.ts"
import { type Counter, createRegistry, type Histogram } from "./registry.ts"

export interface Metrics {
  /** A call's row is settled. */
  settled(call: SettledFigures, asked: AskedFigures): void
  /** A request was answered with an error, and no provider was asked. */
  refused(error: { readonly kind: string; readonly status: number }): void
  /** A client came back for a stream. */
  resumed(): void
  /** A scrape, in pieces. */
  write(): Iterable<string>
  close(): void
}

/** As the ledger's row has it. */
export interface SettledFigures {
  readonly ending: string
  readonly reason?: string | undefined
  readonly endedAt: number
  /** Who answered. */
  readonly provider?: string | undefined
  readonly model?: string | undefined
  readonly attempts: readonly AttemptFigures[]
  readonly usage: TokenFigures
  /** Milliseconds. */
  readonly timeToFirstContent?: number | undefined
  readonly tokensPerSecond?: number | undefined
  readonly longestStall?: number | undefined
}

interface AttemptFigures {
  readonly provider: string
  readonly model: string
  readonly startedAt: number
  readonly endedAt: number
  readonly usage: TokenFigures | null
  /** Nano-dollars; null: no price. */
  readonly cost: bigint | null
  readonly error?: { readonly type: string } | undefined
}

interface TokenFigures {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly cachedTokens: number
  readonly reasoningTokens: number
}

/** What was known when the call began. */
export interface AskedFigures {
  readonly modelAsked: string
  readonly streamed: boolean
  readonly startedAt: number
}

export interface MetricSources extends NameSources {
  readonly version: string
  streams(): StreamReadings
  breakers(): Iterable<BreakerReading>
}

export interface StreamReadings {
  readonly running: number
  readonly kept: number
  readonly bytes: number
  readonly writable: boolean
}

export interface BreakerReading {
  readonly provider: string
  /** The credential's place in its list, from 1; undefined: the provider's own. */
  readonly credential?: number | undefined
  /** Undefined: the credential's, whatever is asked of it. */
  readonly model?: string | undefined
  readonly state: (typeof BREAKER_STATES)[number]
}

/** What is counted of calls that asked alike and were answered alike: looked up once a call, made when first needed. */
interface CallSeries {
  readonly who: LabelsOf<"firstToken">
  readonly endings: Map<string, Ended>
  firstToken?: Histogram
  perToken?: Histogram
  longestGap?: Histogram
}

interface AttemptSeries {
  readonly who: LabelsOf<"cost">
  readonly errors: Map<string, Ended>
  readonly cost: Counter
  readonly unpriced: Counter
  readonly cachedTokens: Counter
  readonly reasoningTokens: Counter
  input?: Histogram
  output?: Histogram
}

interface Ended {
  readonly count: Counter
  duration?: Histogram
}

type LabelsOf<Name extends keyof typeof METRICS> = Readonly<
  Record<(typeof METRICS)[Name]["labels"][number], string>
>

const BREAKER_STATES = ["closed", "open", "due", "probing"] as const
/** Every call is one, in the convention's word. */
const CHAT = "chat"

export function createMetrics(sources: MetricSources): Metrics {
  const names = createNames(sources)
  const watch = watchProcess()
  const registry = createRegistry(METRICS, {
    ...watch.readings,
    running: () => sources.streams().running,
    kept: () => sources.streams().kept,
    logBytes: () => sources.streams().bytes,
    logWritable: () => Number(sources.streams().writable),
    breakers: readBreakers,
    build: () => [[[sources.version, process.versions.node], 1]],
  })

  /** Several models may be `other`: so a state has a number, and not just a yes. */
  function readBreakers(): Iterable<readonly [string[], number]> {
    const counts = new Map<string, [string[], number]>()
    for (const { provider, credential, model, state } of sources.breakers()) {
      const name = model === undefined ? "" : names.model(provider, model, false)
      for (const possible of BREAKER_STATES) {
        const labels = [provider, credential?.toString() ?? "", name, possible]
        const key = labels.join("\n")
        const entry = counts.get(key) ?? [labels, 0]
        if (possible === state) entry[1]++
        counts.set(key, entry)
      }
    }
    return counts.values()
  }

  const ofCalls = new Map<string, CallSeries>()
  const ofAttempts = new Map<string, AttemptSeries>()

  function callSeries(asked: string, provider: string, model: string): CallSeries {
    const key = `${asked}\n${provider}\n${model}`
    const known = ofCalls.get(key)
    if (known !== undefined) return known
    const who = {
      gen_ai_operation_name: CHAT,
      gen_ai_provider_name: provider,
      gen_ai_request_model: asked,
      gen_ai_response_model: model,
    }
    const made: CallSeries = { who, endings: new Map() }
    ofCalls.set(key, made)
    return made
  }

  function attemptSeries(provider: string, model: string): AttemptSeries {
    const key = `${provider}\n${model}`
    const known = ofAttempts.get(key)
    if (known !== undefined) return known
    const who = {
      gen_ai_operation_name: CHAT,
      gen_ai_provider_name: provider,
      gen_ai_request_model: model,
    }
    const made: AttemptSeries = {
      who,
      errors: new Map(),
      cost: registry.cost(who),
      unpriced: registry.unpriced(who),
      cachedTokens: registry.cachedTokens(who),
      reasoningTokens: registry.reasoningTokens(who),
    }
    ofAttempts.set(key, made)
    return made
  }

  function countAttempt(attempt: AttemptFigures, error: string, timed: boolean): void {
    const { provider, usage, cost } = attempt
    const series = attemptSeries(provider, names.model(provider, attempt.model, false))
    const { who, errors } = series
    let ended = errors.get(error)
    if (ended === undefined) {
      ended = { count: registry.attempts({ ...who, error_type: error }) }
      errors.set(error, ended)
    }
    ended.count.add(1)
    if (timed) {
      ended.duration ??= registry.attemptDuration({ ...who, error_type: error })
      ended.duration.observe(seconds(attempt))
    }
    if (cost === null) series.unpriced.add(1)
    else series.cost.add(Number(cost))
    if (usage === null) return
    series.input ??= registry.tokens({ ...who, gen_ai_token_type: "input" })
    series.output ??= registry.tokens({ ...who, gen_ai_token_type: "output" })
    series.input.observe(usage.promptTokens)
    series.output.observe(usage.completionTokens)
    series.cachedTokens.add(usage.cachedTokens)
    series.reasoningTokens.add(usage.reasoningTokens)
  }

  return {
    settled(call, asked) {
      const { ending, provider = "", model } = call
      const timed = ending !== "interrupted"
      const error = errorType(call.reason)
      // Before all else: who has answered has a name from now on.
      const answering = model === undefined ? "" : names.model(provider, model, true)
      for (const attempt of call.attempts) {
        // One that has no error of its own ended as its call did.
        countAttempt(attempt, attempt.error === undefined ? error : errorType(attempt.error.type), timed)
      }
      const series = callSeries(names.asked(asked.modelAsked, provider, answering), provider, answering)
      const { who, endings } = series
      const how = `${ending} ${error}`
      let ended = endings.get(how)
      if (ended === undefined) {
        ended = { count: registry.calls({ ...who, ending, error_type: error }) }
        endings.set(how, ended)
      }
      ended.count.add(1)
      if (!timed) return
      ended.duration ??= registry.callDuration({ ...who, error_type: error })
      ended.duration.observe(seconds({ startedAt: asked.startedAt, endedAt: call.endedAt }))
      if (!asked.streamed) return
      const { timeToFirstContent, longestStall } = call
      if (timeToFirstContent !== undefined) {
        series.firstToken ??= registry.firstToken(who)
        series.firstToken.observe(timeToFirstContent / 1_000)
      }
      if (longestStall !== undefined) {
        series.longestGap ??= registry.longestGap(who)
        series.longestGap.observe(longestStall / 1_000)
      }
      const perToken = ending === "finished" ? secondsPerToken(call) : undefined
      if (perToken !== undefined) {
        series.perToken ??= registry.perToken(who)
        series.perToken.observe(perToken)
      }
    },
    refused({ kind, status }) {
      registry.refused({ http_response_status_code: String(status), error_type: errorType(kind) }).add(1)
    },
    resumed: () => registry.resumed({}).add(1),
    write() {
      watch.scraped()
      return registry.write()
    },
    close: watch.close,
  }
}

/** By the wall clock, which may be set back. */
function seconds({ startedAt, endedAt }: { startedAt: number; endedAt: number }): number {
  return Math.max(0, endedAt - startedAt) / 1_000
}

/** The ledger has all tokens over the time after the first content; the convention leaves the first token out. */
function secondsPerToken({ tokensPerSecond, usage }: SettledFigures): number | undefined {
  const { completionTokens } = usage
  if (tokensPerSecond === undefined || tokensPerSecond <= 0 || completionTokens < 2) return undefined
  return completionTokens / tokensPerSecond / (completionTokens - 1)
}

/** "" for none; a word that is not ours is the convention's `_OTHER`. */
function errorType(kind: string | undefined): string {
  if (kind === undefined) return ""
  return Object.hasOwn(ERROR_KINDS, kind) ? kind : "_OTHER"
}
