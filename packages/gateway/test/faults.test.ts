import assert from "node:assert/strict"
import { test } from "node:test"
import {
  type Behaviour,
  CHUNKED_SSE_HEAD,
  chunkOf,
  frame,
  jsonAnswer,
  SSE_HEAD,
  startRawProvider,
  wholeStream,
} from "./raw-provider.ts"
import { ADMIN_KEY, call, dataOf, eventFrames, startTestGateway, streamBody } from "./support.ts"

const WORDS = [" one", " two", " three", " four", " five"]

interface Seen {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly text: string
  readonly content: string
  readonly error: { code: number; metadata: { error_type: string } } | undefined
  readonly requests: number
}

/** One streamed call through a gateway whose first candidate misbehaves; the second, if asked for, is the simulator. */
async function through(behave: Behaviour, options: { spare?: boolean; timers?: string } = {}): Promise<Seen> {
  const provider = await startRawProvider(behave)
  const gateway = await startTestGateway(`
providers:
  raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none }
models:
  m:
    candidates:
      - { provider: raw, model: x }
${options.spare ? '      - { provider: sim, model: "spare:tokens=3" }' : ""}
    timers: ${options.timers ?? "{ connect: 5s }"}
`)
  try {
    const answer = await call(`${gateway.url}/v1/chat/completions`, {
      body: streamBody("m", { stream_options: { include_usage: true } }),
    })
    const { text } = await answer.whole()
    const events = eventFrames(text).map(dataOf)
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      content: events
        .flatMap((event) => (event["choices"] ?? []) as { delta: { content?: string } }[])
        .map((choice) => choice.delta.content ?? "")
        .join(""),
      error: events.map((event) => event["error"]).find((error) => error !== undefined) as Seen["error"],
      requests: provider.requests.length,
    }
  } finally {
    await gateway.close()
    await provider.close()
  }
}

const send =
  (...pieces: (string | Uint8Array)[]): Behaviour =>
  (socket) => {
    for (const piece of pieces) socket.write(piece)
    socket.end()
  }

function clean(seen: Seen): void {
  assert.equal(seen.status, 200)
  assert.equal(seen.content, WORDS.join(""))
  assert.equal(seen.error, undefined)
  assert.ok(seen.text.endsWith("data: [DONE]\n\n"))
  assert.equal(seen.text.match(/"finish_reason":"stop"/g)?.length, 1)
  assert.equal(seen.text.match(/"usage":/g)?.length, 1)
}

function failedInBand(seen: Seen): void {
  assert.equal(seen.status, 200)
  assert.ok(seen.error, "one error event")
  assert.equal(seen.text.match(/"error":/g)?.length, 1)
  assert.ok(!seen.text.includes("[DONE]"), "never a clean end")
}

test("a cut after any event is never a clean end, and before the commit point the next candidate answers", async () => {
  const frames = wholeStream(WORDS)
  for (let kept = 0; kept < frames.length; kept++) {
    const seen = await through(send(CHUNKED_SSE_HEAD, ...frames.slice(0, kept).map(chunkOf)), { spare: true })
    const finished = kept > WORDS.length + 1
    if (kept <= 1) {
      assert.equal(seen.headers["sluice-provider"], "sim", `cut after ${kept}`)
      assert.ok(seen.text.endsWith("data: [DONE]\n\n"))
    } else if (finished) {
      assert.equal(seen.content, WORDS.join(""))
      assert.ok(seen.text.endsWith("data: [DONE]\n\n"), "everything promised had come")
    } else {
      failedInBand(seen)
      assert.equal(seen.content, WORDS.slice(0, kept - 1).join(""))
    }
  }
})

test("an end of the body without finish reason or [DONE] is a failure, though HTTP calls it whole", async () => {
  failedInBand(await through(send(SSE_HEAD, ...wholeStream(WORDS).slice(0, 4))))
})

test("[DONE] missing after a finish reason is a finished stream", async () => {
  clean(await through(send(SSE_HEAD, ...wholeStream(WORDS).slice(0, -1))))
})

test("[DONE] without a finish reason is a finished stream: a stop is added", async () => {
  const frames = wholeStream(WORDS)
  clean(await through(send(SSE_HEAD, ...frames.slice(0, 6), frames.at(-2)!, frames.at(-1)!)))
})

