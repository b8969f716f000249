import { streamErrorSchema } from "./error.schema.ts"
import { usageSchema } from "./usage.schema.ts"
import {
  anyObject,
  boolean,
  byMember,
  either,
  integer,
  list,
  number,
  object,
  oneOf,
  only,
  text,
} from "./values.schema.ts"

export const finishReasonSchema = oneOf(
  "stop",
  "length",
  "tool_calls",
  "content_filter",
  "function_call",
  "error",
)

export const stopReasonSchema = either("a string, a number or an object", text, number, anyObject)

export const topLogprobSchema = object({
  token: text,
  logprob: number,
  bytes: list(integer).nullable(),
})
export const tokenLogprobSchema = object({ ...topLogprobSchema.shape, top_logprobs: list(topLogprobSchema) })
export const logprobsSchema = object({
  content: list(tokenLogprobSchema).nullable(),
  refusal: list(tokenLogprobSchema).nullable(),
})

const reasoningBase = { id: text.nullish(), format: text.nullish(), index: integer.optional() }
export const reasoningDetailSchema = byMember(
  "type",
  ["reasoning.summary", "reasoning.encrypted", "reasoning.text", "reasoning.server_tool_call"],
  [
    object({ ...reasoningBase, type: only("reasoning.summary"), summary: text }),
    object({ ...reasoningBase, type: only("reasoning.encrypted"), data: text }),
    object({
      ...reasoningBase,
      type: only("reasoning.text"),
      text: text.nullish(),
      signature: text.nullish(),
    }),
    object({
      ...reasoningBase,
      type: only("reasoning.server_tool_call"),
      tool_name: text,
      arguments: text,
      result: text,
      tool_call_id: text.optional(),
    }),
  ],
)

export const audioDeltaSchema = object({
  id: text.optional(),
  data: text.optional(),
  transcript: text.optional(),
  expires_at: integer.optional(),
})

const functionDeltaSchema = object({ name: text.optional(), arguments: text.optional() })

export const toolCallDeltaSchema = object({
  index: integer,
  id: text.optional(),
  type: oneOf("function", "custom").optional(),
  function: functionDeltaSchema.optional(),
  custom: object({ name: text.optional(), input: text.optional() }).optional(),
  thought_signature: text.optional(),
})

export const deltaSchema = object({
  role: only("assistant").optional(),
  content: text.nullish(),
  refusal: text.nullish(),
  reasoning: text.nullish(),
  reasoning_content: text.nullish(),
  reasoning_details: list(reasoningDetailSchema).optional(),
  reasoning_signature: text.nullish(),
  redacted_reasoning: text.nullish(),
  tool_calls: list(toolCallDeltaSchema).optional(),
  audio: audioDeltaSchema.nullish(),
  images: list(anyObject).optional(),
  annotations: list(anyObject).optional(),
  function_call: functionDeltaSchema.optional(),
})

export const openRouterMetadataSchema = object({
  requested: text,
  strategy: text,
  region: text.nullable(),
  summary: text,
  attempt: integer,
  is_byok: boolean,
  endpoints: object({
    total: integer,
    available: list(object({ provider: text, model: text, selected: boolean })),
  }),
  attempts: list(object({ provider: text, model: text, status: integer })).optional(),
  params: anyObject.optional(),
  pipeline: list(anyObject).optional(),
})

export const chunkChoiceSchema = object({
  index: integer,
  delta: deltaSchema,
  finish_reason: finishReasonSchema.nullable(),
  native_finish_reason: text.nullish(),
  stop_reason: stopReasonSchema.nullish(),
  logprobs: logprobsSchema.nullish(),
  error: streamErrorSchema.optional(),
})

export const chunkSchema = object({
  id: text,
  object: only("chat.completion.chunk"),
  created: integer,
  model: text,
  choices: list(chunkChoiceSchema),
  system_fingerprint: text.optional(),
  service_tier: text.optional(),
  provider: text.optional(),
  usage: usageSchema.optional(),
  error: streamErrorSchema.optional(),
  openrouter_metadata: openRouterMetadataSchema.optional(),
  debug: anyObject.optional(),
  sluice: anyObject.optional(),
})
