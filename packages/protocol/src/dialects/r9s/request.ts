import {
  COMMON_FORMATS,
  COMMON_MEMBERS,
  isFunctionType,
  NOTHING,
  type RequestRules,
} from "../compatible/request-rules.ts"

export const r9sRequest: RequestRules = {
  members: {
    only: new Set([
      ...COMMON_MEMBERS,
      "logit_bias",
      "logprobs",
      "top_logprobs",
      "n",
      "modalities",
      "audio",
      "service_tier",
      "top_k",
      "user",
      "reasoning_effort",
      "store",
      "metadata",
    ]),
  },
  message: { only: new Set(["role", "content", "name", "reasoning_content", "tool_calls", "tool_call_id"]) },
  streamOptions: NOTHING,
  notInside: new Set(["cache_control", "prompt_cache_breakpoint"]),
  reasoningName: "reasoning_content",
  developerRole: false,
  nullContent: true,
  strict: false,
  toolType: isFunctionType,
  formats: COMMON_FORMATS,
  reasoningEfforts: new Set(["low", "medium", "high"]),
  serviceTiers: new Set(["auto", "default"]),
  stringMetadata: false,
}
