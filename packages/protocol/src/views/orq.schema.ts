/** Orq: the streamed chunk, each member with the marks of Orq's own page: a Python page, so wire form is its form. */
import { audioDeltaSchema, logprobsSchema } from "../chunk.schema.ts"
import { integer, list, number, object, oneOf, only, text } from "../values.schema.ts"

const usage = object({
  completion_tokens: number.optional(),
  prompt_tokens: number.optional(),
  total_tokens: number.optional(),
  prompt_tokens_details: object({
    cached_tokens: integer.nullish(),
    audio_tokens: integer.nullish(),
  }).nullish(),
  completion_tokens_details: object({
    reasoning_tokens: number.nullish(),
    accepted_prediction_tokens: number.nullish(),
    rejected_prediction_tokens: number.nullish(),
    audio_tokens: integer.nullish(),
  }).nullish(),
})

/** No index: parallel calls are told apart by their ids. */
const toolCall = object({
  id: text.optional(),
  type: only("function").optional(),
  function: object({ name: text.optional(), arguments: text.optional() }).optional(),
})

const choice = object({
  finish_reason: oneOf("stop", "length", "tool_calls", "content_filter", "function_call").nullable(),
  index: number.optional(),
  logprobs: logprobsSchema.nullish(),
  delta: object({
    content: text.nullish(),
    refusal: text.nullish(),
    tool_calls: list(toolCall).optional(),
    role: only("assistant").optional(),
    reasoning: text.optional(),
    reasoning_signature: text.optional(),
    redacted_reasoning: text.optional(),
    audio: audioDeltaSchema.nullish(),
  }),
})

export const createChatCompletionDataSchema = object({
  id: text.optional(),
  choices: list(choice),
  created: number.optional(),
  model: text.optional(),
  system_fingerprint: text.nullish(),
  usage: usage.optional(),
  object: only("chat.completion.chunk"),
})
