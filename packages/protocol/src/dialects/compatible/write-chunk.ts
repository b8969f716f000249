/** The canonical chunk → one that a system's SDKs accept. */
import type { Chunk, ChunkChoice, ToolCallDelta } from "../../chunk.ts"
import type { ChunkWriter } from "../dialect.ts"
import type { AnswerRules } from "./answer-rules.ts"
import { finishFor } from "./finish.ts"
import { type Members, spokenMembers } from "./members.ts"
import { writeUsage } from "./usage.ts"
import { writeChoiceMembers, writeEnvelope, writeSpeech } from "./write-answer.ts"

export function createChunkWriter(rules: AnswerRules): ChunkWriter {
  const writeToolCalls = createToolCallWriter(rules.toolIds)

  return (chunk: Chunk) => {
    const written: Members = {
      ...writeEnvelope(chunk, rules),
      choices: chunk.choices.map((choice) => writeChoice(choice, rules, writeToolCalls)),
    }
    if (chunk.usage) written["usage"] = writeUsage(chunk.usage, rules.usage)
    return written
  }
}

type ToolCallWriter = (choice: number, pieces: readonly ToolCallDelta[]) => Members[]

function writeChoice(choice: ChunkChoice, rules: AnswerRules, writeToolCalls: ToolCallWriter): Members {
  const delta = writeSpeech(choice.delta, rules)
  const calls = choice.delta.tool_calls
  if (calls && calls.length > 0) delta["tool_calls"] = writeToolCalls(choice.index, calls)
  return {
    index: choice.index,
    delta,
    ...writeChoiceMembers(choice, rules),
    finish_reason: finishFor(choice.finish_reason, rules.finishes),
  }
}

interface SaidCall {
  id?: string
  typed?: boolean
  named?: boolean
}

function createToolCallWriter(ids: AnswerRules["toolIds"]): ToolCallWriter {
  const said = new Map<string, SaidCall>()

  return (choice, pieces) =>
    pieces.map((piece) => {
      const key = `${choice} ${piece.index}`
      const call = said.get(key) ?? {}
      said.set(key, call)
      return ids === "once" ? writeOnce(piece, call) : writeEvery(piece, call)
    })
}

/** What a client would join stands on the first piece that has it, and never again. */
function writeOnce(piece: ToolCallDelta, call: SaidCall): Members {
  const written: Members = { index: piece.index }
  if (call.id === undefined && piece.id) written["id"] = call.id = piece.id
  if (!call.typed) {
    written["type"] = "function"
    call.typed = true
  }
  return Object.assign(written, { function: writeFunction(piece, call) }, spokenMembers(piece, WRITTEN))
}

/** Whatever its clients need to know of the call stands on every piece; an unknown id is "", which all accept. */
function writeEvery(piece: ToolCallDelta, call: SaidCall): Members {
  call.id ??= piece.id
  return {
    index: piece.index,
    id: call.id ?? "",
    type: "function",
    function: writeFunction(piece, call),
    ...spokenMembers(piece, WRITTEN),
  }
}

const WRITTEN: ReadonlySet<string> = new Set(["index", "id", "type", "function"])

/** Empty where the piece says nothing: r9s' SDKs throw where there is none. */
function writeFunction(piece: ToolCallDelta, call: SaidCall): Members {
  const written: Members = {}
  if (!call.named && piece.function?.name) {
    written["name"] = piece.function.name
    call.named = true
  }
  if (typeof piece.function?.arguments === "string") written["arguments"] = piece.function.arguments
  return written
}
