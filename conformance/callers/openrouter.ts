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

const common = {
  mount: "/openrouter/api/v1",
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

export const openrouter: Caller = {
  ...common,
  name: `@openrouter/sdk ${SDK_METADATA.sdkVersion}`,
  stream: (server, ask) =>
    collect(async (collected) => {
      const chatRequest: ChatRequest & { stream: true } = camelStreamBody(ask)
      const stream = await clientOf(server).chat.send({ chatRequest }, { signal: ask.signal })
      if (!(Symbol.asyncIterator in stream)) throw new TypeError("the SDK took the stream for a whole answer")
      for await (const chunk of stream) readChunk(chunk, collected)
    }, ask),
  complete: (server, ask) =>
    collect(async (collected) => {
      const chatRequest: ChatRequest & { stream?: false } = camelBody(ask)
      const completion = await clientOf(server).chat.send({ chatRequest }, { signal: ask.signal })
      if (Symbol.asyncIterator in completion) throw new TypeError("the SDK took the answer for a stream")
      readChoices(completion, collected)
    }, ask),
  async models(server) {
    const ids: string[] = []
    for await (const { result } of await clientOf(server).models.list()) {
      ids.push(...result.data.map(({ id }) => id))
    }
    return ids
  },
}

export const openrouter09: Caller = {
  ...common,
  name: `@openrouter/sdk ${SDK_METADATA_09.sdkVersion}`,
  stream: (server, ask) =>
    collect(async (collected) => {
      const chatGenerationParams: ChatGenerationParams & { stream: true } = camelStreamBody(ask)
      const stream = await client09Of(server).chat.send({ chatGenerationParams }, { signal: ask.signal })
      for await (const chunk of stream) readChunk(chunk, collected)
    }, ask),
  complete: (server, ask) =>
    collect(async (collected) => {
      const chatGenerationParams: ChatGenerationParams & { stream?: false } = camelBody(ask)
      const completion = await client09Of(server).chat.send({ chatGenerationParams }, { signal: ask.signal })
      readChoices(completion, collected)
    }, ask),
  async models(server) {
    const { data } = await client09Of(server).models.list()
    return data.map(({ id }) => id)
  },
}

/** By default it asks a failing server again for an hour. */
function clientOf({ url, key }: Server): OpenRouter {
  return new OpenRouter({
    apiKey: key,
    serverURL: `${url}${common.mount}`,
    retryConfig: { strategy: "none" },
  })
}

function client09Of({ url, key }: Server): OpenRouter09 {
  return new OpenRouter09({ apiKey: key, serverURL: `${url}${common.mount}` })
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