test("of two choices, one that was cut off is a failure, though the other has ended; [DONE] ends both", async () => {
  const of = (index: number, delta: object, finish: string | null = null): string =>
    frame({}, null, { choices: [{ index, delta, finish_reason: finish }] })
  const both = [of(0, { content: " one" }), of(1, { content: " two" }), of(0, {}, "stop")]
  failedInBand(await through(send(SSE_HEAD, ...both)))
  const whole = await through(send(SSE_HEAD, ...both, of(1, {}, "length")))
  assert.equal(whole.error, undefined)
  assert.ok(whole.text.endsWith("data: [DONE]\n\n"))
  const told = await through(send(SSE_HEAD, ...both, "data: [DONE]\n\n"))
  assert.ok(told.text.endsWith("data: [DONE]\n\n"))
  const ends = eventFrames(told.text).map((event) => dataOf(event)["choices"])
  assert.deepEqual(ends.slice(-2), [
    [{ index: 0, delta: {}, finish_reason: "stop" }],
    [{ index: 1, delta: {}, finish_reason: "stop" }],
  ])
})

test("a stream dripping in single bytes comes out whole", async () => {
  const bytes = Buffer.from(SSE_HEAD + wholeStream([" zürich", " 🦔", " 東京"]).join(""))
  const seen = await through(async (socket) => {
    socket.setNoDelay(true)
    for (const byte of bytes) {
      socket.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.end()
  })
  assert.equal(seen.content, " zürich 🦔 東京")
})

test("half a UTF-8 character at the cut is not handed over", async () => {
  const whole = Buffer.from(frame({ content: " 東" }))
  const half = whole.subarray(0, whole.indexOf(0xe6) + 2)
  const seen = await through(
    send(SSE_HEAD, frame({ role: "assistant", content: "" }), frame({ content: " a" }), half),
  )
  failedInBand(seen)
  assert.equal(seen.content, " a")
})

test("garbage instead of an event fails the stream", async () => {
  failedInBand(
    await through(
      send(SSE_HEAD, ...wholeStream(WORDS).slice(0, 4), "data: {not json\n\n", "data: [DONE]\n\n"),
    ),
  )
  failedInBand(
    await through(send(SSE_HEAD, ...wholeStream(WORDS).slice(0, 4), "data: [1,2]\n\n", "data: [DONE]\n\n")),
  )
})

test("an error event after the 200 is a failure with the provider's words; before the commit point the next one answers", async () => {
  const bare = `data: ${JSON.stringify({ error: { message: "the model is gone", code: 500 } })}\n\n`
  const late = await through(send(SSE_HEAD, ...wholeStream(WORDS).slice(0, 4), bare))
  failedInBand(late)
  assert.match(late.text, /the model is gone/)
  const early = await through(send(SSE_HEAD, wholeStream(WORDS)[0]!, bare), { spare: true })
  assert.equal(early.headers["sluice-provider"], "sim")
})

test("a duplicate final chunk is dropped", async () => {
  const frames = wholeStream(WORDS)
  clean(await through(send(SSE_HEAD, ...frames.slice(0, 7), frames[6]!, ...frames.slice(7))))
})

test("nothing after [DONE] is read", async () => {
  clean(await through(send(SSE_HEAD, ...wholeStream(WORDS), frame({ content: " more" }))))
})

test("redirects are not followed, wrong content types are not trusted", async () => {
  const redirect = send(
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/v1/chat/completions\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  )
  assert.equal((await through(redirect)).status, 502)
  assert.equal((await through(redirect, { spare: true })).headers["sluice-provider"], "sim")
  const html = "<html><title>Welcome to the hotel</title></html>"
  const page = send(
    `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${html.length}\r\nconnection: close\r\n\r\n${html}`,
  )
  assert.equal((await through(page)).status, 502)
  assert.equal((await through(page, { spare: true })).headers["sluice-provider"], "sim")
})

test("a 429 goes to the next candidate; with none left it is shown with its Retry-After", async () => {
  const busy = send(jsonAnswer(429, '{"error":{"message":"slow down"}}', "retry-after: 20\r\n"))
  const alone = await through(busy)
  assert.equal(alone.status, 429)
  assert.equal(alone.headers["retry-after"], "20")
  assert.equal((await through(busy, { spare: true })).headers["sluice-provider"], "sim")
})

test("a 400 is the client's own: no other candidate is asked", async () => {
  const seen = await through(send(jsonAnswer(400, '{"error":{"message":"max_tokens is too large"}}')), {
    spare: true,
  })
  assert.equal(seen.status, 400)
  assert.match(seen.text, /max_tokens is too large/)
})

test("a stall before the first content goes to the next candidate, one after it is a truthful timeout", async () => {
  const silent: Behaviour = (socket) => void socket.write(SSE_HEAD)
  const spared = await through(silent, { spare: true, timers: "{ first_content: 200ms }" })
  assert.equal(spared.headers["sluice-provider"], "sim")
  const shown = await through(silent, { timers: "{ first_content: 200ms }" })
  assert.equal(shown.status, 504)
  const stall: Behaviour = (socket) => void socket.write(SSE_HEAD + wholeStream(WORDS).slice(0, 4).join(""))
  const idle = await through(stall, { timers: "{ idle: 200ms }" })
  failedInBand(idle)
  assert.equal(idle.error?.code, 504)
  assert.equal(idle.error?.metadata.error_type, "timeout")
  const total = await through(stall, { timers: "{ total: 300ms }" })
  failedInBand(total)
  assert.equal(total.error?.code, 504)
})

test("an endless line is cut at its limit", async () => {
  const seen = await through((socket) => {
    socket.write(SSE_HEAD + wholeStream(WORDS).slice(0, 3).join(""))
    const piece = Buffer.alloc(1 << 20, 0x61)
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece)) {}
    }
    socket.on("drain", more)
    socket.write("data: ")
    more()
  })
  failedInBand(seen)
})

