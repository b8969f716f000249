/**
 * A dialect is a wire language, as data at the edge: pure functions, no I/O, no clock. Each speaks both ways:
 *
 *   client side     how that system's SDKs are listened to and answered (we are the server)
 *   provider side   how that system is asked and listened to (we are the client)
 *
 * Between the two stands the canonical model (chunk.ts, completion.ts, request.ts, error.ts). Readers of the
 * provider side are forgiving; writers of the client side are strict, because the SDKs at the other end are.
 * What each must emit and why: docs/dialects.md.
 */
import type { Chunk } from "../chunk.ts"
import type { Completion } from "../completion.ts"
import type { WireError } from "../error.ts"
import type { JsonObject } from "../json.ts"
import type { ChatRequest } from "../request.ts"

export type DialectName = "openai" | "openrouter" | "r9s" | "atoma" | "orq" | "anthropic"

export interface Dialect {
  readonly name: DialectName

  // ── client side ──

  /** A validated body → the canonical request. */
  readRequest(body: JsonObject): ChatRequest
  /** Usage goes to clients who asked for it (to OpenRouter's always). */
  wantsUsage(request: ChatRequest): boolean
  /** One per stream: some clients need what earlier chunks said (repeated tool-call ids). */
  createChunkWriter(): ChunkWriter
  writeCompletion(completion: Completion): JsonObject
  /** The body of an error answer before the stream. */
  writeError(error: WireError): JsonObject
  /** The last event of a stream that did not finish. */
  writeErrorChunk(envelope: ChunkEnvelope, error: WireError): JsonObject
  /** Atoma's SDK loses events unless a long comment stands before `[DONE]`. */
  readonly padBeforeDone: boolean
  /** How a completion id begins: `chatcmpl-`, OpenRouter's `gen-`. */
  readonly idPrefix: string

  // ── provider side ──

  /** The canonical request → the body for such a provider, and the members it could not take. */
  writeRequest(request: ChatRequest): { body: JsonObject; dropped: string[] }
  /** One per stream: which tool call a piece belongs to may depend on what came before. */
  createChunkReader(): ChunkReader
  readCompletion(value: unknown): ReadCompletion
  /** An error answer (status ≥ 400), whatever its body. Never throws. */
  readError(status: number, body: string): WireError
}

export interface ChunkEnvelope {
  readonly id: string
  readonly created: number
  readonly model: string
}

/** The chunk as that system's SDKs accept it: a new object, ready for JSON.stringify. */
export type ChunkWriter = (chunk: Chunk) => JsonObject

/** One parsed `data:` payload. Never throws: what cannot be read is an answer too. */
export type ChunkReader = (value: unknown) => ReadChunk

/** What had to be set right in its usage: `clamped`, `incomplete`, `summed`. Absent: nothing. */
export type Flags = readonly string[]

export type ReadChunk =
  | { readonly type: "chunk"; readonly chunk: Chunk; readonly flags?: Flags }
  /** The provider says that it failed: inside a chunk, or as a bare `{"error": …}`. */
  | { readonly type: "error"; readonly error: WireError }
  /** Not a chunk at all; `reason` says what was expected. */
  | { readonly type: "malformed"; readonly reason: string }

export type ReadCompletion =
  | { readonly type: "completion"; readonly completion: Completion; readonly flags?: Flags }
  | { readonly type: "error"; readonly error: WireError }
  | { readonly type: "malformed"; readonly reason: string }
