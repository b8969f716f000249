/** r9s as its own SDK has it: `chat.create`, whose stream is iterated chunk by chunk. */
import type { ChatStream } from "../stream.ts"
import {
  type Credential,
  chunkCall,
  joinURL,
  type VendorCall,
  type VendorOptions,
  vendorClient,
} from "./vendor.ts"

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
  readonly chat: { readonly create: VendorCall<ChatStream> }

  constructor({ apiKey, ...options }: R9SOptions = {}) {
    const client = vendorClient("r9s", joinURL(options.serverURL, "/v1"), apiKey, options)
    this.chat = { create: chunkCall(client) }
  }
}
