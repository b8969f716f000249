import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import { createOpenAI } from "@ai-sdk/openai"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { streamText } from "ai"
import OpenAI from "openai"
import { StreamInterruptedError } from "../src/errors.ts"
import type { Fetch } from "../src/resumable-call.ts"
import { resumingFetch } from "../src/resuming-fetch.ts"
import { chunkOf, ENVELOPE, type ScriptedServer, startScriptedServer, USAGE } from "./scripted-server.ts"

const WORDS = [" once", " upon", " a", " tïme", " there", ' was"error":', " {}", "\n\n", " a", " 🦥"]
const EVENTS = eventsOf(WORDS)
const CANCEL = /^POST .*\/cancel$/
const QUICK = { initialMs: 1, maxMs: 2 }

let server: ScriptedServer
before(async () => {
  server = await startScriptedServer()
})
after(() => server.close())
beforeEach(() => {
  server.reset()
  server.events = EVENTS
})

const request = { model: "sim/story", messages: [{ role: "user" as const, content: "Go on." }] }

function eventsOf(words: string[]): string[] {
  return [
    chunkOf({ role: "assistant", content: "" }),
    ...words.map((content) => chunkOf({ content })),
    chunkOf({}, "stop"),
    JSON.stringify({ ...ENVELOPE, choices: [], usage: USAGE }),
  ]
}

function post(fetch = resumingFetch(QUICK), init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-test" },
    body: JSON.stringify({ ...request, stream: true }),
    ...init,
  })
}

async function uncut(): Promise<string> {
  server.reset()
  const text = await (await post(fetch)).text()
  server.reset()
  return text
}

test("cut at every byte, the body is byte for byte that of a stream never cut", async () => {
  server.events = [chunkOf({ content: " é\r\n" }), chunkOf({}, "stop")]
  const whole = await uncut()
  for (let bytes = 0; bytes < Buffer.byteLength(whole); bytes++) {
    server.reset()
    server.script = [{ bytes, how: "fin" }]
    assert.equal(await (await post()).text(), whole, `cut at byte ${bytes}`)
    assert.equal(server.script.length, 0, "the cut was made")
  }
})

test("a body that ends early as if complete is resumed like one that breaks", async () => {
  const whole = await uncut()
  for (let events = 0; events <= EVENTS.length; events++) {
    server.reset()
    server.script = [{ events, how: "end" }]
    assert.equal(await (await post()).text(), whole, `after event ${events}`)
  }
})

test("a stream is resumed again and again, each time from its last whole event", async () => {
  const whole = await uncut()
  server.script = EVENTS.map(() => ({ events: 1, how: "fin" }))
  assert.equal(await (await post()).text(), whole)
  const resumed = server.requests.slice(1)
  assert.deepEqual(
    resumed.map((seen) => [seen.method, seen.path, seen.headers["last-event-id"]]),
    EVENTS.map((_, index) => ["GET", "/v1/chat/completions/chatcmpl-1?stream=true", String(index + 1)]),
  )
  for (const seen of resumed) {
    assert.equal(seen.headers.authorization, "Bearer sk-test")
    assert.equal(seen.headers["idempotency-key"], undefined)
    assert.equal(seen.headers["content-type"], undefined)
  }
})

test("only calls get headers of ours, and only streamed ones may run on without a listener", async () => {
  await (await post()).text()
  await (await post(undefined, { body: JSON.stringify(request) })).text()
  await (await resumingFetch()(`${server.url}/models`)).text()
  const [streamed, plain, other] = server.requests
  assert.equal(streamed?.headers["sluice-on-disconnect"], "drain:60")
  assert.match(String(streamed?.headers["idempotency-key"]), /^[0-9a-f]{32}$/)
  assert.equal(plain?.headers["sluice-on-disconnect"], undefined)
  assert.match(String(plain?.headers["idempotency-key"]), /^[0-9a-f]{32}$/)
  assert.notEqual(plain?.headers["idempotency-key"], streamed?.headers["idempotency-key"])
  assert.equal(other?.headers["sluice-on-disconnect"], undefined)
  assert.equal(other?.headers["idempotency-key"], undefined)
})

