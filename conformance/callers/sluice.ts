/** Our own SDK: its client, and the four that stand in for the vendors'. */
import { Sluice } from "@sluice/sdk"
import { AtomaSDK } from "@sluice/sdk/atoma"
import { OpenRouter } from "@sluice/sdk/openrouter"
import { Orq } from "@sluice/sdk/orq"
import { R9S } from "@sluice/sdk/r9s"
import {
  type Ask,
  type Caller,
  collect,
  type Piece,
  type PieceOfChoice,
  type Server,
  type UsageCounts,
} from "../caller.ts"
import { camelBody, camelStreamBody } from "./body.ts"

export const sluice = callerOf({
  name: "@sluice/sdk",
  mount: "/v1",
  stream: (server, ask) =>
    clientOf(server).chat.send(camelStreamBody(ask), { signal: ask.signal, retries: 0 }),
  complete: (server, ask) => clientOf(server).chat.send(camelBody(ask), { signal: ask.signal, retries: 0 }),
  async models(server) {
    const models = await clientOf(server).models.list()
    return models.map(({ id }) => id)
  },
})

export const sluiceOpenRouter = callerOf({
  name: "@sluice/sdk/openrouter",
  mount: "/openrouter/api/v1",
  stream: (server, ask) =>
    openRouterOf(server).chat.send({ chatRequest: camelStreamBody(ask) }, optionsOf(ask)),
  complete: (server, ask) => openRouterOf(server).chat.send({ chatRequest: camelBody(ask) }, optionsOf(ask)),
})

export const sluiceR9s = callerOf({
  name: "@sluice/sdk/r9s",
  mount: "/r9s",
  stream: (server, ask) => r9sOf(server).chat.create(camelStreamBody(ask), optionsOf(ask)),
  complete: (server, ask) => r9sOf(server).chat.create(camelBody(ask), optionsOf(ask)),
})

export const sluiceAtoma = callerOf({
  name: "@sluice/sdk/atoma",
  mount: "/atoma",
  stream: async (server, ask) => {
    const events = await atomaOf(server).chat.createStream(camelStreamBody(ask), optionsOf(ask))
    return chunksOf(events)
  },
  complete: (server, ask) => atomaOf(server).chat.create(camelBody(ask), optionsOf(ask)),
})

export const sluiceOrq = callerOf({
  name: "@sluice/sdk/orq",
  mount: "/orq",
  stream: async (server, ask) =>
    chunksOf(await orqOf(server).router.chat.completions.create(camelStreamBody(ask), optionsOf(ask))),
  complete: (server, ask) => orqOf(server).router.chat.completions.create(camelBody(ask), optionsOf(ask)),
})

/** Orq's first path, which sends no `[DONE]`. */
export const sluiceOrqProxy = callerOf({
  name: "@sluice/sdk/orq, its proxy",
  mount: "/orq",
  stream: async (server, ask) =>
    chunksOf(await orqOf(server).proxy.chatCompletions(camelStreamBody(ask), optionsOf(ask))),
  complete: (server, ask) => orqOf(server).proxy.chatCompletions(camelBody(ask), optionsOf(ask)),
})

interface Client {
  readonly name: string
  readonly mount: string
  stream(server: Server, ask: Ask): Promise<AsyncIterable<Part<{ readonly delta: Piece }>>>
  complete(server: Server, ask: Ask): Promise<Part<{ readonly message: Piece }>>
  models?: Caller["models"]
}

/** What the five types of a chunk have in common, and those of a whole answer. r9s's and Atoma's hide their logprobs. */
interface Part<Speech> {
  readonly choices: readonly (Speech & Omit<PieceOfChoice, "logprobs"> & { readonly logprobs?: unknown })[]
  readonly usage?: UsageCounts | null
}

function callerOf({ stream, complete, ...client }: Client): Caller {
  return {
    ...client,
    refusals: {
      400: "InvalidRequestError",
      401: "AuthenticationError",
      404: "NotFoundError",
      429: "RateLimitError",
      503: "ServerError",
    },
    failure: { told: /^ProviderError: .*told to/, cut: /^ProviderError: .*(broke|connection)/ },
    cannot: [
      {
        ability: "abort",
        mode: "whole",
        why: "it asks for drain:60, and until the answer is here it knows no id to cancel by",
      },
    ],
    stream: (server, ask) =>
      collect(async (collected) => {
        for await (const { choices, usage } of await stream(server, ask)) {
          for (const choice of choices) {
            collected.piece(choice.delta)
            collected.choice(choice as PieceOfChoice)
          }
          collected.usage(usage)
        }
      }, ask),
    complete: (server, ask) =>
      collect(async (collected) => {
        const { choices, usage } = await complete(server, ask)
        for (const choice of choices) {
          collected.piece(choice.message)
          collected.choice(choice as PieceOfChoice)
        }
        collected.usage(usage)
      }, ask),
  }
}

async function* chunksOf<Chunk>(events: AsyncIterable<{ data: Chunk }>): AsyncGenerator<Chunk> {
  for await (const { data } of events) yield data
}

function clientOf({ url, key }: Server): Sluice {
  return new Sluice({ baseURL: `${url}/v1`, apiKey: key, retries: 0 })
}

function openRouterOf({ url, key }: Server): OpenRouter {
  return new OpenRouter({ apiKey: key, serverURL: `${url}/openrouter/api/v1` })
}

function r9sOf({ url, key }: Server): R9S {
  return new R9S({ apiKey: key, serverURL: `${url}/r9s` })
}

function atomaOf({ url, key }: Server): AtomaSDK {
  return new AtomaSDK({ bearerAuth: key, serverURL: `${url}/atoma` })
}

function orqOf({ url, key }: Server): Orq {
  return new Orq({ apiKey: key, serverURL: `${url}/orq` })
}

function optionsOf({ signal }: Ask) {
  return { retries: { strategy: "none" }, ...(signal && { signal }) } as const
}
