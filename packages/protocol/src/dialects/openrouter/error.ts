import type { WireError } from "../../error.ts"
import type { JsonObject } from "../../json.ts"
import { writeError, writeErrorChunk } from "../compatible/write-error.ts"
import type { ChunkEnvelope } from "../dialect.ts"

/** What became of the call's routing stands beside the error, not in it. */
export function writeOpenrouterError(error: WireError): JsonObject {
  const { openrouter_metadata, ...metadata } = error.metadata ?? {}
  if (openrouter_metadata === undefined) return writeError(error)
  return { ...writeError({ ...error, metadata }), openrouter_metadata }
}

/** OpenRouter's contract: the error, and a choice that ends by it. Its SDK is the only one that shows both. */
export function writeOpenrouterErrorChunk(envelope: ChunkEnvelope, error: WireError): JsonObject {
  const { openrouter_metadata, ...metadata } = error.metadata ?? {}
  return {
    ...writeErrorChunk(envelope, { ...error, metadata }),
    ...(openrouter_metadata === undefined ? {} : { openrouter_metadata }),
    choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
  }
}
