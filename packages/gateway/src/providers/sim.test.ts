import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import { type ChatRequest, type Chunk, type Completion, isObject } from "@sluice/protocol"
import { countTokens } from "gpt-tokenizer/encoding/o200k_base"
import { z } from "zod"
import type { Attempt, ProviderFailure } from "./provider.ts"
import { openSim } from "./sim.ts"

interface Heard {
  /** The listener's methods, in the order in which they were called. */
  readonly calls: string[]
  readonly data: string[]
  tokens: number
  status: number
  retryAfter: number | undefined
  contentType: string
  body: string
  failure: ProviderFailure | undefined
  readonly over: Promise<void>
  readonly attempt: Attempt
}

type Asked = Partial<ChatRequest> & { model: string }

function open(asked: Asked, onEvent: (heard: Heard) => void = () => {}): Heard {
  const request: ChatRequest = { messages: [{ role: "user", content: "Tell me a story." }], ...asked }
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const heard: Heard = {
    calls: [],
    data: [],
    tokens: 0,
    status: 0,
    retryAfter: undefined,
    contentType: "",
    body: "",
    failure: undefined,
    over,
    get attempt() {
      return attempt
    },
  }
  const attempt = openSim(
    {
      request,
      body: { ...request, ...(request.stream ? { stream_options: { include_usage: true } } : {}) },
      stream: request.stream === true,
    },
    {
      connected: () => void heard.calls.push("connected"),
      answered(status, headers) {
        heard.calls.push("answered")
        Object.assign(heard, { status, ...headers })
      },
      event(data, tokens) {
        heard.calls.push("event")
        heard.data.push(data)
        heard.tokens += tokens
        onEvent(heard)
      },
      alive: () => void heard.calls.push("alive"),
      body(text) {
        heard.calls.push("body")
        heard.body += text
      },
      ended() {
        heard.calls.push("ended")
        resolve()
      },
      failed(failure) {
        heard.calls.push("failed")
        heard.failure = failure
        resolve()
      },
    },
  )
  return heard
}

async function chunksOf(asked: Asked): Promise<Chunk[]> {
  const heard = open({ stream: true, ...asked })
  await heard.over
  assert.equal(heard.data.at(-1), "[DONE]")
  return heard.data.slice(0, -1).map((data) => JSON.parse(data))
}

async function completionOf(asked: Asked): Promise<Completion> {
  const heard = open(asked)
  await heard.over
  assert.deepEqual(heard.calls, ["connected", "answered", "body", "ended"])
  return JSON.parse(heard.body)
}

const textOf = (chunks: Chunk[], index = 0): string =>
  chunks
    .flatMap((chunk) => chunk.choices)
    .filter((choice) => choice.index === index)
    .map((choice) => choice.delta.content ?? "")
    .join("")

const finishOf = (chunks: Chunk[]) =>
  chunks.flatMap((chunk) => chunk.choices).findLast(Boolean)?.finish_reason

function argumentsOf(
  chunks: Chunk[],
): { id: string | undefined; name: string | undefined; pieces: string[] }[] {
  const calls: { id: string | undefined; name: string | undefined; pieces: string[] }[] = []
  for (const delta of chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])) {
    if (delta.id !== undefined) calls[delta.index] = { id: delta.id, name: delta.function?.name, pieces: [] }
    else calls[delta.index]?.pieces.push(delta.function?.arguments ?? "")
  }
  return calls
}

