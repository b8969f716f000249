/** What the compiler must know and must refuse. Nothing here runs: `tsc` is the test. */
import * as v from "valibot"
import * as z from "zod"
import {
  type ChatChunk,
  type ChatCompletion,
  type ChatEvent,
  type ChatStream,
  jsonFormat,
  type ParsedToolCall,
  parseToolCalls,
  Sluice,
  tool,
} from "../src/index.ts"
import type { ChatCompletionChunk } from "../src/models/components.ts"
import type {
  ChatCompletionResponse,
  ChatCompletionStreamChoice,
  ChatCompletionStreamEvent,
  ChatResult,
  ChatStreamChunk,
  ChatStreamingResponseChunk,
  CreateChatCompletionResponseBody,
} from "../src/models/index.ts"
import type {
  ChatCompletionsCreateStreamResponseBody,
  CreateChatCompletionData,
  SendChatCompletionRequestResponseBody,
} from "../src/models/operations.ts"
import { AtomaSDK } from "../src/systems/atoma.ts"
import { OpenRouter } from "../src/systems/openrouter.ts"
import { Orq } from "../src/systems/orq.ts"
import { R9S } from "../src/systems/r9s.ts"

type Same<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false
function same<Left, Right>(..._proof: Same<Left, Right> extends true ? [] : [never]): void {}

const client = new Sluice()
const messages = [{ role: "user" as const, content: "Hello" }]
const weather = tool({ name: "weather", schema: z.object({ city: z.string(), days: z.number().default(1) }) })
const search = tool({
  name: "search",
  schema: v.object({ query: v.string() }),
  parameters: { type: "object" },
})
const byHand = tool({ name: "by_hand", parameters: { type: "object" } })

type Weather = ParsedToolCall<"weather", { city: string; days: number }>
type Search = ParsedToolCall<"search", { query: string }>

export async function toolCallsAreTyped() {
  const one = await client.chat.send({ model: "m", messages, tools: [weather], stream: true })
  for await (const call of one.toolCalls()) same<typeof call, Weather>()

  const two = await client.chat.send({ model: "m", messages, tools: [weather, search], stream: true })
  for await (const call of two.toolCalls()) {
    same<typeof call, Weather | Search>()
    if (call.name === "search") same<typeof call.arguments, { query: string }>()
  }

  const three = await client.chat.send({ model: "m", messages, tools: [byHand], stream: true })
  for await (const call of three.toolCalls()) same<typeof call.name, "by_hand">()

  const none = await client.chat.send({ model: "m", messages, stream: true })
  for await (const call of none.toolCalls()) same<typeof call, ParsedToolCall>()

  const completion = await client.chat.send({ model: "m", messages, tools: [weather, search] })
  same<Awaited<ReturnType<typeof parse>>, (Weather | Search)[]>()
  function parse() {
    return parseToolCalls(completion, [weather, search])
  }
}

export async function formatsAreTyped() {
  const city = jsonFormat({ name: "city", schema: z.object({ name: z.string(), people: z.coerce.number() }) })
  const list = jsonFormat({ name: "list", schema: v.array(v.string()), parameters: { type: "array" } })

  const camel = await client.chat.send({ model: "m", messages, responseFormat: city, stream: true })
  same<Awaited<ReturnType<typeof camel.parsed>>, { name: string; people: number }>()
  const snake = await client.chat.send({ model: "m", messages, response_format: list, stream: true })
  same<Awaited<ReturnType<typeof snake.parsed>>, string[]>()
  const whole = await client.chat.send({ model: "m", messages, responseFormat: city })
  same<typeof whole.parsed, { name: string; people: number }>()
  const none = await client.chat.send({ model: "m", messages, stream: true })
  same<Awaited<ReturnType<typeof none.parsed>>, unknown>()
  const plain = await client.chat.send({ model: "m", messages })
  // @ts-expect-error: without a format nothing was parsed
  plain.parsed
}

export async function streamPicksTheAnswer(isStreamed: boolean) {
  const streamed: ChatStream = await client.chat.send({ model: "m", messages, stream: true })
  const whole: ChatCompletion = await client.chat.send({ model: "m", messages })
  const either = await client.chat.send({ model: "m", messages, stream: isStreamed })
  same<typeof either, ChatStream | ChatCompletion>()
  // @ts-expect-error: a completion is no stream
  whole.text()
  return streamed
}

export async function mistakesAreRefused() {
  // @ts-expect-error: no such member, in neither spelling
  await client.chat.send({ model: "m", messages, temprature: 1, stream: true })
  // @ts-expect-error: no such member, in neither spelling
  await client.chat.send({ model: "m", messages, maxToken: 1 })
  // @ts-expect-error: no such role
  await client.chat.send({ model: "m", messages: [{ role: "robot", content: "Hello" }] })
  // @ts-expect-error: valibot gives no JSON Schema, so it has to be written
  tool({ name: "search", schema: v.object({ query: v.string() }) })
  // @ts-expect-error: neither a schema nor parameters
  tool({ name: "nothing" })
  // @ts-expect-error: a format needs a schema
  jsonFormat({ name: "nothing", parameters: {} })
}

/** OpenRouter's page is as loose as our own model: no client of its own is needed to use its types. */
export function ourOwnTypesAreOpenRouters(chunk: ChatChunk, event: ChatEvent) {
  const typed: [ChatStreamingResponseChunk, SendChatCompletionRequestResponseBody] = [chunk, event]
  return typed
}

/** Code annotated in each vendor's own words; what the installed packages' programs annotate is in `migrations/`. */
export async function vendorsAreTyped() {
  const r9s = await new R9S().chat.create({ model: "m", messages, stream: true })
  for await (const event of r9s) {
    const typed: ChatCompletionStreamEvent = event
    const enveloped: CreateChatCompletionResponseBody = { data: typed }
    const choice: ChatCompletionStreamChoice | undefined = enveloped.data.choices[0]
    same<typeof event, ChatCompletionStreamEvent>()
    // @ts-expect-error: our own chunk is looser than r9s's: its content may be null
    const loose: ChatCompletionStreamEvent = {} as ChatChunk
    void [choice, loose]
  }
  const answer: ChatCompletionResponse = await new R9S().chat.create({ model: "m", messages })

  const chatRequest = { model: "m", messages, stream: true as const }
  for await (const chunk of await new OpenRouter().chat.send({ chatRequest })) {
    const page: ChatStreamingResponseChunk = chunk
    const event: SendChatCompletionRequestResponseBody = { data: page }
    same<typeof chunk, ChatStreamChunk>()
    // @ts-expect-error: OpenRouter's chunk has no id that may be missing
    const loose: ChatStreamingResponseChunk = {} as Partial<typeof event.data>
    void loose
  }
  const whole = await new OpenRouter().chat.send({ chatRequest: { model: "m", messages } })
  same<typeof whole, ChatResult>()

  for await (const event of await new AtomaSDK().chat.createStream({ model: "m", messages })) {
    same<typeof event, ChatCompletionsCreateStreamResponseBody>()
    const chunk: ChatCompletionChunk = event.data
    // @ts-expect-error: an envelope is no chunk
    event.choices
    void chunk
  }

  const { proxy, router } = new Orq()
  const orq = await router.chat.completions.create({ model: "m", messages, stream: true })
  for await (const { data } of orq) same<typeof data, CreateChatCompletionData>()
  const older = await proxy.chatCompletions({ model: "m", messages, stream: true })
  for await (const { data } of older) same<typeof data, CreateChatCompletionData>()
  return [answer, await r9s.final(), await orq.final()] satisfies [unknown, ChatCompletionResponse, unknown]
}
