/** Orq as its own SDK has it: the router's call and the older proxy's; streams are iterated in `{ data }` envelopes. */
import { orq } from "@sluice/protocol/dialects"
import type {
  CreateChatCompletionData,
  CreateChatCompletionResponseBody,
  CreateChatCompletionRouterChatCompletionsResponseBody,
} from "../models/operations.ts"
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
 * What an `Orq` is made with.
 *
 * @example
 * ```ts
 * import { Orq, type OrqOptions } from "@sluice/sdk/orq"
 *
 * const options: OrqOptions = { apiKey: "sk-…", environment: "production" }
 * export const orq = new Orq(options)
 * ```
 */
export interface OrqOptions extends VendorOptions {
  /** Default: the environment variable `ORQ_API_KEY`. */
  apiKey?: Credential
  /** Sent as `X-ORQ-CONTACT-ID`. */
  contactId?: string
  environment?: string
}

/**
 * Stands in for `Orq` of `@orq-ai/node`: change the import, keep the rest.
 *
 * @example
 * ```ts
 * import { Orq } from "@sluice/sdk/orq"
 *
 * const orq = new Orq({ apiKey: "sk-…", serverURL: "http://127.0.0.1:4000/orq" })
 * const stream = await orq.router.chat.completions.create({
 *   model: "openai/gpt-4o-mini",
 *   messages: [{ role: "user", content: "Hello" }],
 *   stream: true,
 * })
 * for await (const event of stream) console.log(event.data.choices[0]?.delta.content ?? "")
 * ```
 */
export class Orq {
  readonly router: {
    readonly chat: { readonly completions: { readonly create: OrqCall } }
  }
  /** Orq's first path, without `[DONE]`. */
  readonly proxy: { readonly chatCompletions: OrqCall }

  constructor({ apiKey, contactId, environment, ...options }: OrqOptions = {}) {
    const headers = { "x-orq-contact-id": contactId, environment }
    const server = options.serverURL ?? "https://my.orq.ai"
    const callAt = (path: string) =>
      vendorCall(vendorClient("orq", joinURL(server, path), apiKey, options, headers), view)
    this.router = { chat: { completions: { create: callAt("/v2/router") } } }
    this.proxy = { chatCompletions: callAt("/v2/proxy") }
  }
}

type OrqCall = VendorCall<
  CreateChatCompletionRouterChatCompletionsResponseBody,
  CreateChatCompletionResponseBody
>

const view = mapView(
  viewOf<CreateChatCompletionData, CreateChatCompletionResponseBody>(orq),
  (data): CreateChatCompletionRouterChatCompletionsResponseBody => ({ data }),
)
