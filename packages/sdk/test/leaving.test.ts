import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import { CancelledError, type ChatStream, Sluice, SluiceError } from "../src/index.ts"
import { all, rejection, watchForUnhandled } from "./reading.ts"
import { type ScriptedServer, startScriptedServer, storyOf } from "./scripted-server.ts"

let server: ScriptedServer
let client: Sluice
const assertNoneUnhandled = watchForUnhandled()
const CANCEL = /^POST .*\/chatcmpl-1\/cancel$/

before(async () => {
  server = await startScriptedServer()
  client = new Sluice({ baseURL: server.url, apiKey: "key", resume: { initialMs: 1, maxMs: 2 } })
})
beforeEach(() => {
  server.reset()
  server.events = storyOf(20)
})
after(async () => {
  await server.close()
  await assertNoneUnhandled()
})

function send(options?: { signal: AbortSignal }): Promise<ChatStream> {
  const messages = [{ role: "user" as const, content: "Tell me a story." }]
  return client.chat.send({ model: "sim/story", messages, stream: true }, options)
}

function verbs(): string[] {
  return server.requests.map(({ method, path }) => `${method} ${path.split("/").at(-1)}`)
}

test("leaving the loop tells the gateway to cancel, before the loop is over", async () => {
  server.script = [{ events: 5, how: "stall" }]
  const stream = await send()
  let count = 0
  for await (const _ of stream) if (++count === 3) break
  assert.deepEqual(verbs(), ["POST completions", "POST cancel"])
  assert.equal(server.requests[1]?.headers.authorization, "Bearer key")
})

test("an exception in the loop's body cancels too, and comes out as it was", async () => {
  const mine = new Error("mine")
  const error = await rejection(async () => {
    for await (const _ of (await send()).text()) throw mine
  })
  assert.equal(error, mine)
  await server.saw(CANCEL)
})

test("aborting while nothing arrives cancels at the gateway, and the loop throws at once", async () => {
  server.script = [{ events: 5, how: "stall" }]
  const controller = new AbortController()
  const stream = await send({ signal: controller.signal })
  const read: unknown[] = []
  const error = await rejection(async () => {
    for await (const chunk of stream) if (read.push(chunk) === 5) setImmediate(() => controller.abort())
  })
  assert.ok(error instanceof CancelledError)
  assert.equal(error.name, "AbortError")
  assert.equal(error.text, " wörd0 wörd1 wörd2 wörd3")
  await server.saw(CANCEL)
  assert.equal(await rejection(() => stream.final()), error)
})

test("aborting between two reads is heard at once, not at the next read", async () => {
  const controller = new AbortController()
  const stream = await send({ signal: controller.signal })
  const chunks = stream[Symbol.asyncIterator]()
  await chunks.next()
  controller.abort()
  await server.saw(CANCEL)
  assert.ok((await rejection(() => chunks.next())) instanceof CancelledError)
})

test("aborting before the headers cancels as soon as the answer names its stream", async () => {
  const headers = { "content-type": "text/event-stream", "sluice-stream-id": "chatcmpl-1" }
  const controller = new AbortController()
  let answer = () => {}
  const patient = new Sluice({
    baseURL: server.url,
    apiKey: "key",
    fetch: async (url, init) => {
      if (url.endsWith("/cancel")) return fetch(url, init)
      await new Promise<void>((resolve) => {
        answer = resolve
        controller.abort()
      })
      return new Response("", { headers })
    },
  })
  const error = await rejection(() =>
    patient.chat.send({ model: "m", messages: [], stream: true }, { signal: controller.signal }),
  )
  assert.ok(error instanceof CancelledError)
  assert.equal(server.requests.length, 0)
  answer()
  await server.saw(CANCEL)
})

test("a signal that is aborted already sends nothing", async () => {
  const error = await rejection(() => send({ signal: AbortSignal.abort() }))
  assert.ok(error instanceof CancelledError)
  assert.deepEqual(server.requests, [])
})

test("aborting while it waits to reconnect ends the wait", async () => {
  const slow = new Sluice({
    baseURL: server.url,
    apiKey: "key",
    resume: { initialMs: 3_600_000, maxMs: 3_600_000 },
  })
  server.script = [
    { events: 5, how: "end" },
    { status: 503, headers: { "retry-after": "60" } },
  ]
  const controller = new AbortController()
  const stream = await slow.chat.send(
    { model: "m", messages: [], stream: true },
    { signal: controller.signal },
  )
  const reading = rejection(() => all(stream))
  await server.saw(/^GET /)
  controller.abort()
  assert.ok((await reading) instanceof CancelledError)
  await server.saw(CANCEL)
})

