import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { createKey, released, rowsOf } from "./books-support.ts"
import { jsonAnswer, SSE_HEAD, startRawProvider, wholeStream } from "./raw-provider.ts"
import { startSluice } from "./sluice-process.ts"
import { call, KEY, startTestGateway, streamBody } from "./support.ts"

const AT_ONCE = 100

const WORDS = [" one", " two", " three"]
const WHOLE = JSON.stringify({
  id: "raw-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "raw",
  choices: [{ index: 0, message: { role: "assistant", content: WORDS.join("") }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: WORDS.length, total_tokens: 3 + WORDS.length },
})

for (const stream of [true, false]) {
  test(`one Idempotency-Key ${AT_ONCE} times at once, ${stream ? "" : "not "}streamed: one call of the provider, ${AT_ONCE} equal answers, one row`, async () => {
    const allAreSent = Promise.withResolvers<void>()
    const provider = await startRawProvider(async (socket) => {
      await allAreSent.promise
      socket.end(stream ? SSE_HEAD + wholeStream(WORDS).join("") : jsonAnswer(200, WHOLE))
    })
    const gateway = await startTestGateway(
      `providers: { raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none } }\n`,
    )
    try {
      const { id, secret } = await createKey(gateway)
      const asking = Array.from({ length: AT_ONCE }, async () => {
        const answer = await call(`${gateway.url}/v1/chat/completions`, {
          key: secret,
          headers: { "idempotency-key": "once" },
          body: streamBody("raw/x", { stream }),
        })
        return { answer, ...(await answer.whole()) }
      })
      // Connections are taken in the order in which they come: this one is behind them all.
      await (await call(`${gateway.url}/healthz`)).whole()
      allAreSent.resolve()
      const answers = await Promise.all(asking)
      assert.equal(provider.requests.length, 1)
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
      assert.equal(new Set(answers.map(({ answer }) => answer.headers["sluice-stream-id"])).size, 1)
      assert.ok(answers.every(({ answer, complete }) => answer.status === 200 && complete))
      assert.match(answers[0]!.text, /three/)
      const replayed = answers.filter(({ answer }) => answer.headers["sluice-replayed"] === "true")
      assert.equal(replayed.length, AT_ONCE - 1)
      const rows = await rowsOf(gateway)
      assert.equal(rows.length, 1)
      assert.equal(rows[0]?.ending, "finished")
      assert.deepEqual(rows[0]?.usage.completion_tokens, WORDS.length)
      await released(gateway, id)
    } finally {
      await gateway.close()
      await provider.close()
    }
  })
}

test("a request id that a client has chosen is a name and no more: used twice, it is two calls and two rows", async () => {
  const gateway = await startTestGateway("prices: { sim/story: { input: 1, output: 10 } }\n")
  try {
    const { id, secret } = await createKey(gateway)
    for (let time = 1; time <= 2; time++) {
      const answer = await call(`${gateway.url}/v1/chat/completions`, {
        key: secret,
        headers: { "x-request-id": "mine" },
        body: streamBody("sim/story:tokens=3"),
      })
      assert.equal(answer.headers["x-request-id"], "mine")
      assert.equal(answer.headers["sluice-replayed"], undefined)
      await answer.whole()
    }
    const rows = await rowsOf(gateway)
    assert.deepEqual(
      rows.map(({ client_request_id }) => client_request_id),
      ["mine", "mine"],
    )
    assert.notEqual(rows[0]?.id, rows[1]?.id)
    const costs = rows.map(({ cost_nano }) => Number(cost_nano))
    assert.ok(costs.every((cost) => cost > 0))
    assert.equal(Number((await released(gateway, id)).total_usd) * 1e9, costs[0]! + costs[1]!)
  } finally {
    await gateway.close()
  }
})

test("after kill -9 the same Idempotency-Key joins the call of the process before, and its row is the only one", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-idempotency-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const headers = { "idempotency-key": "once", "sluice-on-disconnect": "detach" }
  const bodies = {
    running: streamBody("sim/story:tokens=5000,gap=20"),
    finished: streamBody("sim/story:tokens=7"),
    whole: streamBody("sim/story:tokens=8", { stream: false }),
  }
  const first = await startSluice(t, folder)
  const ask = async (url: string, name: keyof typeof bodies) =>
    call(`${url}/v1/chat/completions`, {
      key: KEY,
      headers: { ...headers, "idempotency-key": name },
      body: bodies[name],
    })
  const running = await ask(first.url, "running")
  await running.frames(10)
  const finished = await ask(first.url, "finished")
  const whole = await ask(first.url, "whole")
  const before = { finished: (await finished.whole()).text, whole: (await whole.whole()).text }
  await first.kill()
  const seen = (await running.whole()).text

  const second = await startSluice(t, folder)
  for (const [name, answer] of Object.entries({ running, finished, whole })) {
    const joined = await ask(second.url, name as keyof typeof bodies)
    assert.equal(joined.headers["sluice-replayed"], "true", name)
    assert.equal(joined.headers["sluice-stream-id"], answer.headers["sluice-stream-id"], name)
    const { text } = await joined.whole()
    if (name === "running") {
      assert.ok(text.startsWith(seen))
      assert.match(text, /"error_type":"interrupted"/)
    } else assert.equal(text, before[name as keyof typeof before])
  }
  const rows = await rowsOf(second)
  assert.equal(rows.length, 3)
  const row = rows.find((one) => one.id === running.headers["sluice-stream-id"])
  assert.equal(row?.ending, "interrupted")
  assert.equal(row?.estimated, true)
  assert.ok(row.usage.completion_tokens >= 8, `${row.usage.completion_tokens} tokens are in the books`)
})
