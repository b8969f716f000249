import assert from "node:assert/strict"
import { test } from "node:test"
import { startRawProvider } from "./raw-provider.ts"
import { ADMIN_KEY, call, dataOf, eventFrames, startTestGateway, streamBody } from "./support.ts"

test("browsers of allowed origins may call, and are shown what they need; others get nothing", async () => {
  const gateway = await startTestGateway('server: { cors: ["https://app.example"] }\n')
  try {
    const chat = `${gateway.url}/v1/chat/completions`
    const preflight = await call(chat, {
      method: "OPTIONS",
      key: "",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers["access-control-allow-origin"], "https://app.example")
    for (const name of [
      "authorization",
      "content-type",
      "idempotency-key",
      "last-event-id",
      "sluice-on-disconnect",
    ]) {
      assert.ok(String(preflight.headers["access-control-allow-headers"]).includes(name), name)
    }
    const answer = await call(chat, {
      body: streamBody("sim/a:tokens=1"),
      headers: { origin: "https://app.example" },
    })
    assert.equal(answer.status, 200)
    for (const name of ["sluice-stream-id", "x-request-id", "x-generation-id", "retry-after"]) {
      assert.ok(String(answer.headers["access-control-expose-headers"]).includes(name), name)
    }
    const foreign = await call(chat, {
      method: "OPTIONS",
      key: "",
      headers: { origin: "https://evil.example" },
    })
    assert.equal(foreign.status, 403)
    assert.equal(foreign.headers["access-control-allow-origin"], undefined)
  } finally {
    await gateway.close()
  }
})

test("a vendor's SDK is known at /v1 by its user agent and gets its whole dialect; the header wins; a mount is a mount", async () => {
  const gateway = await startTestGateway()
  try {
    const error = async (path: string, headers: Record<string, string>) => {
      const answer = await call(`${gateway.url}${path}/chat/completions`, {
        body: streamBody("nobody/knows"),
        headers,
      })
      return JSON.parse((await answer.whole()).text).error.code as unknown
    }
    assert.equal(await error("/v1", {}), "model_not_found")
    const agents = {
      "speakeasy-sdk/typescript 0.8.3 2.881.4 0.1.0 @r9s/sdk": 404,
      "speakeasy-sdk/typescript 0.0.2 2.588.0 0.1.0 atoma-sdk": 404,
      "speakeasy-sdk/python 3.11.7 2.687.1 2.0 orq-ai-sdk": 404,
      "speakeasy-sdk/typescript 4.15.11 2.938.0 2.0 @orq-ai/node": 404,
      "speakeasy-sdk/typescript 1.3.19 @openrouter/sdk": 404,
      "OpenAI/JS 7.0": "model_not_found",
    }
    for (const [agent, code] of Object.entries(agents))
      assert.equal(await error("/v1", { "user-agent": agent }), code)
    assert.equal(
      await error("/v1", { "user-agent": "@openrouter/sdk", "sluice-dialect": "openai" }),
      "model_not_found",
    )
    assert.equal(await error("/v1", { "sluice-dialect": "atoma" }), 404)
    assert.equal(await error("/r9s/v1", { "user-agent": "@openrouter/sdk" }), 404)
    const unknown = await call(`${gateway.url}/v1/models`, { headers: { "sluice-dialect": "klingon" } })
    assert.equal(unknown.status, 400)

    const openrouter = await call(`${gateway.url}/v1/chat/completions`, {
      body: streamBody("sim/a:tokens=1"),
      headers: { "user-agent": "@openrouter/sdk" },
    })
    assert.match(String(openrouter.headers["sluice-stream-id"]), /^gen-[0-9a-f]{32,}$/)
    assert.equal(openrouter.headers["x-generation-id"], openrouter.headers["sluice-stream-id"])
    const atoma = await call(`${gateway.url}/atoma/v1/chat/completions`, {
      body: streamBody("sim/a:tokens=1"),
    })
    assert.match((await atoma.whole()).text, /\n\n: ?-{4096,}\n\ndata: \[DONE\]\n\n$/)
    const proxy = await call(`${gateway.url}/orq/v2/proxy/chat/completions`, {
      body: streamBody("sim/a:tokens=1"),
    })
    const { text, complete } = await proxy.whole()
    assert.ok(complete && !text.includes("[DONE]"))
  } finally {
    await gateway.close()
  }
})

test("a key's own dialect wins over the user agent, and the header over both", async () => {
  const gateway = await startTestGateway()
  try {
    const made = await call(`${gateway.url}/admin/keys`, {
      body: { name: "k", dialect: "atoma" },
      key: ADMIN_KEY,
    })
    const { secret } = JSON.parse((await made.whole()).text)
    const code = async (headers: Record<string, string>): Promise<unknown> => {
      const options = { body: streamBody("nobody/knows"), headers, key: secret }
      const answer = await call(`${gateway.url}/v1/chat/completions`, options)
      return JSON.parse((await answer.whole()).text).error.code
    }
    assert.equal(await code({}), 404)
    assert.equal(await code({ "user-agent": "OpenAI/JS 7.0" }), 404)
    assert.equal(await code({ "sluice-dialect": "openai" }), "model_not_found")
  } finally {
    await gateway.close()
  }
})

test("usage goes last, once, to those who asked, and to OpenRouter's clients always", async () => {
  const gateway = await startTestGateway()
  try {
    for (const [mount, options, expected] of [
      ["/v1", {}, 0],
      ["/v1", { stream_options: { include_usage: true } }, 1],
      ["/r9s/v1", { stream_options: { include_usage: false } }, 0],
      ["/openrouter/api/v1", {}, 1],
    ] as const) {
      const answer = await call(`${gateway.url}${mount}/chat/completions`, {
        body: streamBody("sim/a:tokens=4", options),
      })
      const events = eventFrames((await answer.whole()).text).map(dataOf)
      const usages = events.filter((event) => event["usage"] !== undefined)
      assert.equal(usages.length, expected, `${mount} ${JSON.stringify(options)}`)
      if (expected === 0) continue
      assert.equal(usages[0], events.at(-1))
      assert.deepEqual(usages[0]!["choices"], [])
      assert.equal((usages[0]!["usage"] as { completion_tokens: number }).completion_tokens, 4)
    }
  } finally {
    await gateway.close()
  }
})

test("commit: headers answers 200 at once, and a failure then is told in band", async () => {
  const gateway = await startTestGateway(`
models:
  eager: { commit: headers, candidates: [{ provider: sim, model: "a:cut=1" }, { provider: sim, model: b }] }
`)
  try {
    const answer = await call(`${gateway.url}/v1/chat/completions`, { body: streamBody("eager") })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers["sluice-attempts"], "1")
    assert.match((await answer.whole()).text, /"error"/)
  } finally {
    await gateway.close()
  }
})

