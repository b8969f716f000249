import type { WireError } from "../../error.ts"
import type { JsonObject } from "../../json.ts"
import { writeErrorChunk } from "../compatible/write-error.ts"
import type { ChunkEnvelope } from "../dialect.ts"

/** OpenRouter's contract: the error, and a choice that ends by it. Its SDK is the only one that shows both. */
export function writeOpenrouterErrorChunk(envelope: ChunkEnvelope, error: WireError): JsonObject {
  return {
    ...writeErrorChunk(envelope, error),
    choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
  }
}
