/** r9s as its own SDK has it: `chat.create`, whose stream is iterated chunk by chunk. */
import { r9s } from "@sluice/protocol/dialects"
import type { ChatCompletionResponse, ChatCompletionStreamEvent } from "../models/r9s.ts"
import {
  type Credential,
  joinURL,
  type VendorCall,
  type VendorOptions,
  vendorCall,
  vendorClient,
} from "./vendor.ts"
import { mapView, viewOf } from "./view.ts"

/**
 * What an `R9S` is made with.
 *
 * @example
 * ```ts
 * import { R9S, type R9SOptions } from "@sluice/sdk/r9s"
 *
 * const options: R9SOptions = { apiKey: async () => "sk-…", timeoutMs: 60_000 }
 * export const r9s = new R9S(options)
 * ```
 */
export interface R9SOptions extends VendorOptions {
  /** Default: the environment variable `R9S_API_KEY`. */
  apiKey?: Credential
}

/**
 * Stands in for `R9S` of `@r9s/sdk`: change the import, keep the rest.
 *
 * @example
 * ```ts
 * import { R9S } from "@sluice/sdk/r9s"
 *
 * const r9s = new R9S({ apiKey: "sk-…", serverURL: "http://127.0.0.1:4000/r9s" })
 * const stream = await r9s.chat.create({
 *   model: "gpt-4o-mini",
 *   messages: [{ role: "user", content: "Hello" }],
 *   stream: true,
 * })
 * for await (const event of stream) console.log(event.choices[0]?.delta.content ?? "")
 * ```
 */
export class R9S {
  readonly chat: { readonly create: VendorCall<ChatCompletionStreamEvent, ChatCompletionResponse> }

  constructor({ apiKey, ...options }: R9SOptions = {}) {
    const client = vendorClient("r9s", joinURL(options.serverURL, "/v1"), apiKey, options)
    this.chat = { create: vendorCall(client, view) }
  }
}

const view = mapView(viewOf<ChatCompletionStreamEvent, ChatCompletionResponse>(r9s), eventOf, answerOf)

function eventOf(event: ChatCompletionStreamEvent): ChatCompletionStreamEvent {
  for (const choice of event.choices) {
    nameEnd(choice)
    // One type for a whole call and a piece of one: where the name has been said already, r9s's SDK says "".
    for (const call of choice.delta.toolCalls ?? []) call.function = { ...NO_NAME, ...call.function }
  }
  return event
}

function answerOf(answer: ChatCompletionResponse): ChatCompletionResponse {
  answer.choices.forEach(nameEnd)
  return answer
}

/** Of the five reasons that the wire may give, r9s's type has not the older word for a call of a tool. */
function nameEnd(choice: { finishReason?: string | null }): void {
  if (choice.finishReason === "function_call") choice.finishReason = "tool_calls"
}

const NO_NAME = { name: "" }
