/** OpenRouter: the streamed chunk and its envelope, each member with the marks of OpenRouter's own page, in wire form. */
import { finishReasonSchema, logprobsSchema, reasoningDetailSchema } from "../chunk.schema.ts"
import { integer, list, number, object, only, text } from "../values.schema.ts"

const usage = object({
  completion_tokens: integer,
  prompt_tokens: integer,
  total_tokens: integer,
  completion_tokens_details: object({
    reasoning_tokens: integer.nullish(),
    audio_tokens: integer.nullish(),
    accepted_prediction_tokens: integer.nullish(),
    rejected_prediction_tokens: integer.nullish(),
  }).nullish(),
  prompt_tokens_details: object({
    cached_tokens: integer.optional(),
    cache_write_tokens: integer.optional(),
    audio_tokens: integer.optional(),
    video_tokens: integer.optional(),
  }).nullish(),
})

const toolCall = object({
  index: number,
  id: text.optional(),
  type: only("function").optional(),
  function: object({ name: text.optional(), arguments: text.optional() }).optional(),
})

const choice = object({
  delta: object({
    role: only("assistant").optional(),
    content: text.nullish(),
    reasoning: text.nullish(),
    refusal: text.nullish(),
    tool_calls: list(toolCall).optional(),
    reasoning_details: list(reasoningDetailSchema).optional(),
  }),
  finish_reason: finishReasonSchema.nullish(),
  index: number,
  logprobs: logprobsSchema.nullish(),
})

export const chatStreamingResponseChunkSchema = object({
  id: text,
  choices: list(choice),
  created: number,
  model: text,
  object: only("chat.completion.chunk"),
  system_fingerprint: text.nullish(),
  error: object({ message: text, code: number }).optional(),
  usage: usage.optional(),
})

export const sendChatCompletionRequestResponseBodySchema = object({ data: chatStreamingResponseChunkSchema })
