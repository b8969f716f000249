/** `@sluice/sdk/models/components`: Atoma's types, by the names of its pages. */
import type {
  AssistantMessage,
  PromptTokensDetails as CanonicalPromptTokensDetails,
  Chunk,
  ChunkChoice,
  Completion,
  CompletionChoice,
  Delta,
  FunctionCallDelta,
  FunctionToolCall,
  TopLogprob,
  ToSdk,
  Usage,
} from "@sluice/protocol"
import type { Always, Nullish, Optional } from "./marks.ts"

/**
 * A streamed chunk.
 *
 * @example
 * ```ts
 * import type { ChatCompletionChunk } from "@sluice/sdk/models/components"
 *
 * export const textOf = (chunk: ChatCompletionChunk) => chunk.choices[0]?.delta.content ?? ""
 * ```
 */
export interface ChatCompletionChunk extends Always<ToSdk<Chunk>, "created" | "id" | "model"> {
  choices: ChatCompletionChunkChoice[]
  /** Any word will do for Atoma; what it sends is `chat.completion.chunk`. */
  object: string
  usage?: CompletionUsage | null | undefined
}

/**
 * One event of a streamed answer, by the name that Atoma's older SDK has for it.
 *
 * @example
 * ```ts
 * import type { ChatCompletionStreamResponse } from "@sluice/sdk/models/components"
 *
 * export const textOf = (event: ChatCompletionStreamResponse) => event.data.choices[0]?.delta.content ?? ""
 * ```
 */
export interface ChatCompletionStreamResponse {
  data: ChatCompletionChunk
}

/**
 * What a chunk adds to one of the answers asked for.
 *
 * @example
 * ```ts
 * import type { ChatCompletionChunkChoice } from "@sluice/sdk/models/components"
 *
 * export const last: ChatCompletionChunkChoice = { index: 0, delta: {}, finishReason: "stop" }
 * ```
 */
export interface ChatCompletionChunkChoice extends Always<ToSdk<ChunkChoice>, "index"> {
  delta: ChatCompletionChunkDelta
  finishReason?: string | null | undefined
  logprobs?: ChatCompletionLogProbs | null | undefined
  stopReason?: StopReason | null | undefined
}

/**
 * What made the model stop: a token's number, or a text.
 *
 * @example
 * ```ts
 * import type { StopReason } from "@sluice/sdk/models/components"
 *
 * export const stoppedBy: StopReason = { String: "</s>" }
 * ```
 */
export type StopReason = { Int: number } | { String: string }

/**
 * The piece of a message that has just arrived.
 *
 * @example
 * ```ts
 * import type { ChatCompletionChunkDelta } from "@sluice/sdk/models/components"
 *
 * export const piece: ChatCompletionChunkDelta = { role: "assistant", content: "Once" }
 * ```
 */
export interface ChatCompletionChunkDelta extends Nullish<ToSdk<Delta>, "content" | "reasoningContent"> {
  role?: string | null | undefined
  toolCalls?: ChatCompletionChunkDeltaToolCall[] | null | undefined
}

/**
 * A piece of a tool call. Id and type come with every piece.
 *
 * @example
 * ```ts
 * import type { ChatCompletionChunkDeltaToolCall } from "@sluice/sdk/models/components"
 *
 * export const piece: ChatCompletionChunkDeltaToolCall = { index: 0, id: "call_1", type: "function" }
 * ```
 */
export interface ChatCompletionChunkDeltaToolCall extends Always<ToSdk<FunctionCallDelta>, "id" | "index"> {
  type: string
  function?: ChatCompletionChunkDeltaToolCallFunction | null | undefined
}

/**
 * The function that is called, as far as it is known.
 *
 * @example
 * ```ts
 * import type { ChatCompletionChunkDeltaToolCallFunction } from "@sluice/sdk/models/components"
 *
 * export const piece: ChatCompletionChunkDeltaToolCallFunction = { name: "weather", arguments: null }
 * ```
 */
export interface ChatCompletionChunkDeltaToolCallFunction
  extends Nullish<NonNullable<FunctionCallDelta["function"]>, "name" | "arguments"> {}

