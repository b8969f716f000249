/** OpenAI, and every server that speaks as it does. Unknown members pass, in both directions. */
import { compatibleDialect } from "../compatible/compatible.ts"
import type { RequestRules } from "../compatible/request-rules.ts"
import type { Dialect } from "../dialect.ts"
import { openaiAnswer } from "./chunk.ts"
import { writeOpenaiError, writeOpenaiErrorChunk } from "./error.ts"
import { type RequestQuirks, withQuirks } from "./quirks.ts"
import { openaiRequest } from "./request.ts"

export const openai: Dialect = speaking(openaiRequest)

/** For a server that speaks it otherwise in what it takes. */
export function openaiWith(quirks: RequestQuirks): Dialect {
  return speaking(withQuirks(quirks))
}

function speaking(request: RequestRules): Dialect {
  return compatibleDialect({
    name: "openai",
    answer: openaiAnswer,
    request,
    writeError: writeOpenaiError,
    writeErrorChunk: writeOpenaiErrorChunk,
  })
}
