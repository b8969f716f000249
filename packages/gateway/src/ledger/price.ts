/**
 * Usage → cost. Prices are whole pico-dollars a token (1 USD per million tokens = 1,000,000 pico-dollars a token), so
 * that sums are exact; a cost is whole nano-dollars, rounded half to even once per attempt.
 */
import type { Usage } from "@sluice/protocol"

/** Pico-dollars. What is left out costs as its neighbour: cached as input, reasoning as output. */
export interface Price extends Rates {
  /** Per call. */
  readonly request?: number
  /** Where a vendor bills every token of a call otherwise once its prompt is long. */
  readonly longPrompt?: LongPrompt
}

export interface Rates {
  readonly input: number
  readonly output: number
  readonly cached?: number
  readonly cacheWrite?: number
  readonly reasoning?: number
}

export interface LongPrompt extends Rates {
  /** A prompt of more tokens than this is long. */
  readonly above: number
}

/** USD: per million tokens, and per call. For comparing, never for the books. */
export function inUsd({ input, output, request = 0 }: Price): {
  prompt: number
  completion: number
  request: number
} {
  return { prompt: input / 1e6, completion: output / 1e6, request: request / 1e12 }
}

const PICO_PER_NANO = 1_000n

/** Nano-dollars. */
export function costOf(usage: Usage, price: Price): bigint {
  const cached = clamp(usage.prompt_tokens_details?.cached_tokens, usage.prompt_tokens)
  const written = clamp(
    usage.prompt_tokens_details?.cache_write_tokens ?? usage.prompt_tokens_details?.cache_creation_tokens,
    usage.prompt_tokens - cached,
  )
  const reasoning = reasoningOf(usage)
  const rates = isLong(usage.prompt_tokens, price) ? price.longPrompt : price
  const pico =
    tokens(usage.prompt_tokens - cached - written, rates.input) +
    tokens(cached, rates.cached ?? rates.input) +
    tokens(written, rates.cacheWrite ?? rates.input) +
    tokens(outputOf(usage) - reasoning, rates.output) +
    tokens(reasoning, rates.reasoning ?? rates.output) +
    BigInt(price.request ?? 0)
  return halfEven(pico, PICO_PER_NANO)
}

/** The most that a call of so many tokens can cost: whatever its kind, each token at the dearest price of its side. */
export function highestCost(promptTokens: number, completionTokens: number, price: Price): bigint {
  // The tokens are bounds: a prompt that may be long may also turn out to be short.
  const possible: readonly Rates[] = isLong(promptTokens, price) ? [price, price.longPrompt] : [price]
  const input = Math.max(
    ...possible.flatMap((rates) => [rates.input, rates.cached ?? 0, rates.cacheWrite ?? 0]),
  )
  const output = Math.max(...possible.flatMap((rates) => [rates.output, rates.reasoning ?? 0]))
  const pico = tokens(promptTokens, input) + tokens(completionTokens, output) + BigInt(price.request ?? 0)
  return (pico + PICO_PER_NANO - 1n) / PICO_PER_NANO
}

/** USD per million tokens → pico-dollars a token; undefined: not a whole number of them. */
export function picoPerToken(usdPerMillion: number | string): number | undefined {
  return scaled(usdPerMillion, 6)
}

/** USD per call → pico-dollars; undefined: not a whole number of them. */
export function picoPerCall(usd: number | string): number | undefined {
  return scaled(usd, 12)
}

/** Times a power of ten, digit by digit: a multiplication of floats would be off by a hair. */
function scaled(decimal: number | string, power: number): number | undefined {
  const [, whole, fraction = ""] = /^(\d+)(?:\.(\d+))?$/.exec(String(decimal)) ?? []
  if (whole === undefined) return undefined
  const digits = fraction.replace(/0+$/, "")
  const value = Number(whole + digits.padEnd(power, "0"))
  return digits.length <= power && Number.isSafeInteger(value) ? value : undefined
}

function isLong(promptTokens: number, price: Price): price is Price & { readonly longPrompt: LongPrompt } {
  return price.longPrompt !== undefined && promptTokens > price.longPrompt.above
}

/**
 * Most systems count reasoning within the completion; some (xAI) count it beside: there the total is larger than
 * prompt and completion together, by just the reasoning.
 */
function outputOf(usage: Usage): number {
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0
  const beside =
    usage.total_tokens === usage.prompt_tokens + usage.completion_tokens + reasoning && reasoning > 0
  return beside ? usage.completion_tokens + reasoning : usage.completion_tokens
}

function reasoningOf(usage: Usage): number {
  return clamp(usage.completion_tokens_details?.reasoning_tokens, outputOf(usage))
}

function clamp(count: number | null | undefined, most: number): number {
  return Math.max(0, Math.min(count ?? 0, most))
}

function tokens(count: number, price: number): bigint {
  return BigInt(Math.max(0, count)) * BigInt(price)
}

function halfEven(value: bigint, unit: bigint): bigint {
  const whole = value / unit
  const twice = (value % unit) * 2n
  if (twice > unit || (twice === unit && whole % 2n === 1n)) return whole + 1n
  return whole
}
