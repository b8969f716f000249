/** OpenAI's own shape: `code` is a word, and the status is HTTP's alone. */
import { streamError, type WireError } from "../../error.ts"
import type { JsonObject } from "../../json.ts"
import { errorEnvelope } from "../compatible/write-error.ts"
import type { ChunkEnvelope } from "../dialect.ts"

export function writeOpenaiError({ kind, message, type, param }: WireError): JsonObject {
  return { error: { message, type, param: param ?? null, code: kind } }
}

/** Without `choices`: with an empty array the AI SDK takes it for a chunk and swallows the error. */
export function writeOpenaiErrorChunk(envelope: ChunkEnvelope, error: WireError): JsonObject {
  return { ...errorEnvelope(envelope), error: streamError(error) }
}
