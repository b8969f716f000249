/** The client: where it points, what every call of it carries, and what can be asked of it. */
import { type JsonObject, objectOr, stringOr, toSdk } from "@sluice/protocol"
import { authorization } from "./authorization.ts"
import type { BackoffOptions } from "./backoff.ts"
import { type Chat, createChat } from "./chat.ts"
import { parseJson } from "./parse-json.ts"
import { malformed } from "./read.ts"
import { natureOf } from "./read-error.ts"
import { type Answer, createTransport, type FetchFunction, readText } from "./request.ts"
import type { ChatModel } from "./shapes.ts"
import { keyOf, type SystemName, targetOf } from "./system.ts"
import { createWatch, type TimerOptions } from "./watch.ts"

/**
 * What a client is made with.
 *
 * A `baseURL` alone means a Sluice gateway (or, where its host is one of the known systems' own, that system). For
 * any other OpenAI-compatible server say `{ system: "openai", baseURL }`: the gateway's own headers
 * (`Idempotency-Key`, `Last-Event-ID`, `sluice-*`) go to nobody else. A server that answers with `sluice-stream-id`
 * has shown what it is, and from then on gets them too.
 *
 * @example
 * ```ts
 * import { Sluice, type SluiceOptions } from "@sluice/sdk"
 *
 * const local: SluiceOptions = { system: "openai", baseURL: "http://127.0.0.1:8080/v1", apiKey: "none" }
 * export const client = new Sluice(local)
 * ```
 */
export interface SluiceOptions {
  /** Whom to speak to. It fills in the address and says where the key is looked for. */
  system?: SystemName
  /** Up to `/chat/completions`. Default: the system's own, or `SLUICE_BASE_URL`. */
  baseURL?: string
  /** Default: the system's environment variable. */
  apiKey?: string
  headers?: Readonly<Record<string, string>>
  fetch?: FetchFunction
  timers?: TimerOptions
  /** How often a call is tried again before it has begun to answer. Default 2. */
  retries?: number
  /** How a stream that dropped is picked up again. */
  resume?: BackoffOptions
}

/**
 * The client of a Sluice gateway, of OpenRouter, r9s, Atoma, Orq or OpenAI, and of any server compatible with it.
 *
 * @example
 * ```ts
 * import { Sluice } from "@sluice/sdk"
 *
 * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
 * const messages = [{ role: "user" as const, content: "Tell me a story." }]
 * const stream = await client.chat.send({ model: "sim/story", messages, stream: true })
 * for await (const chunk of stream) console.log(chunk.choices[0]?.delta.content ?? "")
 * const completion = await stream.final()
 * console.log(completion.usage)
 * ```
 */
export class Sluice {
  readonly baseURL: string
  readonly chat: Chat
  readonly models: {
    /** The models that the server offers. */
    list(options?: { signal?: AbortSignal; headers?: Readonly<Record<string, string>> }): Promise<ChatModel[]>
  }

  constructor(options: SluiceOptions = {}) {
    const target = targetOf(options)
    const headers = {
      ...authorization(options.apiKey ?? keyOf(target.system)),
      ...options.headers,
    }
    const { fetch, timers = {}, retries = 2, resume = {} } = options
    const transport = createTransport({ baseURL: target.baseURL, headers, fetch, retries })
    this.baseURL = target.baseURL
    this.chat = createChat({ transport, target, timers, resume })
    this.models = {
      async list(options) {
        const outgoing = { ...options, method: "GET", path: "/models", repeatable: true } as const
        return transport({ ...outgoing, watch: createWatch(timers) }, readModels)
      },
    }
  }
}

async function readModels(answer: Answer): Promise<ChatModel[]> {
  const { text } = await readText(answer)
  const value = parseJson(text)
  const list: unknown = objectOr(value)["data"] ?? value
  if (!Array.isArray(list) || !list.every(isModel))
    throw malformed(natureOf(text), text, {}, " instead of a list of models")
  return toSdk(list)
}

function isModel(value: unknown): value is { id: string } & JsonObject {
  return stringOr(objectOr(value)["id"]) !== undefined
}
