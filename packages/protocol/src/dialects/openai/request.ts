import { ANYTHING, type RequestRules, switchesSearchOn } from "../compatible/request-rules.ts"

/** Anything goes, but for what is another vendor's own. */
export const openaiRequest: RequestRules = {
  members: {
    allBut: new Set([
      // OpenRouter's; `reasoning` is said as `reasoning_effort`.
      "reasoning",
      "models",
      "provider",
      "plugins",
      "preset",
      "route",
      "transforms",
      "session_id",
      "trace",
      "debug",
      "image_config",
      "stop_server_tools_when",
      "usage",
      "prompt_cache_options",
      // Orq's.
      "name",
      "variables",
      "fallbacks",
      "retry",
      "cache",
      "load_balancer",
      "timeout",
      "guardrails",
      "orq",
    ]),
  },
  message: { allBut: new Set(["reasoning_details", "reasoning_signature", "redacted_reasoning", "images"]) },
  streamOptions: ANYTHING,
  notInside: new Set(["prompt_cache_breakpoint"]),
  reasoningName: "reasoning_content",
  thoughtParts: false,
  developerRole: true,
  nullContent: true,
  strict: true,
  toolType: (type) => !type.startsWith("openrouter:"),
  webSearch: (options) => !switchesSearchOn(options),
  stringMetadata: false,
}
