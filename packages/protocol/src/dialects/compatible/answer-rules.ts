/** How the five systems' answers differ, as data. What they share is in the writers beside this file. */
import type { FinishReason } from "../../chunk.ts"
import type { UsageRules } from "./usage.ts"

export interface AnswerRules {
  /** The members beyond the common ones that go to these clients: names, or unknown ones too. */
  readonly extra: ExtraMembers | "any"
  readonly finishes: ReadonlySet<FinishReason>
  /**
   * A tool call's `id` and `type`: once, because openai-python joins what is repeated (`call_1call_1`); or on every
   * piece, because Atoma's SDK throws without them and those of r9s and the old Orq drop the index.
   */
  readonly toolIds: "once" | "every"
  /** Whether calls of custom tools go to these clients, who else throw on them. */
  readonly customTools: boolean
  /** vLLM's scalar; the wrapped form of Atoma's specification, whose SDK throws on a scalar; or not at all. */
  readonly stopReason: "scalar" | "wrapped" | "none"
  readonly usage: UsageRules
  readonly completion: CompletionRules
}

export interface ExtraMembers {
  /** Of a chunk and of a completion. */
  readonly envelope: ReadonlySet<string>
  readonly choice: ReadonlySet<string>
  /** Of a delta and of a message. */
  readonly speech: ReadonlySet<string>
}

export interface CompletionRules {
  /** Atoma's published SDK throws on `content: null`. */
  readonly content: "nullable" | "string"
  /** OpenRouter's SDKs want the key, if only with null. */
  readonly systemFingerprint: "optional" | "always"
  /** r9s' SDKs throw on `finish_reason: null`. */
  readonly finish: "nullable" | "always"
}

/** What suits every client: each dialect says only where it differs. */
export const COMMON_COMPLETION: CompletionRules = {
  content: "nullable",
  systemFingerprint: "optional",
  finish: "nullable",
}

export const PLAIN_USAGE: UsageRules = {
  promptDetails: [],
  completionDetails: [],
  cost: false,
  unknown: false,
}
