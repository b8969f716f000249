/** The SDK's own form of the canonical model: camelCase, as the vendors' SDKs have it. */
import type {
  ChatRequest,
  Chunk,
  Completion,
  FunctionCallDelta,
  ToolCallDelta,
  ToSdk,
} from "@sluice/protocol"

/**
 * A streamed chunk. A piece of a custom tool's call has `custom`; its `type` is typed as the vendors' pages have it, so that
 * code written for them takes our chunks.
 *
 * @example
 * ```ts
 * import type { ChatChunk } from "@sluice/sdk"
 *
 * export const textOf = (chunk: ChatChunk) => chunk.choices[0]?.delta.content ?? ""
 * ```
 */
export type ChatChunk = ToSdk<Chunk<FunctionCallDelta & Pick<ToolCallDelta, "custom">>>

/**
 * A whole answer: what a call that does not stream returns, and what a stream's chunks add up to.
 *
 * @example
 * ```ts
 * import type { ChatCompletion } from "@sluice/sdk"
 *
 * export const tokensOf = (completion: ChatCompletion) => completion.usage?.totalTokens
 * ```
 */
export type ChatCompletion = ToSdk<Completion>

/**
 * What to ask for, in camelCase or in the words of the wire.
 *
 * @example
 * ```ts
 * import type { ChatParams } from "@sluice/sdk"
 *
 * export const params: ChatParams = { model: "sim/story", messages: [{ role: "user", content: "Hi" }], maxTokens: 9 }
 * ```
 */
export type ChatParams = ToSdk<ChatRequest> | ChatRequest

/**
 * One event of a stream: the vendors' envelope around a chunk.
 *
 * @example
 * ```ts
 * import type { ChatEvent } from "@sluice/sdk"
 *
 * export const bookmarkOf = (event: ChatEvent) => event.id
 * ```
 */
export interface ChatEvent {
  data: ChatChunk
  id?: string
  event?: string
  retry?: number
}

/**
 * A model that the server offers.
 *
 * @example
 * ```ts
 * import type { ChatModel } from "@sluice/sdk"
 *
 * export const nameOf = (model: ChatModel) => model.id
 * ```
 */
export interface ChatModel {
  id: string
  object?: string
  created?: number
  ownedBy?: string
}