test("providers' odd ways of saying things come out in order", async () => {
  const odd = [
    `data: ${JSON.stringify({ id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [{}] })}\n\n`,
    frame({ role: "assistant", content: "" }, null, { usage: null, created: 1.5 }),
    `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { reasoning_content: "think" } }] })}\n\n`,
    frame({ content: " a" }),
    frame({ content: " b" }, "stop", {
      x_groq: { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    }),
    "data: [DONE]\n\n",
  ]
  const seen = await through(send(SSE_HEAD, ...odd))
  assert.equal(seen.content, " a b")
  assert.equal(seen.error, undefined)
  assert.match(
    seen.text,
    /"reasoning":"think","reasoning_content":"think"|"reasoning_content":"think","reasoning":"think"/,
  )
  assert.match(seen.text, /"usage":\{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3/)
  assert.ok(!seen.text.includes('null,"usage"') && !seen.text.includes('"usage":null'))
})

test("usage that cannot be is clamped, flagged in the books and shown as whole numbers", async () => {
  const odd = { prompt_tokens: -5, completion_tokens: 2.5, total_tokens: 1e300 }
  const provider = await startRawProvider(
    send(SSE_HEAD, frame({ content: " a" }), frame({}, "stop", { usage: odd }), "data: [DONE]\n\n"),
  )
  const gateway = await startTestGateway(
    `providers: { raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none } }\n`,
  )
  try {
    const body = streamBody("raw/x", { stream_options: { include_usage: true } })
    const answer = await call(`${gateway.url}/v1/chat/completions`, { body })
    const { text } = await answer.whole()
    const { usage } = dataOf(eventFrames(text).at(-1)!) as { usage: Record<string, number> }
    for (const name of ["prompt_tokens", "completion_tokens", "total_tokens"]) {
      assert.ok(Number.isInteger(usage[name]) && usage[name]! >= 0, `${name}: ${usage[name]}`)
    }
    const row = await call(`${gateway.url}/admin/calls/${answer.headers["sluice-stream-id"]}`, {
      key: ADMIN_KEY,
    })
    const { flags } = JSON.parse((await row.whole()).text) as { flags: string[] }
    assert.ok(flags.includes("clamped"), flags.join())
  } finally {
    await gateway.close()
    await provider.close()
  }
})