describe("the simulator's stream", () => {
  test("is the role, reasoning, tokens, finish and usage, one token an event", async () => {
    const heard = open({ model: "sim/story:tokens=5,reasoning=3", stream: true })
    await heard.over
    assert.equal(heard.calls.join(" "), `connected answered ${"event ".repeat(1 + 3 + 5 + 1 + 1 + 1)}ended`)
    assert.deepEqual([heard.status, heard.contentType, heard.tokens], [200, "text/event-stream", 8])
    const chunks: Chunk[] = heard.data.slice(0, -1).map((data) => JSON.parse(data))
    const members = chunks.map((chunk) => Object.keys(chunk.choices[0]?.delta ?? { usage: 1 }).join())
    assert.deepEqual(members, [
      "role,content",
      ...Array<string>(3).fill("reasoning_content"),
      ...Array<string>(5).fill("content"),
      "",
      "usage",
    ])
    assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1)
    assert.equal(finishOf(chunks), "stop")
    assert.match(textOf(chunks), /^ once upon a time [a-z]+$/)
  })

  test("counts exactly", async () => {
    const messages: ChatRequest["messages"] = [
      { role: "system", content: "You're a teller of stories; 今天天气很好。" },
      {
        role: "user",
        content: [
          { type: "text", text: "One." },
          { type: "text", text: "Two  三" },
        ],
      },
    ]
    const chunks = await chunksOf({ model: "sim/story:tokens=40,reasoning=7,tools=2", messages })
    const usage = chunks.at(-1)?.usage
    const reasoning = chunks.map((chunk) => chunk.choices[0]?.delta.reasoning_content ?? "").join("")
    const spoken = [textOf(chunks), reasoning, ...argumentsOf(chunks).map((call) => call.pieces.join(""))]
    assert.equal(
      usage?.prompt_tokens,
      ["You're a teller of stories; 今天天气很好。", "One.", "Two  三"]
        .map((text) => countTokens(text))
        .reduce((sum, tokens) => sum + tokens),
    )
    assert.equal(
      usage?.completion_tokens,
      spoken.map((text) => countTokens(text)).reduce((sum, tokens) => sum + tokens),
    )
    assert.equal(usage?.completion_tokens_details?.reasoning_tokens, countTokens(reasoning))
    assert.equal(usage?.total_tokens, (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0))
  })

  test("sends usage only where it is asked for, and never with usage=none", async () => {
    const asked = await chunksOf({ model: "sim/story:tokens=2" })
    assert.equal(asked.filter((chunk) => chunk.usage).length, 1)
    const none = await chunksOf({ model: "sim/story:tokens=2,usage=none" })
    assert.equal(none.filter((chunk) => chunk.usage).length, 0)
    assert.equal((await completionOf({ model: "sim/story:tokens=2,usage=none" })).usage, undefined)
  })

  test("says the same for the same name and seed, and as much without a stream", async () => {
    const asked = { model: "sim/story:tokens=30,reasoning=4,tools=1" }
    const [one, two, whole] = await Promise.all([chunksOf(asked), chunksOf(asked), completionOf(asked)])
    assert.equal(textOf(one), textOf(two))
    assert.equal(whole.choices[0]?.message.content, textOf(one))
    assert.equal(whole.choices[0]?.finish_reason, finishOf(one))
    assert.deepEqual(whole.usage, one.at(-1)?.usage)
    assert.deepEqual(
      whole.choices[0]?.message.tool_calls?.map((call) => [
        call.id,
        ...(call.type === "function" ? [call.function.name, call.function.arguments] : []),
      ]),
      argumentsOf(one).map((call) => [call.id, call.name, call.pieces.join("")]),
    )
    assert.notEqual(textOf(await chunksOf({ model: "sim/story:tokens=30,seed=2" })), textOf(one))
  })

  test("is shortened by max_tokens, reasoning included, and says so", async () => {
    const table: [limits: Partial<ChatRequest>, text: number, reasoning: number, finish: string][] = [
      [{ max_tokens: 12 }, 12 - 4, 4, "length"],
      [{ max_completion_tokens: 3 }, 0, 3, "length"],
      [{ max_tokens: 14 }, 10, 4, "stop"],
      [{ max_tokens: 0 }, 0, 0, "length"],
      [{ max_tokens: 1_000 }, 10, 4, "stop"],
    ]
    for (const [limits, text, reasoning, finish] of table) {
      const chunks = await chunksOf({ model: "sim/story:tokens=10,reasoning=4", ...limits })
      assert.equal(countTokens(textOf(chunks)), text)
      assert.equal(chunks.at(-1)?.usage?.completion_tokens, text + reasoning)
      assert.equal(finishOf(chunks.slice(0, -1)), finish)
    }
  })

  test("never passes max_tokens with tools or JSON either", async () => {
    const whole =
      (await chunksOf({ model: "sim/story:tokens=2,tools=3" })).at(-1)?.usage?.completion_tokens ?? 0
    for (let limit = 0; limit <= whole; limit++) {
      const chunks = await chunksOf({ model: "sim/story:tokens=2,tools=3", max_tokens: limit })
      assert.equal(chunks.at(-1)?.usage?.completion_tokens, limit)
      assert.equal(finishOf(chunks.slice(0, -1)), limit === whole ? "tool_calls" : "length")
    }
  })

  test("continues its own text exactly, from every token", async () => {
    const whole = textOf(await chunksOf({ model: "sim/story:seed=5" }))
    const tokens = whole.match(/ [a-z]+/g) ?? []
    assert.equal(tokens.length, 64)
    for (let said = 1; said <= tokens.length; said++) {
      const prefix = tokens.slice(0, said).join("")
      const chunks = await chunksOf({
        model: "sim/story:seed=5,reasoning=3",
        messages: [
          { role: "user", content: "Go on." },
          { role: "assistant", content: prefix },
        ],
      })
      assert.equal(prefix + textOf(chunks), whole)
      assert.equal(chunks.at(-1)?.usage?.completion_tokens, tokens.length - said)
    }
  })

  test("starts over where the assistant's turn is not its own", async () => {
    const messages: ChatRequest["messages"] = [
      { role: "user", content: "Go on." },
      { role: "assistant", content: "Certainly." },
    ]
    assert.equal(
      textOf(await chunksOf({ model: "sim/story:tokens=6", messages })),
      textOf(await chunksOf({ model: "sim/story:tokens=6" })),
    )
  })

  test("calls the request's tools in turn, with arguments that their schemas accept, in pieces", async () => {
    const parameters = {
      type: "object",
      properties: {
        city: { type: "string", minLength: 3 },
        unit: { enum: ["celsius", "fahrenheit"] },
        when: { type: "object", properties: { day: { type: "integer", minimum: 1 } }, required: ["day"] },
        名前: { const: "ひ🎈" },
      },
      required: ["city", "unit", "when", "名前"],
      additionalProperties: false,
    }
    const chunks = await chunksOf({
      model: "sim/story:tokens=0,tools=3",
      tools: [
        { type: "function", function: { name: "weather", parameters } },
        { type: "function", function: { name: "now" } },
      ],
    })
    const calls = argumentsOf(chunks)
    assert.deepEqual(
      calls.map((call) => call.name),
      ["weather", "now", "weather"],
    )
    assert.equal(new Set(calls.map((call) => call.id)).size, 3)
    for (const call of calls) {
      assert.ok(call.pieces.filter((piece) => piece !== "").length >= 2)
      const value: unknown = JSON.parse(call.pieces.join(""))
      if (call.name === "weather") z.fromJSONSchema(parameters as z.core.JSONSchema.BaseSchema).parse(value)
      else assert.deepEqual(value, {})
    }
    assert.equal(finishOf(chunks.slice(0, -1)), "tool_calls")
    assert.equal(textOf(chunks), "")
  })

  test("gives a custom tool two words, in pieces and whole", async () => {
    const asked = {
      model: "sim/story:tokens=0,tools=1",
      tools: [{ type: "custom", custom: { name: "run" } }],
    }
    const [chunks, whole] = await Promise.all([chunksOf(asked), completionOf(asked)])
    const [call] = whole.choices[0]?.message.tool_calls ?? []
    assert.ok(call?.type === "custom" && call.custom.name === "run")
    assert.equal(whole.usage?.completion_tokens, 2)
    const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])
    assert.deepEqual(pieces[0], {
      index: 0,
      id: call.id,
      type: "custom",
      custom: { name: "run", input: "" },
    })
    assert.equal(pieces.length, 3)
    assert.equal(pieces.map(({ custom }) => custom?.input).join(""), call.custom.input)
  })

  test("makes tools up where the request has none", async () => {
    const calls = argumentsOf(await chunksOf({ model: "sim/story:tools=2" }))
    assert.deepEqual(
      calls.map((call) => call.name),
      ["tool_0", "tool_1"],
    )
  })

  test("gives another call's ids in a conversation's next turn", async () => {
    const ids = async (messages: ChatRequest["messages"]) =>
      argumentsOf(await chunksOf({ model: "sim/story:tools=2", messages })).map((call) => call.id)
    const first: ChatRequest["messages"] = [{ role: "user", content: "a" }]
    const next: ChatRequest["messages"] = [...first, { role: "tool", content: "b", tool_call_id: "x" }]
    assert.equal(new Set([...(await ids(first)), ...(await ids(next))]).size, 4)
  })

  test("gives a minimal instance where the request wants JSON", async () => {
    const schema = {
      type: "object",
      properties: { title: { type: "string", minLength: 1 }, pages: { type: "integer" } },
      required: ["title", "pages"],
    } as const
    const chunks = await chunksOf({
      model: "sim/story",
      response_format: { type: "json_schema", json_schema: { name: "book", schema } },
    })
    z.fromJSONSchema({ ...schema, required: [...schema.required] }).parse(JSON.parse(textOf(chunks)))
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, countTokens(textOf(chunks)))

    const object = await chunksOf({ model: "sim/story", response_format: { type: "json_object" } })
    assert.deepEqual(JSON.parse(textOf(object)), {})
    assert.equal(object.at(-1)?.usage?.completion_tokens, countTokens(textOf(object)))
  })

  test("gives complete logprobs where they are asked for", async () => {
    const chunks = await chunksOf({ model: "sim/story:tokens=6", logprobs: true, top_logprobs: 3 })
    const spoken = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.delta.content)
    assert.equal(spoken.length, 6)
    for (const { delta, logprobs } of spoken) {
      assert.deepEqual(Object.keys(logprobs ?? {}), ["content", "refusal"])
      const [token] = logprobs?.content ?? []
      assert.equal(token?.token, delta.content)
      assert.deepEqual(token?.bytes, [...Buffer.from(delta.content ?? "")])
      assert.ok((token?.logprob ?? 1) <= 0)
      assert.equal(token?.top_logprobs.length, 3)
      const order = token?.top_logprobs.map((top) => top.logprob) ?? []
      assert.deepEqual(
        order,
        order.toSorted((one, other) => other - one),
      )
    }
    const whole = await completionOf({ model: "sim/story:tokens=6", logprobs: true })
    assert.equal(whole.choices[0]?.logprobs?.content?.length, 6)
    assert.deepEqual(whole.choices[0]?.logprobs?.content?.[0]?.top_logprobs, [])
  })

  test("gives n choices by their index", async () => {
    const chunks = await chunksOf({ model: "sim/story:tokens=4", n: 3 })
    assert.deepEqual(
      chunks.slice(0, 3).map((chunk) => chunk.choices[0]?.index),
      [0, 1, 2],
    )
    for (const index of [0, 1, 2]) assert.equal(countTokens(textOf(chunks, index)), 4)
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, 12)
    assert.equal((await completionOf({ model: "sim/story:tokens=4", n: 3 })).choices.length, 3)
  })
})

