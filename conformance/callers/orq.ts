import { Orq, SDK_METADATA } from "@orq-ai/node"
import { type Caller, collect, type Server } from "../caller.ts"
import { camelBody, camelStreamBody } from "./body.ts"

export const orq: Caller = {
  name: `@orq-ai/node ${SDK_METADATA.sdkVersion}`,
  mount: "/orq",
  refusals: { 400: "APIError", 401: "APIError", 404: "APIError", 429: "APIError", 503: "APIError" },
  // It reads no error in band: the transfer breaks.
  failure: { told: /^TypeError: terminated/, cut: /^TypeError: terminated/ },
  cannot: [],
  stream: (server, ask) =>
    collect(async (collected) => {
      const { completions } = clientOf(server).router.chat
      const stream = await completions.create(camelStreamBody(ask), { signal: ask.signal })
      if (!(Symbol.asyncIterator in stream)) throw new TypeError("the SDK took the stream for a whole answer")
      for await (const { data } of stream) {
        for (const { delta, finishReason, logprobs } of data?.choices ?? []) {
          collected.piece(delta)
          collected.choice({ finishReason, logprobs })
        }
        collected.usage(data?.usage)
      }
    }, ask),
  complete: (server, ask) =>
    collect(async (collected) => {
      const { completions } = clientOf(server).router.chat
      const completion = await completions.create(camelBody(ask), { signal: ask.signal })
      if (Symbol.asyncIterator in completion) throw new TypeError("the SDK took the answer for a stream")
      for (const { message, finishReason, logprobs } of completion.choices) {
        collected.piece(message)
        collected.choice({ finishReason, logprobs })
      }
      collected.usage(completion.usage)
    }, ask),
  async models(server) {
    const { data } = await clientOf(server).models.list()
    return (data ?? []).map(({ id }) => id)
  },
}

function clientOf({ url, key }: Server): Orq {
  return new Orq({ apiKey: key, serverURL: `${url}${orq.mount}` })
}
