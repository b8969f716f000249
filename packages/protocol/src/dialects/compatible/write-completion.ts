/** The canonical completion → one that a system's SDKs accept. */
import type { AudioDelta, FinishReason } from "../../chunk.ts"
import type { Completion, CompletionChoice } from "../../completion.ts"
import type { JsonObject } from "../../json.ts"
import type { AnswerRules } from "./answer-rules.ts"
import { finishFor } from "./finish.ts"
import { type Members, spokenMembers } from "./members.ts"
import { writeUsage } from "./usage.ts"
import { writeChoiceMembers, writeEnvelope, writeSpeech } from "./write-answer.ts"

export function writeCompletion(completion: Completion, rules: AnswerRules): JsonObject {
  const written: Members = {
    ...writeEnvelope(completion, rules),
    choices: completion.choices.map((choice) => writeChoice(choice, rules, completion.sluice !== undefined)),
  }
  if (rules.completion.systemFingerprint === "always") written["system_fingerprint"] ??= null
  if (completion.usage) written["usage"] = writeUsage(completion.usage, rules.usage)
  return written
}

function writeChoice(choice: CompletionChoice, rules: AnswerRules, retrieved: boolean): Members {
  return {
    index: choice.index,
    message: writeMessage(choice.message, rules),
    ...writeChoiceMembers(choice, rules),
    finish_reason: writeFinish(choice.finish_reason, rules, retrieved),
  }
}

/** A stream that is looked at while it runs has no reason yet, and saying one would be a lie even to r9s' SDK. */
function writeFinish(
  reason: FinishReason | null,
  rules: AnswerRules,
  retrieved: boolean,
): FinishReason | null {
  const written = finishFor(reason, rules.finishes)
  return written === null && rules.completion.finish === "always" && !retrieved ? "stop" : written
}

function writeMessage(message: CompletionChoice["message"], rules: AnswerRules): Members {
  const { tool_calls, ...speech } = message
  const calls = (tool_calls ?? []).filter(({ type }) => type !== "custom" || rules.customTools)
  const written: Members = {
    role: "assistant",
    // A message's content is the one key that null may keep: OpenAI's clients expect to find it.
    content: rules.completion.content === "string" ? "" : null,
    ...writeSpeech(speech, rules),
  }
  if (message.audio) written["audio"] = completeAudio(message.audio)
  if (calls.length > 0) written["tool_calls"] = calls.map((call) => spokenMembers(call))
  return written
}

/** Orq's clients want all four members. */
function completeAudio(audio: AudioDelta): Members {
  return { id: "", data: "", transcript: "", expires_at: 0, ...spokenMembers(audio) }
}
