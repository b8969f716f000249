// The package's entry loads a native module for its confidential calls, which an installation without scripts has not
// built. These two are the classes behind `sdk.chat` and `sdk.models`.
import { Chat } from "atoma-sdk/sdk/chat.js"
import { Models } from "atoma-sdk/sdk/models.js"
import { type Ask, type Caller, collect, type Server } from "../caller.ts"
import { wireBody } from "./body.ts"

export const atoma = callerAt("/atoma")

/** Pointed at the gateway itself it is known by its user agent. */
export const atomaAtV1 = callerAt("")

function callerAt(mount: string): Caller {
  return {
    name: `atoma-sdk 0.1.1${mount === "" ? " at /v1" : ""}`,
    mount,
    refusals: { 400: "APIError", 401: "APIError", 404: "APIError", 429: "APIError", 503: "APIError" },
    // It reads no error in band: the transfer breaks.
    failure: { told: /^TypeError: terminated/, cut: /^TypeError: terminated/ },
    cannot: [
      { ability: "reasoning", why: "neither its delta nor its message has a member for it" },
      { ability: "logprobs", why: "its requests have none" },
      { ability: "usage", mode: "streamed", why: "its requests have no stream_options to ask with" },
      { ability: "cached tokens", mode: "whole", why: "its usage is three numbers" },
      { ability: "reasoning tokens", mode: "whole", why: "its usage is three numbers" },
      { ability: "tools", mode: "whole", why: "its message is role, content and name" },
    ],
    stream: (server, ask) =>
      collect(async (collected) => {
        for await (const data of atomaChunks(server, ask, mount)) {
          for (const { delta, finishReason } of data.choices) {
            collected.piece(delta)
            collected.choice({ finishReason })
          }
          collected.usage(data.usage)
        }
      }, ask),
    complete: (server, ask) =>
      collect(async (collected) => {
        const chat = new Chat(settings(server, mount))
        const { choices, usage } = await chat.create(bodyOf(ask), { fetchOptions: { signal: ask.signal } })
        for (const { message, finishReason } of choices) {
          collected.piece(message)
          collected.choice({ finishReason })
        }
        collected.usage(usage)
      }, ask),
    async models(server) {
      const { data } = await new Models(settings(server, mount)).modelsList()
      return data.map(({ id }) => id)
    },
  }
}

export async function* atomaChunks(server: Server, ask: Ask, mount = atoma.mount) {
  const chat = new Chat(settings(server, mount))
  const stream = await chat.createStream(bodyOf(ask), { fetchOptions: { signal: ask.signal } })
  for await (const { data } of stream) yield data
}

function settings({ url, key }: Server, mount: string) {
  return { bearerAuth: key, serverURL: `${url}${mount}` }
}

/** What it does not type it passes on in the wire's words. */
function bodyOf(ask: Ask) {
  const { response_format: responseFormat, ...body } = wireBody(ask)
  return { ...body, responseFormat }
}
