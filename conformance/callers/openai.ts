import { toSdk } from "@sluice/protocol"
import OpenAI from "openai"
import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions"
import { VERSION } from "openai/version"
import { type Caller, type Collected, collect, type Server } from "../caller.ts"
import { wireBody, wireStreamBody } from "./body.ts"

const common = {
  mount: "/v1",
  refusals: {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    429: "RateLimitError",
    503: "InternalServerError",
  },
  // Its one class for what comes in band; the message is the gateway's.
  failure: { told: /^APIError: .*told to/, cut: /^APIError: .*(broke|connection)/ },
  cannot: [],
  complete: (server, ask) =>
    collect(async (collected) => {
      const { completions } = clientOf(server).chat
      readCompletion(await completions.create(wireBody(ask), { signal: ask.signal }), collected)
    }, ask),
  async models(server) {
    const { data } = await clientOf(server).models.list()
    return data.map(({ id }) => id)
  },
} satisfies Partial<Caller>

export const openai: Caller = {
  ...common,
  name: `openai ${VERSION}`,
  stream: (server, ask) =>
    collect(async (collected) => {
      const { completions } = clientOf(server).chat
      const stream = await completions.create(wireStreamBody(ask), { signal: ask.signal })
      for await (const chunk of stream) readChunk(chunk, collected)
    }, ask),
}

/** The helper that adds the chunks up itself: what it makes of repeated ids and names is what its user gets. */
export const openaiHelper: Caller = {
  ...common,
  name: `openai ${VERSION}, its stream helper`,
  cannot: [
    {
      ability: "reasoning",
      mode: "streamed",
      why: "of a string that OpenAI does not send it keeps the last piece alone",
    },
  ],
  stream: (server, ask) =>
    collect(async (collected) => {
      const { completions } = clientOf(server).chat
      const runner = completions.stream(wireStreamBody(ask), { signal: ask.signal })
      for await (const chunk of runner) collected.text(chunk.choices[0]?.delta.content)
      const completion = await runner.finalChatCompletion()
      collected.answer.text = ""
      readCompletion(completion, collected)
    }, ask),
}

function clientOf({ url, key }: Server): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
}

/** OpenAI's types know no reasoning, but its users read what other servers put there. */
interface Reasoned {
  readonly reasoning_content?: unknown
}

function readChunk({ choices, usage }: ChatCompletionChunk, collected: Collected): void {
  for (const { delta, finish_reason: finishReason, logprobs } of choices) {
    const { reasoning_content: reasoningContent } = delta as Reasoned
    collected.piece({ content: delta.content, reasoningContent, toolCalls: delta.tool_calls })
    collected.choice({ finishReason, logprobs })
  }
  readUsage(usage, collected)
}

function readCompletion({ choices, usage }: ChatCompletion, collected: Collected): void {
  for (const { message, finish_reason: finishReason, logprobs } of choices) {
    const { reasoning_content: reasoningContent } = message as Reasoned
    const toolCalls = message.tool_calls?.filter((call) => call.type === "function")
    collected.piece({ content: message.content, reasoningContent, toolCalls })
    collected.choice({ finishReason, logprobs })
  }
  readUsage(usage, collected)
}

function readUsage(usage: ChatCompletionChunk["usage"], collected: Collected): void {
  if (usage) collected.usage(toSdk(usage))
}
