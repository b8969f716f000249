/** The parts that a chunk and a completion share, written so that the strictest client accepts them. */
import type { Chunk, Delta } from "../../chunk.ts"
import type { Completion } from "../../completion.ts"
import type { AnswerRules, ExtraMembers } from "./answer-rules.ts"
import { completeLogprobs } from "./logprobs.ts"
import { type Members, ownNames, wholeSeconds } from "./members.ts"
import { isOpenRouterMetadata } from "./openrouter-metadata.ts"
import { isReasoningDetail } from "./speech.ts"

/** Everything of a chunk or a completion but `choices` and `usage`, which the writers place. */
export function writeEnvelope(answer: Chunk | Completion, rules: AnswerRules): Members {
  const { id, object, created, model } = answer
  const written: Members = { id, object, created: wholeSeconds(created), model }
  for (const name of ownNames(answer)) {
    const value = (answer as unknown as Members)[name]
    if (PLACED.has(name) || silent(value)) continue
    if (!COMMON_OF_ENVELOPE.has(name) && !passes(name, "envelope", rules)) continue
    if (name === "openrouter_metadata" && !isOpenRouterMetadata(value)) continue
    written[name] = value
  }
  return written
}

/** `stop_reason`, `logprobs` and what else may stand in a choice. */
export function writeChoiceMembers(choice: object, rules: AnswerRules): Members {
  const written: Members = {}
  for (const name of ownNames(choice)) {
    const value = (choice as Members)[name]
    if (PLACED_IN_CHOICE.has(name) || silent(value)) continue
    if (name === "logprobs") {
      const logprobs = completeLogprobs(value)
      if (logprobs) written[name] = logprobs
    } else if (name === "stop_reason") {
      const reason = writeStopReason(value, rules.stopReason)
      if (reason !== undefined) written[name] = reason
    } else if (passes(name, "choice", rules)) written[name] = value
  }
  return written
}

/** A delta or a message without its tool calls. Reasoning stands under both names: each client reads one. */
export function writeSpeech(speech: Delta, rules: AnswerRules): Members {
  const written: Members = {}
  for (const name of ownNames(speech)) {
    const value = (speech as Members)[name]
    if (silent(value) || name === "tool_calls") continue
    if (name === "reasoning" || name === "reasoning_content") {
      written["reasoning"] = written["reasoning_content"] = speech.reasoning ?? value
    } else if (name === "reasoning_details") {
      const details =
        passes(name, "speech", rules) && Array.isArray(value) ? value.filter(isReasoningDetail) : []
      if (details.length > 0) written[name] = details
    } else if (COMMON_OF_SPEECH.has(name) || passes(name, "speech", rules)) written[name] = value
  }
  return written
}

const PLACED: ReadonlySet<string> = new Set(["id", "object", "created", "model", "choices", "usage"])
const COMMON_OF_ENVELOPE: ReadonlySet<string> = new Set(["system_fingerprint", "error", "sluice"])
const PLACED_IN_CHOICE: ReadonlySet<string> = new Set(["index", "delta", "message", "finish_reason"])

/** What carries the answer itself goes to everybody: no client refuses it, and those who speak HTTP can read it. */
const COMMON_OF_SPEECH: ReadonlySet<string> = new Set([
  "role",
  "content",
  "refusal",
  "audio",
  "images",
  "annotations",
  "function_call",
])

function passes(name: string, place: keyof ExtraMembers, rules: AnswerRules): boolean {
  return rules.extra === "any" || rules.extra[place].has(name)
}

/** Nothing to say: the key is left out. */
function silent(value: unknown): boolean {
  return value === null || value === undefined
}

function writeStopReason(value: unknown, form: AnswerRules["stopReason"]): unknown {
  if (form === "scalar") return value
  if (form === "none") return undefined
  if (typeof value === "string") return { String: value }
  return Number.isInteger(value) ? { Int: value } : undefined
}