test("cancel tells the gateway and ends the loop", async () => {
  server.script = [{ events: 5, how: "stall" }]
  const stream = await send()
  const read: unknown[] = []
  for await (const chunk of stream) if (read.push(chunk) === 5) await stream.cancel()
  assert.equal(read.length, 5)
  assert.deepEqual(verbs(), ["POST completions", "POST cancel"])
  assert.ok((await rejection(() => stream.final())) instanceof CancelledError)
})

test("cancel ends a read that waits elsewhere", async () => {
  server.script = [{ events: 0, how: "stall" }]
  const stream = await send()
  const reading = all(stream)
  await stream.cancel()
  assert.deepEqual(await reading, [])
})

test("cancelling the web stream cancels the call", async () => {
  server.script = [{ events: 5, how: "stall" }]
  const reader = (await send()).toReadableStream().getReader()
  await reader.read()
  await reader.cancel()
  await server.saw(CANCEL)
})

test("a gateway that cannot be told does not keep anybody", async () => {
  const stream = await send()
  const chunks = stream[Symbol.asyncIterator]()
  await chunks.next()
  await server.close()
  await chunks.return()
  assert.equal((await chunks.next()).done, true)
  server = await startScriptedServer()
  client = new Sluice({ baseURL: server.url, apiKey: "key", resume: { initialMs: 1, maxMs: 2 } })
})

test("after a finished stream nothing is sent", async () => {
  const controller = new AbortController()
  const stream = await send({ signal: controller.signal })
  await all(stream)
  await stream.cancel()
  controller.abort()
  await stream.detach()
  assert.equal((await stream.final()).choices[0]?.finishReason, "stop")
  assert.deepEqual(verbs(), ["POST completions"])
})

test("leaving behind the finish reason cancels nothing: there is nothing left to cancel", async () => {
  for await (const chunk of await send()) if (chunk.choices[0]?.finishReason) break
  assert.deepEqual(verbs(), ["POST completions"])
})

test("detach tells the gateway, closes, and says where to go on", async () => {
  server.script = [{ events: 5, how: "stall" }]
  const stream = await send()
  const chunks = stream[Symbol.asyncIterator]()
  for (let count = 0; count < 3; count++) await chunks.next()
  assert.deepEqual(await stream.detach(), { id: "chatcmpl-1", lastEventId: "3" })
  assert.deepEqual(verbs(), ["POST completions", "POST detach"])
  await chunks.return()
  assert.equal((await all(await client.chat.resume({ id: "chatcmpl-1", lastEventId: "3" }))).length, 17)
  assert.equal(verbs().includes("POST cancel"), false)
})

test("elsewhere nobody is told, and nothing can be detached or resumed", async () => {
  const plain = new Sluice({ system: "openai", baseURL: server.url, apiKey: "key" })
  server.isSluice = false
  const stream = await plain.chat.send({ model: "m", messages: [], stream: true })
  assert.ok((await rejection(() => stream.detach())) instanceof SluiceError)
  for await (const _ of stream) break
  assert.ok((await rejection(() => plain.chat.resume({ id: "chatcmpl-1" }))) instanceof SluiceError)
  assert.deepEqual(verbs(), ["POST completions"])
})

test("a stream has one reader at a time, and is read once", async () => {
  const stream = await send()
  const chunks = stream[Symbol.asyncIterator]()
  await chunks.next()
  assert.match(String(await rejection(() => all(stream.text()))), /one reader at a time/)
  assert.match(String(await rejection(() => stream.final())), /one reader at a time/)
  await all(chunks)
  assert.match(String(await rejection(() => all(stream.text()))), /has been read/)
  assert.deepEqual(await stream.final(), await stream.final())
})

test("the network is read no faster than the caller reads", async () => {
  let pulled = 0
  const frames = Array.from({ length: 1000 }, (_, index) => `id: ${index + 1}\ndata: ${server.events[1]}\n\n`)
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        controller.enqueue(new TextEncoder().encode(frames[pulled++]))
      },
    },
    { highWaterMark: 0 },
  )
  const slow = new Sluice({
    baseURL: server.url,
    apiKey: "key",
    fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
  })
  const chunks = (await slow.chat.send({ model: "m", messages: [], stream: true }))[Symbol.asyncIterator]()
  for (let read = 1; read <= 10; read++) {
    await chunks.next()
    assert.equal(pulled, read)
  }
  await chunks.return()
})
