/** What a vendor's client hands out really is of that vendor's type, whatever the server leaves out or sends as null. */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  chatCompletionStreamEventSchema,
  chatCompletionsCreateStreamResponseBodySchema,
  chatStreamingResponseChunkSchema,
  createChatCompletionDataSchema,
  sdkForm,
} from "@sluice/protocol/schema"
import fc from "fast-check"
import * as z from "zod"
import { AtomaSDK } from "../src/systems/atoma.ts"
import { OpenRouter } from "../src/systems/openrouter.ts"
import { Orq } from "../src/systems/orq.ts"
import { R9S } from "../src/systems/r9s.ts"

type Fetch = NonNullable<ConstructorParameters<typeof R9S>[0]>["fetch"]
interface Streaming extends ReadableStream<unknown> {
  text(): AsyncIterable<string>
  final(): Promise<unknown>
}

interface Vendor {
  readonly item: z.ZodType
  readonly whole: z.ZodType
  stream(fetch: Fetch): Promise<Streaming>
  answer(fetch: Fetch): Promise<unknown>
}

const serverURL = "http://vendor.test"
const params = { model: "m/x", messages: [{ role: "user" as const, content: "Hello" }] }
const streamed = { ...params, stream: true as const }
const word = z.string().min(1)
const R9S_FINISH = z.enum(["stop", "length", "tool_calls", "content_filter"])

/** The pages' own schemas, and where a newer SDK is stricter, its marks too. */
const vendors: Readonly<Record<string, Vendor>> = {
  r9s: {
    item: sdkForm(chatCompletionStreamEventSchema),
    whole: wholeSchema({ finishReason: R9S_FINISH }, { content: z.string().nullish() }),
    stream: (fetch) => new R9S({ apiKey: "key", serverURL, fetch }).chat.create(streamed),
    answer: (fetch) => new R9S({ apiKey: "key", serverURL, fetch }).chat.create(params),
  },
  openrouter: {
    item: z.intersection(
      sdkForm(chatStreamingResponseChunkSchema),
      z.looseObject({
        systemFingerprint: z.string().optional(),
        choices: z.array(z.looseObject({ finishReason: word.nullable() })),
      }),
    ),
    whole: wholeSchema({ finishReason: word.nullable() }, {}).and(
      z.looseObject({ systemFingerprint: z.string().nullable() }),
    ),
    stream: (fetch) => new OpenRouter({ apiKey: "key", serverURL, fetch }).chat.send(streamed),
    answer: (fetch) => new OpenRouter({ apiKey: "key", serverURL, fetch }).chat.send(params),
  },
  atoma: {
    item: sdkForm(chatCompletionsCreateStreamResponseBodySchema),
    whole: wholeSchema({}, { content: z.string() }),
    stream: (fetch) => new AtomaSDK({ bearerAuth: "key", serverURL, fetch }).chat.createStream(params),
    answer: (fetch) => new AtomaSDK({ bearerAuth: "key", serverURL, fetch }).chat.create(params),
  },
  orq: {
    item: z.looseObject({
      data: z.intersection(
        sdkForm(createChatCompletionDataSchema),
        z.looseObject({ id: z.string(), created: z.number(), model: z.string() }),
      ),
    }),
    whole: wholeSchema({ finishReason: word.nullable() }, {}),
    stream: (fetch) => new Orq({ apiKey: "key", serverURL, fetch }).router.chat.completions.create(streamed),
    answer: (fetch) => new Orq({ apiKey: "key", serverURL, fetch }).router.chat.completions.create(params),
  },
}

function wholeSchema(choice: z.ZodRawShape, message: z.ZodRawShape): z.ZodType {
  return z.looseObject({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.int(),
        message: z.looseObject({ role: z.literal("assistant"), ...message }),
        ...choice,
      }),
    ),
    usage: z
      .looseObject({ promptTokens: z.int(), completionTokens: z.int(), totalTokens: z.int() })
      .optional(),
  })
}

const ENDS = [{ id: "1", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }]

/** What a server may leave out, and what it may send in its place. */
function careless<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null | undefined> {
  return fc.oneof({ arbitrary: value, weight: 4 }, fc.constantFrom(null, undefined))
}

