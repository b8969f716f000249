import { type AnswerRules, COMMON_COMPLETION } from "../compatible/answer-rules.ts"
import { COMMON_FINISHES } from "../compatible/finish.ts"

export const orqAnswer: AnswerRules = {
  extra: {
    envelope: new Set(),
    choice: new Set(),
    speech: new Set(["reasoning_signature", "redacted_reasoning"]),
  },
  // A closed list in its SDKs: any other word throws.
  finishes: COMMON_FINISHES,
  // Its older SDK drops a piece's index, as r9s' does.
  toolIds: "every",
  customTools: false,
  stopReason: "none",
  usage: { promptDetails: ["cache_creation_tokens"], completionDetails: [], cost: false, unknown: false },
  completion: COMMON_COMPLETION,
}
