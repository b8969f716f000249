/** Why an answer ended: every provider's word → the canonical one. */
import type { FinishReason } from "../../chunk.ts"
import { wordOr } from "./members.ts"

/** The words that every one of the five systems' clients accepts; OpenRouter's know `error` too. */
export const COMMON_FINISHES: ReadonlySet<FinishReason> = new Set<FinishReason>([
  "stop",
  "length",
  "tool_calls",
  "content_filter",
  "function_call",
])

/** Keys are lower case; a word that stands nowhere means that the answer simply ended. */
const MEANINGS: ReadonlyMap<string, FinishReason> = new Map(
  Object.entries({
    stop: "stop stop_sequence end_turn eos eos_token complete completed finish_reason_stop pause_turn",
    length:
      "length max_tokens max_output_tokens max_length model_length model_context_window_exceeded finish_reason_max_tokens",
    tool_calls: "tool_calls tool_call tool_use tool function",
    content_filter:
      "content_filter content_filtered safety recitation blocklist prohibited_content spii image_safety language sensitive refusal guardrail_intervened error_toxic",
    function_call: "function_call",
    // Ends that are failures: taken for a clean end they would be a silent truncation.
    error: "error abort aborted network_error insufficient_system_resource malformed_function_call",
  } satisfies Record<FinishReason, string>).flatMap(([reason, words]) =>
    words.split(" ").map((word): [string, FinishReason] => [word, reason as FinishReason]),
  ),
)

interface ReadFinish {
  readonly reason: FinishReason | null
  /** The provider's own word, where it is not the canonical one. */
  readonly native?: string
}

export function readFinish(word: unknown): ReadFinish {
  const said = wordOr(word)
  if (said === undefined) return { reason: null }
  const reason = MEANINGS.get(said.toLowerCase()) ?? "stop"
  return reason === said ? { reason } : { reason, native: said }
}

/** A client that does not know `error` must not be told `stop` instead: null says that nothing was said. */
export function finishFor(
  reason: FinishReason | null,
  accepted: ReadonlySet<FinishReason>,
): FinishReason | null {
  if (reason === null || accepted.has(reason)) return reason
  return reason === "error" ? null : "stop"
}
