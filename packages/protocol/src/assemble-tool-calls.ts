/**
 * The pieces of parallel tool calls, brought to their calls. Which call a piece belongs to:
 *
 * 1. by `index`, where it has one. But an id of another call beside a name of its own begins another: Gemini's
 *    compatible endpoint counts every whole call 0. (An id without a name does not: vLLM has minted one for each piece.)
 * 2. by `id`, where the system drops the index (r9s, the older Orq).
 * 3. else to the last call; unless it brings a name and an object of its own behind one that is closed.
 *
 * An id counts once, as it first came; a name may come in pieces, but the same one again is a repetition. What a custom
 * tool is given, text of any form, stands for its arguments until the call is handed out.
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
      const { custom, function: called } = value
      const given = objectOr(custom || called)
      const piece: Piece = {
        index: numberOr(value["index"]),
        id: stringOr(value["id"]) ?? "",
        name: stringOr(given["name"]) ?? "",
        arguments: argumentsOf(given["arguments"] ?? given["input"]),
      }
      const call = callOf(piece) ?? begin(piece)
      if (!call.id && piece.id) {
        call.id = piece.id
        byId.set(piece.id, call)
      }
      if (call.name !== piece.name) call.name += piece.name
      call.arguments += piece.arguments
      call.custom ||= isObject(custom)
      call.others.add(value)
    },
    calls() {
      return calls
        .toSorted((a, b) => a.order - b.order)
        .map(({ id, name, arguments: text, custom, others }) => ({
          ...others.result(),
          id,
          ...(custom
            ? { type: "custom", custom: { name, input: text } }
            : { type: "function", function: { name, arguments: text } }),
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
    const call: CollectedCall = {
      order: index ?? calls.length,
      id: "",
      name: "",
      arguments: "",
      others: createOthers(),
    }
    calls.push(call)
    if (index !== undefined) byIndex.set(index, call)
    return call
  }
}

/**
 * The calls of a choice that may be carried out, in their order: named, with arguments that are a whole JSON object. One
 * without arguments, or of a custom tool, counts once the choice has finished for it; an answer cut by its length leaves half
 * calls out.
 *
 * A running stream need not ask at each piece: a call that is whole stays so.
 */
export function completeToolCalls(choice: CompletionChoice): ToolCall[] {
  return (choice.message.tool_calls ?? []).filter((call) => {
    const hasEnded = CALLING.includes(choice.finish_reason ?? "")
    if (call.type === "custom") return hasEnded && call.custom.name !== ""
    if (call.function.name === "") return false
    if (call.function.arguments.trim() === "") return hasEnded
    return isWholeObject(call.function.arguments)
  })
}

interface CollectedCall {
  readonly order: number
  id: string
  name: string
  arguments: string
  /** Whether it is the call of a custom tool. */
  custom?: boolean
  readonly others: Collector<object>
}

interface Piece {
  readonly index: number | undefined
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/** Of the members that a call is put together from, what stands here is written over. */
const createOthers = members({ index: ignored })
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
