/** OpenRouter as its own SDK has it: `chat.send`, whose stream is iterated chunk by chunk. */
import { openrouter } from "@sluice/protocol/dialects"
import type { ChatResult, ChatStreamChunk } from "../models/openrouter-newer.ts"
import type { ChatParams } from "../shapes.ts"
import { variable } from "../system.ts"
import {
  type Credential,
  type RequestOptions,
  type VendorOptions,
  vendorCall,
  vendorClient,
} from "./vendor.ts"
import type { VendorStream } from "./vendor-stream.ts"
import { viewOf } from "./view.ts"

/**
 * What an `OpenRouter` is made with.
 *
 * @example
 * ```ts
 * import { OpenRouter, type OpenRouterOptions } from "@sluice/sdk/openrouter"
 *
 * const options: OpenRouterOptions = { apiKey: "sk-…", appTitle: "My app", httpReferer: "https://example.com" }
 * export const openRouter = new OpenRouter(options)
 * ```
 */
export interface OpenRouterOptions extends VendorOptions, Attribution {
  /** Default: the environment variable `OPENROUTER_API_KEY`. */
  apiKey?: Credential
}

/** Who calls, for OpenRouter's rankings. */
interface Attribution {
  httpReferer?: string
  appTitle?: string
  /** What `appTitle` was called up to 0.10. */
  xTitle?: string
  appCategories?: string
}

/**
 * A request in any of the forms that OpenRouter's SDK has had: under `chatRequest` (from 0.12), under
 * `chatGenerationParams` (0.9 and 0.10), or flat (its documentation).
 *
 * @example
 * ```ts
 * import type { OpenRouterRequest } from "@sluice/sdk/openrouter"
 *
 * const messages = [{ role: "user" as const, content: "Hello" }]
 * export const request: OpenRouterRequest = { chatRequest: { model: "openai/gpt-4o-mini", messages, stream: true } }
 * ```
 */
export type OpenRouterRequest<Params = ChatParams> =
  | ({ chatRequest: Params } & OfOneCall)
  | ({ chatGenerationParams: Params } & OfOneCall)
  | Params

interface OfOneCall extends Attribution {
  xOpenRouterMetadata?: "enabled" | "disabled"
}

/**
 * Stands in for `OpenRouter` of `@openrouter/sdk`: change the import, keep the rest.
 *
 * @example
 * ```ts
 * import { OpenRouter } from "@sluice/sdk/openrouter"
 *
 * const openRouter = new OpenRouter({ apiKey: "sk-…", serverURL: "http://127.0.0.1:4000/openrouter/api/v1" })
 * const stream = await openRouter.chat.send({
 *   chatRequest: {
 *     model: "openai/gpt-4o-mini",
 *     messages: [{ role: "user", content: "Hello" }],
 *     stream: true,
 *   },
 * })
 * for await (const chunk of stream) console.log(chunk.choices[0]?.delta.content ?? "")
 * ```
 */
export class OpenRouter {
  readonly chat: OpenRouterChat

  constructor({ apiKey, httpReferer, appTitle, xTitle, appCategories, ...options }: OpenRouterOptions = {}) {
    const serverURL = options.serverURL ?? variable("OPENROUTER_BASE_URL")
    const headers = headersOf({
      httpReferer: httpReferer ?? variable("OPENROUTER_HTTP_REFERER"),
      appTitle: appTitle ?? xTitle ?? variable("OPENROUTER_APP_TITLE"),
      appCategories: appCategories ?? variable("OPENROUTER_APP_CATEGORIES"),
    })
    const call = vendorCall(vendorClient("openrouter", serverURL, apiKey, options, headers), view)
    const send = (request: OpenRouterRequest, options: RequestOptions = {}) => {
      const { params, headers } = unwrap(request)
      const merged = new Headers(headers)
      new Headers(options.headers ?? {}).forEach((value, name) => {
        merged.set(name, value)
      })
      return call(params, { ...options, headers: merged })
    }
    this.chat = { send: send as OpenRouterChat["send"] }
  }
}

interface OpenRouterChat {
  send(
    request: OpenRouterRequest<ChatParams & { stream: true }>,
    options?: RequestOptions,
  ): Promise<VendorStream<ChatStreamChunk, ChatResult>>
  send(
    request: OpenRouterRequest<ChatParams & { stream?: false }>,
    options?: RequestOptions,
  ): Promise<ChatResult>
  send(
    request: OpenRouterRequest,
    options?: RequestOptions,
  ): Promise<VendorStream<ChatStreamChunk, ChatResult> | ChatResult>
}

const view = viewOf<ChatStreamChunk, ChatResult>(openrouter)

function unwrap(request: OpenRouterRequest): { params: ChatParams; headers: Record<string, string> } {
  if ("chatRequest" in request) return { params: request.chatRequest, headers: headersOf(request) }
  if ("chatGenerationParams" in request) {
    return { params: request.chatGenerationParams, headers: headersOf(request) }
  }
  return { params: request, headers: {} }
}

function headersOf({ httpReferer, xTitle, appTitle = xTitle, ...rest }: OfOneCall) {
  const { appCategories, xOpenRouterMetadata } = rest
  return {
    ...(httpReferer !== undefined && { "http-referer": httpReferer }),
    ...(appTitle !== undefined && { "x-openrouter-title": appTitle }),
    ...(appCategories !== undefined && { "x-openrouter-categories": appCategories }),
    ...(xOpenRouterMetadata !== undefined && { "x-openrouter-metadata": xOpenRouterMetadata }),
  }
}