test("what the caller has set stays as it is", async () => {
  const headers = { "idempotency-key": "mine", "sluice-on-disconnect": "detach" }
  await (await post(undefined, { headers })).text()
  assert.equal(server.requests[0]?.headers["idempotency-key"], "mine")
  assert.equal(server.requests[0]?.headers["sluice-on-disconnect"], "detach")
})

test("a Request object is read as its caller meant it", async () => {
  const whole = await uncut()
  server.script = [{ events: 3, how: "fin" }]
  const input = new Request(`${server.url}/chat/completions?a=b`, {
    method: "POST",
    headers: { authorization: "Bearer sk-test", "content-type": "application/json" },
    body: JSON.stringify({ ...request, stream: true }),
  })
  assert.equal(await (await resumingFetch(QUICK)(input)).text(), whole)
  assert.deepEqual(
    server.requests.map((seen) => seen.path),
    ["/v1/chat/completions?a=b", "/v1/chat/completions/chatcmpl-1?stream=true&a=b"],
  )
  assert.equal(server.requests[1]?.headers.authorization, "Bearer sk-test")
})

test("a call dropped before its answer is repeated under the same key", async () => {
  const whole = await uncut()
  server.script = ["drop", "drop"]
  assert.equal(await (await post()).text(), whole)
  const keys = server.requests.map((seen) => seen.headers["idempotency-key"])
  assert.equal(keys.length, 3)
  assert.equal(new Set(keys).size, 1)
})

test("a call that never reaches the gateway fails with the runtime's own error, after the last attempt", async () => {
  let calls = 0
  const unreachable = async () => {
    calls += 1
    throw new TypeError("fetch failed")
  }
  await assert.rejects(post(resumingFetch({ ...QUICK, attempts: 3, fetch: unreachable })), TypeError)
  assert.equal(calls, 4)
})

test("answers that are no stream of a Sluice gateway pass as they are", async () => {
  server.script = [{ status: 429, body: '{"error":{"message":"slow down"}}' }]
  const refused = await post()
  assert.equal(refused.status, 429)
  assert.equal(await refused.text(), '{"error":{"message":"slow down"}}')

  server.script = [{ status: 200, headers: { "content-type": "text/event-stream" }, body: "data: {}\n\n" }]
  assert.equal(await (await post()).text(), "data: {}\n\n")
  assert.equal(server.requests.length, 2)
})

test("after the last attempt that brings nothing the body errors, and never ends as if complete", async () => {
  server.script = [{ events: 4, how: "fin" }]
  const response = await post(
    resumingFetch({ ...QUICK, attempts: 3, fetch: failingAfterFirst(new TypeError("fetch failed")) }),
  )
  const { text, error } = await readToError(response)
  assert.equal(text.match(/^id: /gm)?.length, 4)
  assert.ok(error instanceof StreamInterruptedError)
  assert.deepEqual([error.id, error.lastEventId], ["chatcmpl-1", "4"])
  assert.match(error.message, /after event 4 .*fetch failed/)
})

test("connections that bring nothing new count as attempts, those that bring an event begin the count anew", async () => {
  server.script = [
    { events: 2, how: "fin" },
    { events: 0, how: "fin" },
    { events: 0, how: "fin" },
    { events: 1, how: "fin" },
    { events: 0, how: "fin" },
    { events: 0, how: "fin" },
    { events: 0, how: "fin" },
  ]
  const { error } = await readToError(await post(resumingFetch({ ...QUICK, attempts: 3 })))
  assert.ok(error instanceof StreamInterruptedError)
  assert.equal(error.lastEventId, "3")
  assert.equal(server.requests.length, 7)
})

for (const status of [401, 404, 410]) {
  test(`a refusal that will stay (${status}) ends it at once, with the gateway's words`, async () => {
    server.script = [{ events: 4, how: "fin" }]
    const response = await post()
    server.script = [{ status, body: '{"error":{"message":"No such stream."}}' }]
    const { error } = await readToError(response)
    assert.ok(error instanceof StreamInterruptedError)
    assert.match(error.message, /No such stream/)
    assert.equal(server.requests.length, 2)
  })
}