describe("the simulator's faults", () => {
  const events = 1 + 4 + 1 + 1

  test("cut=k breaks the connection after every k, and past the end never", async () => {
    for (let cut = 0; cut <= events + 1; cut++) {
      const heard = open({ model: `sim/story:tokens=4,cut=${cut}`, stream: true })
      await heard.over
      if (cut <= events) {
        assert.equal(heard.data.length, cut)
        assert.equal(heard.failure?.reason, "broken")
        assert.equal(heard.calls.at(-1), "failed")
      } else assert.equal(heard.calls.at(-1), "ended")
    }
  })

  test("error_at=k is an error event and the end, without [DONE]", async () => {
    for (let at = 0; at <= events; at++) {
      const heard = open({ model: `sim/story:tokens=4,error_at=${at}`, stream: true })
      await heard.over
      assert.equal(heard.data.length, at + 1)
      const last: unknown = JSON.parse(heard.data.at(-1) ?? "")
      assert.ok(isObject(last) && isObject(last.error) && typeof last.error.message === "string")
      assert.equal(heard.calls.at(-1), "ended")
    }
  })

  test("stall=k is silence until the abort", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] })
    const heard = open({ model: "sim/story:tokens=4,stall=3", stream: true })
    while (heard.data.length < 3) await turn()
    context.mock.timers.tick(86_400_000)
    for (let turns = 0; turns < 20; turns++) await turn()
    assert.equal(heard.data.length, 3)
    assert.equal(heard.calls.at(-1), "event")
    heard.attempt.abort()
  })

  test("of several the earliest happens", async () => {
    const heard = open({ model: "sim/story:cut=9,error_at=2,stall=5", stream: true })
    await heard.over
    assert.equal(heard.data.length, 3)
  })

  test("error=<status> answers so, with retry_after", async () => {
    for (const stream of [true, false]) {
      for (const status of [400, 401, 418, 429, 503, 599]) {
        const heard = open({ model: `sim/story:error=${status},retry_after=7`, stream })
        await heard.over
        assert.deepEqual(heard.calls, ["connected", "answered", "body", "ended"])
        assert.deepEqual([heard.status, heard.contentType, heard.retryAfter], [status, "application/json", 7])
        assert.match(heard.body, /"error":\{"message":/)
      }
    }
  })

  test("a script that it cannot read is a 400 that names the key", async () => {
    const heard = open({ model: "sim/story:speed=3", stream: true })
    await heard.over
    assert.equal(heard.status, 400)
    assert.match(heard.body, /'speed'/)
  })

  test("without a stream a cut breaks, a stall never answers, error_at answers 500", async () => {
    const cut = open({ model: "sim/story:tokens=4,cut=2" })
    await cut.over
    assert.deepEqual(cut.calls, ["connected", "answered", "failed"])
    const failed = open({ model: "sim/story:tokens=4,error_at=2" })
    await failed.over
    assert.deepEqual([failed.status, failed.calls.at(-1)], [500, "ended"])
    const stalled = open({ model: "sim/story:tokens=4,stall=2" })
    for (let turns = 0; turns < 50; turns++) await turn()
    assert.deepEqual(stalled.calls, ["connected"])
    stalled.attempt.abort()
  })
})

