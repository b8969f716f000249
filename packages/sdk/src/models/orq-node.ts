/**
 * Orq's types by the names of its TypeScript SDK (`@orq-ai/node/models/operations`): the members of its pages, which
 * are Python's, in camelCase and with that SDK's own marks.
 */
import type {
  AssistantMessage,
  AudioDelta,
  Chunk,
  ChunkChoice,
  Completion,
  CompletionChoice,
  FunctionCallDelta,
  FunctionToolCall,
  PromptTokensDetails,
  ToSdk,
} from "@sluice/protocol"
import type { Always, Nullish, Optional } from "./marks.ts"
import type {
  CreateChatCompletionData as Page,
  CreateChatCompletionProxyChoices as PageChoice,
  CreateChatCompletionProxyDelta as PageDelta,
  CreateChatCompletionProxyUsage as PageUsage,
} from "./orq.ts"

/**
 * One event of a streamed answer.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionRouterChatCompletionsResponseBody } from "@sluice/sdk/models/operations"
 *
 * type Event = CreateChatCompletionRouterChatCompletionsResponseBody
 * export const textOf = (event: Event) => event.data.choices[0]?.delta.content ?? ""
 * ```
 */
export interface CreateChatCompletionRouterChatCompletionsResponseBody {
  data: CreateChatCompletionData
}

/**
 * A streamed chunk.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionData } from "@sluice/sdk/models/operations"
 *
 * export const reasonOf = (chunk: CreateChatCompletionData) => chunk.choices[0]?.finishReason
 * ```
 */
export interface CreateChatCompletionData
  extends Omit<ToSdk<Page>, "id" | "created" | "model" | "choices" | "usage">,
    Always<ToSdk<Chunk>, "id" | "created" | "model"> {
  /** Empty on the chunk that carries the usage alone. */
  choices: CreateChatCompletionRouterChatCompletionsChoices[]
  usage?: CreateChatCompletionRouterChatCompletionsUsage | null | undefined
}

/**
 * What a chunk adds to one of the answers asked for.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionRouterChatCompletionsChoices } from "@sluice/sdk/models/operations"
 *
 * export const last: CreateChatCompletionRouterChatCompletionsChoices = { index: 0, finishReason: "stop", delta: {} }
 * ```
 */
export interface CreateChatCompletionRouterChatCompletionsChoices
  extends Omit<ToSdk<PageChoice>, "index" | "delta">,
    Always<ToSdk<ChunkChoice>, "index"> {
  delta: Omit<ToSdk<PageDelta>, "toolCalls"> & {
    toolCalls?:
      | Optional<ToSdk<FunctionCallDelta>, "index" | "id" | "type" | "function" | "thoughtSignature">[]
      | undefined
  }
}

/**
 * What a call used.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionRouterChatCompletionsUsage } from "@sluice/sdk/models/operations"
 *
 * export const isShort = ({ totalTokens = 0 }: CreateChatCompletionRouterChatCompletionsUsage) => totalTokens < 100
 * ```
 */
export interface CreateChatCompletionRouterChatCompletionsUsage
  extends Omit<ToSdk<PageUsage>, "promptTokensDetails"> {
  promptTokensDetails?:
    | Nullish<ToSdk<PromptTokensDetails>, "cachedTokens" | "cacheCreationTokens" | "audioTokens">
    | null
    | undefined
}

/**
 * A whole answer.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionResponseBody } from "@sluice/sdk/models/operations"
 *
 * export const textOf = (answer: CreateChatCompletionResponseBody) => answer.choices[0]?.message.content ?? ""
 * ```
 */
export interface CreateChatCompletionResponseBody
  extends Always<ToSdk<Completion>, "id" | "object" | "created" | "model">,
    Nullish<ToSdk<Completion>, "systemFingerprint"> {
  choices: CreateChatCompletionChoices[]
  usage?: CreateChatCompletionRouterChatCompletionsUsage | null | undefined
}

/**
 * One of the answers asked for.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionChoices } from "@sluice/sdk/models/operations"
 *
 * export const wasCut = (choice: CreateChatCompletionChoices) => choice.finishReason === "length"
 * ```
 */
export interface CreateChatCompletionChoices
  extends Always<ToSdk<CompletionChoice>, "index">,
    Pick<ToSdk<PageChoice>, "finishReason" | "logprobs"> {
  message: CreateChatCompletionMessage
}

/**
 * What the model said.
 *
 * @example
 * ```ts
 * import type { CreateChatCompletionMessage } from "@sluice/sdk/models/operations"
 *
 * export const callsOf = (message: CreateChatCompletionMessage) => message.toolCalls ?? []
 * ```
 */
export interface CreateChatCompletionMessage
  extends Optional<AssistantMessage, "role">,
    Nullish<ToSdk<AssistantMessage>, "content" | "refusal" | "reasoning" | "reasoningSignature">,
    Optional<ToSdk<AssistantMessage<FunctionToolCall>>, "redactedReasoning" | "toolCalls"> {
  audio?: Always<ToSdk<AudioDelta>, "id" | "data" | "transcript" | "expiresAt"> | null | undefined
}
