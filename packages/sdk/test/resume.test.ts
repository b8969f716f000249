import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import { type ChatStream, Sluice, StreamInterruptedError } from "../src/index.ts"
import { all, rejection, watchForUnhandled } from "./reading.ts"
import { type Cut, chunkOf, type ScriptedServer, startScriptedServer, storyOf } from "./scripted-server.ts"

let server: ScriptedServer
let client: Sluice
const assertNoneUnhandled = watchForUnhandled()

before(async () => {
  server = await startScriptedServer()
  client = new Sluice({ baseURL: server.url, apiKey: "key", resume: { initialMs: 1, maxMs: 2 } })
})
beforeEach(() => server.reset())
after(async () => {
  await server.close()
  await assertNoneUnhandled()
})

const story = { model: "sim/story", messages: [{ role: "user" as const, content: "Tell me a story." }] }

function send(): Promise<ChatStream> {
  return client.chat.send({ ...story, stream: true })
}

/** Every form that a stream can be read in. */
const VIEWS: Record<string, (stream: ChatStream) => Promise<unknown>> = {
  chunks: (stream) => all(stream),
  events: (stream) => all(stream.events()),
  text: (stream) => all(stream.text()),
  wire: (stream) => all(stream.wire()),
  final: (stream) => stream.final(),
  bytes: async (stream) => new Response(stream.toReadableStream()).text(),
}

async function expectedViews(): Promise<Record<string, unknown>> {
  const expected: Record<string, unknown> = {}
  for (const [name, view] of Object.entries(VIEWS)) expected[name] = await view(await send())
  return expected
}

/** One at a time: the script is the server's, and its next connection takes the next act. */
async function eachCut(cuts: Cut[], check: (cut: Cut, index: number) => Promise<void>): Promise<void> {
  for (const [index, cut] of cuts.entries()) {
    server.reset()
    server.script = [cut]
    await check(cut, index)
    assert.equal(server.script.length, 0, "the cut was made")
  }
}

test("a stream of 200 events cut behind every event reads the same in every form", async () => {
  server.events = storyOf(200)
  const expected = await expectedViews()
  assert.deepEqual(
    expected["wire"],
    server.events.map((data) => JSON.parse(data)),
  )
  const names = Object.keys(VIEWS)
  const ways = ["reset", "fin", "end"] as const
  const cuts = Array.from({ length: 201 }, (_, events) => ({ events, how: ways[events % 3] ?? "reset" }))
  await eachCut(cuts, async (cut, index) => {
    // Three cuts in a row differ in how, and so the forms move on by blocks of three.
    const name = names[Math.floor(index / 3) % names.length] ?? ""
    assert.deepEqual(
      await VIEWS[name]?.(await send()),
      expected[name],
      `${name} cut behind ${cut.events} by ${cut.how}`,
    )
    assert.equal(server.calls, 1)
  })
})

for (const [name, view] of Object.entries(VIEWS)) {
  test(`a stream of 20 events cut at every event reads the same as ${name}, however it is cut`, async () => {
    server.events = storyOf(20)
    const expected = await view(await send())
    for (const how of ["reset", "fin", "end"] as const) {
      const cuts = Array.from({ length: 21 }, (_, events) => ({ events, how }))
      await eachCut(cuts, async (cut) => {
        assert.deepEqual(
          await view(await send()),
          expected,
          `${name} cut behind event ${cut.events} by ${how}`,
        )
      })
    }
  })
}

test("a stream of 20 events cut at every byte reads the same", async () => {
  // Events as short as they may be: each byte is a call of its own.
  const short = (delta: object, finish_reason?: string) =>
    JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })
  const words = Array.from({ length: 18 }, (_, index) => short({ content: `é${index}` }))
  server.events = [...words, short({}, "stop"), '{"choices":[],"usage":{}}']
  const expected = await all((await send()).events())
  const frames = server.events.map((data, index) => `id: ${index + 1}\ndata: ${data}\n\n`)
  const length = Buffer.byteLength(frames.join(""))
  const cuts = Array.from({ length }, (_, bytes) => ({ bytes, how: "fin" as const }))
  await eachCut(cuts, async (cut) => {
    assert.deepEqual(await all((await send()).events()), expected, `cut at byte ${cut.bytes}`)
  })
})

