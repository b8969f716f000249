import { compatibleDialect } from "../compatible/compatible.ts"
import type { Dialect } from "../dialect.ts"
import { openrouterAnswer } from "./chunk.ts"
import { writeOpenrouterError, writeOpenrouterErrorChunk } from "./error.ts"
import { openrouterRequest } from "./request.ts"

export const openrouter: Dialect = compatibleDialect({
  name: "openrouter",
  idPrefix: "gen-",
  answer: openrouterAnswer,
  request: openrouterRequest,
  // There, asking has no effect: it is always sent.
  wantsUsage: () => true,
  writeError: writeOpenrouterError,
  writeErrorChunk: writeOpenrouterErrorChunk,
})
