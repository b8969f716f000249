import {
  audioDeltaSchema,
  finishReasonSchema,
  logprobsSchema,
  openRouterMetadataSchema,
  reasoningDetailSchema,
  stopReasonSchema,
} from "./chunk.schema.ts"
import { streamErrorSchema } from "./error.schema.ts"
import { usageSchema } from "./usage.schema.ts"
import { anyObject, byMember, integer, list, object, only, text } from "./values.schema.ts"

const calledFunctionSchema = object({ name: text, arguments: text })

export const functionToolCallSchema = object({
  id: text,
  type: only("function"),
  function: calledFunctionSchema,
  thought_signature: text.optional(),
})
const customToolCallSchema = object({
  id: text,
  type: only("custom"),
  custom: object({ name: text, input: text }),
  thought_signature: text.optional(),
})
export const toolCallSchema = byMember(
  "type",
  ["function", "custom"],
  [functionToolCallSchema, customToolCallSchema],
)

export const assistantMessageSchema = object({
  role: only("assistant"),
  content: text.nullable(),
  refusal: text.nullish(),
  reasoning: text.nullish(),
  reasoning_content: text.nullish(),
  reasoning_details: list(reasoningDetailSchema).optional(),
  reasoning_signature: text.nullish(),
  redacted_reasoning: text.nullish(),
  tool_calls: list(toolCallSchema).optional(),
  audio: audioDeltaSchema.nullish(),
  images: list(anyObject).optional(),
  annotations: list(anyObject).optional(),
  function_call: calledFunctionSchema.optional(),
})

export const completionChoiceSchema = object({
  index: integer,
  message: assistantMessageSchema,
  finish_reason: finishReasonSchema.nullable(),
  native_finish_reason: text.nullish(),
  stop_reason: stopReasonSchema.nullish(),
  logprobs: logprobsSchema.nullish(),
  error: streamErrorSchema.optional(),
})

export const completionSchema = object({
  id: text,
  object: only("chat.completion"),
  created: integer,
  model: text,
  choices: list(completionChoiceSchema),
  system_fingerprint: text.nullish(),
  service_tier: text.nullish(),
  provider: text.optional(),
  usage: usageSchema.optional(),
  error: streamErrorSchema.optional(),
  openrouter_metadata: openRouterMetadataSchema.optional(),
  sluice: anyObject.optional(),
})
