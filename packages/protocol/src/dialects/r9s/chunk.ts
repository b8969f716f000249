import { type AnswerRules, COMMON_COMPLETION, PLAIN_USAGE } from "../compatible/answer-rules.ts"
import { COMMON_FINISHES } from "../compatible/finish.ts"

export const r9sAnswer: AnswerRules = {
  extra: { envelope: new Set(), choice: new Set(), speech: new Set() },
  finishes: COMMON_FINISHES,
  // Its SDKs drop a piece's index: the id is all that keeps parallel calls apart.
  toolIds: "every",
  customTools: false,
  stopReason: "none",
  usage: PLAIN_USAGE,
  completion: { ...COMMON_COMPLETION, finish: "always" },
}
