/** What happens in the gateway → its metrics. It is told once of each call, when the call's row is in the ledger. */
import { ERROR_KINDS } from "@sluice/protocol"
import { METRICS } from "./metrics.ts"
import { createNames, type NameSources } from "./names.ts"
import { watchProcess } from "./process.ts"
import { createRegistry } from "./registry.ts"

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
  breakers?(): Iterable<BreakerReading>
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
    for (const { provider, credential, model, state } of sources.breakers?.() ?? []) {
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

  function attempt(figures: AttemptFigures, error: string, timed: boolean): void {
    const { provider, usage, cost } = figures
    const who = {
      gen_ai_operation_name: CHAT,
      gen_ai_provider_name: provider,
      gen_ai_request_model: names.model(provider, figures.model, false),
    }
    registry.attempts({ ...who, error_type: error }).add(1)
    if (timed) {
      registry.attemptDuration({ ...who, error_type: error }).observe(seconds(figures))
    }
    if (cost === null) registry.unpriced(who).add(1)
    else if (cost > 0n) registry.cost(who).add(Number(cost))
    if (usage === null) return
    registry.tokens({ ...who, gen_ai_token_type: "input" }).observe(usage.promptTokens)
    registry.tokens({ ...who, gen_ai_token_type: "output" }).observe(usage.completionTokens)
    if (usage.cachedTokens > 0) registry.cachedTokens(who).add(usage.cachedTokens)
    if (usage.reasoningTokens > 0) registry.reasoningTokens(who).add(usage.reasoningTokens)
  }

  return {
    settled(call, asked) {
      const { ending, provider = "", model, attempts } = call
      const timed = ending !== "interrupted"
      const error = errorType(call.reason)
      // Before all else: who has answered has a name from now on.
      const answering = model === undefined ? "" : names.model(provider, model, true)
      // One that has no error of its own ended as its call did.
      for (const one of attempts) attempt(one, errorType(one.error?.type ?? call.reason), timed)
      const who = {
        gen_ai_operation_name: CHAT,
        gen_ai_provider_name: provider,
        gen_ai_request_model: names.asked(asked.modelAsked, provider, answering),
        gen_ai_response_model: answering,
      }
      registry.calls({ ...who, ending, error_type: error }).add(1)
      if (!timed) return
      registry
        .callDuration({ ...who, error_type: error })
        .observe(seconds({ ...asked, endedAt: call.endedAt }))
      if (!asked.streamed) return
      const { timeToFirstContent, longestStall } = call
      if (timeToFirstContent !== undefined) registry.firstToken(who).observe(timeToFirstContent / 1_000)
      if (longestStall !== undefined) registry.longestGap(who).observe(longestStall / 1_000)
      const perToken = ending === "finished" ? secondsPerToken(call) : undefined
      if (perToken !== undefined) registry.perToken(who).observe(perToken)
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
