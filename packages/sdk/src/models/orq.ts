/** Orq's types, by the names of its pages. These are Python pages: members keep their snake_case. */
import type {
  AudioDelta,
  Chunk,
  ChunkChoice,
  CompletionTokensDetails,
  Delta,
  FunctionCallDelta,
  Logprobs,
  PromptTokensDetails,
  Usage,
} from "@sluice/protocol"
import type { Always, Nullable, Nullish, Optional } from "./marks.ts"

/**
 * A streamed chunk.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionData } from "@sluice/sdk/models"
 *
 * export const chunk: CreateChatCompletionData = {
 *   object: "chat.completion.chunk",
 *   choices: [{ finish_reason: null, delta: { content: "Once" } }],
 *   system_fingerprint: null,
 * }
 * ```
 */
export interface CreateChatCompletionData
  extends Optional<Chunk, "id" | "created" | "model">,
    Nullish<Chunk, "system_fingerprint"> {
  /** Empty on the chunk that carries the usage alone. */
  choices: CreateChatCompletionProxyChoices[]
  usage?: CreateChatCompletionProxyUsage | undefined
  object: CreateChatCompletionProxyObject
}

/**
 * What a chunk adds to one of the answers asked for.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionProxyChoices } from "@sluice/sdk/models"
 *
 * export const last: CreateChatCompletionProxyChoices = { finish_reason: "stop", delta: {} }
 * ```
 */
export interface CreateChatCompletionProxyChoices extends Optional<ChunkChoice, "index"> {
  /** Always there; null until the answer ends. */
  finish_reason: CreateChatCompletionFinishReason | null
  logprobs?: CreateChatCompletionLogprobs | null | undefined
  delta: CreateChatCompletionProxyDelta
}

/**
 * Why an answer ended.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionFinishReason } from "@sluice/sdk/models"
 *
 * export const wasCut = (reason: CreateChatCompletionFinishReason) => reason === "length"
 * ```
 */
export type CreateChatCompletionFinishReason = Exclude<NonNullable<ChunkChoice["finish_reason"]>, "error">

/**
 * How likely the tokens were.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionLogprobs } from "@sluice/sdk/models"
 *
 * export const logprobs: CreateChatCompletionLogprobs = { content: null, refusal: null }
 * ```
 */
export interface CreateChatCompletionLogprobs extends Nullable<Logprobs, "content" | "refusal"> {}

/**
 * The piece of a message that has just arrived.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionProxyDelta } from "@sluice/sdk/models"
 *
 * export const piece: CreateChatCompletionProxyDelta = { content: "Once", reasoning: "A story, then." }
 * ```
 */
export interface CreateChatCompletionProxyDelta
  extends Nullish<Delta, "content" | "refusal">,
    Optional<Delta, "role" | "reasoning" | "reasoning_signature" | "redacted_reasoning"> {
  tool_calls?: Optional<FunctionCallDelta, "id" | "type" | "function">[] | undefined
  audio?: Optional<AudioDelta, "id" | "transcript" | "data" | "expires_at"> | null | undefined
}

/**
 * What a call used.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionProxyUsage } from "@sluice/sdk/models"
 *
 * export const usage: CreateChatCompletionProxyUsage = { total_tokens: 21, prompt_tokens_details: null }
 * ```
 */
export interface CreateChatCompletionProxyUsage
  extends Optional<Usage, "completion_tokens" | "prompt_tokens" | "total_tokens"> {
  prompt_tokens_details?: Nullish<PromptTokensDetails, "cached_tokens" | "audio_tokens"> | null | undefined
  completion_tokens_details?:
    | Nullish<
        CompletionTokensDetails,
        "reasoning_tokens" | "accepted_prediction_tokens" | "rejected_prediction_tokens" | "audio_tokens"
      >
    | null
    | undefined
}

/**
 * The one word that says what this object is.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionProxyObject } from "@sluice/sdk/models"
 *
 * export const object: CreateChatCompletionProxyObject = "chat.completion.chunk"
 * ```
 */
export type CreateChatCompletionProxyObject = Always<Chunk, "object">["object"]
