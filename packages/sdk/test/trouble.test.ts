import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import {
  AuthenticationError,
  CancelledError,
  ConnectionError,
  InvalidRequestError,
  MalformedResponseError,
  NotFoundError,
  PaymentRequiredError,
  PermissionDeniedError,
  ProviderError,
  RateLimitError,
  ServerError,
  Sluice,
  SluiceError,
  StreamInterruptedError,
  TimeoutError,
  type TimerOptions,
} from "../src/index.ts"
import { all, rejection, watchForUnhandled } from "./reading.ts"
import {
  type Act,
  chunkOf,
  ENVELOPE,
  type ScriptedServer,
  startScriptedServer,
  storyOf,
} from "./scripted-server.ts"

let server: ScriptedServer
const assertNoneUnhandled = watchForUnhandled()

before(async () => {
  server = await startScriptedServer()
})
beforeEach(() => {
  server.reset()
  server.events = storyOf(20)
})
after(async () => {
  await server.close()
  await assertNoneUnhandled()
})

const call = { model: "sim/story", messages: [{ role: "user" as const, content: "Tell me a story." }] }

function clientWith(timers: TimerOptions = {}, retries = 0): Sluice {
  return new Sluice({
    baseURL: server.url,
    apiKey: "key",
    timers,
    retries,
    resume: { initialMs: 1, maxMs: 1 },
  })
}

async function streamError(timers?: TimerOptions): Promise<SluiceError> {
  const error = await rejection(async () =>
    all(await clientWith(timers).chat.send({ ...call, stream: true })),
  )
  assert.ok(error instanceof SluiceError, String(error))
  return error
}

const EVENTS = { "content-type": "text/event-stream" }
const FIRST = `data: ${chunkOf({ content: "so far" })}\n\n`

// ── what is no stream ──

const instead: [what: string, act: Act, received: string][] = [
  ["HTML", { status: 200, headers: { "content-type": "text/html" }, body: "<html>Sign in</html>" }, "HTML"],
  ["HTML that calls itself a stream", { status: 200, headers: EVENTS, body: "<!doctype html>" }, "HTML"],
  ["JSON", { status: 200, body: '{"object":"chat.completion"}' }, "JSON"],
  ["JSON that calls itself a stream", { status: 200, headers: EVENTS, body: '{"object":"x"}' }, "JSON"],
  ["a JSON answer without a body", { status: 200, body: "" }, "an empty body"],
  ["JSON that never ends", { status: 200, body: "{", stall: true }, "timeout"],
]
for (const [what, act, received] of instead) {
  test(`a call that streams and is answered with ${what} fails with an error that names it`, async () => {
    server.script = [act]
    const error = await streamError({ idle: 30 })
    if (received === "timeout") assert.ok(error instanceof TimeoutError)
    else {
      assert.ok(error instanceof MalformedResponseError, String(error))
      assert.equal(error.received, received)
    }
  })
}

test("a stream that is empty is interrupted, and holds nothing", async () => {
  server.script = [{ status: 200, headers: EVENTS, body: "" }]
  const error = await streamError()
  assert.ok(error instanceof StreamInterruptedError)
  assert.equal(error.partial, undefined)
  assert.equal(error.text, "")
})

// ── what is no chunk ──

const notChunks: [what: string, data: string, received: RegExp][] = [
  ["not JSON", "{oops", /not JSON/],
  ["nothing", "", /not JSON/],
  ["a string", '"hello"', /wrong shape/],
  ["null", "null", /wrong shape/],
  ["an empty object", "{}", /wrong shape/],
  ["choices that are no list", '{"choices":{}}', /wrong shape/],
  ["a choice that is none", '{"choices":[null]}', /wrong shape/],
  ["a delta that is none", '{"choices":[{"index":0,"delta":"x"}]}', /wrong shape/],
  ["content that is no text", '{"choices":[{"index":0,"delta":{"content":7}}]}', /wrong shape/],
  ["tool calls that are no list", '{"choices":[{"index":0,"delta":{"tool_calls":{}}}]}', /wrong shape/],
  ["a tool call that is none", '{"choices":[{"index":0,"delta":{"tool_calls":[4]}}]}', /wrong shape/],
  [
    "a function that is none",
    '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":5}]}}]}',
    /./,
  ],
]
for (const [what, data, received] of notChunks) {
  test(`an event whose data is ${what} fails the stream, which holds what had arrived`, async () => {
    server.script = [{ status: 200, headers: EVENTS, body: `${FIRST}data: ${data}\n\n${FIRST}` }]
    const error = await streamError()
    if (what === "a function that is none" && !(error instanceof MalformedResponseError)) {
      assert.ok(error instanceof StreamInterruptedError)
      return
    }
    assert.ok(error instanceof MalformedResponseError, String(error))
    assert.match(error.received, received)
    assert.equal(error.text, "so far")
  })
}

