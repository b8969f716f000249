import { isObject, type JsonObject } from "../../json.ts"
import type { ChatRequest } from "../../request.ts"
import { readRequest } from "../compatible/read-request.ts"
import {
  COMMON_FORMATS,
  COMMON_MEMBERS,
  isFunctionType,
  NOTHING,
  ORQ_PLUGINS,
  type RequestRules,
  switchesSearchOn,
} from "../compatible/request-rules.ts"

export const orqRequest: RequestRules = {
  members: {
    only: new Set([
      ...COMMON_MEMBERS,
      "metadata",
      "name",
      "audio",
      "logprobs",
      "top_logprobs",
      "n",
      "reasoning_effort",
      "verbosity",
      "thinking",
      "top_k",
      "modalities",
      "guardrails",
      "plugins",
      "fallbacks",
      "retry",
      "cache",
      "load_balancer",
      "timeout",
      "variables",
      "cache_control",
      "prompt_cache_key",
      "orq",
      // Its older SDK's.
      "web_search_options",
    ]),
  },
  message: { allBut: new Set(["reasoning_details", "images", "function_call"]) },
  streamOptions: NOTHING,
  notInside: new Set(["prompt_cache_breakpoint"]),
  reasoningName: "reasoning_content",
  thoughtParts: true,
  developerRole: true,
  nullContent: true,
  strict: true,
  toolType: isFunctionType,
  formats: COMMON_FORMATS,
  reasoningEfforts: new Set(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
  plugin: (id) => ORQ_PLUGINS.has(id),
  webSearch: switchesSearchOn,
  stringMetadata: true,
}

/** What used to stand in the envelope `orq` stands beside it now; a request that says both means the newer. */
export function readOrqRequest(body: JsonObject): ChatRequest {
  const request = readRequest(body)
  const envelope = body["orq"]
  if (!isObject(envelope)) return request
  const hoisted: Record<string, unknown> = {}
  for (const name of ONCE_IN_ENVELOPE) {
    if (envelope[name] !== undefined && (request[name] ?? undefined) === undefined)
      hoisted[name] = envelope[name]
  }
  return { ...request, ...hoisted }
}

const ONCE_IN_ENVELOPE = ["fallbacks", "retry", "cache", "load_balancer", "timeout", "name"] as const
