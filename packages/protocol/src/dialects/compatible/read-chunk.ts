/** Any OpenAI-compatible server's chunk → the canonical one. Forgiving in form, truthful about failure. */
import type { Chunk, ChunkChoice, Delta } from "../../chunk.ts"
import { isObject, type JsonObject, numberOr, stringOr } from "../../json.ts"
import type { ChunkReader, ReadChunk } from "../dialect.ts"
import { readFinish } from "./finish.ts"
import { completeLogprobs } from "./logprobs.ts"
import { indexOr, nameOfKind, spokenMembers, wholeSeconds } from "./members.ts"
import { isOpenRouterMetadata } from "./openrouter-metadata.ts"
import { readFailure } from "./read-error.ts"
import { readSpeech } from "./speech.ts"
import { createToolCallJoiner, type ToolCallJoiner } from "./tool-calls.ts"
import { findUsage, flagsOf } from "./usage.ts"

export function createChunkReader(): ChunkReader {
  const joinToolCalls = createToolCallJoiner()
  return (value) => readChunk(value, joinToolCalls)
}

function readChunk(value: unknown, joinToolCalls: ToolCallJoiner): ReadChunk {
  if (!isObject(value)) return malformed(`expected a chunk, which is an object, and got ${nameOfKind(value)}`)
  const error = readFailure(value)
  if (error) return { type: "error", error }

  const usage = findUsage(value)
  // Some servers send the usage at the end without `choices`.
  const choices = usage && !value["choices"] ? [] : value["choices"]
  if (!Array.isArray(choices))
    return malformed(`expected \`choices\` to be an array, and got ${nameOfKind(choices)}`)

  const envelope = readEnvelope(value)
  const chunk: Chunk = { ...envelope, object: "chat.completion.chunk", choices: [] }
  if (usage) chunk.usage = usage.usage
  for (const [position, choice] of choices.entries()) {
    const read = readChoice(choice, position, (index, calls) => joinToolCalls(index, calls, chunk.id))
    if (typeof read === "string") return malformed(`choices[${position}]: ${read}`)
    chunk.choices.push(read)
  }
  return { type: "chunk", chunk, ...flagsOf(usage) }
}

/** What a chunk and a completion have in common. Unknown members are kept. */
export function readEnvelope(value: JsonObject): Omit<Chunk, "object" | "choices"> {
  const envelope: Omit<Chunk, "object" | "choices"> = {
    ...spokenMembers(value, READ_OF_ENVELOPE),
    id: stringOr(value["id"]) ?? "",
    created: wholeSeconds(numberOr(value["created"])),
    model: stringOr(value["model"]) ?? "",
  }
  for (const name of ["system_fingerprint", "service_tier", "provider"] as const) {
    const text = value[name]
    if (typeof text === "string") envelope[name] = text
  }
  if (isOpenRouterMetadata(value["openrouter_metadata"]))
    envelope.openrouter_metadata = value["openrouter_metadata"]
  for (const name of ["debug", "sluice"] as const) {
    const member = value[name]
    if (isObject(member)) envelope[name] = member
  }
  return envelope
}

/** What a choice has in both. Unknown members are kept. */
export function readChoiceMembers(choice: JsonObject): Omit<ChunkChoice, "index" | "delta"> {
  const { reason, native } = readFinish(choice["finish_reason"])
  const members: Omit<ChunkChoice, "index" | "delta"> = {
    ...spokenMembers(choice, READ_OF_CHOICE),
    finish_reason: reason,
  }
  const said = stringOr(choice["native_finish_reason"]) ?? native
  if (said !== undefined) members.native_finish_reason = said
  const stop = readStopReason(choice["stop_reason"])
  if (stop !== undefined) members.stop_reason = stop
  const logprobs = completeLogprobs(choice["logprobs"])
  if (logprobs) members.logprobs = logprobs
  return members
}

const READ_OF_ENVELOPE: ReadonlySet<string> = new Set([
  "id",
  "object",
  "created",
  "model",
  "choices",
  "usage",
  "error",
  "system_fingerprint",
  "service_tier",
  "provider",
  "openrouter_metadata",
  "debug",
  "sluice",
  // OpenAI's padding against traffic analysis, worth nothing once the chunk is written anew.
  "obfuscation",
  // Groq's envelope: a second copy of the usage.
  "x_groq",
])

const READ_OF_CHOICE: ReadonlySet<string> = new Set([
  "index",
  "delta",
  "message",
  "text",
  "finish_reason",
  "native_finish_reason",
  "stop_reason",
  "logprobs",
  "usage",
  "error",
])

type JoinCalls = (index: number, calls: readonly unknown[]) => Delta["tool_calls"]

/** A sentence where it is no choice. */
function readChoice(choice: unknown, position: number, joinCalls: JoinCalls): ChunkChoice | string {
  if (!isObject(choice)) return `expected an object, and got ${nameOfKind(choice)}`
  const words = wordsOf(choice)
  if (words === undefined) return "expected a `delta`, and there is none"
  const index = indexOr(choice["index"]) ?? position
  const delta = readSpeech(words)
  const calls = words["tool_calls"]
  if (Array.isArray(calls) && calls.length > 0) delta.tool_calls = joinCalls(index, calls)
  return { index, delta, ...readChoiceMembers(choice) }
}

/** A delta; or a whole message, or a legacy text, in its place. */
function wordsOf(choice: JsonObject): JsonObject | undefined {
  const { delta, message, text } = choice
  if (isObject(delta)) return delta
  if (isObject(message)) return message
  if (typeof text === "string") return { content: text }
  const silent = delta === null || (delta === undefined && choice["finish_reason"] !== undefined)
  return silent ? {} : undefined
}

/** vLLM's is a scalar; Atoma's specification wraps it as `{Int: n}` or `{String: s}`. */
function readStopReason(value: unknown): string | number | undefined {
  const scalar = isObject(value) ? (value["Int"] ?? value["String"]) : value
  return typeof scalar === "string" || typeof scalar === "number" ? scalar : undefined
}

function malformed(reason: string): ReadChunk {
  return { type: "malformed", reason }
}
