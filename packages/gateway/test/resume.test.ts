import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import {
  ADMIN_KEY,
  call,
  dataOf,
  eventFrames,
  idOf,
  KEY,
  startTestGateway,
  streamBody,
  type TestGateway,
} from "./support.ts"

let gateway: TestGateway
before(async () => {
  gateway = await startTestGateway("streams: { keep: 10m }\n", { SLUICE_API_KEY: KEY })
})
after(() => gateway.close())

const chat = (path = "/v1") => `${gateway.url}${path}/chat/completions`

test("a stream of 200 events resumes from every number, byte for byte", async () => {
  const first = await call(chat(), {
    body: streamBody("sim/story:tokens=197", { stream_options: { include_usage: true } }),
  })
  assert.equal(first.status, 200)
  const id = String(first.headers["sluice-stream-id"])
  const { text, complete } = await first.whole()
  assert.equal(complete, true)
  const frames = eventFrames(text)
  assert.equal(frames.length, 200)
  assert.deepEqual(
    frames.map(idOf),
    Array.from({ length: 200 }, (_, index) => index + 1),
  )
  assert.match(frames[0]!, /^retry: 1000$/m)
  assert.ok(text.endsWith("data: [DONE]\n\n"))
  for (let after = 0; after <= 200; after++) {
    const again = await call(`${chat()}/${id}`, { headers: { "last-event-id": String(after) } })
    assert.equal(again.status, 200)
    assert.equal((await again.whole()).text, `${frames.slice(after).join("")}data: [DONE]\n\n`)
  }
})

test("two readers who come in the middle of a running stream get what the first one gets", async () => {
  const first = await call(chat(), { body: streamBody("sim/story:tokens=60,gap=5") })
  const id = String(first.headers["sluice-stream-id"])
  await first.frames(10)
  const [second, third] = await Promise.all([
    call(`${chat()}/${id}?stream=true`),
    call(`${chat()}/${id}?stream=true&starting_after=7`),
  ])
  const [a, b, c] = await Promise.all([first.whole(), second.whole(), third.whole()])
  assert.equal(b.text, a.text)
  assert.deepEqual(eventFrames(c.text), eventFrames(a.text).slice(7))
})

test("a client that is cut off resumes where it was, under drain", async () => {
  const headers = { "sluice-on-disconnect": "drain:60" }
  const first = await call(chat(), { body: streamBody("sim/story:tokens=50,gap=5"), headers })
  const id = String(first.headers["sluice-stream-id"])
  const seen = await first.frames(9)
  first.leave()
  const again = await call(`${chat()}/${id}`, { headers: { "last-event-id": "9" } })
  const rest = eventFrames((await again.whole()).text)
  assert.equal(idOf(rest[0]!), 10)
  const whole = await call(`${chat()}/${id}?stream=true`)
  assert.equal(eventFrames((await whole.whole()).text).join(""), [...seen, ...rest].join(""))
})

test("the bytes are the call's own, whichever mount asks; foreign, unknown and malformed asks are told so", async () => {
  const first = await call(chat(), { body: streamBody("sim/story:tokens=5") })
  const id = String(first.headers["sluice-stream-id"])
  const { text } = await first.whole()
  const elsewhere = await call(`${chat("/openrouter/api/v1")}/${id}?stream=true`)
  assert.equal((await elsewhere.whole()).text, text)
  const admin = await call(`${chat()}/${id}?stream=true`, { key: ADMIN_KEY })
  assert.equal((await admin.whole()).text, text)

  for (const [query, expected] of [
    ["?stream=true&starting_after=99", 400],
    ["?stream=true&starting_after=-1", 400],
    ["?stream=true&starting_after=1.5", 400],
    ["?stream=true&starting_after=x", 400],
  ] as const) {
    assert.equal((await call(`${chat()}/${id}${query}`)).status, expected, query)
  }
  assert.equal((await call(`${chat()}/chatcmpl-0123456789?stream=true`)).status, 404)
  assert.equal((await call(`${chat()}/${id}`, { key: "sk-another" })).status, 401)

  const adminStream = await call(chat(), { body: streamBody("sim/story:tokens=5"), key: ADMIN_KEY })
  const adminId = String(adminStream.headers["sluice-stream-id"])
  await adminStream.whole()
  assert.equal((await call(`${chat()}/${adminId}?stream=true`)).status, 404)
})

test("retrieve gives the whole answer, and its state while it runs", async () => {
  const headers = { "sluice-on-disconnect": "detach" }
  const first = await call(chat(), { body: streamBody("sim/story:tokens=40,gap=10"), headers })
  const id = String(first.headers["sluice-stream-id"])
  await first.frames(5)
  const running = JSON.parse((await (await call(`${chat()}/${id}`)).whole()).text)
  assert.equal(running.sluice.state, "running")
  assert.equal(running.choices[0].finish_reason, null)
  assert.equal(running.usage, undefined)
  const { text } = await first.whole()
  const ended = JSON.parse((await (await call(`${chat()}/${id}`)).whole()).text)
  assert.equal(ended.object, "chat.completion")
  assert.equal(ended.sluice.state, "finished")
  assert.equal(ended.choices[0].finish_reason, "stop")
  const content = eventFrames(text)
    .map((frame) => (dataOf(frame)["choices"] as { delta: { content?: string } }[])[0]?.delta.content ?? "")
    .join("")
  assert.equal(ended.choices[0].message.content, content)
})

test("past max_bytes the oldest events are gone: 410 names the oldest left", async () => {
  const small = await startTestGateway("streams: { max_bytes: 2KB }\n")
  try {
    const first = await call(`${small.url}/v1/chat/completions`, { body: streamBody("sim/story:tokens=100") })
    const id = String(first.headers["sluice-stream-id"])
    await first.whole()
    const gone = await call(`${small.url}/v1/chat/completions/${id}?stream=true`)
    assert.equal(gone.status, 410)
    const oldest = JSON.parse((await gone.whole()).text).error.message.match(/oldest left is (\d+)/)[1]
    const left = await call(
      `${small.url}/v1/chat/completions/${id}?stream=true&starting_after=${Number(oldest) - 1}`,
    )
    assert.equal(left.status, 200)
    assert.equal(idOf(eventFrames((await left.whole()).text)[0]!), Number(oldest))
  } finally {
    await small.close()
  }
})

test("the right to a stream is its key's, not the secret's: it outlives a rotation, and is nobody else's", async () => {
  const admin = async (path: string, body?: object): Promise<{ key: { id: string }; secret: string }> => {
    const answer = await call(`${gateway.url}/admin${path}`, {
      method: "POST",
      body: body ?? {},
      key: ADMIN_KEY,
    })
    return JSON.parse((await answer.whole()).text)
  }
  const mine = await admin("/keys", { name: "mine" })
  const other = await admin("/keys", { name: "other" })
  const first = await call(chat(), { body: streamBody("sim/story:tokens=8"), key: mine.secret })
  const path = `${chat()}/${first.headers["sluice-stream-id"]}?stream=true`
  const { text } = await first.whole()
  const rotated = await admin(`/keys/${mine.key.id}/rotate`)
  assert.equal((await call(path, { key: mine.secret })).status, 401)
  assert.equal((await (await call(path, { key: rotated.secret })).whole()).text, text)
  assert.equal((await call(path, { key: other.secret })).status, 404)
  assert.equal(
    (await call(path.replace("?stream=true", "/cancel"), { method: "POST", key: other.secret })).status,
    404,
  )
})
