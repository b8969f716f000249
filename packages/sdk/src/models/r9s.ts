/** r9s's types, by the names of its pages. */
import type {
  AssistantMessage,
  CompletionTokensDetails as CanonicalCompletionTokensDetails,
  PromptTokensDetails as CanonicalPromptTokensDetails,
  FunctionToolCall as CanonicalToolCall,
  Usage as CanonicalUsage,
  Chunk,
  ChunkChoice,
  Completion,
  CompletionChoice,
  Delta,
  ToSdk,
} from "@sluice/protocol"
import type { Always, Nullish, Optional } from "./marks.ts"

/**
 * One event of a streamed answer: the chunk in its envelope.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionResponseBody } from "@sluice/sdk/models"
 *
 * export const event: CreateChatCompletionResponseBody = {
 *   id: "3",
 *   data: { id: "chatcmpl-7", object: "chat.completion.chunk", created: 1767225600, model: "sim/story", choices: [] },
 * }
 * ```
 */
export interface CreateChatCompletionResponseBody {
  data: ChatCompletionStreamEvent
  id?: string | undefined
  event?: string | undefined
  /** Milliseconds to wait before coming back after a drop. */
  retry?: number | undefined
}

/**
 * A streamed chunk.
 *
 * @example
 * ```ts
 * import type { ChatCompletionStreamEvent } from "@sluice/sdk/models"
 *
 * export const textOf = (chunk: ChatCompletionStreamEvent) => chunk.choices[0]?.delta.content ?? ""
 * ```
 */
export interface ChatCompletionStreamEvent
  extends Always<ToSdk<Chunk>, "id" | "object" | "created" | "model">,
    Optional<ToSdk<Chunk>, "systemFingerprint"> {
  /** Empty on the chunk that carries the usage alone. */
  choices: ChatCompletionStreamChoice[]
  usage?: Usage | undefined
}

/**
 * What a chunk adds to one of the answers asked for.
 *
 * @example
 * ```ts
 * import type { ChatCompletionStreamChoice } from "@sluice/sdk/models"
 *
 * export const last: ChatCompletionStreamChoice = { index: 0, delta: {}, finishReason: "stop" }
 * ```
 */
export interface ChatCompletionStreamChoice extends Always<ToSdk<ChunkChoice>, "index"> {
  delta: ChatCompletionStreamDelta
  finishReason?: ChatCompletionStreamChoiceFinishReason | null | undefined
  logprobs?: ChatCompletionStreamChoiceLogprobs | undefined
}

/**
 * Why an answer ended.
 *
 * @example
 * ```ts
 * import type { ChatCompletionStreamChoiceFinishReason } from "@sluice/sdk/models"
 *
 * export const wasCut = (reason: ChatCompletionStreamChoiceFinishReason) => reason === "length"
 * ```
 */
export type ChatCompletionStreamChoiceFinishReason = Exclude<
  NonNullable<ChunkChoice["finish_reason"]>,
  "function_call" | "error"
>

/**
 * r9s says nothing about what is inside.
 *
 * @example
 * ```ts
 * import type { ChatCompletionStreamChoiceLogprobs } from "@sluice/sdk/models"
 *
 * export const none: ChatCompletionStreamChoiceLogprobs = {}
 * ```
 */
export interface ChatCompletionStreamChoiceLogprobs {
  [member: string]: unknown
}

/**
 * The piece of a message that has just arrived.
 *
 * @example
 * ```ts
 * import type { ChatCompletionStreamDelta } from "@sluice/sdk/models"
 *
 * export const piece: ChatCompletionStreamDelta = { content: "Once", reasoningContent: "A story, then." }
 * ```
 */
export interface ChatCompletionStreamDelta extends Optional<ToSdk<Delta>, "content" | "reasoningContent"> {
  role?: ChatCompletionStreamDeltaRole | undefined
  toolCalls?: ToolCall[] | undefined
}

