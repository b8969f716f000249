import { type AnswerRules, COMMON_COMPLETION, PLAIN_USAGE } from "../compatible/answer-rules.ts"
import { COMMON_FINISHES } from "../compatible/finish.ts"

export const atomaAnswer: AnswerRules = {
  extra: { envelope: new Set(["service_tier"]), choice: new Set(), speech: new Set() },
  finishes: COMMON_FINISHES,
  // Its SDK throws on a piece without id and type.
  toolIds: "every",
  customTools: false,
  stopReason: "wrapped",
  usage: PLAIN_USAGE,
  completion: { ...COMMON_COMPLETION, content: "string" },
}
