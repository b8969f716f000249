/** Code as it is written for each vendor's own SDK, against a server that speaks as that vendor's does. */
import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import { AtomaSDK } from "../src/systems/atoma.ts"
import { OpenRouter } from "../src/systems/openrouter.ts"
import { Orq } from "../src/systems/orq.ts"
import { R9S } from "../src/systems/r9s.ts"
import { chunkOf, ENVELOPE, type ScriptedServer, startScriptedServer, USAGE } from "./scripted-server.ts"

const messages = [{ role: "user" as const, content: "Hello" }]
const usageChunk = JSON.stringify({ ...ENVELOPE, choices: [], usage: USAGE })
const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m/x",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: USAGE,
}

let server: ScriptedServer
/** The server's address without a path, as the vendors' SDKs take it. */
let origin: string
before(async () => {
  server = await startScriptedServer()
  origin = new URL(server.url).origin
})
after(() => server.close())
beforeEach(() => {
  server.reset()
  server.isSluice = false
  server.completion = completion
  server.events = [
    chunkOf({ role: "assistant", content: "" }),
    chunkOf({ content: "Hel" }),
    chunkOf({ content: "lo" }),
    chunkOf({}, "stop"),
  ]
})

function lastRequest() {
  const { method, path, headers, body } = server.requests.at(-1)!
  return { line: `${method} ${path}`, headers, body: JSON.parse(body) }
}

/** Every vendor's streamed call, reduced to its text by the loop that its users write. */
const streams = {
  r9s: async (serverURL: string) => {
    const r9s = new R9S({ apiKey: "key", serverURL })
    let text = ""
    for await (const event of await r9s.chat.create({ model: "m/x", messages, stream: true })) {
      text += event.choices[0]!.delta.content ?? ""
    }
    return text
  },
  openrouter: async (serverURL: string) => {
    const openRouter = new OpenRouter({ apiKey: "key", serverURL })
    let text = ""
    const request = { chatRequest: { model: "m/x", messages, stream: true as const } }
    for await (const chunk of await openRouter.chat.send(request)) {
      text += chunk.choices[0]?.delta.content ?? ""
    }
    return text
  },
  atoma: async (serverURL: string) => {
    const atoma = new AtomaSDK({ bearerAuth: "key", serverURL })
    let text = ""
    for await (const event of await atoma.chat.createStream({ model: "m/x", messages })) {
      text += event.data.choices[0]!.delta.content ?? ""
    }
    return text
  },
  "orq router": async (serverURL: string) => {
    const orq = new Orq({ apiKey: "key", serverURL })
    let text = ""
    for await (const event of await orq.router.chat.completions.create({
      model: "m/x",
      messages,
      stream: true,
    })) {
      text += event.data.choices[0]!.delta.content ?? ""
    }
    return text
  },
  "orq proxy": async (serverURL: string) => {
    const orq = new Orq({ apiKey: "key", serverURL })
    let text = ""
    for await (const event of await orq.proxy.chatCompletions({ model: "m/x", messages, stream: true })) {
      text += event.data.choices[0]!.delta.content ?? ""
    }
    return text
  },
}

/** Where each vendor's SDK posts to: for the vendor's own server, and for a gateway's mount. */
const paths: Record<keyof typeof streams, { own: [server: string, path: string]; mount: [string, string] }> =
  {
    r9s: { own: ["", "/v1/chat/completions"], mount: ["/r9s", "/r9s/v1/chat/completions"] },
    openrouter: {
      own: ["/api/v1", "/api/v1/chat/completions"],
      mount: ["/openrouter/api/v1", "/openrouter/api/v1/chat/completions"],
    },
    atoma: { own: ["", "/v1/chat/completions"], mount: ["/atoma", "/atoma/v1/chat/completions"] },
    "orq router": {
      own: ["", "/v2/router/chat/completions"],
      mount: ["/orq", "/orq/v2/router/chat/completions"],
    },
    "orq proxy": {
      own: ["", "/v2/proxy/chat/completions"],
      mount: ["/orq", "/orq/v2/proxy/chat/completions"],
    },
  }

