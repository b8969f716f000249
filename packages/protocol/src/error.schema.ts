import { boolean, integer, object, text } from "./values.schema.ts"

export const streamErrorSchema = object({
  code: integer,
  message: text,
  type: text.optional(),
  param: text.nullish(),
  metadata: object({
    error_type: text,
    retryable: boolean.optional(),
    provider_code: text.nullish(),
  }).optional(),
})
