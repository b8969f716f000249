/**
 * Errors as every client but OpenAI's reads them: `code` is the HTTP status, because OpenRouter's SDKs throw on
 * text, and the machine's word is `metadata.error_type`. No `status` member: r9s' SDKs want it as text or not at all.
 */
import { streamError, type WireError } from "../../error.ts"
import type { JsonObject } from "../../json.ts"
import type { ChunkEnvelope } from "../dialect.ts"
import { wholeSeconds } from "./members.ts"

export function writeError(error: WireError): JsonObject {
  const { code, message, type, metadata } = streamError(error)
  return { error: { message, type, param: error.param ?? null, code, metadata } }
}

/** A chunk like any other: what stands in `error` is dropped by most clients, but none throws on it. */
export function writeErrorChunk(envelope: ChunkEnvelope, error: WireError): JsonObject {
  return { ...errorEnvelope(envelope), choices: [], error: streamError(error) }
}

export function errorEnvelope({ id, created, model }: ChunkEnvelope): JsonObject {
  return { id, object: "chat.completion.chunk", created: wholeSeconds(created), model }
}