for (const name of Object.keys(streams) as (keyof typeof streams)[]) {
  const { own, mount } = paths[name]

  test(`${name}: the vendor's call reaches the vendor's path, and its loop gets the vendor's item`, async () => {
    server.sendsDone = name !== "orq proxy"
    assert.equal(await streams[name](origin + own[0]), "Hello")
    const { line, headers, body } = lastRequest()
    assert.equal(line, `POST ${own[1]}`)
    assert.equal(headers.authorization, "Bearer key")
    assert.equal(body.stream, true)
    for (const header of ["idempotency-key", "sluice-on-disconnect", "last-event-id"]) {
      assert.equal(headers[header], undefined, `${header} goes to Sluice alone`)
    }
  })

  test(`${name}: pointed at a gateway's mount the stream goes on after a cut at every event`, async () => {
    server.isSluice = true
    server.sendsDone = name !== "orq proxy"
    for (let events = 0; events <= server.events.length; events++) {
      server.script = [{ events, how: "fin" }]
      server.requests.length = 0
      assert.equal(await streams[name](origin + mount[0]), "Hello", `after event ${events}`)
      const [first, ...rest] = server.requests
      assert.equal(`${first?.method} ${first?.path}`, `POST ${mount[1]}`)
      assert.equal(first?.headers["sluice-on-disconnect"], "drain:60")
      if (events < server.events.length) {
        assert.match(rest[0]?.path ?? "", new RegExp(`^${mount[1]}/chatcmpl-\\d+\\?`))
        assert.equal(rest[0]?.headers.authorization, "Bearer key")
      }
    }
  })
}

test("usage comes only to callers who asked: the others' loops take a first choice for granted", async () => {
  await streams.r9s(origin)
  assert.deepEqual(lastRequest().body.stream_options, { include_usage: false })

  server.events = [...server.events, usageChunk]
  const orq = new Orq({ apiKey: "key", serverURL: origin })
  const stream = await orq.router.chat.completions.create({
    model: "m/x",
    messages,
    stream: true,
    streamOptions: { includeUsage: true },
  })
  let tokens: number | undefined
  for await (const event of stream) tokens = event.data.usage?.totalTokens ?? tokens
  assert.deepEqual(lastRequest().body.stream_options, { include_usage: true })
  assert.equal(tokens, USAGE.total_tokens)
})

test("calls that do not stream give the completion in the vendor's camelCase", async () => {
  const r9s = await new R9S({ apiKey: "key", serverURL: origin }).chat.create({ model: "m/x", messages })
  const atoma = await new AtomaSDK({ bearerAuth: "key", serverURL: origin }).chat.create({
    model: "m/x",
    messages,
  })
  const orq = new Orq({ apiKey: "key", serverURL: origin })
  const router = await orq.router.chat.completions.create({ model: "m/x", messages })
  const proxy = await orq.proxy.chatCompletions({ model: "m/x", messages })
  const openRouter = await new OpenRouter({ apiKey: "key", serverURL: `${origin}/api/v1` }).chat.send({
    chatRequest: { model: "m/x", messages, maxTokens: 5 },
  })
  assert.equal(lastRequest().body.max_tokens, 5)
  for (const answer of [r9s, atoma, router, proxy, openRouter]) {
    assert.equal(answer.choices[0]?.message.content, "Hello")
    assert.equal(answer.choices[0]?.finishReason, "stop")
    assert.equal(answer.usage?.promptTokens, USAGE.prompt_tokens)
  }
  for (const { body } of server.requests) {
    assert.notEqual(JSON.parse(body).stream, true)
    assert.equal(JSON.parse(body).stream_options, undefined)
  }
})

test("openrouter: the request is taken in each of the forms that its SDK has had", async () => {
  const openRouter = new OpenRouter({ apiKey: "key", serverURL: `${origin}/api/v1` })
  const params = { model: "m/x", messages, stream: true as const, topP: 0.5 }
  for (const request of [{ chatRequest: params }, { chatGenerationParams: params }, params]) {
    let text = ""
    for await (const chunk of await openRouter.chat.send(request))
      text += chunk.choices[0]?.delta.content ?? ""
    assert.equal(text, "Hello")
    const { body } = lastRequest()
    assert.deepEqual([body.model, body.messages, body.stream, body.top_p], ["m/x", messages, true, 0.5])
    assert.deepEqual(
      Object.keys(body).filter((name) => /chat|params/i.test(name)),
      [],
    )
  }
})

