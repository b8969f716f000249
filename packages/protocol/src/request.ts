/**
 * The canonical request: the superset of what the five systems' SDKs send, in wire form. Members that only one
 * system knows stand here too, so that nothing is lost on the way; what a given provider is sent is its dialect's
 * decision. Unknown members are kept.
 */
import type { ReasoningDetail } from "./chunk.ts"
import type { ToolCall } from "./completion.ts"
import type { JsonObject } from "./json.ts"

export interface ChatRequest {
  /** OpenRouter's may be left out there (`models`, or the account's default). */
  model?: string
  messages: Message[]
  stream?: boolean
  stream_options?: { include_usage?: boolean | null } | null

  // Sampling
  temperature?: number | null
  top_p?: number | null
  top_k?: number | null
  top_a?: number | null
  min_p?: number | null
  frequency_penalty?: number | null
  presence_penalty?: number | null
  repetition_penalty?: number | null
  seed?: number | null
  logit_bias?: Record<string, number> | null
  logprobs?: boolean | null
  top_logprobs?: number | null

  // Length and number
  max_tokens?: number | null
  max_completion_tokens?: number | null
  n?: number | null
  stop?: string | string[] | null

  // Tools
  tools?: Tool[] | null
  tool_choice?: ToolChoice | null
  parallel_tool_calls?: boolean | null
  functions?: JsonObject[] | null
  function_call?: unknown

  // Form of the answer
  response_format?: ResponseFormat | null
  modalities?: string[] | null
  audio?: { voice?: string; format?: string } | null
  prediction?: JsonObject | null
  verbosity?: string | null

  // Reasoning
  reasoning?: ReasoningOptions | null
  reasoning_effort?: string | null
  include_reasoning?: boolean | null
  /** Orq: `{type, budget_tokens}`. */
  thinking?: JsonObject | null

  // Who and what for
  user?: string | null
  metadata?: JsonObject | null
  store?: boolean | null
  service_tier?: string | null
  prompt_cache_key?: string | null
  prompt_cache_options?: JsonObject | null
  cache_control?: JsonObject | null
  web_search_options?: JsonObject | null

  // OpenRouter
  models?: string[]
  provider?: JsonObject | null
  plugins?: JsonObject[]
  /** A configuration that is kept at OpenRouter, by its slug. */
  preset?: string | null
  route?: string | null
  transforms?: string[]
  session_id?: string
  trace?: JsonObject
  debug?: { echo_upstream_body?: boolean }
  image_config?: JsonObject
  stop_server_tools_when?: JsonObject[]
  usage?: { include?: boolean }

  // Orq
  name?: string
  variables?: JsonObject
  fallbacks?: { model: string }[]
  retry?: { count?: number; on_codes?: number[] }
  cache?: { type: string; ttl?: number }
  load_balancer?: JsonObject
  timeout?: { call_timeout: number }
  guardrails?: JsonObject[]
  /** Orq's older envelope for the above. */
  orq?: JsonObject
}

export type Message = SystemMessage | UserMessage | AssistantRequestMessage | ToolMessage | FunctionMessage

export interface SystemMessage {
  role: "system" | "developer"
  content: string | ContentPart[]
  name?: string
}
export interface UserMessage {
  role: "user"
  content: string | ContentPart[]
  name?: string
}
export interface AssistantRequestMessage {
  role: "assistant"
  content?: string | ContentPart[] | null
  name?: string
  refusal?: string | null
  reasoning?: string | null
  reasoning_content?: string | null
  reasoning_details?: ReasoningDetail[]
  reasoning_signature?: string | null
  redacted_reasoning?: string | null
  tool_calls?: ToolCall[]
  audio?: { id?: string } | null
  images?: JsonObject[]
  function_call?: { name: string; arguments: string } | null
}
export interface ToolMessage {
  role: "tool"
  content: string | ContentPart[]
  tool_call_id?: string
}
export interface FunctionMessage {
  role: "function"
  content: string | null
  name: string
}

/** `text`, `image_url`, `input_audio`, `file`, `video_url`, `refusal`, and whatever a provider adds. */
export interface ContentPart {
  type: string
  text?: string
  image_url?: { url: string; detail?: string }
  input_audio?: { data: string; format: string }
  file?: { file_data?: string; file_id?: string; filename?: string }
  video_url?: { url: string }
  refusal?: string
  cache_control?: JsonObject
}

export interface Tool {
  /** `function`, OpenAI's `custom`, or a server tool such as `openrouter:web_search`. */
  type: string
  function?: FunctionDefinition
  custom?: CustomDefinition
  cache_control?: JsonObject
}
export interface FunctionDefinition {
  name: string
  description?: string
  /** JSON Schema: free-form, never renamed. */
  parameters?: JsonObject
  strict?: boolean | null
}
/** A tool that is given text in place of arguments. */
export interface CustomDefinition {
  name: string
  description?: string
  /** `text`, or a `grammar`. */
  format?: JsonObject
}
export type ToolChoice =
  | "none"
  | "auto"
  | "required"
  | { type?: string; function?: { name?: string }; custom?: { name?: string } }

export type ResponseFormat =
  | { type: "text" }
  | { type: "json_object" }
  | {
      type: "json_schema"
      json_schema: { name: string; description?: string; schema?: JsonObject; strict?: boolean | null }
    }
  | { type: "grammar"; grammar: string }
  | { type: "python" }

export interface ReasoningOptions {
  effort?: string | null
  summary?: string | null
  max_tokens?: number | null
  exclude?: boolean
  enabled?: boolean
}