/**
 * A whole answer.
 *
 * @example
 * ```ts
 * import type { ChatCompletionResponse } from "@sluice/sdk/models"
 *
 * export const textOf = (answer: ChatCompletionResponse) => answer.choices[0]?.message.content ?? ""
 * ```
 */
export interface ChatCompletionResponse
  extends Always<ToSdk<Completion>, "id" | "object" | "created" | "model">,
    Optional<ToSdk<Completion>, "systemFingerprint"> {
  choices: ChatCompletionChoice[]
  usage?: Usage | undefined
}

/**
 * One of the answers asked for.
 *
 * @example
 * ```ts
 * import type { ChatCompletionChoice } from "@sluice/sdk/models"
 *
 * export const wasCut = (choice: ChatCompletionChoice) => choice.finishReason === "length"
 * ```
 */
export interface ChatCompletionChoice extends Always<ToSdk<CompletionChoice>, "index"> {
  message: Message
  finishReason: ChatCompletionStreamChoiceFinishReason
  logprobs?: ChatCompletionStreamChoiceLogprobs | undefined
}

/**
 * What the model said.
 *
 * @example
 * ```ts
 * import type { Message } from "@sluice/sdk/models"
 *
 * export const callsOf = (message: Message) => message.toolCalls ?? []
 * ```
 */
export interface Message
  extends Always<AssistantMessage, "role">,
    Nullish<AssistantMessage, "content">,
    Optional<ToSdk<AssistantMessage>, "reasoningContent"> {
  toolCalls?: ToolCall[] | undefined
}

/**
 * Who speaks.
 *
 * @example
 * ```ts
 * import type { ChatCompletionStreamDeltaRole } from "@sluice/sdk/models"
 *
 * export const speaker: ChatCompletionStreamDeltaRole = "assistant"
 * ```
 */
export type ChatCompletionStreamDeltaRole = NonNullable<Delta["role"]> | "system" | "user"

/**
 * A call of a function. In a delta its arguments are the piece that has just arrived.
 *
 * @example
 * ```ts
 * import type { ToolCall } from "@sluice/sdk/models"
 *
 * export const call: ToolCall = { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } }
 * ```
 */
export interface ToolCall extends Always<ToSdk<CanonicalToolCall>, "id" | "type"> {
  function: Always<CanonicalToolCall["function"], "name"> &
    Optional<CanonicalToolCall["function"], "arguments">
}

/**
 * What a call used.
 *
 * @example
 * ```ts
 * import type { Usage } from "@sluice/sdk/models"
 *
 * export const usage: Usage = { promptTokens: 9, completionTokens: 12, totalTokens: 21 }
 * ```
 */
export interface Usage
  extends Always<ToSdk<CanonicalUsage>, "promptTokens" | "completionTokens" | "totalTokens"> {
  promptTokensDetails?: PromptTokensDetails | undefined
  completionTokensDetails?: CompletionTokensDetails | undefined
}

/**
 * Of the prompt's tokens: how many came from the cache, how many were sound.
 *
 * @example
 * ```ts
 * import type { PromptTokensDetails } from "@sluice/sdk/models"
 *
 * export const details: PromptTokensDetails = { cachedTokens: 8 }
 * ```
 */
export interface PromptTokensDetails
  extends Optional<ToSdk<CanonicalPromptTokensDetails>, "cachedTokens" | "audioTokens"> {}

/**
 * Of the answer's tokens: how many were thought, heard, foretold.
 *
 * @example
 * ```ts
 * import type { CompletionTokensDetails } from "@sluice/sdk/models"
 *
 * export const details: CompletionTokensDetails = { reasoningTokens: 5 }
 * ```
 */
export interface CompletionTokensDetails
  extends Optional<
    ToSdk<CanonicalCompletionTokensDetails>,
    "reasoningTokens" | "audioTokens" | "acceptedPredictionTokens" | "rejectedPredictionTokens"
  > {}
