/**
 * What the well-known models cost, as their vendors say: USD per million tokens of text at the standard tier, by the
 * vendor's own name for the model. `asOf` is the latest day on which a source vouches for the figures, `source` the
 * vendor's page that has them. A model whose price one row cannot tell (by the hour, by the search) has none; nor has
 * one about which sources disagree, nor a name such as `-latest` that has moved to a model of another price.
 */
import { type LongPrompt, type Price, picoPerCall, picoPerToken, type Rates } from "./price.ts"

export interface PriceRow extends Rates {
  readonly provider: string
  readonly model: string
  /** USD per call. */
  readonly request?: number
  readonly longPrompt?: LongPrompt
  readonly asOf: string
  readonly source: string
}

type Origin = Pick<PriceRow, "provider" | "asOf" | "source">
type Row = Omit<PriceRow, keyof Origin>

const OPENAI = { provider: "openai", source: "https://developers.openai.com/api/docs/pricing" }
const ANTHROPIC = {
  provider: "anthropic",
  source: "https://platform.claude.com/docs/en/about-claude/pricing",
}
const GROQ = { provider: "groq", source: "https://console.groq.com/docs/models" }
const MISTRAL = { provider: "mistral", source: "https://mistral.ai/pricing" }
const XAI = { provider: "xai", source: "https://docs.x.ai/docs/models" }
const TOGETHER = { provider: "together", source: "https://www.together.ai/pricing" }
const FIREWORKS = { provider: "fireworks", source: "https://docs.fireworks.ai/serverless/pricing" }
const CEREBRAS = { provider: "cerebras", source: "https://www.cerebras.ai/pricing" }
const GEMINI = { provider: "gemini", source: "https://ai.google.dev/gemini-api/docs/pricing" }