test("a stream that drops again and again loses nothing as long as each connection brings an event", async () => {
  server.events = storyOf(40)
  const expected = await all((await send()).wire())
  server.reset()
  server.script = Array.from({ length: 40 }, () => ({ events: 1, bytes: 300, how: "reset" as const }))
  const stream = await send()
  assert.deepEqual(await all(stream.wire()), expected)
  assert.equal((await stream.final()).usage?.totalTokens, 21)
})

test("a server that begins again from its first event is followed without a chunk twice", async () => {
  server.events = storyOf(20)
  const expected = await all((await send()).wire())
  server.reset()
  const whole = server.events.map((data, index) => `id: ${index + 1}\ndata: ${data}\n\n`).join("")
  const headers = { "content-type": "text/event-stream", "sluice-stream-id": "chatcmpl-1" }
  server.script = [
    { events: 7, how: "reset" },
    { status: 200, headers, body: `${whole}data: [DONE]\n\n` },
  ]
  assert.deepEqual(await all((await send()).wire()), expected)
})

test("a resumed stream with a gap in it is not believed", async () => {
  server.events = storyOf(20)
  const expected = await all((await send()).wire())
  server.reset()
  const headers = { "content-type": "text/event-stream", "sluice-stream-id": "chatcmpl-1" }
  server.script = [
    { events: 7, how: "end" },
    { status: 200, headers, body: `id: 9\ndata: ${server.events[8]}\n\n` },
  ]
  assert.deepEqual(await all((await send()).wire()), expected)
})

test("a resumption says where it goes on, and carries the key but nothing of the call", async () => {
  server.events = storyOf(20)
  server.script = [{ events: 7, how: "end" }]
  await all(await send())
  const [call, resumption] = server.requests
  assert.equal(call?.headers["sluice-on-disconnect"], "drain:60")
  assert.match(String(call?.headers["idempotency-key"]), /^[0-9a-f]{32}$/)
  assert.equal(resumption?.method, "GET")
  assert.equal(resumption?.path, "/v1/chat/completions/chatcmpl-1?stream=true")
  assert.equal(resumption?.headers["last-event-id"], "7")
  assert.equal(resumption?.headers.authorization, "Bearer key")
  assert.equal(resumption?.headers["idempotency-key"], undefined)
  assert.equal(resumption?.headers["sluice-on-disconnect"], undefined)
})

test("a call that drops before its headers is repeated under the same key, and made once", async () => {
  server.events = storyOf(20)
  server.script = ["drop", "drop"]
  assert.equal((await all(await send())).length, 20)
  assert.equal(server.calls, 1)
  assert.equal(new Set(server.requests.map(({ headers }) => headers["idempotency-key"])).size, 1)
})

test("two calls have two keys", async () => {
  server.events = storyOf(4)
  await all(await send())
  await all(await send())
  assert.equal(server.calls, 2)
})

test("a gateway that refuses for a while is asked again until it answers", async () => {
  server.events = storyOf(20)
  const refusals = Array.from({ length: 7 }, (_, index) => ({
    status: [503, 429, 500, 408][index % 4] ?? 503,
  }))
  server.script = [{ events: 7, how: "end" }, ...refusals]
  assert.equal((await all(await send())).length, 20)
})

test("after eight attempts without an event the stream is interrupted, and holds what had arrived", async () => {
  server.events = storyOf(20)
  server.script = [{ events: 7, how: "end" }, ...Array.from({ length: 20 }, () => "drop" as const)]
  const stream = await send()
  const texts: string[] = []
  const error = await rejection(async () => {
    for await (const text of stream.text()) texts.push(text)
  })
  assert.ok(error instanceof StreamInterruptedError)
  assert.equal(server.requests.length, 1 + 8)
  assert.equal(error.text, texts.join(""))
  assert.equal(error.text, " wörd0 wörd1 wörd2 wörd3 wörd4 wörd5")
  assert.equal(error.id, "chatcmpl-1")
  assert.equal(error.lastEventId, "7")
  assert.equal(error.partial?.choices[0]?.finishReason, null)
  assert.ok(error.cause instanceof Error)
  assert.equal(await rejection(() => stream.final()), error)

  server.script = []
  const rest = await client.chat.resume({ id: error.id ?? "", lastEventId: error.lastEventId })
  assert.equal((await all(rest)).length, 20 - 7)
})