const text = fc.string({ maxLength: 6 })
const count = careless(fc.oneof(fc.nat(9999), fc.constantFrom(-1, 1.5, "7")))
const calls = fc.array(
  fc.record(
    {
      index: careless(fc.nat(2)),
      id: careless(text),
      type: careless(fc.constant("function")),
      function: careless(fc.record({ name: careless(text), arguments: careless(text) })),
    },
    { requiredKeys: [] },
  ),
  { maxLength: 3 },
)
const speech = fc.record(
  {
    role: careless(fc.constantFrom("assistant", "model", "")),
    content: careless(text),
    reasoning: careless(text),
    reasoning_content: careless(text),
    refusal: careless(text),
    tool_calls: careless(calls),
    audio: careless(fc.record({ id: careless(text), data: careless(text) })),
  },
  { requiredKeys: [] },
)
const ending = {
  finish_reason: careless(fc.constantFrom("stop", "length", "tool_calls", "function_call", "eos_token", "")),
  logprobs: careless(fc.record({ content: careless(fc.array(fc.record({ token: careless(text) }))) })),
  stop_reason: careless(fc.oneof(text, fc.nat(9))),
}
const usage = careless(
  fc.record(
    {
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: careless(fc.record({ cached_tokens: count, audio_tokens: count })),
      completion_tokens_details: careless(fc.record({ reasoning_tokens: count })),
      cost: count,
    },
    { requiredKeys: [] },
  ),
)
const envelope = {
  id: careless(text),
  object: careless(text),
  created: careless(fc.oneof(fc.nat(), fc.constantFrom(1.5, "3"))),
  model: careless(text),
  system_fingerprint: careless(text),
  service_tier: careless(text),
  usage,
}
const chunk = fc.record({
  ...envelope,
  choices: fc.array(fc.record({ index: fc.nat(1), delta: speech, ...ending }), { maxLength: 2 }),
})
const completion = fc.record({
  ...envelope,
  choices: fc.array(fc.record({ index: fc.nat(1), message: speech, ...ending }), {
    minLength: 1,
    maxLength: 2,
  }),
})

for (const [name, vendor] of Object.entries(vendors)) {
  test(`${name}: every item of a careless server's stream is of the vendor's type`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 4 }), async (chunks) => {
        for await (const item of await vendor.stream(streaming([...chunks, ...ENDS]))) fits(vendor.item, item)
      }),
      { numRuns: 200 },
    )
  })

  test(`${name}: a careless server's whole answer is of the vendor's type`, async () => {
    await fc.assert(
      fc.asyncProperty(completion, async (body) => {
        fits(vendor.whole, await vendor.answer(async () => Response.json(body)))
      }),
      { numRuns: 200 },
    )
  })

  test(`${name}: what a stream adds up to is of the whole answer's type`, async () => {
    const stream = await vendor.stream(streaming([pieceOf("Hel"), pieceOf("lo"), ...ENDS]))
    const whole = await stream.final()
    fits(vendor.whole, whole)
    assert.equal(
      (whole as { choices: { message: { content: string } }[] }).choices[0]?.message.content,
      "Hello",
    )
  })

  test(`${name}: the stream is a ReadableStream, read no further than its reader asks`, async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    let pulled = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => controller.enqueue(encoder.encode(frame(pieceOf(`${++pulled}`)))),
      },
      { highWaterMark: 0 },
    )
    const stream = await vendor.stream(async (_, { signal }) => {
      signal?.addEventListener("abort", () => resolve())
      return new Response(body, { headers: EVENTS })
    })
    assert.ok(stream instanceof ReadableStream)
    const reader = stream.getReader()
    for (let read = 0; read < 3; read++) fits(vendor.item, (await reader.read()).value)
    assert.ok(pulled <= 4, `${pulled} pulled for 3 that were read`)
    await reader.cancel()
    await closed
    assert.deepEqual(await reader.read(), { done: true, value: undefined })
  })

  test(`${name}: the text alone, and an end from within the loop`, async () => {
    const chunks = ["Once", " upon"].map(pieceOf)
    let text = ""
    for await (const piece of (await vendor.stream(streaming([...chunks, ...ENDS]))).text()) text += piece
    assert.equal(text, "Once upon")

    const stream = await vendor.stream(streaming([...chunks, ...ENDS]))
    let items = 0
    for await (const _ of stream) {
      items++
      await stream.cancel()
    }
    assert.equal(items, 1)
  })

  test(`${name}: a finish reason that means failure is one`, async () => {
    const failed = [{ choices: [{ index: 0, delta: { content: "Hel" }, finish_reason: "error" }] }]
    const read = async () => {
      for await (const _ of await vendor.stream(streaming(failed))) {
      }
    }
    await assert.rejects(read, { name: "ProviderError" })
  })
}

test("r9s: a piece of a call repeats the call's id, and says its name once", async () => {
  const piece = (call: object) => ({
    choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] } }],
  })
  const chunks = [
    piece({ id: "call_1", function: { name: "weather", arguments: "{" } }),
    piece({ function: { arguments: "}" } }),
  ]
  const r9s = new R9S({ apiKey: "key", serverURL, fetch: streaming([...chunks, ...ENDS]) })
  const calls: unknown[] = []
  for await (const { choices } of await r9s.chat.create(streamed)) {
    for (const { delta } of choices) calls.push(...(delta.toolCalls ?? []))
  }
  assert.partialDeepStrictEqual(calls, [
    { id: "call_1", type: "function", function: { name: "weather", arguments: "{" } },
    { id: "call_1", type: "function", function: { name: "", arguments: "}" } },
  ])
})

const encoder = new TextEncoder()
const EVENTS = { "content-type": "text/event-stream" }

function streaming(chunks: readonly object[]): Fetch {
  return async () => new Response(`${chunks.map(frame).join("")}data: [DONE]\n\n`, { headers: EVENTS })
}

function pieceOf(content: string) {
  return { choices: [{ index: 0, delta: { content } }] }
}

function frame(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`
}

function fits(schema: z.ZodType, value: unknown): void {
  const { error } = schema.safeParse(value)
  if (error) assert.fail(`${z.prettifyError(error)}\n${JSON.stringify(value)}`)
}
