/**
 * The pieces of parallel tool calls, brought to their calls. Which call a piece belongs to:
 *
 * 1. by `index`, where it has one. But an id of another call beside a name of its own begins another: Gemini's
 *    compatible endpoint counts every whole call 0. (An id without a name does not: vLLM has minted one for each piece.)
 * 2. by `id`, where the system drops the index (r9s, the older Orq).
 * 3. else to the last call; unless it brings a name and an object of its own behind one that is closed.
 *
 * An id counts once, as it first came; a name may come in pieces, but the same one again is a repetition.
 */
import { type Collector, ignored, members } from "./collect.ts"
import type { CompletionChoice, ToolCall } from "./completion.ts"
import { isObject, numberOr, objectOr, stringOr } from "./json.ts"

export interface ToolCallCollector {
  add(piece: unknown): void
  calls(): ToolCall[]
}

export function createToolCallCollector(): ToolCallCollector {
  const calls: CollectedCall[] = []
  const byIndex = new Map<number, CollectedCall>()
  const byId = new Map<string, CollectedCall>()

  return {
    add(value) {
      if (!isObject(value)) return
      const given = objectOr(value["function"])
      const piece: Piece = {
        index: numberOr(value["index"]),
        id: stringOr(value["id"]) ?? "",
        name: stringOr(given["name"]) ?? "",
        arguments: argumentsOf(given["arguments"]),
      }
      const call = callOf(piece) ?? begin(piece)
      if (!call.id && piece.id) {
        call.id = piece.id
        byId.set(piece.id, call)
      }
      if (call.name !== piece.name) call.name += piece.name
      call.arguments += piece.arguments
      call.others.add(value)
    },
    calls() {
      return calls
        .toSorted((a, b) => a.order - b.order)
        .map((call) => ({
          ...call.others.result(),
          id: call.id,
          type: "function",
          function: { name: call.name, arguments: call.arguments },
        }))
    },
  }

  function callOf({ index, id, name, arguments: args }: Piece): CollectedCall | undefined {
    if (index !== undefined) {
      const call = byIndex.get(index)
      return id && name && call?.id && call.id !== id ? byId.get(id) : call
    }
    if (id) return byId.get(id)
    const last = calls.at(-1)
    return name && args.startsWith("{") && last?.arguments.endsWith("}") ? undefined : last
  }

  function begin({ index }: Piece): CollectedCall {
    const call = { order: index ?? calls.length, id: "", name: "", arguments: "", others: createOthers() }
    calls.push(call)
    if (index !== undefined) byIndex.set(index, call)
    return call
  }
}

/**
 * The calls of a choice that may be carried out, in their order: named, with arguments that are a whole JSON object. One
 * without arguments counts once the choice has finished for it; an answer cut by its length leaves half calls out.
 *
 * A running stream need not ask at each piece: a call that is whole stays so.
 */
export function completeToolCalls(choice: CompletionChoice): ToolCall[] {
  return (choice.message.tool_calls ?? []).filter((call) => {
    if (call.function.name === "") return false
    if (call.function.arguments.trim() === "") return CALLING.includes(choice.finish_reason ?? "")
    return isWholeObject(call.function.arguments)
  })
}

interface CollectedCall {
  readonly order: number
  id: string
  name: string
  arguments: string
  readonly others: Collector<object>
}

interface Piece {
  readonly index: number | undefined
  readonly id: string
  readonly name: string
  readonly arguments: string
}

const createOthers = members({ index: ignored, id: ignored, type: ignored, function: ignored })
const CALLING: readonly string[] = ["tool_calls", "function_call", "stop"]

/** Some servers send the object itself in place of its text. */
function argumentsOf(value: unknown): string {
  return isObject(value) ? JSON.stringify(value) : (stringOr(value) ?? "")
}

function isWholeObject(text: string): boolean {
  // Spares the parser most of the texts that are not whole yet.
  if (!text.trimEnd().endsWith("}")) return false
  try {
    return isObject(JSON.parse(text))
  } catch {
    return false
  }
}