describe("the simulator's pace", () => {
  test("ttft stands before the first event, gap before each other", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] })
    const heard = open({ model: "sim/story:tokens=3,ttft=90s,gap=250ms", stream: true })
    async function after(milliseconds: number): Promise<number> {
      context.mock.timers.tick(milliseconds)
      for (let turns = 0; turns < 5; turns++) await turn()
      return heard.data.length
    }
    while (!heard.calls.includes("answered")) await turn()
    assert.equal(await after(89_999), 0)
    assert.equal(await after(1), 1)
    assert.equal(await after(249), 1)
    assert.equal(await after(1), 2)
    assert.equal(await after(250), 3)
    heard.attempt.abort()
  })

  test("without a stream the answer comes when the last event would have", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] })
    const heard = open({ model: "sim/story:tokens=3,ttft=80s,gap=2s,usage=none" })
    while (!heard.calls.includes("connected")) await turn()
    for (let turns = 0; turns < 5; turns++) await turn()
    context.mock.timers.tick(80_000 + 4 * 2_000 - 1)
    for (let turns = 0; turns < 5; turns++) await turn()
    assert.deepEqual(heard.calls, ["connected"])
    context.mock.timers.tick(1)
    await heard.over
    assert.equal(heard.calls.at(-1), "ended")
  })

  test("a pause holds it back at once, and a resume loses nothing", async () => {
    const heard = open({ model: "sim/story:tokens=500", stream: true }, ({ attempt, data }) => {
      if (data.length === 100) attempt.pause()
    })
    while (heard.data.length < 100) await turn()
    for (let turns = 0; turns < 50; turns++) await turn()
    assert.equal(heard.data.length, 100)
    heard.attempt.resume()
    await heard.over
    assert.equal(heard.data.length, 1 + 500 + 1 + 1 + 1)
  })

  test("an abort is the last of it, whenever it comes", async () => {
    for (const at of [1, 5, 64, 65, 130]) {
      const heard = open({ model: "sim/story:tokens=200", stream: true }, ({ attempt, data }) => {
        if (data.length === at) attempt.abort()
      })
      while (heard.data.length < at) await turn()
      for (let turns = 0; turns < 20; turns++) await turn()
      assert.equal(heard.data.length, at)
      assert.equal(heard.calls.at(-1), "event")
    }
    const heard = open({ model: "sim/story", stream: true })
    heard.attempt.abort()
    for (let turns = 0; turns < 20; turns++) await turn()
    assert.deepEqual(heard.calls, [])
  })

  test("many tokens at once leave the loop its turns", async () => {
    let turns = 0
    let over = false
    const heard = open({ model: "sim/story:tokens=20000", stream: true })
    void heard.over.then(() => (over = true))
    while (!over) {
      turns += 1
      await turn()
    }
    assert.equal(heard.data.length, 20_004)
    assert.ok(turns > 20_000 / 100, `${turns} turns`)
  })
})