test("a refusal that may pass is waited out", async () => {
  const whole = await uncut()
  server.script = [{ events: 4, how: "fin" }]
  const response = await post()
  server.script = [{ status: 503, headers: { "retry-after": "0" } }, { status: 429 }, "drop"]
  assert.equal(await response.text(), whole)
  assert.equal(server.requests.length, 5)
})

test("an error event is an ending: it is passed on, and nothing is asked again", async () => {
  const failure = '{"id":"chatcmpl-1","object":"chat.completion.chunk","error":{"code":502,"message":"gone"}}'
  server.events = [...EVENTS.slice(0, 3), failure]
  server.sendsDone = false
  assert.match(await (await post()).text(), /"message":"gone"\}\}\n\n$/)
  assert.equal(server.requests.length, 1)

  // Where the gateway breaks the body off after it, so that clients who drop the event see a failure, so do we.
  server.reset()
  server.sendsDone = false
  server.script = [{ events: 4, how: "fin" }]
  const { text, error } = await readToError(await post())
  assert.match(text, /"message":"gone"/)
  assert.ok(error instanceof TypeError)
  assert.equal(server.requests.length, 1)
})

test("on Orq's proxy path, where no [DONE] is sent, a stream ends once nothing is missing, and as it came", async () => {
  const whole = (await uncut()).replace("data: [DONE]\n\n", "")
  const postToProxy = (fetch: Fetch) =>
    fetch(`${new URL(server.url).origin}/v2/proxy/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ ...request, stream: true }),
    })
  server.sendsDone = false
  assert.equal(await (await postToProxy(resumingFetch(QUICK))).text(), whole)

  server.events = EVENTS.slice(0, 5)
  const { error } = await readToError(await postToProxy(resumingFetch({ ...QUICK, attempts: 2 })))
  assert.ok(error instanceof StreamInterruptedError, "without a finish reason it is no end")
})

test("a silent connection counts as dropped", async () => {
  const whole = await uncut()
  server.script = [{ events: 3, how: "stall" }]
  assert.equal(await (await post(resumingFetch({ ...QUICK, silenceMs: 50 }))).text(), whole)
})

test("aborting ends the body with the caller's reason and cancels the call", async () => {
  server.script = [{ events: 3, how: "stall" }]
  const controller = new AbortController()
  const response = await post(undefined, { signal: controller.signal })
  const reader = response.body!.getReader()
  await reader.read()
  const reason = new Error("enough")
  const reading = reader.read()
  controller.abort(reason)
  await assert.rejects(reading, reason)
  const cancel = await server.saw(CANCEL)
  assert.equal(cancel.path, "/v1/chat/completions/chatcmpl-1/cancel")
  assert.equal(cancel.headers.authorization, "Bearer sk-test")
})

test("cancelling the body cancels the call", async () => {
  server.script = [{ events: 3, how: "stall" }]
  const response = await post()
  await response.body!.cancel()
  assert.equal((await server.saw(CANCEL)).method, "POST")
})

test("aborting before the answer rejects at once, and cancels the call as soon as its id is known", async () => {
  const controller = new AbortController()
  const arrival = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const slow: Fetch = async (input, init) => {
    if (String(input).endsWith("/cancel")) return fetch(input, init)
    const response = await fetch(input, init)
    arrival.resolve()
    await release.promise
    return response
  }
  const posting = post(resumingFetch({ fetch: slow }), { signal: controller.signal })
  await arrival.promise
  controller.abort(new Error("enough"))
  await assert.rejects(posting, /enough/)
  release.resolve()
  assert.equal((await server.saw(CANCEL)).path, "/v1/chat/completions/chatcmpl-1/cancel")
})

test("a stream that has ended is not cancelled, whatever its signal does later", async () => {
  const controller = new AbortController()
  await (await post(undefined, { signal: controller.signal })).text()
  controller.abort()
  await (await fetch(`${server.url}/models`)).text()
  assert.deepEqual(
    server.requests.map((seen) => seen.method),
    ["POST", "GET"],
  )
})

test("an answer that passes through still obeys its caller's signal", async () => {
  server.script = [{ events: 3, how: "stall" }]
  const controller = new AbortController()
  const withoutId: Fetch = async (input, init) => {
    const { body, status } = await fetch(input, init)
    return new Response(body, { status, headers: { "content-type": "text/event-stream" } })
  }
  const response = await post(resumingFetch({ fetch: withoutId }), { signal: controller.signal })
  const reading = response.text()
  controller.abort(new Error("enough"))
  await assert.rejects(reading, /enough/)
})

test("nothing is read ahead of a reader who waits", async () => {
  let pulled = 0
  const endless: Fetch = async (input) => {
    if (String(input).endsWith("/cancel")) return new Response()
    const frame = new TextEncoder().encode(`id: 1\ndata: ${"x".repeat(1000)}\n\n`)
    const body = new ReadableStream(
      {
        pull(controller) {
          pulled += 1
          controller.enqueue(frame)
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "sluice-stream-id": "chatcmpl-1" },
    })
  }
  const response = await post(resumingFetch({ fetch: endless }))
  const reader = response.body!.getReader()
  assert.equal(pulled, 0)
  await reader.read()
  await reader.read()
  assert.equal(pulled, 2)
  await reader.cancel()
})

test("the openai package streams on over a cut at every event: the same text and usage, and no error", async () => {
  const client = new OpenAI({
    baseURL: server.url,
    apiKey: "sk-test",
    maxRetries: 0,
    fetch: resumingFetch(QUICK),
  })
  for (let events = 0; events <= EVENTS.length; events++) {
    server.reset()
    server.script = [{ events, how: "reset" }]
    let text = ""
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ""
      usage = chunk.usage ?? usage
    }
    assert.equal(text, WORDS.join(""), `cut after event ${events}`)
    assert.equal(usage?.completion_tokens, USAGE.completion_tokens)

    server.reset()
    server.script = [{ events, how: "reset" }]
    const completion = await client.chat.completions.stream(request).finalChatCompletion()
    assert.equal(completion.choices[0]?.message.content, WORDS.join(""))
    assert.equal(completion.usage?.completion_tokens, USAGE.completion_tokens)
  }
})

test("leaving the openai package's loop cancels the call", async () => {
  const client = new OpenAI({
    baseURL: server.url,
    apiKey: "sk-test",
    maxRetries: 0,
    fetch: resumingFetch(QUICK),
  })
  server.script = [{ events: 5, how: "stall" }]
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    if (chunk.choices[0]?.delta.content) break
  }
  assert.equal((await server.saw(CANCEL)).path, "/v1/chat/completions/chatcmpl-1/cancel")
})

const aiModels = {
  "@ai-sdk/openai-compatible": () =>
    createOpenAICompatible({
      name: "sluice",
      baseURL: server.url,
      apiKey: "sk-test",
      includeUsage: true,
      fetch: resumingFetch(QUICK),
    })("sim/story"),
  "@ai-sdk/openai": () =>
    createOpenAI({ baseURL: server.url, apiKey: "sk-test", fetch: resumingFetch(QUICK) }).chat("sim/story"),
}
for (const [name, model] of Object.entries(aiModels)) {
  test(`${name} streams on over a cut at every event: the same text and usage, and no error`, async () => {
    for (let events = 0; events <= EVENTS.length; events++) {
      server.reset()
      server.script = [{ events, how: "reset" }]
      const errors: unknown[] = []
      const result = streamText({
        model: model(),
        prompt: "Go on.",
        maxRetries: 0,
        onError: ({ error }) => void errors.push(error),
      })
      assert.equal(await result.text, WORDS.join(""), `cut after event ${events}`)
      assert.equal((await result.usage).outputTokens, USAGE.completion_tokens)
      assert.deepEqual(errors, [])
    }
  })
}

async function readToError(response: Response): Promise<{ text: string; error: unknown }> {
  const decoder = new TextDecoder()
  let text = ""
  try {
    for await (const bytes of response.body!) text += decoder.decode(bytes, { stream: true })
  } catch (error) {
    return { text, error }
  }
  throw new assert.AssertionError({ message: `The body ended as if complete: ${text}` })
}

function failingAfterFirst(error: Error): Fetch {
  let calls = 0
  return (input, init) => (calls++ === 0 ? fetch(input, init) : Promise.reject(error))
}
