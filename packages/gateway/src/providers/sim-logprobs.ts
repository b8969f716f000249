import type { ChatRequest, TokenLogprob } from "@sluice/protocol"
import type { SimScript } from "./sim-grammar.ts"
import { createRandom, pick, STORY_WORDS } from "./sim-text.ts"

/** Plausible, complete, and the same every time; undefined where the request asks for none. */
export function createLogprobs(
  request: ChatRequest,
  script: SimScript,
): ((token: string) => TokenLogprob) | undefined {
  if (request.logprobs !== true) return undefined
  const others = Math.min(20, Math.max(0, Math.trunc(request.top_logprobs ?? 0))) - 1
  const random = createRandom(`logprobs ${script.name} ${script.seed}`)
  const weighed = (token: string, logprob: number) => ({ token, logprob, bytes: [...Buffer.from(token)] })
  return (token) => {
    let logprob = -random()
    const chosen = weighed(token, logprob)
    const top = others < 0 ? [] : [chosen]
    const taken = new Set([token])
    while (top.length <= others) {
      const other = ` ${pick(STORY_WORDS, random)}`
      if (taken.has(other)) continue
      taken.add(other)
      logprob -= 0.1 + random()
      top.push(weighed(other, logprob))
    }
    return { ...chosen, top_logprobs: top }
  }
}
