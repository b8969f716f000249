/** OpenRouter's types, by the names of its pages. */
import type {
  Chunk,
  ChunkChoice,
  CompletionTokensDetails,
  Delta,
  FunctionCallDelta,
  Logprobs,
  PromptTokensDetails,
  StreamError,
  TokenLogprob,
  ToSdk,
  Usage,
} from "@sluice/protocol"
import type { Always, Nullish, Optional } from "./marks.ts"

/**
 * A streamed chunk.
 *
 * @example
 * ```ts
 * import type { ChatStreamingResponseChunk } from "@sluice/sdk/models"
 *
 * export const failed = (chunk: ChatStreamingResponseChunk) => chunk.error?.message
 * ```
 */
export interface ChatStreamingResponseChunk
  extends Always<ToSdk<Chunk>, "id" | "created" | "model" | "object">,
    Nullish<ToSdk<Chunk>, "systemFingerprint"> {
  choices: ChatStreamingChoice[]
  /** Present when the stream failed after it had begun. */
  error?: Always<StreamError, "code" | "message"> | undefined
  usage?: ChatGenerationTokenUsage | undefined
}

/**
 * What a chunk adds to an answer.
 *
 * @example
 * ```ts
 * import type { ChatStreamingChoice } from "@sluice/sdk/models"
 *
 * export const last: ChatStreamingChoice = { index: 0, delta: {}, finishReason: "stop" }
 * ```
 */
export interface ChatStreamingChoice
  extends Always<ToSdk<ChunkChoice>, "index">,
    Nullish<ToSdk<ChunkChoice>, "finishReason"> {
  delta: ChatStreamingMessageChunk
  logprobs?: ChatMessageTokenLogprobs | null | undefined
}

/**
 * The piece of a message that has just arrived.
 *
 * @example
 * ```ts
 * import type { ChatStreamingMessageChunk } from "@sluice/sdk/models"
 *
 * export const piece: ChatStreamingMessageChunk = { role: "assistant", content: "Once", reasoning: null }
 * ```
 */
export interface ChatStreamingMessageChunk
  extends Optional<ToSdk<Delta>, "role" | "reasoningDetails">,
    Nullish<ToSdk<Delta>, "content" | "reasoning" | "refusal"> {
  toolCalls?: ChatStreamingMessageToolCall[] | undefined
}

/**
 * A piece of a tool call: `index` says of which.
 *
 * @example
 * ```ts
 * import type { ChatStreamingMessageToolCall } from "@sluice/sdk/models"
 *
 * export const piece: ChatStreamingMessageToolCall = { index: 1, function: { arguments: '{"city":' } }
 * ```
 */
export interface ChatStreamingMessageToolCall
  extends Always<ToSdk<FunctionCallDelta>, "index">,
    Optional<ToSdk<FunctionCallDelta>, "id" | "type" | "function"> {}

/**
 * How likely the tokens were.
 *
 * @example
 * ```ts
 * import type { ChatMessageTokenLogprobs } from "@sluice/sdk/models"
 *
 * export const logprobs: ChatMessageTokenLogprobs = { content: null, refusal: null }
 * ```
 */
export interface ChatMessageTokenLogprobs extends ToSdk<Logprobs> {}

/**
 * How likely one token was, and what else might have stood in its place.
 *
 * @example
 * ```ts
 * import type { ChatMessageTokenLogprob } from "@sluice/sdk/models"
 *
 * export const likelihood = (token: ChatMessageTokenLogprob) => Math.exp(token.logprob)
 * ```
 */
export interface ChatMessageTokenLogprob extends ToSdk<TokenLogprob> {}

/**
 * What a call used.
 *
 * @example
 * ```ts
 * import type { ChatGenerationTokenUsage } from "@sluice/sdk/models"
 *
 * export const usage: ChatGenerationTokenUsage = { promptTokens: 9, completionTokens: 12, totalTokens: 21 }
 * ```
 */
export interface ChatGenerationTokenUsage
  extends Always<ToSdk<Usage>, "completionTokens" | "promptTokens" | "totalTokens"> {
  completionTokensDetails?:
    | Nullish<
        ToSdk<CompletionTokensDetails>,
        "reasoningTokens" | "audioTokens" | "acceptedPredictionTokens" | "rejectedPredictionTokens"
      >
    | null
    | undefined
  promptTokensDetails?:
    | Optional<
        ToSdk<PromptTokensDetails>,
        "cachedTokens" | "cacheWriteTokens" | "audioTokens" | "videoTokens"
      >
    | null
    | undefined
}
