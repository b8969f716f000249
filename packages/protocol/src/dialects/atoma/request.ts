import type { ChatRequest } from "../../request.ts"
import {
  COMMON_FORMATS,
  COMMON_MEMBERS,
  isFunctionType,
  NOTHING,
  type RequestRules,
} from "../compatible/request-rules.ts"

export const atomaRequest: RequestRules = {
  members: {
    only: new Set([
      ...COMMON_MEMBERS,
      "logit_bias",
      "n",
      "service_tier",
      "user",
      "functions",
      "function_call",
    ]),
  },
  message: { only: new Set(["role", "content", "name", "refusal", "tool_calls", "tool_call_id"]) },
  streamOptions: NOTHING,
  notInside: new Set(["cache_control", "prompt_cache_breakpoint"]),
  reasoningName: "reasoning_content",
  thoughtParts: false,
  developerRole: false,
  nullContent: false,
  strict: true,
  toolType: isFunctionType,
  toolChoices: new Set(["none", "auto"]),
  formats: COMMON_FORMATS,
  stringMetadata: false,
  prepare: inItsWords,
}

/**
 * `stop` is an array there; and where `max_completion_tokens` is missing, its proxy puts 8192, whatever
 * `max_tokens` says.
 */
function inItsWords(request: ChatRequest): ChatRequest {
  const { max_tokens, ...rest } = request
  const prepared: ChatRequest = {
    ...rest,
    max_completion_tokens: request.max_completion_tokens ?? max_tokens,
  }
  if (typeof prepared.stop === "string") prepared.stop = [prepared.stop]
  return prepared
}
