/**
 * OpenRouter's types by the names of its newer SDKs (from 0.12), and a whole answer's by both: its pages are of 0.9.
 * What is here can be used wherever the older type is asked for.
 */
import type {
  AssistantMessage,
  AudioDelta,
  Chunk,
  ChunkChoice,
  Completion,
  CompletionChoice,
  CostDetails,
  Delta,
  FunctionToolCall,
  ServerToolUseDetails,
  ToSdk,
  Usage,
} from "@sluice/protocol"
import type { Always, Nullable, Nullish, Optional } from "./marks.ts"
import type {
  ChatGenerationTokenUsage,
  ChatMessageTokenLogprobs,
  ChatStreamingChoice,
  ChatStreamingMessageChunk,
  ChatStreamingResponseChunk,
} from "./openrouter.ts"

/**
 * A streamed chunk.
 *
 * @example
 * ```ts
 * import type { ChatStreamChunk } from "@sluice/sdk/models"
 *
 * export const costOf = (chunk: ChatStreamChunk) => chunk.usage?.cost
 * ```
 */
export interface ChatStreamChunk
  extends Omit<ChatStreamingResponseChunk, "choices" | "usage" | "systemFingerprint">,
    Optional<ToSdk<Chunk>, "systemFingerprint" | "openrouterMetadata">,
    Nullish<ToSdk<Chunk>, "serviceTier"> {
  choices: ChatStreamChoice[]
  usage?: ChatUsage | undefined
}

/**
 * What a chunk adds to an answer.
 *
 * @example
 * ```ts
 * import type { ChatStreamChoice } from "@sluice/sdk/models"
 *
 * export const hasEnded = (choice: ChatStreamChoice) => choice.finishReason !== null
 * ```
 */
export interface ChatStreamChoice
  extends Omit<ChatStreamingChoice, "finishReason" | "delta">,
    Nullable<ToSdk<ChunkChoice>, "finishReason"> {
  delta: ChatStreamDelta
}

/**
 * The piece of a message that has just arrived.
 *
 * @example
 * ```ts
 * import type { ChatStreamDelta } from "@sluice/sdk/models"
 *
 * export const piece: ChatStreamDelta = { role: "assistant", content: "Once" }
 * ```
 */
export interface ChatStreamDelta extends ChatStreamingMessageChunk, Optional<ToSdk<Delta>, "audio"> {}

/**
 * What a call used, and what it cost.
 *
 * @example
 * ```ts
 * import type { ChatUsage } from "@sluice/sdk/models"
 *
 * export const usage: ChatUsage = { promptTokens: 9, completionTokens: 12, totalTokens: 21, cost: 0.0003 }
 * ```
 */
export interface ChatUsage
  extends ChatGenerationTokenUsage,
    Nullish<ToSdk<Usage>, "cost">,
    Optional<ToSdk<Usage>, "isByok"> {
  costDetails?: ToSdk<CostDetails> | null | undefined
  serverToolUseDetails?: ToSdk<ServerToolUseDetails> | null | undefined
}

/**
 * A whole answer.
 *
 * @example
 * ```ts
 * import type { ChatResult } from "@sluice/sdk/models"
 *
 * export const textOf = (answer: ChatResult) => answer.choices[0]?.message.content ?? ""
 * ```
 */
export interface ChatResult
  extends Always<ToSdk<Completion>, "id" | "object" | "created" | "model">,
    Nullable<ToSdk<Completion>, "systemFingerprint">,
    Nullish<ToSdk<Completion>, "serviceTier">,
    Optional<ToSdk<Completion>, "openrouterMetadata"> {
  choices: ChatChoice[]
  usage?: ChatUsage | undefined
}

/**
 * One of the answers asked for.
 *
 * @example
 * ```ts
 * import type { ChatChoice } from "@sluice/sdk/models"
 *
 * export const wasCut = (choice: ChatChoice) => choice.finishReason === "length"
 * ```
 */
export interface ChatChoice
  extends Always<ToSdk<CompletionChoice>, "index">,
    Nullable<ToSdk<CompletionChoice>, "finishReason"> {
  message: ChatAssistantMessage
  logprobs?: ChatMessageTokenLogprobs | null | undefined
}

/**
 * What the model said.
 *
 * @example
 * ```ts
 * import type { ChatAssistantMessage } from "@sluice/sdk/models"
 *
 * export const said: ChatAssistantMessage = { role: "assistant", content: "Once" }
 * ```
 */
export interface ChatAssistantMessage
  extends Always<AssistantMessage, "role">,
    Nullish<AssistantMessage, "content" | "reasoning" | "refusal">,
    Optional<ToSdk<AssistantMessage<FunctionToolCall>>, "reasoningDetails" | "toolCalls"> {
  audio?: ToSdk<AudioDelta> | undefined
}

/**
 * A whole answer, by the name of the older SDKs.
 *
 * @example
 * ```ts
 * import type { ChatResponse } from "@sluice/sdk/models"
 *
 * export const tokensOf = (answer: ChatResponse) => answer.usage?.totalTokens
 * ```
 */
export interface ChatResponse
  extends Omit<ChatResult, "systemFingerprint">,
    Nullish<ToSdk<Completion>, "systemFingerprint"> {}