/**
 * How likely the tokens were.
 *
 * @example
 * ```ts
 * import type { ChatCompletionLogProbs } from "@sluice/sdk/models/components"
 *
 * export const logprobs: ChatCompletionLogProbs = { content: [{ topLogprobs: [] }] }
 * ```
 */
export interface ChatCompletionLogProbs {
  content?: ChatCompletionLogProbsContent[] | null | undefined
}

/**
 * What might have stood in one token's place. Atoma leaves the token itself out.
 *
 * @example
 * ```ts
 * import type { ChatCompletionLogProbsContent } from "@sluice/sdk/models/components"
 *
 * export const first = (place: ChatCompletionLogProbsContent) => place.topLogprobs[0]?.token
 * ```
 */
export interface ChatCompletionLogProbsContent {
  topLogprobs: ChatCompletionLogProb[]
}

/**
 * How likely a token was.
 *
 * @example
 * ```ts
 * import type { ChatCompletionLogProb } from "@sluice/sdk/models/components"
 *
 * export const likelihood = (token: ChatCompletionLogProb) => Math.exp(token.logprob)
 * ```
 */
export interface ChatCompletionLogProb
  extends Always<TopLogprob, "token" | "logprob">,
    Nullish<TopLogprob, "bytes"> {}

/**
 * A whole answer.
 *
 * @example
 * ```ts
 * import type { ChatCompletionResponse } from "@sluice/sdk/models/components"
 *
 * export const textOf = (answer: ChatCompletionResponse) => answer.choices[0]?.message.content ?? ""
 * ```
 */
export interface ChatCompletionResponse
  extends Always<ToSdk<Completion>, "created" | "id" | "model">,
    Nullish<ToSdk<Completion>, "serviceTier" | "systemFingerprint"> {
  choices: ChatCompletionChoice[]
  object: string
  usage?: CompletionUsage | null | undefined
}

/**
 * One of the answers asked for.
 *
 * @example
 * ```ts
 * import type { ChatCompletionChoice } from "@sluice/sdk/models/components"
 *
 * export const wasCut = (choice: ChatCompletionChoice) => choice.finishReason === "length"
 * ```
 */
export interface ChatCompletionChoice extends Always<ToSdk<CompletionChoice>, "index"> {
  message: ChatCompletionMessage
  finishReason?: string | null | undefined
  logprobs?: ChatCompletionLogProbs | null | undefined
}

/**
 * What the model said. Where it said nothing, because it called tools, the text is "".
 *
 * @example
 * ```ts
 * import type { ChatCompletionMessage } from "@sluice/sdk/models/components"
 *
 * export const said: ChatCompletionMessage = { role: "assistant", content: "Once" }
 * ```
 */
export interface ChatCompletionMessage
  extends Always<AssistantMessage, "role" | "content">,
    Nullish<ToSdk<AssistantMessage>, "reasoningContent" | "refusal">,
    Optional<ToSdk<AssistantMessage<FunctionToolCall>>, "toolCalls"> {}

/**
 * What a call used.
 *
 * @example
 * ```ts
 * import type { CompletionUsage } from "@sluice/sdk/models/components"
 *
 * export const usage: CompletionUsage = { completionTokens: 12, promptTokens: 9, totalTokens: 21 }
 * ```
 */
export interface CompletionUsage
  extends Always<ToSdk<Usage>, "completionTokens" | "promptTokens" | "totalTokens"> {
  promptTokensDetails?: PromptTokensDetails | null | undefined
}

/**
 * Of the prompt's tokens: how many came from the cache, how many were sound. Atoma wants both or nothing.
 *
 * @example
 * ```ts
 * import type { PromptTokensDetails } from "@sluice/sdk/models/components"
 *
 * export const details: PromptTokensDetails = { audioTokens: 0, cachedTokens: 8 }
 * ```
 */
export interface PromptTokensDetails
  extends Always<ToSdk<CanonicalPromptTokensDetails>, "audioTokens" | "cachedTokens"> {}