for (const status of [401, 404, 410]) {
  test(`a resumption answered ${status} is not tried again`, async () => {
    server.events = storyOf(20)
    server.script = [
      { events: 7, how: "end" },
      { status, body: '{"error":{"message":"Gone."}}' },
    ]
    const error = await rejection(async () => all(await send()))
    assert.ok(error instanceof StreamInterruptedError)
    assert.match(error.message, /Gone\./)
    assert.equal(error.lastEventId, "7")
    assert.equal(server.requests.length, 2)
  })
}

test("a gateway that cannot be reached any more after the finish reason has lost no answer", async () => {
  server.events = storyOf(20)
  server.script = [{ events: 19, how: "end" }, { status: 404 }]
  const stream = await send()
  assert.equal((await all(stream)).length, 19)
  assert.equal((await stream.final()).choices[0]?.finishReason, "stop")
})

test("a gateway's stream without [DONE] ends once coming back has brought nothing new", async () => {
  server.events = storyOf(20)
  server.sendsDone = false
  assert.equal((await all(await send())).length, 20)
  assert.equal(server.requests.length, 2)
})

test("two choices are complete when both are, even if the second had not begun at the cut", async () => {
  server.isSluice = false
  server.events = [chunkOf({ content: "a" }), chunkOf({}, "stop")]
  server.sendsDone = false
  const error = await rejection(async () => all(await client.chat.send({ ...story, n: 2, stream: true })))
  assert.ok(error instanceof StreamInterruptedError)
})

for (const how of ["reset", "fin", "end"] as const) {
  test(`a server that cannot resume ends in an interruption when it is cut by ${how}`, async () => {
    server.events = storyOf(20)
    server.isSluice = false
    for (let events = 1; events < 19; events++) {
      server.script = [{ events, how }]
      const error = await rejection(async () => all(await send()))
      assert.ok(error instanceof StreamInterruptedError, `cut behind event ${events}: ${error}`)
      assert.equal(error.partial?.choices[0]?.finishReason, null)
    }
  })
}

test("elsewhere a finish reason without [DONE] is an end", async () => {
  server.events = storyOf(20)
  server.isSluice = false
  server.sendsDone = false
  const stream = await send()
  assert.equal((await all(stream)).length, 20)
  assert.equal((await stream.final()).usage?.totalTokens, 21)
})

test("the server's wait is honoured: Retry-After before the next attempt", async () => {
  server.events = storyOf(20)
  server.script = [
    { events: 7, how: "end" },
    { status: 503, headers: { "retry-after": "0.05" } },
  ]
  const started = performance.now()
  assert.equal((await all(await send())).length, 20)
  assert.ok(performance.now() - started >= 49)
})

test("a gateway that asks for more patience than anybody has is not waited for", async () => {
  server.events = storyOf(20)
  server.script = [
    { events: 7, how: "end" },
    { status: 503, headers: { "retry-after": "61" } },
  ]
  assert.ok((await rejection(async () => all(await send()))) instanceof StreamInterruptedError)
})

test("a resumption that drops before its first event is no end", async () => {
  server.events = storyOf(20)
  for (const how of ["reset", "fin", "end"] as const) {
    const stream = await send()
    const id = stream.id ?? ""
    await all(stream)
    server.script = [{ how }, { how }]
    assert.equal((await all(await client.chat.resume({ id, lastEventId: "3" }))).length, 17)
  }
})

test("a stream resumed elsewhere gives the rest, and its final the whole", async () => {
  server.events = storyOf(20)
  const whole = {
    id: "chatcmpl-1",
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: "all" }, finish_reason: "stop" }],
  }
  server.completion = whole
  const stream = await send()
  const events = stream.events()
  for (let seq = 1; seq <= 5; seq++) assert.equal((await events.next()).value?.id, String(seq))
  const bookmark = await stream.detach()
  assert.deepEqual(bookmark, { id: "chatcmpl-1", lastEventId: "5" })
  assert.equal((await events.next()).done, true)

  const elsewhere = new Sluice({ baseURL: server.url, apiKey: "key" })
  const rest = await elsewhere.chat.resume(bookmark)
  assert.equal((await all(rest)).length, 15)
  assert.equal((await rest.final()).choices[0]?.message.content, "all")
})
