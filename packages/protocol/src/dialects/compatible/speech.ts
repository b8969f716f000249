/** What a delta and a whole message have in common: the assistant's words, under whatever name they come. */
import type { AudioDelta, Delta, ReasoningDetail } from "../../chunk.ts"
import { isObject, type JsonObject, objectOr } from "../../json.ts"
import { spokenMembers, wordOr } from "./members.ts"

/** All but tool calls, which a stream and a message read differently. Unknown members are kept. */
export function readSpeech(value: JsonObject): Delta {
  const speech: Delta = spokenMembers(value, READ)
  if (value["role"] === "assistant") speech.role = "assistant"

  const { content, reasoning } = readContent(value["content"])
  if (content !== undefined) speech.content = content
  if (typeof value["refusal"] === "string") speech.refusal = value["refusal"]

  const thought = firstThought(value) ?? reasoning
  if (thought) speech.reasoning = thought
  const details = value["reasoning_details"]
  if (Array.isArray(details)) speech.reasoning_details = details.filter(isReasoningDetail)
  for (const name of ["reasoning_signature", "redacted_reasoning"] as const) {
    const text = value[name]
    if (typeof text === "string") speech[name] = text
  }

  if (isObject(value["audio"])) speech.audio = readAudio(value["audio"])
  for (const name of ["images", "annotations"] as const) {
    const items = value[name]
    if (Array.isArray(items)) speech[name] = items.filter(isObject)
  }
  if (isObject(value["function_call"])) speech.function_call = readFunctionCall(value["function_call"])
  return speech
}

function firstThought(value: JsonObject): string | undefined {
  for (const name of REASONING_NAMES) {
    const text = wordOr(value[name])
    if (text !== undefined) return text
  }
  return undefined
}

/** Only the forms that OpenRouter's clients know, and those whole: an unknown one makes its older client throw. */
export function isReasoningDetail(value: unknown): value is ReasoningDetail {
  if (!isObject(value)) return false
  const needed = REASONING_DETAILS.get(String(value["type"]))
  return needed?.every((name) => typeof value[name] === "string") ?? false
}

/** The first that says something counts: some servers send two of them, with the same text. */
const REASONING_NAMES = ["reasoning", "reasoning_content", "reasoning_text", "thinking"] as const

const REASONING_DETAILS: ReadonlyMap<string, readonly string[]> = new Map([
  ["reasoning.summary", ["summary"]],
  ["reasoning.encrypted", ["data"]],
  ["reasoning.text", []],
  ["reasoning.server_tool_call", ["tool_name", "arguments", "result"]],
])

const READ: ReadonlySet<string> = new Set([
  ...REASONING_NAMES,
  "role",
  "content",
  "refusal",
  "reasoning_details",
  "reasoning_signature",
  "redacted_reasoning",
  "tool_calls",
  "audio",
  "images",
  "annotations",
  "function_call",
])

/** Text, or Mistral's parts: `text`, and `thinking` with parts of its own. */
function readContent(value: unknown): { content?: string | null; reasoning?: string } {
  if (typeof value === "string" || value === null) return { content: value }
  if (!Array.isArray(value)) return {}
  const parts = value.filter(isObject)
  const content = parts.map((part) => textOf(part["text"])).join("")
  const reasoning = parts.map((part) => textOf(part["thinking"])).join("")
  return { content, ...(reasoning === "" ? {} : { reasoning }) }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value
  return Array.isArray(value) ? value.map((part) => textOf(objectOr(part)["text"])).join("") : ""
}

function readAudio(value: JsonObject): AudioDelta {
  const audio: AudioDelta = {}
  for (const name of ["id", "data", "transcript"] as const) {
    const text = value[name]
    if (typeof text === "string") audio[name] = text
  }
  const expires = value["expires_at"]
  if (typeof expires === "number") audio.expires_at = Math.floor(expires)
  return audio
}

function readFunctionCall(value: JsonObject): { name?: string; arguments?: string } {
  const call: { name?: string; arguments?: string } = {}
  if (typeof value["name"] === "string") call.name = value["name"]
  if (typeof value["arguments"] === "string") call.arguments = value["arguments"]
  return call
}
