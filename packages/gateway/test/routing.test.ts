/** Strategies, breakers and what requests say of their routing, through a real gateway and real sockets. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { startSimServer } from "../src/providers/sim-server.ts"
import { jsonAnswer, type RawProvider, SSE_HEAD, startRawProvider, wholeStream } from "./raw-provider.ts"
import {
  ADMIN_KEY,
  call,
  dataOf,
  eventFrames,
  KEY,
  type RawAnswer,
  startTestGateway,
  streamBody,
} from "./support.ts"

const OPENROUTER = "/openrouter/api/v1/chat/completions"

function chat(
  url: string,
  model: string,
  more: object = {},
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return call(`${url}/v1/chat/completions`, { body: { ...streamBody(model), ...more }, headers })
}

async function answerer(answer: Promise<RawAnswer>): Promise<string> {
  const given = await answer
  const { text } = await given.whole()
  assert.equal(given.status, 200, text)
  return String(given.headers["sluice-model"])
}

test("weights are shares: within 2 % over 10,000 calls", async () => {
  const gateway = await startTestGateway(`
models:
  split:
    strategy: weighted
    candidates:
      - { provider: sim, model: "three:tokens=1", weight: 3 }
      - { provider: sim, model: "one:tokens=1", weight: 1 }
`)
  try {
    const counts = new Map<string, number>()
    const body = JSON.stringify({ ...streamBody("split"), stream: false })
    let left = 10_000
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
          body,
        })
        await answer.arrayBuffer()
        const model = String(answer.headers.get("sluice-model"))
        counts.set(model, (counts.get(model) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 32 }, caller))
    const share = (counts.get("sim/three:tokens=1") ?? 0) / 10_000
    assert.ok(Math.abs(share - 0.75) < 0.02, `${share} of the calls went to three quarters of the weights`)
  } finally {
    await gateway.close()
  }
})

test("latency finds the fast one of three and notices when it turns slow, each within 20 calls", async () => {
  const start = (milliseconds: () => number): Promise<RawProvider> =>
    startRawProvider(
      (socket) => void setTimeout(() => socket.end(SSE_HEAD + wholeStream(["hi"]).join("")), milliseconds()),
    )
  let fast = 0
  const providers = {
    slow: await start(() => 240),
    fast: await start(() => fast),
    middling: await start(() => 80),
  }
  const gateway = await startTestGateway(`
providers:
${Object.entries(providers)
  .map(
    ([name, { baseUrl }]) =>
      `  ${name}: { kind: openai-compatible, base_url: "${baseUrl}", credential: none }`,
  )
  .join("\n")}
models:
  best:
    strategy: latency
    candidates: [${Object.keys(providers)
      .map((name) => `{ provider: ${name}, model: m }`)
      .join(", ")}]
`)
  try {
    const twenty = async (): Promise<string[]> => {
      const models: string[] = []
      for (let index = 0; index < 20; index++) models.push(await answerer(chat(gateway.url, "best")))
      return models
    }
    const first = await twenty()
    assert.deepEqual([...new Set(first.slice(0, 3))].sort(), ["fast/m", "middling/m", "slow/m"])
    assert.deepEqual(first.slice(10), Array(10).fill("fast/m"))
    fast = 700
    const second = await twenty()
    assert.equal(second.at(-1), "middling/m", second.join(" "))
  } finally {
    await gateway.close()
    for (const provider of Object.values(providers)) await provider.close()
  }
})

test("three providers fail in turn, each is spared after a while, and no client sees an error while one is left", async () => {
  const failing = new Set<string>()
  const start = (name: string): Promise<RawProvider> =>
    startRawProvider((socket) => {
      if (failing.has(name)) socket.end(jsonAnswer(500, '{"error":{"message":"down"}}'))
      else socket.end(SSE_HEAD + wholeStream(["hi"]).join(""))
    })
  const names = ["a", "b", "c"]
  const providers = await Promise.all(names.map(start))
  const gateway = await startTestGateway(`
providers:
${names.map((name, index) => `  ${name}: { kind: openai-compatible, base_url: "${providers[index]!.baseUrl}", credential: none }`).join("\n")}
models:
  any: { candidates: [${names.map((name) => `{ provider: ${name}, model: m }`).join(", ")}] }
`)
  try {
    const asked: number[] = []
    for (const [index, name] of names.entries()) {
      failing.clear()
      failing.add(name)
      const before = providers[index]!.requests.length
      const models: string[] = []
      for (let calls = 0; calls < 20; calls++) models.push(await answerer(chat(gateway.url, "any")))
      assert.ok(!models.includes(`${name}/m`))
      asked.push(providers[index]!.requests.length - before)
    }
    // a is first, and spared after five failures; then b is. When c fails there is none left that is not spared: a, which
    // has been spared longest, is asked again, and is well.
    assert.deepEqual(asked, [5, 5, 1])
  } finally {
    await gateway.close()
    for (const provider of providers) await provider.close()
  }
})

test("a provider that says when to come back is not asked before, while another is left", async () => {
  const busy = await startRawProvider((socket) => {
    socket.end(jsonAnswer(429, '{"error":{"message":"slow down"}}', "retry-after: 600\r\n"))
  })
  const gateway = await startTestGateway(`
providers: { busy: { kind: openai-compatible, base_url: "${busy.baseUrl}", credential: none } }
models:
  two: { candidates: [{ provider: busy, model: m }, { provider: sim, model: "b:tokens=1" }] }
`)
  try {
    for (let calls = 0; calls < 5; calls++)
      assert.equal(await answerer(chat(gateway.url, "two")), "sim/b:tokens=1")
    assert.equal(busy.requests.length, 1)
    const alone = await chat(gateway.url, "busy/m")
    assert.equal(alone.status, 429)
    assert.equal(alone.headers["retry-after"], "600")
    await alone.whole()
  } finally {
    await gateway.close()
    await busy.close()
  }
})

test("a session goes where it went, whatever the weights say", async () => {
  const gateway = await startTestGateway(`
models:
  split:
    strategy: weighted
    candidates: [{ provider: sim, model: "a:tokens=1" }, { provider: sim, model: "b:tokens=1" }]
`)
  try {
    for (const session of ["x", "y", "z"]) {
      const headers = { "x-session-id": session }
      const first = await answerer(chat(gateway.url, "split", {}, headers))
      for (let calls = 0; calls < 10; calls++)
        assert.equal(await answerer(chat(gateway.url, "split", {}, headers)), first)
    }
  } finally {
    await gateway.close()
  }
})

test("OpenRouter's clients are told how their call was routed: in the stream, in a whole answer, and in an error", async () => {
  const gateway = await startTestGateway(`
models:
  two: { candidates: [{ provider: sim, model: "bad:error=500" }, { provider: sim, model: "good:tokens=2" }] }
  bad: { candidates: [{ provider: sim, model: "worse:error=503" }] }
`)
  const headers = { "x-openrouter-metadata": "enabled" }
  const ask = (model: string, stream: boolean, more: object = {}): Promise<RawAnswer> =>
    call(`${gateway.url}${OPENROUTER}`, { headers, body: { ...streamBody(model), stream, ...more } })
  const expected = {
    requested: "two",
    strategy: "alias",
    region: null,
    summary: "2 of 2 candidates tried, answered by sim/good:tokens=2",
    attempt: 2,
    is_byok: false,
    endpoints: {
      total: 2,
      available: [
        { provider: "sim", model: "sim/bad:error=500", selected: false },
        { provider: "sim", model: "sim/good:tokens=2", selected: true },
      ],
    },
    attempts: [
      { provider: "sim", model: "sim/bad:error=500", status: 502 },
      { provider: "sim", model: "sim/good:tokens=2", status: 200 },
    ],
  }
  try {
    const streamed = eventFrames((await (await ask("two", true)).whole()).text).map(dataOf)
    assert.deepEqual(streamed.at(-1)?.["openrouter_metadata"], expected)
    assert.ok(streamed.at(-1)?.["usage"])
    assert.ok(streamed.slice(0, -1).every((chunk) => chunk["openrouter_metadata"] === undefined))

    const whole = JSON.parse((await (await ask("two", false)).whole()).text)
    assert.deepEqual(whole.openrouter_metadata, expected)

    const failed = await ask("bad", true)
    const error = JSON.parse((await failed.whole()).text)
    assert.equal(failed.status, 503)
    assert.deepEqual(error.openrouter_metadata.attempts, [
      { provider: "sim", model: "sim/worse:error=503", status: 503 },
    ])
    assert.equal(error.error.metadata.openrouter_metadata, undefined)

    const unasked = await call(`${gateway.url}${OPENROUTER}`, { body: streamBody("two") })
    assert.ok(!(await unasked.whole()).text.includes("openrouter_metadata"))
  } finally {
    await gateway.close()
  }
})

test("debug shows what each asked provider was sent, on chunks before the first content", async () => {
  const far = await startSimServer({ port: 0 })
  const gateway = await startTestGateway(`
providers: { far: { kind: openai-compatible, base_url: "${far.url}/v1", credential: sk-secret-of-far } }
models:
  two: { candidates: [{ provider: far, model: "sim/a:error=500" }, { provider: far, model: "sim/b:tokens=1" }] }
`)
  try {
    const answer = await call(`${gateway.url}${OPENROUTER}`, {
      body: { ...streamBody("two"), debug: { echo_upstream_body: true }, temperature: 0.5 },
    })
    const { text } = await answer.whole()
    const chunks = eventFrames(text).map(dataOf)
    const echoed = chunks
      .slice(0, 2)
      .map((chunk) => (chunk["debug"] as { echo_upstream_body: object }).echo_upstream_body)
    assert.deepEqual(echoed, [
      { model: "sim/a:error=500", ...SENT },
      { model: "sim/b:tokens=1", ...SENT },
    ])
    assert.ok(chunks.slice(2).every((chunk) => chunk["debug"] === undefined))
    assert.ok(!text.includes("sk-secret-of-far"))
  } finally {
    await gateway.close()
    await far.close()
  }
})

const SENT = {
  messages: [{ role: "user", content: "Tell me a story." }],
  stream: true,
  temperature: 0.5,
  stream_options: { include_usage: true },
}

test("what a vendor can do behind itself goes to it and to nobody else", async () => {
  const far = await startRawProvider((socket) => {
    socket.end(SSE_HEAD + wholeStream(["hi"]).join(""))
  })
  const gateway = await startTestGateway(`
providers: { or: { kind: openrouter, base_url: "${far.baseUrl}", credential: none } }
models:
  mixed: { candidates: [{ provider: sim, model: "a:tokens=1" }, { provider: or, model: m }] }
`)
  try {
    const more = {
      provider: { quantizations: ["fp8"], order: ["deepinfra"] },
      models: ["or/n"],
      session_id: "s",
    }
    assert.equal(await answerer(chat(gateway.url, "mixed", more, { "sluice-dialect": "openrouter" })), "or/m")
    const { provider, models, session_id } = JSON.parse(far.requests[0]!.body)
    assert.deepEqual(provider, more.provider)
    assert.equal(session_id, "s")
    assert.equal(models, undefined, "who falls back to them is this gateway")
  } finally {
    await gateway.close()
    await far.close()
  }
})

test("Orq's on_codes says after which of a provider's statuses it is asked again", async () => {
  const provider = await startRawProvider((socket, number) => {
    if (number % 3 !== 0) socket.end(jsonAnswer(number > 3 ? 500 : 503, '{"error":{"message":"later"}}'))
    else socket.end(SSE_HEAD + wholeStream(["hi"]).join(""))
  })
  const gateway = await startTestGateway(
    `providers: { far: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none } }`,
  )
  try {
    const ask = (): Promise<RawAnswer> =>
      call(`${gateway.url}/orq/v2/router/chat/completions`, {
        body: { ...streamBody("far/m"), retry: { count: 2, on_codes: [503] } },
      })
    assert.equal(await answerer(ask()), "far/m")
    assert.equal(provider.requests.length, 3)
    const failed = await ask()
    assert.equal(failed.status, 502)
    await failed.whole()
    assert.equal(provider.requests.length, 4)
  } finally {
    await gateway.close()
    await provider.close()
  }
})

test("credentials take turns, and one that is refused is passed over without the client noticing", async () => {
  const used: string[] = []
  const provider = await startRawProvider((socket, number) => {
    const credential = /^authorization: Bearer (\S+)/im.exec(provider.requests[number - 1]!.head)?.[1] ?? ""
    used.push(credential)
    if (credential === "sk-used-up") socket.end(jsonAnswer(401, '{"error":{"message":"no"}}'))
    else socket.end(SSE_HEAD + wholeStream(["hi"]).join(""))
  })
  const gateway = await startTestGateway(
    `providers: { far: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: [sk-used-up, sk-two, sk-three] } }`,
  )
  try {
    for (let calls = 0; calls < 6; calls++) assert.equal(await answerer(chat(gateway.url, "far/m")), "far/m")
    assert.equal(used.filter((credential) => credential === "sk-used-up").length, 1, used.join(" "))
    for (const credential of ["sk-two", "sk-three"])
      assert.ok(used.filter((one) => one === credential).length >= 2, used.join(" "))
    const metrics = await (await call(`${gateway.url}/metrics`, { key: ADMIN_KEY })).whole()
    assert.ok(!/sk-(used-up|two|three)/.test(metrics.text))
  } finally {
    await gateway.close()
    await provider.close()
  }
})
