import { boolean, integer, number, object } from "./values.schema.ts"

export const promptTokensDetailsSchema = object({
  cached_tokens: integer.optional(),
  audio_tokens: integer.optional(),
  cache_write_tokens: integer.optional(),
  cache_creation_tokens: integer.nullish(),
  video_tokens: integer.optional(),
})

export const completionTokensDetailsSchema = object({
  reasoning_tokens: integer.nullish(),
  audio_tokens: integer.nullish(),
  accepted_prediction_tokens: integer.nullish(),
  rejected_prediction_tokens: integer.nullish(),
  image_tokens: integer.nullish(),
})

export const costDetailsSchema = object({
  upstream_inference_cost: number.nullish(),
  upstream_inference_prompt_cost: number,
  upstream_inference_completions_cost: number,
})

export const usageSchema = object({
  prompt_tokens: integer,
  completion_tokens: integer,
  total_tokens: integer,
  prompt_tokens_details: promptTokensDetailsSchema.nullish(),
  completion_tokens_details: completionTokensDetailsSchema.nullish(),
  cost: number.nullish(),
  cost_details: costDetailsSchema.nullish(),
  is_byok: boolean.optional(),
  server_tool_use_details: object({
    web_search_requests: integer.nullish(),
    tool_calls_requested: integer.nullish(),
    tool_calls_executed: integer.nullish(),
  }).nullish(),
})
