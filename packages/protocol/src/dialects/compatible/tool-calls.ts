/**
 * Which tool call a piece belongs to. OpenAI says it by `index`; Mistral sends no index, Gemini's compatible
 * endpoint index 0 for every call, others repeat id and name on each piece. Out comes the canonical form: every
 * piece has its index, and `id`, `type` and `name` stand on a call's first piece alone. A custom tool's call says under
 * `custom` what a function's says under `function`, and stays what it is.
 */
import type { ToolCallDelta } from "../../chunk.ts"
import type { ToolCall } from "../../completion.ts"
import { isObject, type JsonObject, objectOr } from "../../json.ts"
import { indexOr, spokenMembers, wordOr } from "./members.ts"

/** `seed` is the completion's id, of which an id is made for a call that came without one. */
export type ToolCallJoiner = (choice: number, pieces: readonly unknown[], seed: string) => ToolCallDelta[]

export function createToolCallJoiner(): ToolCallJoiner {
  const choices = new Map<number, OpenCalls>()

  return (choice, pieces, seed) => {
    let calls = choices.get(choice)
    if (calls === undefined) {
      calls = { byIndex: new Map(), byId: new Map(), taken: new Set(), last: undefined }
      choices.set(choice, calls)
    }
    const open = calls
    return pieces.filter(isObject).map((piece) => joinPiece(open, piece, `${seed || "0"}_${choice}`))
  }
}

/** The calls of a whole message, where each stands for itself. */
export function readToolCalls(calls: readonly unknown[], choice: number, seed: string): ToolCall[] {
  return calls.filter(isObject).map((call, position) => {
    const { isCustom, name = "", text = "" } = readSaid(call)
    return {
      ...spokenMembers(call, READ),
      ...readSignature(call),
      id: wordOr(call["id"]) ?? mintId(`${seed || "0"}_${choice}`, position),
      ...(isCustom
        ? { type: "custom", custom: { name, input: text } }
        : { type: "function", function: { name, arguments: text } }),
    }
  })
}

interface OpenCall {
  readonly index: number
  readonly id: string
  named: boolean
}

interface OpenCalls {
  /** By the index that the provider says, which two calls may share. */
  readonly byIndex: Map<number, OpenCall>
  readonly byId: Map<string, OpenCall>
  /** The canonical indices that have a call. */
  readonly taken: Set<number>
  last: OpenCall | undefined
}

const READ: ReadonlySet<string> = new Set(["index", "id", "type", "function", "custom", "thought_signature"])

function joinPiece(calls: OpenCalls, piece: JsonObject, seed: string): ToolCallDelta {
  const { isCustom, name, text } = readSaid(piece)
  const known = knownCall(calls, piece, name)
  const call = known ?? openCall(calls, piece, seed)
  calls.last = call

  const delta: ToolCallDelta = { ...spokenMembers(piece, READ), ...readSignature(piece), index: call.index }
  if (known === undefined) {
    delta.id = call.id
    delta.type = isCustom ? "custom" : "function"
  }
  const isNamed = name !== undefined && !call.named
  if (isNamed) call.named = true
  const named = isNamed ? { name } : {}
  if (!isNamed && text === undefined) return delta
  if (isCustom) delta.custom = { ...named, ...(text !== undefined && { input: text }) }
  else delta.function = { ...named, ...(text !== undefined && { arguments: text }) }
  return delta
}

interface SaidCall {
  readonly isCustom: boolean
  readonly name: string | undefined
  /** A function's arguments, or a custom tool's input. */
  readonly text: string | undefined
}

function readSaid(call: JsonObject): SaidCall {
  // Its type alone is not enough: some servers have a word of their own for a function's.
  const isCustom = isObject(call["custom"])
  const said = objectOr(call[isCustom ? "custom" : "function"])
  const text = argumentsOf(said[isCustom ? "input" : "arguments"])
  return { isCustom, name: wordOr(said["name"]), text }
}

function knownCall(calls: OpenCalls, piece: JsonObject, name: string | undefined): OpenCall | undefined {
  const id = wordOr(piece["id"])
  const index = indexOr(piece["index"])
  const byId = id === undefined ? undefined : calls.byId.get(id)

  if (index !== undefined) {
    const byIndex = calls.byIndex.get(index)
    if (byIndex === undefined) return name === undefined ? byId : undefined
    // Another id with a name of its own is another call, whatever the index says. Without a name it is the same
    // call from a server that makes up a new id for every piece.
    return id === undefined || id === byIndex.id || name === undefined ? byIndex : byId
  }
  if (id !== undefined) return byId
  return name !== undefined && calls.last?.named ? undefined : calls.last
}

function openCall(calls: OpenCalls, piece: JsonObject, seed: string): OpenCall {
  const said = indexOr(piece["index"])
  const index = said !== undefined && !calls.taken.has(said) ? said : Math.max(-1, ...calls.taken) + 1
  const id = wordOr(piece["id"]) ?? mintId(seed, index)
  const call: OpenCall = { index, id, named: false }
  calls.taken.add(index)
  calls.byId.set(id, call)
  if (said !== undefined) calls.byIndex.set(said, call)
  return call
}

function readSignature({ thought_signature }: JsonObject): { thought_signature?: string } {
  return typeof thought_signature === "string" ? { thought_signature } : {}
}

function mintId(seed: string, index: number): string {
  return `call_${seed}_${index}`
}

/** Arguments are text; some servers send the object itself. */
function argumentsOf(value: unknown): string | undefined {
  if (typeof value === "string") return value
  return isObject(value) ? JSON.stringify(value) : undefined
}
