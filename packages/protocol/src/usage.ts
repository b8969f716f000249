/**
 * Tokens (and, where a system says so, money) of one call, in the words of the wire. All counts are integers.
 * A system that leaves a member out leaves it out here too: absent is not zero.
 */
export interface Usage {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  prompt_tokens_details?: PromptTokensDetails | null
  completion_tokens_details?: CompletionTokensDetails | null
  /** US dollars. OpenRouter. */
  cost?: number | null
  cost_details?: CostDetails | null
  /** OpenRouter: the caller's own provider key was used. */
  is_byok?: boolean
  server_tool_use_details?: ServerToolUseDetails | null
}

export interface PromptTokensDetails {
  cached_tokens?: number
  audio_tokens?: number
  cache_write_tokens?: number
  /** Orq's word for `cache_write_tokens`. */
  cache_creation_tokens?: number | null
  video_tokens?: number
}

export interface CompletionTokensDetails {
  reasoning_tokens?: number | null
  audio_tokens?: number | null
  accepted_prediction_tokens?: number | null
  rejected_prediction_tokens?: number | null
  image_tokens?: number | null
}

export interface CostDetails {
  upstream_inference_cost?: number | null
  upstream_inference_prompt_cost: number
  upstream_inference_completions_cost: number
}

export interface ServerToolUseDetails {
  web_search_requests?: number | null
  tool_calls_requested?: number | null
  tool_calls_executed?: number | null
}