test("a provider sees our credential and our allow-list of headers, never the client's", async () => {
  const provider = await startRawProvider((socket) => {
    socket.end(
      "HTTP/1.1 400 X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
    )
  })
  const gateway = await startTestGateway(
    `providers: { raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: "sk-of-the-provider" } }\n`,
  )
  try {
    const headers = {
      cookie: "session=secret",
      "x-forwarded-for": "10.1.1.1",
      "x-api-key": "sk-else",
      "proxy-authorization": "Basic x",
      "openai-organization": "org-of-the-client",
      te: "trailers",
    }
    const body = streamBody("raw/model-7", { provider: { order: ["x"] }, top_k: 3, some_extension: 1 })
    const answer = await call(`${gateway.url}/v1/chat/completions`, { body, headers })
    assert.equal(answer.status, 400)
    const { head, body: sent } = provider.requests[0]!
    const names = head
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(":")[0]!.toLowerCase())
    assert.deepEqual(names.toSorted(), [
      "accept",
      "accept-encoding",
      "authorization",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ])
    assert.match(head, /^authorization: Bearer sk-of-the-provider$/im)
    const seen = JSON.parse(sent)
    assert.equal(seen.model, "model-7")
    assert.equal(seen.some_extension, 1)
    assert.equal(seen.provider, undefined, "OpenRouter's own member goes to OpenRouter alone")
    assert.equal(seen.stream_options.include_usage, true)
  } finally {
    await gateway.close()
    await provider.close()
  }
})