// biome-ignore format: a model to a line
export const PRICE_TABLE: readonly PriceRow[] = [
  ...rows({ ...OPENAI, asOf: "2026-05-04" }, [
    { model: "gpt-5.5", input: 5, cached: 0.5, output: 30, longPrompt: { above: 272_000, input: 10, cached: 1, output: 45 } },
    { model: "gpt-5.4", input: 2.5, cached: 0.25, output: 15, longPrompt: { above: 272_000, input: 5, cached: 0.5, output: 22.5 } },
    { model: "gpt-5.4-mini", input: 0.75, cached: 0.075, output: 4.5 },
    { model: "gpt-5.4-nano", input: 0.2, cached: 0.02, output: 1.25 },
  ]),
  ...rows({ ...OPENAI, asOf: "2025-12-11" }, [
    { model: "gpt-5.2", input: 1.75, cached: 0.175, output: 14 },
    { model: "gpt-5.2-chat-latest", input: 1.75, cached: 0.175, output: 14 },
  ]),
  ...rows({ ...OPENAI, asOf: "2025-11-13" }, [
    { model: "gpt-5.1", input: 1.25, cached: 0.125, output: 10 },
    { model: "gpt-5.1-chat-latest", input: 1.25, cached: 0.125, output: 10 },
    { model: "gpt-5", input: 1.25, cached: 0.125, output: 10 },
    { model: "gpt-5-chat-latest", input: 1.25, cached: 0.125, output: 10 },
    { model: "gpt-5-mini", input: 0.25, cached: 0.025, output: 2 },
    { model: "gpt-5-nano", input: 0.05, cached: 0.005, output: 0.4 },
    { model: "gpt-3.5-turbo-1106", input: 1, output: 2 },
  ]),
  ...rows({ ...OPENAI, asOf: "2025-07-12" }, [{ model: "o3", input: 2, cached: 0.5, output: 8 }]),
  ...rows({ ...OPENAI, asOf: "2025-07-04" }, [
    { model: "gpt-4.1", input: 2, cached: 0.5, output: 8 },
    { model: "gpt-4.1-mini", input: 0.4, cached: 0.1, output: 1.6 },
    { model: "gpt-4.1-nano", input: 0.1, cached: 0.025, output: 0.4 },
    { model: "gpt-4o", input: 2.5, cached: 1.25, output: 10 },
    { model: "gpt-4o-2024-05-13", input: 5, output: 15 },
    { model: "gpt-4o-mini", input: 0.15, cached: 0.075, output: 0.6 },
    { model: "o1", input: 15, cached: 7.5, output: 60 },
    { model: "o3-mini", input: 1.1, cached: 0.55, output: 4.4 },
    { model: "o4-mini", input: 1.1, cached: 0.275, output: 4.4 },
    { model: "gpt-4-turbo", input: 10, output: 30 },
    { model: "gpt-4", input: 30, output: 60 },
    { model: "gpt-4-0613", input: 30, output: 60 },
    { model: "gpt-3.5-turbo", input: 0.5, output: 1.5 },
    { model: "gpt-3.5-turbo-0125", input: 0.5, output: 1.5 },
  ]),
  // Cache writes are those that last five minutes; the hour costs more and is not told apart in a usage.
  ...rows({ ...ANTHROPIC, asOf: "2026-10-10" }, [
    { model: "claude-opus-5-5", input: 4, cached: 0.2, cacheWrite: 5, output: 20 },
    { model: "claude-sonnet-5-5", input: 2, cached: 0.1, cacheWrite: 2.5, output: 10 },
    { model: "claude-haiku-5-5", input: 0.1, cached: 0.01, cacheWrite: 0.125, output: 0.5, longPrompt: { above: 100_000, input: 0.5, cached: 0.05, cacheWrite: 0.625, output: 2.5 } },
    { model: "claude-fable-5", input: 10, cached: 1, cacheWrite: 12.5, output: 50 },
    { model: "claude-opus-5", input: 5, cached: 0.5, cacheWrite: 6.25, output: 25 },
    { model: "claude-opus-4-8", input: 5, cached: 0.5, cacheWrite: 6.25, output: 25 },
    { model: "claude-opus-4-7", input: 5, cached: 0.5, cacheWrite: 6.25, output: 25 },
    { model: "claude-opus-4-6", input: 5, cached: 0.5, cacheWrite: 6.25, output: 25 },
    { model: "claude-opus-4-5", input: 5, cached: 0.5, cacheWrite: 6.25, output: 25 },
    { model: "claude-opus-4-1", input: 15, cached: 1.5, cacheWrite: 18.75, output: 75 },
    { model: "claude-opus-4", input: 15, cached: 1.5, cacheWrite: 18.75, output: 75 },
    { model: "claude-opus-4-0", input: 15, cached: 1.5, cacheWrite: 18.75, output: 75 },
    { model: "claude-sonnet-5", input: 2, cached: 0.2, cacheWrite: 2.5, output: 10 },
    { model: "claude-sonnet-4-6", input: 3, cached: 0.3, cacheWrite: 3.75, output: 15 },
    { model: "claude-sonnet-4-5", input: 3, cached: 0.3, cacheWrite: 3.75, output: 15 },
    { model: "claude-sonnet-4", input: 3, cached: 0.3, cacheWrite: 3.75, output: 15 },
    { model: "claude-sonnet-4-0", input: 3, cached: 0.3, cacheWrite: 3.75, output: 15 },
    { model: "claude-3-7-sonnet", input: 3, cached: 0.3, cacheWrite: 3.75, output: 15 },
    { model: "claude-haiku-4-5", input: 1, cached: 0.1, cacheWrite: 1.25, output: 5 },
    { model: "claude-3-5-haiku", input: 0.8, cached: 0.08, cacheWrite: 1, output: 4 },
    { model: "claude-3-haiku", input: 0.25, cached: 0.03, cacheWrite: 0.3, output: 1.25 },
  ]),
  ...rows({ ...GROQ, asOf: "2026-05-27" }, [
    { model: "openai/gpt-oss-120b", input: 0.15, cached: 0.075, output: 0.6 },
    { model: "openai/gpt-oss-20b", input: 0.075, cached: 0.0375, output: 0.3 },
    { model: "qwen/qwen3-32b", input: 0.29, output: 0.59 },
  ]),
  ...rows({ ...GROQ, asOf: "2026-01-25" }, [
    { model: "llama-3.3-70b-versatile", input: 0.59, output: 0.79 },
    { model: "llama-3.1-8b-instant", input: 0.05, output: 0.08 },
    { model: "meta-llama/llama-4-scout-17b-16e-instruct", input: 0.11, output: 0.34 },
  ]),
  ...rows({ ...MISTRAL, asOf: "2026-08-27" }, [
    { model: "mistral-medium-3.5", input: 1.5, output: 7.5 },
    { model: "mistral-medium-2604", input: 1.5, output: 7.5 },
    { model: "ministral-8b-2512", input: 0.15, cached: 0.015, output: 0.15 },
  ]),
  ...rows({ ...MISTRAL, asOf: "2025-12-02" }, [
    { model: "mistral-large-2512", input: 0.5, output: 1.5 },
    { model: "devstral-2512", input: 0.4, output: 2 },
    { model: "magistral-medium-latest", input: 2, output: 5 },
    { model: "codestral-latest", input: 0.3, output: 0.9 },
    { model: "mistral-medium-2508", input: 0.4, output: 2 },
  ]),
  ...rows({ ...MISTRAL, asOf: "2025-07-04" }, [
    { model: "mistral-large-2411", input: 2, output: 6 },
    { model: "mistral-large-2407", input: 2, output: 6 },
    { model: "mistral-medium-2505", input: 0.4, output: 2 },
    { model: "mistral-small-2506", input: 0.1, output: 0.3 },
    { model: "pixtral-large-2411", input: 2, output: 6 },
    { model: "open-mixtral-8x22b", input: 2, output: 6 },
    { model: "open-mixtral-8x7b", input: 0.7, output: 0.7 },
    { model: "open-mistral-7b", input: 0.25, output: 0.25 },
  ]),
  ...rows({ ...XAI, asOf: "2026-09-29" }, [
    { model: "grok-4.7", input: 2, cached: 0.5, output: 6, longPrompt: { above: 199_999, input: 4, cached: 1, output: 12 } },
    { model: "grok-4.6", input: 2, cached: 0.5, output: 6, longPrompt: { above: 199_999, input: 4, cached: 1, output: 12 } },
  ]),
  ...rows({ ...XAI, asOf: "2026-07-10" }, [
    { model: "grok-4.5", input: 2, cached: 0.5, output: 6, longPrompt: { above: 199_999, input: 4, cached: 1, output: 12 } },
    { model: "grok-4.3", input: 1.25, cached: 0.2, output: 2.5, longPrompt: { above: 199_999, input: 2.5, cached: 0.4, output: 5 } },
  ]),
  ...rows({ ...XAI, asOf: "2025-11-27" }, [
    { model: "grok-code-fast-1", input: 0.2, cached: 0.02, output: 1.5 },
    { model: "grok-3", input: 3, cached: 0.75, output: 15 },
    { model: "grok-3-mini", input: 0.3, cached: 0.075, output: 0.5 },
  ]),
  ...rows({ ...TOGETHER, asOf: "2026-05-08" }, [
    { model: "meta-llama/Llama-3.3-70B-Instruct-Turbo", input: 0.88, output: 0.88 },
    { model: "openai/gpt-oss-120b", input: 0.15, output: 0.6 },
    { model: "zai-org/GLM-5.1", input: 1.4, output: 4.4 },
  ]),
  ...rows({ ...TOGETHER, asOf: "2025-07-03" }, [
    { model: "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", input: 0.18, output: 0.18 },
    { model: "meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", input: 0.88, output: 0.88 },
    { model: "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo", input: 3.5, output: 3.5 },
    { model: "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", input: 0.27, output: 0.85 },
    { model: "meta-llama/Llama-4-Scout-17B-16E-Instruct", input: 0.18, output: 0.59 },
  ]),
  ...rows({ ...FIREWORKS, asOf: "2026-04-24" }, [
    { model: "accounts/fireworks/models/kimi-k2p6", input: 0.95, cached: 0.16, output: 4 },
    { model: "accounts/fireworks/models/deepseek-v3p1", input: 0.56, cached: 0.28, output: 1.68 },
    { model: "accounts/fireworks/models/gpt-oss-120b", input: 0.15, cached: 0.015, output: 0.6 },
    { model: "accounts/fireworks/models/gpt-oss-20b", input: 0.07, cached: 0.035, output: 0.3 },
  ]),
  ...rows({ ...CEREBRAS, asOf: "2025-11-06" }, [
    { model: "gpt-oss-120b", input: 0.35, output: 0.75 },
    { model: "llama-3.3-70b", input: 0.85, output: 1.2 },
    { model: "llama3.1-8b", input: 0.1, output: 0.1 },
    { model: "qwen-3-32b", input: 0.4, output: 0.8 },
  ]),
  ...rows({ ...GEMINI, asOf: "2026-10-07" }, [
    { model: "gemini-3.5-flash", input: 1.5, cached: 0.15, output: 9 },
    { model: "gemini-3.1-pro-preview", input: 2, cached: 0.2, output: 12, longPrompt: { above: 200_000, input: 4, cached: 0.4, output: 18 } },
    { model: "gemini-2.5-pro", input: 1.25, cached: 0.125, output: 10, longPrompt: { above: 200_000, input: 2.5, cached: 0.25, output: 15 } },
    { model: "gemini-2.5-flash", input: 0.3, cached: 0.03, output: 2.5 },
    { model: "gemini-2.5-flash-lite", input: 0.1, cached: 0.01, output: 0.4 },
  ]),
]

