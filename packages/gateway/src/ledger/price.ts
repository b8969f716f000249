/**
 * Usage → cost. Prices are whole pico-dollars a token (1 USD per million tokens = 1,000,000 pico-dollars a token), so
 * that sums are exact; a cost is whole nano-dollars, rounded half to even once per attempt.
 */
import type { Usage } from "@sluice/protocol"

/** Pico-dollars. What is left out costs as its neighbour: cached as input, reasoning as output. */
export interface Price {
  readonly input: number
  readonly output: number
  readonly cached?: number
  readonly cacheWrite?: number
  readonly reasoning?: number
  /** Per call. */
  readonly request?: number
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
  const pico =
    tokens(usage.prompt_tokens - cached - written, price.input) +
    tokens(cached, price.cached ?? price.input) +
    tokens(written, price.cacheWrite ?? price.input) +
    tokens(outputOf(usage) - reasoning, price.output) +
    tokens(reasoning, price.reasoning ?? price.output) +
    BigInt(price.request ?? 0)
  return halfEven(pico, PICO_PER_NANO)
}

/** The most that a call of so many tokens can cost: whatever its kind, each token at the dearest price of its side. */
export function highestCost(promptTokens: number, completionTokens: number, price: Price): bigint {
  const input = Math.max(price.input, price.cached ?? 0, price.cacheWrite ?? 0)
  const output = Math.max(price.output, price.reasoning ?? 0)
  const pico = tokens(promptTokens, input) + tokens(completionTokens, output) + BigInt(price.request ?? 0)
  return (pico + PICO_PER_NANO - 1n) / PICO_PER_NANO
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
