import { type AnswerRules, COMMON_COMPLETION } from "../compatible/answer-rules.ts"
import { COMMON_FINISHES } from "../compatible/finish.ts"

export const openaiAnswer: AnswerRules = {
  extra: "any",
  finishes: COMMON_FINISHES,
  toolIds: "once",
  customTools: true,
  stopReason: "scalar",
  usage: {
    promptDetails: ["cache_write_tokens"],
    completionDetails: ["image_tokens"],
    // It is between us and the provider; only OpenRouter's clients have a place for one.
    cost: false,
    unknown: true,
  },
  completion: COMMON_COMPLETION,
}
