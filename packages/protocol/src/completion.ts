/** The canonical whole answer: what a non-streamed call returns, and what a stream's chunks add up to. */
import type { FinishReason, Logprobs, OpenRouterMetadata, ReasoningDetail } from "./chunk.ts"
import type { StreamError } from "./error.ts"
import type { JsonObject } from "./json.ts"
import type { Usage } from "./usage.ts"

export interface Completion {
  id: string
  object: "chat.completion"
  created: number
  model: string
  choices: CompletionChoice[]
  /** OpenRouter's client wants the key, if only null; every other accepts it. */
  system_fingerprint?: string | null
  service_tier?: string | null
  provider?: string
  usage?: Usage
  error?: StreamError
  openrouter_metadata?: OpenRouterMetadata
  sluice?: JsonObject
}

export interface CompletionChoice {
  index: number
  message: AssistantMessage
  /** Null only while a stream is still running. */
  finish_reason: FinishReason | null
  native_finish_reason?: string | null
  stop_reason?: string | number | JsonObject | null
  logprobs?: Logprobs | null
  error?: StreamError
}

export interface AssistantMessage<Call = ToolCall> {
  role: "assistant"
  content: string | null
  refusal?: string | null
  reasoning?: string | null
  reasoning_content?: string | null
  reasoning_details?: ReasoningDetail[]
  reasoning_signature?: string | null
  redacted_reasoning?: string | null
  tool_calls?: Call[]
  audio?: { id?: string; data?: string; transcript?: string; expires_at?: number } | null
  images?: JsonObject[]
  annotations?: JsonObject[]
  function_call?: { name: string; arguments: string }
}

export type ToolCall = FunctionToolCall | CustomToolCall

/** As all systems know it. */
export interface FunctionToolCall {
  id: string
  type: "function"
  function: { name: string; arguments: string }
  thought_signature?: string
}

/** OpenAI's: what the tool is given is text of any form. */
export interface CustomToolCall {
  id: string
  type: "custom"
  custom: { name: string; input: string }
  thought_signature?: string
}
