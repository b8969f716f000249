import assert from "node:assert/strict"
import net from "node:net"
import { after, before, test } from "node:test"
import { call, KEY, startTestGateway, streamBody, type TestGateway } from "./support.ts"

let gateway: TestGateway
before(async () => {
  gateway = await startTestGateway("server: { body_limit: 1MB }\n")
})
after(() => gateway.close())

const chat = (mount = "/v1") => `${gateway.url}${mount}/chat/completions`
const message = { role: "user", content: "hi" }

test("each malformed request is a 4xx JSON error in the mount's own form that names the member", async () => {
  const cases: [unknown, number, string | undefined][] = [
    ["", 400, undefined],
    ["{", 400, undefined],
    ["[]", 400, undefined],
    [{}, 400, "model"],
    [{ model: "sim/a" }, 400, "messages"],
    [{ model: "sim/a", messages: [] }, 400, "messages"],
    [{ model: "sim/a", messages: "hi" }, 400, "messages"],
    [{ model: "sim/a", messages: [{ content: "x" }] }, 400, "messages[0].role"],
    [{ model: "sim/a", messages: [{ role: "king", content: "x" }] }, 400, "messages[0].role"],
    [{ model: "sim/a", messages: [{ role: "user", content: 7 }] }, 400, "messages[0].content"],
    [{ model: 7, messages: [message] }, 400, "model"],
    [{ model: "sim/a", messages: [message], stream: "yes" }, 400, "stream"],
    [{ model: "sim/a", messages: [message], n: 129 }, 400, "n"],
    [{ model: "sim/a", messages: [message], temperature: "hot" }, 400, "temperature"],
    [{ model: "sim/a", messages: [message], tools: {} }, 400, "tools"],
    ['{"model":"sim/a","messages":[{"role":"user","content":"x"}],"max_tokens":1e999}', 400, "max_tokens"],
    ['{"model":"sim/a","messages":[{"role":"user","content":"x"}],"seed":99999999999999999}', 400, "seed"],
    ['{"model":"sim/a","messages":[{"role":"user","content":"x"}],"a":{"__proto__":1}}', 400, "a.__proto__"],
    [{ model: "sim/a:tokens=x", messages: [message] }, 400, "model"],
    [{ model: "sim/a:wings=2", messages: [message] }, 400, "model"],
    [{ model: "nobody/knows", messages: [message] }, 404, "model"],
    [{ messages: [message] }, 400, "model"],
  ]
  for (const mount of ["/v1", "/r9s/v1", "/openrouter/api/v1", "/atoma/v1", "/orq/v2/router"]) {
    for (const [body, status, param] of cases) {
      const answer = await call(chat(mount), { body, method: "POST" })
      const { text } = await answer.whole()
      const about = `${mount} ${JSON.stringify(body).slice(0, 120)} → ${text.slice(0, 200)}`
      assert.equal(answer.status, status, about)
      assert.equal(answer.headers["content-type"], "application/json", about)
      const { error } = JSON.parse(text)
      if (mount === "/v1") {
        assert.equal(typeof error.code, "string", about)
        assert.equal(error.param, param ?? null, about)
      } else assert.equal(error.code, status, about)
      if (param !== undefined && param !== "model") assert.ok(error.message.includes(param), about)
    }
  }
})

test("in-range values that only the provider can judge pass", async () => {
  for (const odd of [
    { temperature: 3 },
    { max_tokens: 1 },
    { top_p: 0 },
    { seed: 0 },
    { n: 1 },
    { stop: ["a"] },
  ]) {
    const answer = await call(chat(), { body: { ...streamBody("sim/story:tokens=2"), ...odd } })
    assert.equal(answer.status, 200, JSON.stringify(odd))
    await answer.whole()
  }
})

test("no key, a wrong key, a wrong type, a large body, an unknown path, a wrong method", async () => {
  const body = streamBody("sim/story")
  assert.equal((await call(chat(), { body, key: "" })).status, 401)
  assert.equal((await call(chat(), { body, key: "sk-wrong" })).status, 401)
  assert.equal((await call(chat(), { body, key: "", headers: { "x-api-key": KEY } })).status, 200)
  assert.equal((await call(chat(), { body, headers: { "content-type": "text/plain" } })).status, 415)
  assert.equal((await call(chat(), { body, headers: { "content-encoding": "gzip" } })).status, 415)
  assert.equal((await call(chat(), { body: { ...body, x: "a".repeat(1 << 20) } })).status, 413)
  assert.equal((await call(`${gateway.url}/v1/chat/completion`, { body })).status, 404)
  assert.equal((await call(`${gateway.url}/nothing`)).status, 404)
  assert.equal((await call(`${gateway.url}/nothing`, { key: "" })).status, 401)
  assert.equal((await call(chat(), { method: "GET" })).status, 405)
  assert.equal((await call(`${gateway.url}/v1/embeddings`, { body: {} })).status, 501)
  assert.equal((await call(`${gateway.url}/anthropic/v1/messages`, { body: {} })).status, 501)
  assert.equal((await call(`${gateway.url}/v1/messages`, { body: {} })).status, 501)
  assert.equal((await call(`${gateway.url}/healthz`, { key: "" })).status, 200)
  assert.equal((await call(`${gateway.url}/readyz`, { key: "" })).status, 200)
})

test("headers that must be one are refused when they are two", async () => {
  const body = JSON.stringify(streamBody("sim/story:tokens=1"))
  const base = [
    "host: 127.0.0.1",
    `authorization: Bearer ${KEY}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ]
  assert.match(
    await raw(
      `POST /v1/chat/completions HTTP/1.1\r\n${base.join("\r\n")}\r\nconnection: close\r\n\r\n${body}`,
    ),
    /^HTTP\/1.1 200/,
  )
  for (const twice of base) {
    const head = `POST /v1/chat/completions HTTP/1.1\r\n${[...base, twice].join("\r\n")}\r\nconnection: close\r\n\r\n`
    assert.match(await raw(head + body), /^HTTP\/1.1 400/, twice.split(":")[0])
  }
})

test("a foreign Host or Origin is refused on loopback", async () => {
  const body = streamBody("sim/story:tokens=1")
  assert.equal((await call(chat(), { body, headers: { host: "evil.example" } })).status, 403)
  assert.equal((await call(chat(), { body, headers: { origin: "https://evil.example" } })).status, 403)
  assert.equal((await call(chat(), { body, headers: { origin: "http://localhost:3000" } })).status, 200)
  assert.equal((await call(chat(), { body, headers: { host: "localhost:1" } })).status, 200)
})

test("a path said in another way is not the same path", async () => {
  for (const path of [
    "/v1/chat/completions/",
    "//v1/chat/completions",
    "/v1/./chat/completions",
    "/v1/chat%2fcompletions",
    "/V1/chat/completions",
    "/v1/chat/completions;x",
  ]) {
    const answer = await raw(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
    )
    assert.match(answer, /^HTTP\/1.1 404/, path)
  }
})

function raw(bytes: string): Promise<string> {
  const { port } = new URL(gateway.url)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), "127.0.0.1", () => socket.write(bytes))
    let text = ""
    socket.setEncoding("utf8")
    socket.on("data", (piece: string) => {
      text += piece
    })
    socket.on("error", reject)
    socket.on("close", () => resolve(text))
  })
}