test("what comes whole in front of a malformed event is handed out first", async () => {
  server.script = [{ status: 200, headers: EVENTS, body: `${FIRST}${FIRST}data: {oops\n\n` }]
  const read: string[] = []
  await rejection(async () => {
    for await (const text of (await clientWith().chat.send({ ...call, stream: true })).text()) read.push(text)
  })
  assert.deepEqual(read, ["so far", "so far"])
})

test("the gateway is told that nobody reads a malformed stream any further", async () => {
  server.events = [chunkOf({ content: "so far" }), "{oops", chunkOf({}, "stop")]
  assert.ok((await streamError()) instanceof MalformedResponseError)
  await server.saw(/cancel$/)
})

test("chunks that leave out what has nothing to say are read", async () => {
  const body = [
    '{"choices":[{"delta":{"content":"a"}}]}',
    '{"choices":[{"finish_reason":"stop"}]}',
    '{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}',
  ]
  server.script = [{ status: 200, headers: EVENTS, body: body.map((data) => `data: ${data}\n\n`).join("") }]
  const stream = await clientWith().chat.send({ ...call, stream: true })
  const completion = await stream.final()
  assert.equal(completion.choices[0]?.message.content, "a")
  assert.equal(completion.usage?.totalTokens, 2)
})

test("content in parts, as Mistral sends it, is no text but no trouble either", async () => {
  const thinking = [{ type: "thinking", thinking: [] }]
  server.events = [chunkOf({ content: thinking }), chunkOf({ content: "a" }, "stop")]
  assert.deepEqual(await all((await clientWith().chat.send({ ...call, stream: true })).text()), ["a"])
})

// ── errors in band ──

const inBand: [what: string, data: object][] = [
  ["in a chunk", { ...ENVELOPE, choices: [], error: { code: 502, message: "It broke." } }],
  [
    "alone",
    {
      error: { code: 502, message: "It broke.", metadata: { error_type: "provider_error", retryable: true } },
    },
  ],
  ["as a string", { error: "It broke." }],
  [
    "in a choice",
    {
      ...ENVELOPE,
      choices: [{ index: 0, delta: {}, finish_reason: "error", error: { code: 502, message: "It broke." } }],
    },
  ],
  ["with a word for a code", { error: { code: "server_error", message: "It broke.", type: "server_error" } }],
]
for (const [what, data] of inBand) {
  test(`an error ${what} throws with the provider's message`, async () => {
    server.events = [chunkOf({ content: "so far" }), JSON.stringify(data)]
    const error = await streamError()
    assert.ok(error instanceof ProviderError, String(error))
    assert.equal(error.message, "It broke.")
    assert.equal(error.retryable, true)
    assert.equal(error.text, "so far")
    assert.equal(error.requestId, "request-1")
    assert.equal(error.id, "chatcmpl-1")
  })
}

test("a finish reason that is an error, with no word about it, is a failure and no end", async () => {
  const failed = { ...ENVELOPE, choices: [{ index: 0, delta: {}, finish_reason: "error" }] }
  server.events = [chunkOf({ content: "so far" }), JSON.stringify(failed)]
  const error = await streamError()
  assert.ok(error instanceof ProviderError, String(error))
  assert.equal(error.text, "so far")
})

test("an error in band says its status, kind, and whether it is of use to try again", async () => {
  const metadata = { error_type: "budget", retryable: false }
  server.events = [
    JSON.stringify({ error: { code: 502, message: "Out of money.", type: "insufficient_quota", metadata } }),
  ]
  const { status, code, type, retryable } = await streamError()
  assert.deepEqual(
    { status, code, type, retryable },
    { status: 502, code: "budget", type: "insufficient_quota", retryable: false },
  )
})

test("a stream that somebody has cancelled at the gateway says so", async () => {
  server.events = [
    JSON.stringify({ error: { code: 499, message: "Cancelled.", metadata: { error_type: "cancelled" } } }),
  ]
  assert.ok((await streamError()) instanceof CancelledError)
})

