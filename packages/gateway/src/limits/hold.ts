/**
 * A hold reserves the highest that a call may cost; settling releases it (ledger/entry.ts). It is taken before the provider is
 * asked; where nothing could refuse it, it is drafted, and entered a moment later with the row.
 *
 *   input    bounded by the prompt's bytes and what the model has shown; counted exactly only when that bound would refuse
 *   output   the caller's cap; without one 4,096 tokens, extended as the answer grows
 */
import type { ChatRequest } from "@sluice/protocol"
import { GatewayError } from "../gateway-error.ts"
import { highestCost, type Price } from "../ledger/price.ts"
import type { Rates, Refusal } from "../store/admission.ts"
import type { OpenCall } from "../store/call-record.ts"
import type { Store } from "../store/store.ts"
import { countTokens } from "../tokens/count.ts"
import { completionBound, type PromptSize, promptSize, UNCAPPED_COMPLETION } from "./bound.ts"
import type { Ratios } from "./ratios.ts"

export interface HoldRequest {
  readonly call: Omit<OpenCall, "hold">
  readonly request: ChatRequest
  /** Whoever may be asked, with what it costs and the name under which its ratio is learned. */
  readonly candidates: readonly { readonly price: Price | undefined; readonly name: string }[]
  readonly unpriced: "refuse" | "allow"
}

export interface Hold {
  readonly rates: Rates
  /** What its provider counted, for the holds to come. */
  learn(name: string, promptTokens: number): void
  /**
   * The answer has so many tokens now, roughly; `measure` says how many each of these is, and is asked once, before a
   * caller is cut off. False: the hold could not be extended to cover more.
   */
  covers(roughTokens: number, measure: () => Promise<number>): Promise<boolean>
}

export interface Holds {
  /** Writes the call's row with its hold; refuses with 401, 402 or 429. */
  take(wanted: HoldRequest): Promise<Hold>
  /** For a call that nothing could refuse: the row is left to the caller, who posts it. */
  draft(wanted: HoldRequest): { readonly call: OpenCall; readonly hold: Hold }
}

export function createHolds(store: Pick<Store, "openCall" | "extendHold">, ratios: Ratios): Holds {
  const promptOf = ({ candidates }: HoldRequest, size: PromptSize): number =>
    Math.max(...candidates.map(({ name }) => ratios.promptBound(name, size)))

  return {
    async take(wanted) {
      const { request } = wanted
      const size = promptSize(request)
      let prompt = promptOf(wanted, size)
      let admission = await store.openCall(withHold(wanted, prompt))
      if (!admission.admitted && isForCounting(admission.refusal)) {
        const counted =
          (await countTokens(textsOf(request))) + size.mediaTokens + PROMPT_OVERHEAD * request.messages.length
        if (counted < prompt) {
          prompt = counted
          admission = await store.openCall(withHold(wanted, prompt))
        }
      }
      if (!admission.admitted) throw refusalOf(admission.refusal, admission.rates)
      return holdOf(wanted, size, prompt, admission.rates)
    },
    draft(wanted) {
      const size = promptSize(wanted.request)
      const prompt = promptOf(wanted, size)
      return { call: withHold(wanted, prompt), hold: holdOf(wanted, size, prompt, {}) }
    },
  }

  function holdOf(
    { call, request, candidates }: HoldRequest,
    size: PromptSize,
    prompt: number,
    rates: Rates,
  ): Hold {
    let completion = completionBound(request)
    const capped = (request.max_completion_tokens ?? request.max_tokens) != null
    let extending: Promise<boolean | undefined> | undefined
    let scale = 1
    let isMeasured = false
    return {
      rates,
      learn: (name, promptTokens) => ratios.learn(name, size, promptTokens),
      async covers(roughTokens, measure) {
        if (capped || roughTokens * scale + EXTEND_BEFORE < completion) return true
        extending ??= extend()
        const extended = await extending
        if (extended === true) return true
        if (!isMeasured) {
          isMeasured = true
          scale = Math.min(1, await measure())
        }
        // What is held may still be used up, and one extension besides while the database does not answer.
        const most = extended === false ? completion : completion + UNCAPPED_COMPLETION
        return roughTokens * scale + LOOKED_AT_EVERY < most
      },
    }

    /** Undefined: nobody knows. */
    async function extend(): Promise<boolean | undefined> {
      const more = completion + UNCAPPED_COMPLETION
      const amount = amountOf(candidates, prompt, more)
      try {
        const extended =
          amount === null ? { admitted: true } : await store.extendHold(call.id, amount, Date.now())
        if (extended.admitted) completion = more
        return extended.admitted
      } catch {
        return undefined
      } finally {
        extending = undefined
      }
    }
  }
}

