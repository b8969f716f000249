/**
 * `@sluice/sdk/models/operations`: the events of a streamed answer, by the names of OpenRouter's and Atoma's pages, and
 * Orq's types by those of its TypeScript SDK.
 */
import type { ChatCompletionChunk } from "./components.ts"
import type { ChatStreamingResponseChunk } from "./openrouter.ts"

export type * from "./orq-node.ts"

/**
 * OpenRouter: one event of a streamed answer.
 *
 * @example
 * ```ts
 * import type { SendChatCompletionRequestResponseBody } from "@sluice/sdk/models/operations"
 *
 * export const textOf = (event: SendChatCompletionRequestResponseBody) => event.data.choices[0]?.delta.content ?? ""
 * ```
 */
export interface SendChatCompletionRequestResponseBody {
  data: ChatStreamingResponseChunk
}

/**
 * Atoma: one event of a streamed answer.
 *
 * @example
 * ```ts
 * import type { ChatCompletionsCreateStreamResponseBody } from "@sluice/sdk/models/operations"
 *
 * export const textOf = (event: ChatCompletionsCreateStreamResponseBody) => event.data.choices[0]?.delta.content ?? ""
 * ```
 */
export interface ChatCompletionsCreateStreamResponseBody {
  data: ChatCompletionChunk
}
