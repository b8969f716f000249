import { OpenRouter, SDK_METADATA } from "@openrouter/sdk"
import type { ChatRequest, ChatResult, ChatStreamChunk } from "@openrouter/sdk/models"
import { OpenRouter as OpenRouter09, SDK_METADATA as SDK_METADATA_09 } from "openrouter-sdk-0.9"
import type {
  ChatGenerationParams,
  ChatResponse,
  ChatStreamingResponseChunk,
} from "openrouter-sdk-0.9/models"
import { type Caller, type Collected, collect, type Server } from "../caller.ts"
import { camelBody, camelStreamBody } from "./body.ts"

const MOUNT = "/openrouter/api/v1"

const common = {
  refusals: {
    400: "BadRequestResponseError",
    401: "UnauthorizedResponseError",
    404: "NotFoundResponseError",
    429: "TooManyRequestsResponseError",
    503: "ServiceUnavailableResponseError",
  },
  // It hands out the chunk with the error; the class is this file's.
  failure: { told: /^ErrorChunk: .*told to/, cut: /^ErrorChunk: .*(broke|connection)/ },
  cannot: [],
} satisfies Partial<Caller>

export const openrouter = callerAt(MOUNT)
export const openrouter09 = callerAt09(MOUNT)

/** Pointed there they are known by their user agent. */
export const openrouterAtV1 = callerAt("/v1")
export const openrouter09AtV1 = callerAt09("/v1")

function callerAt(mount: string): Caller {
  return {
    ...common,
    name: nameOf(SDK_METADATA.sdkVersion, mount),
    mount,
    stream: (server, ask) =>
      collect(async (collected) => {
        const chatRequest: ChatRequest & { stream: true } = camelStreamBody(ask)
        const stream = await clientOf(server, mount).chat.send({ chatRequest }, { signal: ask.signal })
        if (!(Symbol.asyncIterator in stream))
          throw new TypeError("the SDK took the stream for a whole answer")
        for await (const chunk of stream) readChunk(chunk, collected)
      }, ask),
    complete: (server, ask) =>
      collect(async (collected) => {
        const chatRequest: ChatRequest & { stream?: false } = camelBody(ask)
        const completion = await clientOf(server, mount).chat.send({ chatRequest }, { signal: ask.signal })
        if (Symbol.asyncIterator in completion) throw new TypeError("the SDK took the answer for a stream")
        readChoices(completion, collected)
      }, ask),
    async models(server) {
      const ids: string[] = []
      for await (const { result } of await clientOf(server, mount).models.list()) {
        ids.push(...result.data.map(({ id }) => id))
      }
      return ids
    },
  }
}

function callerAt09(mount: string): Caller {
  return {
    ...common,
    name: nameOf(SDK_METADATA_09.sdkVersion, mount),
    mount,
    stream: (server, ask) =>
      collect(async (collected) => {
        const chatGenerationParams: ChatGenerationParams & { stream: true } = camelStreamBody(ask)
        const stream = await client09Of(server, mount).chat.send(
          { chatGenerationParams },
          { signal: ask.signal },
        )
        for await (const chunk of stream) readChunk(chunk, collected)
      }, ask),
    complete: (server, ask) =>
      collect(async (collected) => {
        const chatGenerationParams: ChatGenerationParams & { stream?: false } = camelBody(ask)
        const completion = await client09Of(server, mount).chat.send(
          { chatGenerationParams },
          { signal: ask.signal },
        )
        readChoices(completion, collected)
      }, ask),
    async models(server) {
      const { data } = await client09Of(server, mount).models.list()
      return data.map(({ id }) => id)
    },
  }
}

function nameOf(version: string, mount: string): string {
  return `@openrouter/sdk ${version}${mount === MOUNT ? "" : ` at ${mount}`}`
}

/** By default it asks a failing server again for an hour. */
function clientOf({ url, key }: Server, mount: string): OpenRouter {
  return new OpenRouter({
    apiKey: key,
    serverURL: `${url}${mount}`,
    retryConfig: { strategy: "none" },
  })
}

function client09Of({ url, key }: Server, mount: string): OpenRouter09 {
  return new OpenRouter09({ apiKey: key, serverURL: `${url}${mount}` })
}

class ErrorChunk extends Error {}

function readChunk(chunk: ChatStreamChunk | ChatStreamingResponseChunk, collected: Collected): void {
  for (const { delta, finishReason, logprobs } of chunk.choices) {
    collected.piece(delta)
    collected.choice({ finishReason, logprobs })
  }
  collected.usage(chunk.usage)
  if (chunk.error) collected.answer.error = new ErrorChunk(chunk.error.message)
}

function readChoices({ choices, usage }: ChatResult | ChatResponse, collected: Collected): void {
  for (const { message, finishReason, logprobs } of choices) {
    collected.piece(message)
    collected.choice({ finishReason, logprobs })
  }
  collected.usage(usage)
}