function withHold({ call, request, candidates, unpriced }: HoldRequest, prompt: number): OpenCall {
  const completion = completionBound(request)
  const amount = amountOf(candidates, prompt, completion)
  return { ...call, hold: { amount, tokens: prompt + completion, unpriced } }
}

/** Asked for before it is needed, so that the answer need not wait. */
const EXTEND_BEFORE = 512
/** Tokens that come before `covers` is asked again. */
const LOOKED_AT_EVERY = 64
/** Roles and separators, which no text shows. */
const PROMPT_OVERHEAD = 8

/** The dearest candidate decides: any of them may be the one that answers. Null: one has no price. */
function amountOf(candidates: HoldRequest["candidates"], prompt: number, completion: number): bigint | null {
  let amount = 0n
  for (const { price } of candidates) {
    if (price === undefined) return null
    const cost = highestCost(prompt, completion, price)
    if (cost > amount) amount = cost
  }
  return amount
}

function isForCounting(refusal: Refusal): boolean {
  return refusal.reason === "budget" || refusal.reason === "tokens"
}

/** Everything in a request that is text and reaches the model. */
export function textsOf(request: ChatRequest): string[] {
  const texts: string[] = []
  for (const { content, ...rest } of request.messages) {
    if (typeof content === "string") texts.push(content)
    else if (Array.isArray(content))
      for (const part of content) if (typeof part.text === "string") texts.push(part.text)
    if ("tool_calls" in rest && rest.tool_calls !== undefined) texts.push(JSON.stringify(rest.tool_calls))
  }
  if (request.tools != null && request.tools.length > 0) texts.push(JSON.stringify(request.tools))
  if (request.response_format?.type === "json_schema")
    texts.push(JSON.stringify(request.response_format.json_schema))
  return texts
}

function refusalOf(refusal: Refusal, rates: Rates): GatewayError {
  const now = Date.now()
  switch (refusal.reason) {
    case "unknown_key":
    case "disabled_key":
    case "expired_key":
    case "ended":
      return new GatewayError("invalid_api_key", "The API key is not valid any more.")
    case "unpriced":
      return new GatewayError(
        "unpriced_model",
        `The ${refusal.scope}'s budget needs a price for this model, and there is none. Set one under 'prices:', or 'unpriced: allow'.`,
      )
    case "budget": {
      const when =
        refusal.resetAt === null ? "" : ` It begins anew at ${new Date(refusal.resetAt).toISOString()}.`
      return new GatewayError(
        "payment_required",
        `The ${refusal.scope}'s budget of ${usd(refusal.amount)} USD does not cover this call: ${usd(refusal.spent)} USD are spent and ${usd(refusal.held)} USD held by running calls.${when}`,
      )
    }
    case "requests":
    case "tokens":
      return new GatewayError(
        "rate_limit_exceeded",
        `The key's limit of ${refusal.limit.toLocaleString("en-US")} ${refusal.reason} a minute is reached.`,
        { retryAfter: Math.max(1, Math.ceil((refusal.retryAt - now) / 1_000)) },
        rateHeaders(rates, now),
      )
    case "parallel":
      return new GatewayError(
        "rate_limit_exceeded",
        `The key's limit of ${refusal.limit.toLocaleString("en-US")} calls at the same time is reached.`,
        { retryAfter: 1 },
        rateHeaders(rates, now),
      )
  }
}

/** `x-ratelimit-*`, as OpenAI's clients know them; only for limits that the key has. */
export function rateHeaders(rates: Rates, now: number): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of ["requests", "tokens"] as const) {
    const rate = rates[name]
    if (rate === undefined) continue
    headers[`x-ratelimit-limit-${name}`] = String(rate.limit)
    headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, rate.remaining))
    headers[`x-ratelimit-reset-${name}`] = `${Math.max(0, Math.ceil((rate.resetAt - now) / 1_000))}s`
  }
  return headers
}

function usd(nano: bigint): string {
  return (Number(nano) / 1e9).toFixed(6).replace(/0{1,4}$/, "")
}
