/** Atoma as its own SDK has it: one call for each answer, and the stream is iterated in `{ data }` envelopes. */
import { atoma } from "@sluice/protocol/dialects"
import type { ChatCompletionChunk, ChatCompletionResponse } from "../models/components.ts"
import type { ChatCompletionsCreateStreamResponseBody } from "../models/operations.ts"
import type { ChatParams } from "../shapes.ts"
import {
  type Credential,
  joinURL,
  type RequestOptions,
  type VendorOptions,
  vendorCall,
  vendorClient,
} from "./vendor.ts"
import type { VendorStream } from "./vendor-stream.ts"
import { mapView, viewOf } from "./view.ts"

/**
 * What an `AtomaSDK` is made with.
 *
 * @example
 * ```ts
 * import { AtomaSDK, type AtomaOptions } from "@sluice/sdk/atoma"
 *
 * const options: AtomaOptions = { bearerAuth: "sk-…", timeoutMs: 60_000 }
 * export const atoma = new AtomaSDK(options)
 * ```
 */
export interface AtomaOptions extends VendorOptions {
  /** Default: the environment variable `ATOMASDK_BEARER_AUTH`. */
  bearerAuth?: Credential
}

/**
 * Stands in for `AtomaSDK` of `atoma-sdk`: change the import, keep the rest.
 *
 * @example
 * ```ts
 * import { AtomaSDK } from "@sluice/sdk/atoma"
 *
 * const atoma = new AtomaSDK({ bearerAuth: "sk-…", serverURL: "http://127.0.0.1:4000/atoma" })
 * const stream = await atoma.chat.createStream({
 *   model: "meta-llama/Llama-3.3-70B-Instruct",
 *   messages: [{ role: "user", content: "Hello" }],
 * })
 * for await (const event of stream) console.log(event.data.choices[0]?.delta.content ?? "")
 * ```
 */
export class AtomaSDK {
  readonly chat: {
    create(
      request: ChatParams & { stream?: false },
      options?: RequestOptions,
    ): Promise<ChatCompletionResponse>
    createStream(
      request: ChatParams,
      options?: RequestOptions,
    ): Promise<VendorStream<ChatCompletionsCreateStreamResponseBody, ChatCompletionResponse>>
  }

  constructor({ bearerAuth, ...options }: AtomaOptions = {}) {
    const client = vendorClient("atoma", joinURL(options.serverURL, "/v1"), bearerAuth, options)
    const call = vendorCall(client, view)
    this.chat = {
      create: (request, options) => call({ ...request, stream: false }, options),
      createStream: (request, options) => call({ ...request, stream: true }, options),
    }
  }
}

const view = mapView(
  viewOf<ChatCompletionChunk, ChatCompletionResponse>(atoma),
  (data): ChatCompletionsCreateStreamResponseBody => ({ data }),
)