/** The table's price: of this very model, or of the model that this one is a dated release of. Never a guess. */
export function priceOf(provider: string, model: string): Price | undefined {
  return findPrice(TABLE, provider, model)
}

export function findPrice(
  prices: ReadonlyMap<string, Price>,
  provider: string,
  model: string,
): Price | undefined {
  return prices.get(`${provider}/${model}`) ?? prices.get(`${provider}/${withoutDate(model)}`)
}

/** Only whole dates: the four digits of `gpt-3.5-turbo-0613` tell a model of another price. */
function withoutDate(model: string): string {
  return model.replace(/-20\d\d(-?)(0[1-9]|1[0-2])\1(0[1-9]|[12]\d|3[01])$/, "")
}

export function toPrice({ request, longPrompt, ...rates }: Omit<Row, "model">): Price {
  return Object.freeze({
    ...toRates(rates),
    ...(request === undefined ? {} : { request: whole(picoPerCall(request)) }),
    ...(longPrompt === undefined
      ? {}
      : { longPrompt: Object.freeze({ above: longPrompt.above, ...toRates(longPrompt) }) }),
  })
}

function toRates({ input, output, cached, cacheWrite, reasoning }: Rates): Rates {
  return {
    input: whole(picoPerToken(input)),
    output: whole(picoPerToken(output)),
    ...(cached === undefined ? {} : { cached: whole(picoPerToken(cached)) }),
    ...(cacheWrite === undefined ? {} : { cacheWrite: whole(picoPerToken(cacheWrite)) }),
    ...(reasoning === undefined ? {} : { reasoning: whole(picoPerToken(reasoning)) }),
  }
}

function whole(pico: number | undefined): number {
  if (pico === undefined) throw new RangeError("A price of the table is not whole in pico-dollars.")
  return pico
}

function rows(origin: Origin, models: readonly Row[]): PriceRow[] {
  return models.map((row) => ({ ...origin, ...row }))
}

const TABLE: ReadonlyMap<string, Price> = new Map(
  PRICE_TABLE.map((row) => [`${row.provider}/${row.model}`, toPrice(row)]),
)
