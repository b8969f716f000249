/** Log probabilities with every member that the strictest clients ask for, or none at all. */
import type { Logprobs, TokenLogprob, TopLogprob } from "../../chunk.ts"
import { isObject, type JsonObject } from "../../json.ts"

/** Undefined when nothing is known: the older `{tokens, token_logprobs}` too. */
export function completeLogprobs(value: unknown): Logprobs | undefined {
  if (!isObject(value)) return undefined
  const content = tokensOf(value["content"])
  const refusal = tokensOf(value["refusal"])
  return content === null && refusal === null ? undefined : { content, refusal }
}

function tokensOf(value: unknown): TokenLogprob[] | null {
  if (!Array.isArray(value)) return null
  return value.filter(isTop).map((token) => {
    const tops: unknown = token["top_logprobs"]
    return {
      ...completeTop(token),
      top_logprobs: Array.isArray(tops) ? tops.filter(isTop).map(completeTop) : [],
    }
  })
}

type Top = JsonObject & { readonly token: string; readonly logprob: number }

function isTop(value: unknown): value is Top {
  return isObject(value) && typeof value["token"] === "string" && typeof value["logprob"] === "number"
}

function completeTop({ token, logprob, bytes }: Top): TopLogprob {
  const whole = Array.isArray(bytes) && bytes.every((byte) => Number.isInteger(byte))
  return { token, logprob, bytes: whole ? bytes : null }
}