test("a failure is told in band to who reads the web stream, and no [DONE] follows", async () => {
  server.events = [
    chunkOf({ content: "so far" }),
    JSON.stringify({ error: { code: 502, message: "It broke." } }),
  ]
  const stream = await clientWith().chat.send({ ...call, stream: true })
  const text = await new Response(stream.toReadableStream()).text()
  assert.match(text, /so far/)
  assert.match(text, /\n\ndata: \{"error":\{"code":502,"message":"It broke\."/)
  assert.doesNotMatch(text, /\[DONE\]/)
})

// ── error answers ──

const answers: [status: number, type: typeof SluiceError, retryable: boolean][] = [
  [400, InvalidRequestError, false],
  [401, AuthenticationError, false],
  [402, PaymentRequiredError, false],
  [403, PermissionDeniedError, false],
  [404, NotFoundError, false],
  [409, InvalidRequestError, true],
  [410, NotFoundError, false],
  [413, InvalidRequestError, false],
  [422, InvalidRequestError, false],
  [429, RateLimitError, true],
  [500, ServerError, true],
  [501, ServerError, false],
  [503, ServerError, true],
]
for (const [status, type, retryable] of answers) {
  test(`an answer of ${status} with an empty body is a ${type.name}`, async () => {
    server.script = [{ status, headers: { "x-request-id": "request-9" } }]
    const error = await streamError()
    assert.equal(error.constructor, type)
    assert.equal(error.name, type.name)
    assert.equal(error.status, status)
    assert.equal(error.retryable, retryable)
    assert.equal(error.requestId, "request-9")
    assert.match(error.message, new RegExp(`^${status}: an error without a body`))
  })
}

const bodies: [body: string, message: string, code?: string][] = [
  [
    '{"error":{"message":"No.","type":"t","param":"messages[0]","code":"bad_thing"}}',
    "400: No.",
    "bad_thing",
  ],
  [
    '{"error":{"message":"No.","code":400,"metadata":{"error_type":"invalid_prompt"}}}',
    "400: No.",
    "invalid_prompt",
  ],
  ['{"error":{"message":"No.","code":null}}', "400: No."],
  ['{"code":400,"error":"No."}', "400: No."],
  ['{"message":"No."}', "400: No."],
  ['{"detail":"No."}', "400: No."],
  ["<html>\n  <b>No.</b></html>", "400: <html> <b>No.</b></html>"],
  ["{oops", "400: {oops"],
  ["[]", "400: []"],
]
for (const [body, message, code] of bodies) {
  test(`the error body ${body.replaceAll("\n", " ")} is read`, async () => {
    server.script = [{ status: 400, body }]
    const error = await streamError()
    assert.equal(error.message, message)
    assert.equal(error.code, code)
  })
}

test("an error body that never ends does not hang", async () => {
  server.script = [{ status: 500, body: "half", stall: true }]
  assert.ok((await streamError({ idle: 30 })) instanceof TimeoutError)
})

test("a server that is not there is a ConnectionError that says which", async () => {
  const client = new Sluice({ baseURL: "http://127.0.0.1:1/v1", apiKey: "key", retries: 0 })
  const error = await rejection(() => client.chat.send(call))
  assert.ok(error instanceof ConnectionError)
  assert.match(error.message, /127\.0\.0\.1:1/)
  assert.equal(error.retryable, true)
})

test("a key that no header can carry is refused without showing it", () => {
  assert.throws(
    () => new Sluice({ baseURL: server.url, apiKey: "sk-se\ncret" }),
    (error: Error) => !/cret/.test(error.message),
  )
})

// ── retries ──

test("a refusal that may pass is retried, with the same key", async () => {
  server.script = [
    { status: 429, headers: { "retry-after": "0" } },
    { status: 503, headers: { "retry-after": "0" } },
  ]
  const stream = await clientWith({}, 2).chat.send({ ...call, stream: true })
  assert.equal((await all(stream)).length, 20)
  assert.equal(new Set(server.requests.map(({ headers }) => headers["idempotency-key"])).size, 1)
})

test("retries come to an end", async () => {
  server.script = Array.from({ length: 9 }, () => ({ status: 503, headers: { "retry-after": "0" } }))
  assert.ok((await rejection(() => clientWith({}, 1).chat.send(call))) instanceof ServerError)
  assert.equal(server.requests.length, 2)
})

test("an answer that breaks off is asked for again where the server knows the call", async () => {
  server.completion = {
    choices: [{ index: 0, message: { role: "assistant", content: "all" }, finish_reason: "stop" }],
  }
  server.script = ["drop"]
  const completion = await clientWith({}, 1).chat.send(call)
  assert.equal(completion.choices[0]?.message.content, "all")
  assert.equal(server.calls, 1)
})

test("elsewhere a connection that broke is not retried: the call may have been served", async () => {
  server.script = ["drop"]
  const plain = new Sluice({ system: "openai", baseURL: server.url, apiKey: "key" })
  assert.ok((await rejection(() => plain.chat.send(call))) instanceof ConnectionError)
  assert.equal(server.requests.length, 1)
  assert.equal(server.requests[0]?.headers["idempotency-key"], undefined)
  assert.equal(server.requests[0]?.headers["sluice-on-disconnect"], undefined)
})

// ── the four timers ──

test("connect: a server that sends no headers", async () => {
  server.script = ["silence"]
  const error = await streamError({ connect: 30 })
  assert.ok(error instanceof TimeoutError)
  assert.equal(error.timer, "connect")
})

test("firstContent: heartbeats and the role do not count", async () => {
  server.events = [chunkOf({ role: "assistant", content: "" })]
  server.script = [{ events: 1, how: "stall" }]
  const error = await streamError({ firstContent: 30 })
  assert.ok(error instanceof TimeoutError)
  assert.equal(error.timer, "firstContent")
  await server.saw(/cancel$/)
})

test("idle: a silence is taken for a dead connection once, then it is the server's", async () => {
  server.script = [
    { events: 5, how: "stall" },
    { events: 0, how: "stall" },
  ]
  const error = await streamError({ idle: 30 })
  assert.ok(error instanceof TimeoutError)
  assert.equal(error.timer, "idle")
  assert.equal(error.text, " wörd0 wörd1 wörd2 wörd3")
  assert.equal(server.requests.filter(({ method }) => method === "GET").length, 1)
})

test("idle: a connection that has died is left for a new one, and nothing is lost", async () => {
  server.script = [{ events: 5, how: "stall" }]
  assert.equal((await all(await clientWith({ idle: 30 }).chat.send({ ...call, stream: true }))).length, 20)
})

test("total: a stream that goes on for too long", async () => {
  server.script = [{ events: 5, how: "stall" }]
  const error = await streamError({ total: 50 })
  assert.ok(error instanceof TimeoutError)
  assert.equal(error.timer, "total")
  assert.equal(error.text, " wörd0 wörd1 wörd2 wörd3")
  await server.saw(/cancel$/)
})

test("total: an answer that never comes", async () => {
  server.script = ["silence"]
  const error = await rejection(() => clientWith({ total: 30 }).chat.send(call))
  assert.ok(error instanceof TimeoutError)
  assert.equal(error.timer, "total")
})

test("a caller who reads slowly is not the server's silence", async () => {
  const stream = await clientWith({ idle: 40, firstContent: 40 }).chat.send({ ...call, stream: true })
  await new Promise((resolve) => setTimeout(resolve, 80))
  assert.equal((await all(stream)).length, 20)
})

// ── answers that are not streamed ──

const notCompletions: [what: string, body: string, received: string][] = [
  ["HTML", "<html></html>", "HTML"],
  ["nothing", "", "an empty body"],
  ["JSON of another kind", '{"choices":5}', "JSON that is no chat completion"],
]
for (const [what, body, received] of notCompletions) {
  test(`a call answered with ${what} fails with an error that names it`, async () => {
    server.script = [{ status: 200, body }]
    const error = await rejection(() => clientWith().chat.send(call))
    assert.ok(error instanceof MalformedResponseError)
    assert.equal(error.received, received)
  })
}

test("an error inside a good answer throws with the provider's message", async () => {
  server.script = [{ status: 200, body: '{"error":{"message":"It broke.","code":502}}' }]
  assert.match(String(await rejection(() => clientWith().chat.send(call))), /It broke\./)
})

test("an error inside a good answer to a call that streams throws with the provider's message", async () => {
  server.script = [{ status: 200, body: '{"error":{"message":"It broke.","code":502}}' }]
  const error = await streamError()
  assert.ok(error instanceof ProviderError)
  assert.equal(error.message, "It broke.")
})

test("the models are listed, and what is no list is named", async () => {
  assert.deepEqual(await clientWith().models.list(), [{ id: "sim/story", ownedBy: "us" }])
  const fetch = async () => new Response("<html>")
  const error = await rejection(() => new Sluice({ baseURL: server.url, fetch }).models.list())
  assert.ok(error instanceof MalformedResponseError)
  assert.equal(error.received, "HTML")
})
