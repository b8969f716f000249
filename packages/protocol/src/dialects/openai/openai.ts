/** OpenAI, and every server that speaks as it does. Unknown members pass, in both directions. */
import { compatibleDialect } from "../compatible/compatible.ts"
import type { Dialect } from "../dialect.ts"
import { openaiAnswer } from "./chunk.ts"
import { writeOpenaiError, writeOpenaiErrorChunk } from "./error.ts"
import { openaiRequest } from "./request.ts"

export const openai: Dialect = compatibleDialect({
  name: "openai",
  answer: openaiAnswer,
  request: openaiRequest,
  writeError: writeOpenaiError,
  writeErrorChunk: writeOpenaiErrorChunk,
})
