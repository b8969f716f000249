import assert from "node:assert/strict"
import { test } from "node:test"
import type { ChatRequest } from "../../request.ts"
import { openai, openaiWith } from "../index.ts"

const messages: ChatRequest["messages"] = [{ role: "user", content: "Hi." }]

test("without quirks a server is asked as OpenAI is", () => {
  const request: ChatRequest = { model: "m", messages, seed: 7, stream: true, user: "u" }
  assert.deepEqual(openaiWith({}).writeRequest(request), openai.writeRequest(request))
})

test("what a server refuses is left out and listed, where the client has said it", () => {
  const dialect = openaiWith({ refuses: ["logit_bias", "seed"], refusesInMessages: ["name"] })
  const { body, dropped } = dialect.writeRequest({
    model: "m",
    seed: 7,
    top_p: 0.5,
    messages: [{ role: "user", content: "Hi.", name: "ann" }],
  })
  assert.deepEqual(body, { model: "m", top_p: 0.5, messages: [{ role: "user", content: "Hi." }] })
  assert.deepEqual(dropped.toSorted(), ["messages[].name", "seed"])
})

test("a member goes by the server's own name, which wins where both are sent", () => {
  const dialect = openaiWith({ names: { max_completion_tokens: "max_tokens", seed: "random_seed" } })
  const written = (request: Partial<ChatRequest>): unknown =>
    dialect.writeRequest({ model: "m", messages, ...request })
  assert.deepEqual(written({ max_completion_tokens: 5, seed: 7 }), {
    body: { model: "m", messages, max_tokens: 5, random_seed: 7 },
    dropped: [],
  })
  assert.deepEqual(written({ max_completion_tokens: 5, max_tokens: 6 }), {
    body: { model: "m", messages, max_tokens: 6 },
    dropped: [],
  })
  assert.deepEqual(written({ max_completion_tokens: null }), { body: { model: "m", messages }, dropped: [] })
})

test("a developer is a system, and strict is left out, where a server knows neither", () => {
  const tool = { type: "function", function: { name: "f", strict: true } }
  const { body, dropped } = openaiWith({ developerRole: false, strict: false }).writeRequest({
    model: "m",
    messages: [{ role: "developer", content: "Be brief." }],
    tools: [tool],
  })
  assert.deepEqual(body["messages"], [{ role: "system", content: "Be brief." }])
  assert.deepEqual(body["tools"], [{ type: "function", function: { name: "f" } }])
  assert.deepEqual(dropped, ["tools[].function.strict"])
})

test("a server that reports its usage unasked is not asked", () => {
  const request: ChatRequest = {
    model: "m",
    messages,
    stream: true,
    stream_options: { include_usage: true },
  }
  const { body, dropped } = openaiWith({ streamOptions: false }).writeRequest(request)
  assert.deepEqual([body, dropped], [{ model: "m", messages, stream: true }, []])
})

test("an assistant's turn to go on with is marked as the server wants it, and nothing else is", () => {
  const onMessage = openaiWith({ prefill: { on: "message", members: { prefix: true } } })
  const onRequest = openaiWith({ prefill: { on: "request", members: { continue_final_message: true } } })
  const turn = { role: "assistant" as const, content: "Once" }
  const request: ChatRequest = { model: "m", messages: [...messages, turn, ...messages, turn] }
  assert.deepEqual(onMessage.writeRequest(request).body["messages"], [
    ...messages,
    turn,
    ...messages,
    { ...turn, prefix: true },
  ])
  assert.deepEqual(onRequest.writeRequest(request).body, { ...request, continue_final_message: true })
  assert.deepEqual(request.messages.at(-1), turn)
  const calls = [{ id: "1", type: "function" as const, function: { name: "f", arguments: "{}" } }]
  const others: ChatRequest["messages"][] = [
    messages,
    [...messages, { role: "assistant", content: "Once", tool_calls: calls }],
  ]
  for (const dialect of [onMessage, onRequest]) {
    for (const other of others)
      assert.deepEqual(dialect.writeRequest({ model: "m", messages: other }).body, {
        model: "m",
        messages: other,
      })
  }
})
