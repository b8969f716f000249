import { compatibleDialect } from "../compatible/compatible.ts"
import type { Dialect } from "../dialect.ts"
import { atomaAnswer } from "./chunk.ts"
import { atomaRequest } from "./request.ts"

export const atoma: Dialect = compatibleDialect({
  name: "atoma",
  answer: atomaAnswer,
  request: atomaRequest,
  // Its SDK loses events that arrive together unless a comment longer than all of them stands before `[DONE]`.
  padBeforeDone: true,
})