test("openrouter: who calls is told in the vendor's headers, by client and by call", async () => {
  const openRouter = new OpenRouter({
    apiKey: "key",
    serverURL: `${origin}/api/v1`,
    appTitle: "App",
    httpReferer: "https://a",
  })
  await openRouter.chat.send(
    { chatRequest: { model: "m/x", messages }, appTitle: "Other", xOpenRouterMetadata: "enabled" },
    { headers: { "x-session-id": "s" } },
  )
  const { headers } = lastRequest()
  assert.equal(headers["http-referer"], "https://a")
  assert.equal(headers["x-openrouter-title"], "Other")
  assert.equal(headers["x-openrouter-metadata"], "enabled")
  assert.equal(headers["x-session-id"], "s")

  const older = new OpenRouter({ apiKey: "key", serverURL: `${origin}/api/v1`, xTitle: "Old" })
  await older.chat.send({ chatGenerationParams: { model: "m/x", messages } })
  assert.equal(lastRequest().headers["x-openrouter-title"], "Old")
  await older.chat.send({ chatGenerationParams: { model: "m/x", messages }, xTitle: "Newer" })
  assert.equal(lastRequest().headers["x-openrouter-title"], "Newer")
})

test("atoma: createStream streams whatever the request says, and a lone stop word becomes the list it takes", async () => {
  const atoma = new AtomaSDK({ bearerAuth: "key", serverURL: origin })
  for await (const _event of await atoma.chat.createStream({
    model: "m/x",
    messages,
    stream: false,
    stop: ".",
  })) {
  }
  assert.equal(lastRequest().body.stream, true)
  assert.deepEqual(lastRequest().body.stop, ["."])
})

test("a credential may be a function, asked anew for every request", async () => {
  let asked = 0
  const r9s = new R9S({ apiKey: async () => `key-${++asked}`, serverURL: origin })
  await r9s.chat.create({ model: "m/x", messages })
  await r9s.chat.create({ model: "m/x", messages })
  assert.deepEqual(
    server.requests.map((seen) => seen.headers.authorization),
    ["Bearer key-1", "Bearer key-2"],
  )
})

test("r9s: an address that ends with /v1, as its older SDK wants it, is taken as it is", async () => {
  assert.equal(await streams.r9s(`${origin}/v1/`), "Hello")
  assert.equal(lastRequest().line, "POST /v1/chat/completions")
})

test("the options of a call are the vendors': signal, timeoutMs, retries, headers, fetchOptions", async () => {
  const r9s = new R9S({ apiKey: "key", serverURL: origin })
  const request = { model: "m/x", messages }
  await r9s.chat.create(request, { fetchOptions: { headers: { "x-a": "1" } }, headers: { "x-b": "2" } })
  assert.deepEqual([lastRequest().headers["x-a"], lastRequest().headers["x-b"]], ["1", "2"])

  server.script = [{ status: 503 }]
  await assert.rejects(r9s.chat.create(request, { retries: { strategy: "none" } }), { status: 503 })
  assert.equal(server.requests.length, 2)

  server.script = ["silence"]
  await assert.rejects(r9s.chat.create(request, { timeoutMs: 20 }), { name: "TimeoutError" })

  await assert.rejects(r9s.chat.create(request, { signal: AbortSignal.abort() }), { name: "AbortError" })
})

test("orq: the contact travels in the vendor's header", async () => {
  const orq = new Orq({ apiKey: "key", serverURL: origin, contactId: "c-1" })
  await orq.router.chat.completions.create({ model: "m/x", messages })
  assert.equal(lastRequest().headers["x-orq-contact-id"], "c-1")
})

test("under the vendor's stream is the core's, with all that it can do", async () => {
  const atoma = new AtomaSDK({ bearerAuth: "key", serverURL: origin })
  const { stream } = await atoma.chat.createStream({ model: "m/x", messages })
  assert.equal((await stream.final()).choices[0]?.message.content, "Hello")
})
