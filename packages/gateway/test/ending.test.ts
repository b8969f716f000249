import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { call, dataOf, eventFrames, startTestGateway, streamBody, type TestGateway } from "./support.ts"

let gateway: TestGateway
before(async () => {
  gateway = await startTestGateway()
})
after(() => gateway.close())

const MOUNTS = [
  "/v1",
  "/r9s/v1",
  "/openrouter/api/v1",
  "/atoma/v1",
  "/orq/v2/router",
  "/orq/v2/gateway",
  "/orq/v2/proxy",
]
const SHOWS_ERRORS = ["/v1", "/openrouter/api/v1"]
const chat = (mount: string) => `${gateway.url}${mount}/chat/completions`

for (const mount of MOUNTS) {
  test(`${mount}: a provider that dies after the commit point ends the stream with one error event and no [DONE]`, async () => {
    const answer = await call(chat(mount), { body: streamBody("sim/story:tokens=20,cut=8") })
    assert.equal(answer.status, 200)
    const { text, complete } = await answer.whole()
    assert.ok(!text.includes("[DONE]"))
    const frames = eventFrames(text)
    const errors = frames.filter((frame) => dataOf(frame)["error"] !== undefined)
    assert.equal(errors.length, 1)
    assert.equal(errors[0], frames.at(-1))
    const last = dataOf(errors[0]!)
    const error = last["error"] as {
      code: number
      message: string
      metadata: { error_type: string; retryable: boolean }
    }
    assert.equal(error.code, 502)
    assert.equal(error.metadata.error_type, "provider_error")
    assert.equal(error.metadata.retryable, true)
    assert.equal("choices" in last, mount !== "/v1")
    if (mount !== "/v1")
      assert.equal((last["choices"] as unknown[]).length, mount.startsWith("/openrouter") ? 1 : 0)
    assert.equal(
      complete,
      SHOWS_ERRORS.includes(mount),
      "the others drop the event: to them it must look truncated",
    )
  })

  test(`${mount}: a failure before the commit point is an ordinary error response`, async () => {
    for (const [script, status] of [
      ["cut=1", 502],
      ["error=500", 502],
      ["error=503,retry_after=7", 503],
      ["error=429,retry_after=3", 429],
      ["error=401", 502],
      ["error=404", 404],
      ["error=400", 400],
    ] as const) {
      const answer = await call(chat(mount), { body: streamBody(`sim/story:${script}`) })
      assert.equal(answer.status, status, script)
      assert.equal(answer.headers["content-type"], "application/json")
      const { error } = JSON.parse((await answer.whole()).text)
      assert.equal(typeof error.message, "string")
      if (mount === "/v1") assert.ok(error.code === null || typeof error.code === "string")
      else assert.equal(error.code, status)
      if (script.includes("retry_after"))
        assert.equal(answer.headers["retry-after"], script.match(/retry_after=(\d+)/)![1])
      else if (status === 429 || status === 503) assert.equal(answer.headers["retry-after"], "1")
      assert.ok(answer.headers["sluice-stream-id"])
    }
  })
}

test("a cancel ends the stream as cancelled, and a later cancel is told the real ending", async () => {
  const answer = await call(chat("/v1"), { body: streamBody("sim/story:tokens=500,gap=10") })
  const id = String(answer.headers["sluice-stream-id"])
  await answer.frames(3)
  const cancelled = await call(`${chat("/v1")}/${id}/cancel`, { method: "POST" })
  assert.equal(cancelled.status, 200)
  assert.equal(JSON.parse((await cancelled.whole()).text).sluice.state, "cancelled")
  const { text } = await answer.whole()
  const last = dataOf(eventFrames(text).at(-1)!)
  assert.equal((last["error"] as { code: number }).code, 499)
  assert.ok(!text.includes("[DONE]"))

  const finished = await call(chat("/v1"), { body: streamBody("sim/story:tokens=3") })
  await finished.whole()
  const late = await call(`${chat("/v1")}/${finished.headers["sluice-stream-id"]}/cancel`, { method: "POST" })
  assert.equal(late.status, 200)
  assert.equal(JSON.parse((await late.whole()).text).sluice.state, "finished")
})

test("the next candidate answers as long as the commit point has not been passed", async () => {
  const many = await startTestGateway(`
models:
  safe:
    candidates:
      - { provider: sim, model: "a:error=500" }
      - { provider: sim, model: "b:cut=1" }
      - { provider: sim, model: "c:error_at=1" }
      - { provider: sim, model: "story:tokens=5" }
`)
  try {
    const answer = await call(`${many.url}/v1/chat/completions`, { body: streamBody("safe") })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers["sluice-attempts"], "4")
    assert.equal(answer.headers["sluice-model"], "sim/story:tokens=5")
    const { text } = await answer.whole()
    assert.ok(text.endsWith("data: [DONE]\n\n"))
    assert.ok(!text.includes('"error"'))
  } finally {
    await many.close()
  }
})
