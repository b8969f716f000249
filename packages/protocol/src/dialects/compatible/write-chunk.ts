/** The canonical chunk → one that a system's SDKs accept. */
import type { Chunk, ChunkChoice, ToolCallDelta } from "../../chunk.ts"
import type { ChunkWriter } from "../dialect.ts"
import type { AnswerRules } from "./answer-rules.ts"
import { finishFor } from "./finish.ts"
import { type Members, spokenMembers } from "./members.ts"
import { writeUsage } from "./usage.ts"
import { writeChoiceMembers, writeEnvelope, writeSpeech } from "./write-answer.ts"

export function createChunkWriter(rules: AnswerRules): ChunkWriter {
  const writeToolCalls = createToolCallWriter(rules)

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
  const calls = writeToolCalls(choice.index, choice.delta.tool_calls ?? [])
  if (calls.length > 0) delta["tool_calls"] = calls
  return {
    index: choice.index,
    delta,
    ...writeChoiceMembers(choice, rules),
    finish_reason: finishFor(choice.finish_reason, rules.finishes),
  }
}

interface SaidCall {
  readonly type: "function" | "custom"
  id?: string
  typed?: boolean
  named?: boolean
}

function createToolCallWriter({ toolIds, customTools }: AnswerRules): ToolCallWriter {
  const said = new Map<string, SaidCall>()

  return (choice, pieces) =>
    pieces.flatMap((piece) => {
      const key = `${choice} ${piece.index}`
      const call = said.get(key) ?? { type: piece.type ?? (piece.custom ? "custom" : "function") }
      said.set(key, call)
      if (call.type === "custom" && !customTools) return []
      return [toolIds === "once" ? writeOnce(piece, call) : writeEvery(piece, call)]
    })
}

/** What a client would join stands on the first piece that has it, and never again. */
function writeOnce(piece: ToolCallDelta, call: SaidCall): Members {
  const written: Members = { index: piece.index }
  if (call.id === undefined && piece.id) written["id"] = call.id = piece.id
  if (!call.typed) {
    written["type"] = call.type
    call.typed = true
  }
  return Object.assign(written, { [call.type]: writeSaid(piece, call) }, spokenMembers(piece, WRITTEN))
}

/** Whatever its clients need to know of the call stands on every piece; an unknown id is "", which all accept. */
function writeEvery(piece: ToolCallDelta, call: SaidCall): Members {
  call.id ??= piece.id
  return {
    index: piece.index,
    id: call.id ?? "",
    type: call.type,
    [call.type]: writeSaid(piece, call),
    ...spokenMembers(piece, WRITTEN),
  }
}

const WRITTEN: ReadonlySet<string> = new Set(["index", "id", "type", "function", "custom"])

/** Empty where the piece says nothing: r9s' SDKs throw where there is none. */
function writeSaid(piece: ToolCallDelta, call: SaidCall): Members {
  const written: Members = {}
  const name = piece[call.type]?.name
  if (!call.named && name) {
    written["name"] = name
    call.named = true
  }
  const text = call.type === "custom" ? piece.custom?.input : piece.function?.arguments
  if (typeof text === "string") written[call.type === "custom" ? "input" : "arguments"] = text
  return written
}
