/** What each system takes in a request, as data. How it is applied: write-request.ts. */
import type { JsonObject } from "../../json.ts"
import type { ChatRequest } from "../../request.ts"

export interface RequestRules {
  readonly members: Accepted
  /** Of a message. */
  readonly message: Accepted
  /** Beside `include_usage`, which all take and which is always sent. */
  readonly streamOptions: Accepted
  /** Members of messages, content parts and tools that are another vendor's: `cache_control`, say. */
  readonly notInside: ReadonlySet<string>
  /** Where an assistant's reasoning goes when it is sent back. */
  readonly reasoningName: "reasoning" | "reasoning_content"
  /** It knows content parts of the types `reasoning` and `redacted_reasoning`. */
  readonly thoughtParts: boolean
  readonly developerRole: boolean
  /** Atoma's proxy answers 400 to `content: null`. */
  readonly nullContent: boolean
  /** `strict` on functions and schemas. */
  readonly strict: boolean
  /** Whether a tool or a tool choice of this type is known: `function`, OpenRouter's `openrouter:web_search`. */
  readonly toolType: (type: string) => boolean
  readonly toolChoices?: ReadonlySet<string>
  /** Of `response_format`; left out, any type. */
  readonly formats?: ReadonlySet<string>
  readonly reasoningEfforts?: ReadonlySet<string>
  readonly serviceTiers?: ReadonlySet<string>
  /** Two vendors mean different things by `plugins`. */
  readonly plugin?: (id: string) => boolean
  /** So they do by `web_search_options`: Orq switches a search on, everybody else says how to search. */
  readonly webSearch?: (options: JsonObject) => boolean
  /** `metadata` maps to strings only. */
  readonly stringMetadata: boolean
  /** `false`: it reports its usage unasked, and refuses `stream_options`. */
  readonly asksUsage?: boolean
  readonly prefill?: PrefillMark
  /** What cannot be said as data: a member that goes under another name. */
  readonly prepare?: (request: ChatRequest) => ChatRequest
}

/** What some systems want to see before they go on with an assistant's turn: on that message, or on the request. */
export interface PrefillMark {
  readonly on: "message" | "request"
  readonly members: JsonObject
}

/** A closed list of names, or all but those of one. */
export type Accepted = { readonly only: ReadonlySet<string> } | { readonly allBut: ReadonlySet<string> }

export const NOTHING: Accepted = { only: new Set() }
export const ANYTHING: Accepted = { allBut: new Set() }

export function accepts(accepted: Accepted, name: string): boolean {
  return "only" in accepted ? accepted.only.has(name) : !accepted.allBut.has(name)
}

/** All five take these. */
export const COMMON_MEMBERS = [
  "model",
  "messages",
  "stream",
  "stream_options",
  "temperature",
  "top_p",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "max_tokens",
  "max_completion_tokens",
  "stop",
  "response_format",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
] as const satisfies readonly (keyof ChatRequest)[]

export const COMMON_FORMATS: ReadonlySet<string> = new Set(["text", "json_object", "json_schema"])

export function isFunctionType(type: string): boolean {
  return type === "function"
}

/** Orq's plugins; every other is OpenRouter's. */
export const ORQ_PLUGINS: ReadonlySet<string> = new Set([
  "pii_redaction",
  "response_healing",
  "trace_scrubbing",
])

/** Orq's `web_search_options`. */
export function switchesSearchOn(options: JsonObject): boolean {
  return "enabled" in options
}
