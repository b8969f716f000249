/** Atoma: the streamed chunk and its envelope, each member with the marks of Atoma's own page, in wire form. */
import { either, integer, list, number, object, text } from "../values.schema.ts"

const usage = object({
  completion_tokens: integer,
  prompt_tokens: integer,
  total_tokens: integer,
  prompt_tokens_details: object({ audio_tokens: integer, cached_tokens: integer }).nullish(),
})

const toolCall = object({
  id: text,
  index: integer,
  type: text,
  function: object({ name: text.nullish(), arguments: text.nullish() }).nullish(),
})

const logprobs = object({
  content: list(
    object({
      top_logprobs: list(object({ token: text, logprob: number, bytes: list(integer).nullish() })),
    }),
  ).nullish(),
})

const choice = object({
  delta: object({
    content: text.nullish(),
    reasoning_content: text.nullish(),
    role: text.nullish(),
    tool_calls: list(toolCall).nullish(),
  }),
  finish_reason: text.nullish(),
  index: integer,
  logprobs: logprobs.nullish(),
  stop_reason: either(
    "an object with Int or String",
    object({ Int: integer }),
    object({ String: text }),
  ).nullish(),
})

export const chatCompletionChunkSchema = object({
  choices: list(choice),
  created: integer,
  id: text,
  model: text,
  object: text,
  usage: usage.nullish(),
})

export const chatCompletionsCreateStreamResponseBodySchema = object({ data: chatCompletionChunkSchema })
