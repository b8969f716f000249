import type { FinishReason } from "../../chunk.ts"
import { type AnswerRules, COMMON_COMPLETION } from "../compatible/answer-rules.ts"
import { COMMON_FINISHES } from "../compatible/finish.ts"
import { openrouterUsage } from "./usage.ts"

export const openrouterAnswer: AnswerRules = {
  extra: {
    envelope: new Set(["provider", "service_tier", "openrouter_metadata", "debug"]),
    choice: new Set(["native_finish_reason", "error"]),
    speech: new Set(["reasoning_details"]),
  },
  finishes: new Set<FinishReason>([...COMMON_FINISHES, "error"]),
  toolIds: "once",
  customTools: false,
  stopReason: "none",
  usage: openrouterUsage,
  completion: { ...COMMON_COMPLETION, systemFingerprint: "always" },
}
