import assert from "node:assert/strict"
import { test } from "node:test"
import {
  CHUNKED_SSE_HEAD,
  chunkOf,
  frame,
  type RawProvider,
  startRawProvider,
  wholeStream,
} from "./raw-provider.ts"
import { call, dataOf, eventFrames, startTestGateway, streamBody, type TestGateway } from "./support.ts"

/** A provider that sends the role and one word, then the rest when told to. */
async function waitingProvider(): Promise<{ provider: RawProvider; goOn: () => void }> {
  const sockets: import("node:net").Socket[] = []
  const frames = wholeStream([" a", " b", " c"])
  const provider = await startRawProvider((socket) => {
    sockets.push(socket)
    socket.write(CHUNKED_SSE_HEAD)
    for (const text of frames.slice(0, 2)) socket.write(chunkOf(text))
  })
  const goOn = (): void => {
    for (const socket of sockets) {
      for (const text of frames.slice(2)) socket.write(chunkOf(text))
      socket.end("0\r\n\r\n")
    }
  }
  return { provider, goOn }
}

async function withGateway(
  yaml: (baseUrl: string) => string,
  body: (gateway: TestGateway, provider: RawProvider, goOn: () => void) => Promise<void>,
): Promise<void> {
  const { provider, goOn } = await waitingProvider()
  const gateway = await startTestGateway(yaml(provider.baseUrl))
  try {
    await body(gateway, provider, goOn)
  } finally {
    await gateway.close()
    await provider.close()
  }
}

const route = (baseUrl: string, setting = ""): string => `
providers:
  raw: { kind: openai-compatible, base_url: "${baseUrl}", credential: none }
models:
  m: { candidates: [{ provider: raw, model: x }] ${setting} }
`

const chat = (gateway: TestGateway): string => `${gateway.url}/v1/chat/completions`

/** The state once it is no longer running: the books are closed a moment after the provider's connection. */
async function endedState(gateway: TestGateway, id: string): Promise<string> {
  for (;;) {
    const { sluice } = JSON.parse((await (await call(`${chat(gateway)}/${id}`)).whole()).text)
    if (sluice.state !== "running") return sluice.state
  }
}

test("by default a client that leaves cancels the call: the provider's connection is closed", async () => {
  await withGateway(route, async (gateway, provider) => {
    const answer = await call(chat(gateway), { body: streamBody("m") })
    await answer.frames(2)
    answer.leave()
    await provider.closedByPeer(1)
    assert.equal(await endedState(gateway, String(answer.headers["sluice-stream-id"])), "cancelled")
  })
})

test("under detach the call finishes with nobody there", async () => {
  await withGateway(
    (url) => route(url, ", on_disconnect: detach"),
    async (gateway, provider, goOn) => {
      const answer = await call(chat(gateway), { body: streamBody("m") })
      const id = String(answer.headers["sluice-stream-id"])
      await answer.frames(2)
      answer.leave()
      goOn()
      await provider.closedByPeer(1)
      const again = await call(`${chat(gateway)}/${id}?stream=true`)
      const { text } = await again.whole()
      assert.ok(text.endsWith("data: [DONE]\n\n"))
      assert.match(text, /" c"/)
      assert.equal(await endedState(gateway, id), "finished")
    },
  )
})

test("under drain the clock starts when the last reader has left and stops when one comes back", async () => {
  await withGateway(
    (url) => route(url, ", on_disconnect: 'drain:1'"),
    async (gateway, provider, goOn) => {
      const first = await call(chat(gateway), { body: streamBody("m") })
      const id = String(first.headers["sluice-stream-id"])
      await first.frames(2)
      first.leave()
      const second = await call(`${chat(gateway)}/${id}?stream=true`)
      await second.frames(2)
      // Longer than the drain: had the clock gone on, the call would have been cancelled by now.
      await new Promise((resolve) => setTimeout(resolve, 1_300))
      goOn()
      assert.ok((await second.whole()).text.endsWith("data: [DONE]\n\n"))

      const third = await call(chat(gateway), { body: streamBody("m") })
      await third.frames(2)
      third.leave()
      await provider.closedByPeer(2)
      assert.equal(await endedState(gateway, String(third.headers["sluice-stream-id"])), "cancelled")
    },
  )
})

