/**
 * The canonical streamed chunk: the superset of what r9s, OpenRouter, Atoma, Orq and OpenAI stream, in wire
 * form (snake_case). Each system's own chunk is a view of it (see the sdk's `models`), and each dialect writes it
 * so that the system's SDKs accept it (see `dialects/`).
 *
 * Inside, one rule holds: a member that has nothing to say is absent. Only `content`, `refusal`, `logprobs` and
 * `finish_reason` may be null, because every client accepts null there. Reasoning text stands under `reasoning`
 * alone; writers repeat it under the names their clients look for.
 */
import type { StreamError } from "./error.ts"
import type { JsonObject } from "./json.ts"
import type { Usage } from "./usage.ts"

export interface Chunk<Call = ToolCallDelta> {
  id: string
  object: "chat.completion.chunk"
  /** Unix seconds, an integer. */
  created: number
  model: string
  /** Empty on the chunk that carries usage, and on an error at every mount but OpenRouter's. */
  choices: ChunkChoice<Call>[]
  system_fingerprint?: string
  service_tier?: string
  /** OpenRouter: the provider that answered. */
  provider?: string
  usage?: Usage
  error?: StreamError
  openrouter_metadata?: OpenRouterMetadata
  /** OpenRouter: the echoed upstream body, on a first chunk of its own. */
  debug?: JsonObject
  /** What Sluice has to say of its own, on a final chunk: a continuation, say. */
  sluice?: JsonObject
}

export interface ChunkChoice<Call = ToolCallDelta> {
  index: number
  delta: Delta<Call>
  finish_reason: FinishReason | null
  /** The provider's own word, where a system passes it on. */
  native_finish_reason?: string | null
  stop_reason?: string | number | JsonObject | null
  logprobs?: Logprobs | null
  error?: StreamError
}

/** `error` is OpenRouter's alone: the other systems' clients refuse it. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call" | "error"

export interface Delta<Call = ToolCallDelta> {
  role?: "assistant"
  content?: string | null
  refusal?: string | null
  reasoning?: string | null
  /** The same text under the name that r9s and Atoma read. */
  reasoning_content?: string | null
  reasoning_details?: ReasoningDetail[]
  reasoning_signature?: string | null
  redacted_reasoning?: string | null
  tool_calls?: Call[]
  audio?: AudioDelta | null
  images?: JsonObject[]
  annotations?: JsonObject[]
  /** OpenAI's form of before 2023-11. */
  function_call?: { name?: string; arguments?: string }
}

export interface ToolCallDelta extends Omit<FunctionCallDelta, "type"> {
  type?: "function" | "custom"
  /** OpenAI: of a custom tool, in `function`'s place. What it is given is text of any form. */
  custom?: { name?: string; input?: string }
}

/** As all systems know it. */
export interface FunctionCallDelta {
  /** Which of several parallel calls this piece belongs to. */
  index: number
  id?: string
  type?: "function"
  function?: { name?: string; arguments?: string }
  thought_signature?: string
}

export interface AudioDelta {
  id?: string
  data?: string
  transcript?: string
  expires_at?: number
}

export interface Logprobs {
  content: TokenLogprob[] | null
  refusal: TokenLogprob[] | null
}

export interface TokenLogprob extends TopLogprob {
  top_logprobs: TopLogprob[]
}

export interface TopLogprob {
  token: string
  logprob: number
  bytes: number[] | null
}

export type ReasoningDetail = ReasoningSummary | ReasoningEncrypted | ReasoningText | ReasoningServerToolCall

interface ReasoningDetailBase {
  id?: string | null
  format?: string | null
  index?: number
}
export interface ReasoningSummary extends ReasoningDetailBase {
  type: "reasoning.summary"
  summary: string
}
export interface ReasoningEncrypted extends ReasoningDetailBase {
  type: "reasoning.encrypted"
  data: string
}
export interface ReasoningText extends ReasoningDetailBase {
  type: "reasoning.text"
  text?: string | null
  signature?: string | null
}
export interface ReasoningServerToolCall extends ReasoningDetailBase {
  type: "reasoning.server_tool_call"
  tool_name: string
  arguments: string
  result: string
  tool_call_id?: string
}

export interface OpenRouterMetadata {
  requested: string
  strategy: string
  region: string | null
  summary: string
  attempt: number
  is_byok: boolean
  endpoints: { total: number; available: { provider: string; model: string; selected: boolean }[] }
  attempts?: { provider: string; model: string; status: number }[]
  params?: JsonObject
  pipeline?: JsonObject[]
}
