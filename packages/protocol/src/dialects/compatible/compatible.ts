/** The family of OpenAI-compatible dialects: one way to read and to write, and the differences as data. */
import type { WireError } from "../../error.ts"
import type { JsonObject } from "../../json.ts"
import type { ChatRequest } from "../../request.ts"
import type { ChunkEnvelope, Dialect, DialectName } from "../dialect.ts"
import type { AnswerRules } from "./answer-rules.ts"
import { createChunkReader } from "./read-chunk.ts"
import { readCompletion } from "./read-completion.ts"
import { readError } from "./read-error.ts"
import { readRequest } from "./read-request.ts"
import type { RequestRules } from "./request-rules.ts"
import { createChunkWriter } from "./write-chunk.ts"
import { writeCompletion } from "./write-completion.ts"
import { writeError, writeErrorChunk } from "./write-error.ts"
import { writeRequest } from "./write-request.ts"

interface Differences {
  readonly name: DialectName
  readonly answer: AnswerRules
  readonly request: RequestRules
  readonly idPrefix?: string
  readonly padBeforeDone?: boolean
  readonly readRequest?: (body: JsonObject) => ChatRequest
  readonly wantsUsage?: (request: ChatRequest) => boolean
  readonly writeError?: (error: WireError) => JsonObject
  readonly writeErrorChunk?: (envelope: ChunkEnvelope, error: WireError) => JsonObject
}

export function compatibleDialect({ answer, request: rules, ...differences }: Differences): Dialect {
  return {
    idPrefix: "chatcmpl-",
    padBeforeDone: false,
    readRequest,
    wantsUsage: (request) => request.stream_options?.include_usage === true,
    createChunkWriter: () => createChunkWriter(answer),
    writeCompletion: (completion) => writeCompletion(completion, answer),
    writeError,
    writeErrorChunk,
    writeRequest: (request) => writeRequest(request, rules),
    createChunkReader,
    readCompletion,
    readError,
    ...differences,
  }
}
