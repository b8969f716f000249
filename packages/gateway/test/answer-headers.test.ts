/** What an answer's headers say in a client's own words: names of members, names of models. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { frame, SSE_HEAD, startRawProvider } from "./raw-provider.ts"
import { call, startTestGateway, streamBody } from "./support.ts"

test("members and models of any name and number are answered, with headers that any proxy takes", async () => {
  const provider = await startRawProvider((socket) => {
    socket.end([SSE_HEAD, frame({ content: "Hi" }), frame({}, "stop"), "data: [DONE]\n\n"].join(""))
  })
  const gateway = await startTestGateway(`
providers:
  away: { kind: openrouter, base_url: "${provider.baseUrl}", credential: none }
`)
  try {
    const chat = `${gateway.url}/v1/chat/completions`
    const unknown = { "größe\r\nx-evil: 1": 1, 漢字: 1, ["k".repeat(10_000)]: 1 }
    const answer = await call(chat, { body: streamBody("away/模型", unknown) })
    const { text } = await answer.whole()
    assert.equal(answer.status, 200, text)
    assert.ok(text.endsWith("data: [DONE]\n\n"), text)
    assert.match(text, /"model":"away\/模型"/)
    assert.equal(
      answer.headers["sluice-dropped-params"],
      `gr%C3%B6%C3%9Fe%0D%0Ax-evil:%201, %E6%BC%A2%E5%AD%97, ${"k".repeat(128)}...`,
    )
    assert.equal(answer.headers["x-evil"], undefined)
    assert.equal(answer.headers["sluice-model"], "away/%E6%A8%A1%E5%9E%8B")

    const metadata = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`label_${index}`, index]),
    )
    const many = await call(chat, { body: streamBody("away/x", { metadata }) })
    assert.match(String(many.headers["sluice-dropped-params"]), /^metadata\.label_0, .*, \+\d+ more$/)
    assert.ok(many.response.rawHeaders.join("").length < 4_000)
    await many.whole()

    const replay = await call(`${chat}/${answer.headers["sluice-stream-id"]}?stream=true`)
    assert.equal(replay.headers["sluice-model"], "away/%E6%A8%A1%E5%9E%8B")
    assert.equal((await replay.whole()).text, text)
  } finally {
    await gateway.close()
    await provider.close()
  }
})