test("the header wins over the route, and detach and cancel can be said afterwards", async () => {
  await withGateway(
    (url) => route(url, ", on_disconnect: cancel"),
    async (gateway, provider, goOn) => {
      const detached = await call(chat(gateway), {
        body: streamBody("m"),
        headers: { "sluice-on-disconnect": "detach" },
      })
      await detached.frames(2)
      detached.leave()
      const plain = await call(chat(gateway), { body: streamBody("m") })
      const id = String(plain.headers["sluice-stream-id"])
      await plain.frames(2)
      const said = await call(`${chat(gateway)}/${id}/detach`, { method: "POST" })
      assert.equal(said.status, 200)
      assert.equal(JSON.parse((await said.whole()).text).sluice.state, "running")
      plain.leave()
      goOn()
      await provider.closedByPeer(2)
      assert.equal(await endedState(gateway, id), "finished")
      assert.equal(await endedState(gateway, String(detached.headers["sluice-stream-id"])), "finished")
    },
  )
  const gateway = await startTestGateway()
  const wrong = await call(chat(gateway), {
    body: streamBody("sim/a"),
    headers: { "sluice-on-disconnect": "maybe" },
  })
  assert.equal(wrong.status, 400)
  await gateway.close()
})

test("a call that is not streamed is cancelled likewise, and under detach its answer is kept", async () => {
  const gateway = await startTestGateway()
  try {
    const body = { ...streamBody("sim/story:tokens=5,ttft=150"), stream: false }
    const plain = await call(chat(gateway), { body })
    assert.equal(plain.status, 200)
    const text = (await plain.whole()).text
    const kept = await call(`${chat(gateway)}/${plain.headers["sluice-stream-id"]}`)
    const { sluice, ...completion } = JSON.parse((await kept.whole()).text)
    assert.deepEqual(completion, JSON.parse(text))
    assert.deepEqual(sluice, { state: "finished", last_event_id: 1 })
    assert.equal(
      (await call(`${chat(gateway)}/${plain.headers["sluice-stream-id"]}?stream=true`)).status,
      400,
    )
  } finally {
    await gateway.close()
  }
})

test("the same Idempotency-Key joins: one provider call, equal answers, also a hundred times at once", async () => {
  await withGateway(route, async (gateway, provider, goOn) => {
    const headers = { "idempotency-key": "order-7" }
    const body = streamBody("m", { stream_options: { include_usage: true } })
    const calls = Array.from({ length: 100 }, () => call(chat(gateway), { body, headers }))
    const answers = await Promise.all(calls)
    goOn()
    const texts = await Promise.all(answers.map(async (answer) => (await answer.whole()).text))
    assert.equal(provider.requests.length, 1)
    assert.equal(new Set(texts).size, 1)
    assert.equal(new Set(answers.map((answer) => answer.headers["sluice-stream-id"])).size, 1)
    assert.equal(answers.filter((answer) => answer.headers["sluice-replayed"] === "true").length, 99)

    const reordered = Object.fromEntries(Object.entries(body).reverse())
    const later = await call(chat(gateway), { body: reordered, headers })
    assert.equal((await later.whole()).text, texts[0])
    const other = await call(chat(gateway), { body: { ...body, temperature: 1 }, headers })
    assert.equal(other.status, 422)
    assert.equal(provider.requests.length, 1)
  })
})

test("a call that failed before its commit point frees its Idempotency-Key", async () => {
  let requests = 0
  const provider = await startRawProvider((socket) => {
    requests++
    if (requests === 1) socket.end("HTTP/1.1 500 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    else {
      socket.write(CHUNKED_SSE_HEAD)
      for (const text of wholeStream([" x"])) socket.write(chunkOf(text))
      socket.end("0\r\n\r\n")
    }
  })
  const gateway = await startTestGateway(route(provider.baseUrl))
  try {
    const headers = { "idempotency-key": "again" }
    assert.equal((await call(chat(gateway), { body: streamBody("m"), headers })).status, 502)
    const second = await call(chat(gateway), { body: streamBody("m"), headers })
    assert.equal(second.status, 200)
    assert.equal(second.headers["sluice-replayed"], undefined)
    await second.whole()
    assert.equal(
      (await call(chat(gateway), { body: streamBody("m"), headers: { "idempotency-key": "x".repeat(256) } }))
        .status,
      400,
    )
  } finally {
    await gateway.close()
    await provider.close()
  }
})

