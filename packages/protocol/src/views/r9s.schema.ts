/** r9s: the streamed chunk and its envelope, each member with the marks of r9s's own page, in wire form. */
import { anyObject, integer, list, number, object, oneOf, only, text } from "../values.schema.ts"

const usage = object({
  prompt_tokens: integer,
  completion_tokens: integer,
  total_tokens: integer,
  prompt_tokens_details: object({
    cached_tokens: integer.optional(),
    audio_tokens: integer.optional(),
  }).optional(),
  completion_tokens_details: object({
    reasoning_tokens: integer.optional(),
    audio_tokens: integer.optional(),
    accepted_prediction_tokens: integer.optional(),
    rejected_prediction_tokens: integer.optional(),
  }).optional(),
})

/** A whole call, and no index: r9s takes the same type in a delta as in a message. */
const toolCall = object({
  id: text,
  type: only("function"),
  function: object({ name: text, arguments: text.optional() }),
})

const choice = object({
  index: number,
  delta: object({
    role: oneOf("system", "user", "assistant").optional(),
    content: text.optional(),
    reasoning_content: text.optional(),
    tool_calls: list(toolCall).optional(),
  }),
  finish_reason: oneOf("stop", "length", "tool_calls", "content_filter").nullish(),
  logprobs: anyObject.optional(),
})

export const chatCompletionStreamEventSchema = object({
  id: text,
  object: only("chat.completion.chunk"),
  created: number,
  model: text,
  choices: list(choice),
  system_fingerprint: text.optional(),
  usage: usage.optional(),
})

export const createChatCompletionResponseBodySchema = object({
  data: chatCompletionStreamEventSchema,
  id: text.optional(),
  event: text.optional(),
  retry: number.optional(),
})
