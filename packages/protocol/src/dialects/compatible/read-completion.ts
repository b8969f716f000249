/** Any OpenAI-compatible server's whole answer → the canonical one. */
import type { AssistantMessage, Completion, CompletionChoice } from "../../completion.ts"
import { isObject, type JsonObject } from "../../json.ts"
import type { ReadCompletion } from "../dialect.ts"
import { indexOr, nameOfKind } from "./members.ts"
import { readChoiceMembers, readEnvelope } from "./read-chunk.ts"
import { readFailure } from "./read-error.ts"
import { readSpeech } from "./speech.ts"
import { readToolCalls } from "./tool-calls.ts"
import { findUsage, flagsOf } from "./usage.ts"

export function readCompletion(value: unknown): ReadCompletion {
  if (!isObject(value))
    return malformed(`expected a completion, which is an object, and got ${nameOfKind(value)}`)
  const error = readFailure(value)
  if (error) return { type: "error", error }

  const choices = value["choices"]
  if (!Array.isArray(choices))
    return malformed(`expected \`choices\` to be an array, and got ${nameOfKind(choices)}`)
  if (choices.length === 0) return malformed("expected at least one choice, and got none")

  const completion: Completion = { ...readEnvelope(value), object: "chat.completion", choices: [] }
  const usage = findUsage(value)
  if (usage) completion.usage = usage.usage
  for (const [position, choice] of choices.entries()) {
    const read = readChoice(choice, position, completion.id)
    if (typeof read === "string") return malformed(`choices[${position}]: ${read}`)
    completion.choices.push(read)
  }
  return { type: "completion", completion, ...flagsOf(usage) }
}

/** A sentence where it is no choice. */
function readChoice(choice: unknown, position: number, seed: string): CompletionChoice | string {
  if (!isObject(choice)) return `expected an object, and got ${nameOfKind(choice)}`
  const words = wordsOf(choice)
  if (words === undefined) return "expected a `message`, and there is none"
  const index = indexOr(choice["index"]) ?? position
  const message = readMessage(words, index, seed)
  const members = readChoiceMembers(choice)
  // A whole answer has ended, even where the server does not say how.
  return {
    index,
    message,
    ...members,
    finish_reason: members.finish_reason ?? (message.tool_calls ? "tool_calls" : "stop"),
  }
}

function wordsOf({ message, delta, text }: JsonObject): JsonObject | undefined {
  if (isObject(message)) return message
  if (isObject(delta)) return delta
  return typeof text === "string" ? { content: text } : undefined
}

function readMessage(words: JsonObject, choice: number, seed: string): AssistantMessage {
  const { function_call, ...speech } = readSpeech(words)
  const message: AssistantMessage = {
    ...speech,
    role: "assistant",
    content: speech.content ?? null,
    tool_calls: undefined,
  }
  const calls = words["tool_calls"]
  if (Array.isArray(calls) && calls.length > 0) message.tool_calls = readToolCalls(calls, choice, seed)
  else delete message.tool_calls
  if (function_call) {
    message.function_call = { name: function_call.name ?? "", arguments: function_call.arguments ?? "" }
  }
  return message
}

function malformed(reason: string): ReadCompletion {
  return { type: "malformed", reason }
}