test("silence is broken by heartbeats at event boundaries, and the status does not wait for ever", async () => {
  const { provider, goOn } = await waitingProvider()
  const gateway = await startTestGateway(`server: { heartbeat: 150ms }\n${route(provider.baseUrl)}`)
  const quiet = await startTestGateway(`server: { heartbeat: 150ms }\n`)
  try {
    const answer = await call(chat(gateway), { body: streamBody("m") })
    await answer.frames(2)
    const beaten = new Promise<void>((resolve) =>
      answer.response.on("data", (piece: string) => {
        if (piece.startsWith(":")) resolve()
      }),
    )
    await beaten
    goOn()
    const { text } = await answer.whole()
    for (const block of text.split("\n\n"))
      assert.match(block, /^(|:.*|id: \d+\n(retry: \d+\n)?data: .*|data: \[DONE\])$/)
    assert.ok(text.endsWith("data: [DONE]\n\n"))

    const slow = await call(chat(quiet), { body: streamBody("sim/story:ttft=600,tokens=3") })
    assert.equal(slow.status, 200)
    assert.equal(slow.headers["sluice-model"], undefined)
    assert.ok((await slow.whole()).text.endsWith("data: [DONE]\n\n"))
    const late = await call(chat(quiet), { body: streamBody("sim/story:ttft=600,error_at=1") })
    assert.equal(late.status, 200)
    const lateText = (await late.whole()).text
    assert.ok(!lateText.includes("[DONE]"))
    assert.equal(eventFrames(lateText).filter((one) => dataOf(one)["error"] !== undefined).length, 1)
  } finally {
    await gateway.close()
    await quiet.close()
    await provider.close()
  }
})

test("a drain lets running streams finish, refuses new calls, and ends the rest truthfully", async () => {
  const { provider, goOn } = await waitingProvider()
  const gateway = await startTestGateway(route(provider.baseUrl))
  try {
    const finishing = await call(chat(gateway), { body: streamBody("m") })
    await finishing.frames(2)
    const drained = gateway.drain(30_000)
    assert.equal((await call(`${gateway.url}/readyz`, { key: "" })).status, 503)
    const refused = await call(chat(gateway), { body: streamBody("m") })
    assert.equal(refused.status, 503)
    assert.equal(refused.headers["retry-after"], "1")
    assert.equal(refused.headers["connection"], "close")
    const id = String(finishing.headers["sluice-stream-id"])
    const resumed = await call(`${chat(gateway)}/${id}?stream=true`)
    goOn()
    assert.ok((await finishing.whole()).text.endsWith("data: [DONE]\n\n"))
    assert.ok((await resumed.whole()).text.endsWith("data: [DONE]\n\n"))
    assert.equal(await drained, 0)
  } finally {
    await provider.close()
  }

  const stuck = await waitingProvider()
  const cut = await startTestGateway(route(stuck.provider.baseUrl))
  const answer = await call(chat(cut), { body: streamBody("m") })
  await answer.frames(2)
  assert.equal(await cut.drain(50), 1)
  const last = dataOf(eventFrames((await answer.whole()).text).at(-1)!)
  const error = last["error"] as { code: number; metadata: { error_type: string; retryable: boolean } }
  assert.deepEqual(
    [error.code, error.metadata.error_type, error.metadata.retryable],
    [503, "gateway_shutdown", true],
  )
  await stuck.provider.close()
})

test("a client that does not read pauses the provider; a slow second reader is dropped, and both resume whole", async () => {
  const big = "x".repeat(64 * 1024)
  const count = 400
  let written = 0
  const provider = await startRawProvider(async (socket) => {
    socket.write(CHUNKED_SSE_HEAD)
    socket.write(chunkOf(frame({ role: "assistant", content: "" })))
    for (; written < count && !socket.destroyed; written++) {
      if (!socket.write(chunkOf(frame({ content: big })))) {
        await new Promise<void>((resolve) => {
          const goOn = (): void => {
            socket.off("drain", goOn).off("close", goOn)
            resolve()
          }
          socket.on("drain", goOn).on("close", goOn)
        })
      }
    }
    socket.write(chunkOf(frame({}, "stop")))
    socket.end(`${chunkOf("data: [DONE]\n\n")}0\r\n\r\n`)
  })
  const gateway = await startTestGateway(`streams: { max_bytes: 64MB }\n${route(provider.baseUrl)}`)
  try {
    const slow = await call(chat(gateway), {
      body: streamBody("m"),
      headers: { "sluice-on-disconnect": "detach" },
    })
    slow.response.pause()
    const id = String(slow.headers["sluice-stream-id"])
    // It stands still: two looks a while apart see the same number.
    let before = -1
    while (before !== written) {
      before = written
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    assert.ok(written < count / 2, `the provider was paused after ${written} of ${count} events`)

    const fast = await call(`${chat(gateway)}/${id}?stream=true`)
    const whole = await fast.whole()
    assert.equal(eventFrames(whole.text).length, count + 2)
    assert.ok(whole.text.endsWith("data: [DONE]\n\n"))
    slow.response.resume()
    const partial = await slow.whole()
    assert.equal(partial.complete, false, "the slow reader was closed without an ending")
    const seen = eventFrames(partial.text)
    const rest = await call(`${chat(gateway)}/${id}`, { headers: { "last-event-id": String(seen.length) } })
    assert.equal(
      seen.join("") + eventFrames((await rest.whole()).text).join(""),
      eventFrames(whole.text).join(""),
    )
  } finally {
    await gateway.close()
    await provider.close()
  }
})
