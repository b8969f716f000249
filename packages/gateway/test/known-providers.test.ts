/** What each known provider is really sent: its entry's quirks, seen from the other end of the socket. */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { RequestQuirks } from "@sluice/protocol/dialects"
import { PRICE_TABLE } from "../src/ledger/prices.ts"
import type { KnownProvider } from "../src/providers/known-provider.ts"
import { KNOWN_PROVIDERS, knownProvider } from "../src/providers/known-providers.ts"
import { type RawProvider, SSE_HEAD, startRawProvider, wholeStream } from "./raw-provider.ts"
import { call, startTestGateway, type TestGateway } from "./support.ts"

let upstream: RawProvider
let gateway: TestGateway

before(async () => {
  upstream = await startRawProvider((socket) => {
    socket.end(SSE_HEAD + wholeStream(["Hi"]).join(""))
  })
  const provider = (name: string, kind: string, baseUrl = upstream.baseUrl): string =>
    `  ${name}: { kind: ${kind}, base_url: "${baseUrl}", credential: key-of-${name} }\n`
  const deployment = upstream.baseUrl.replace(/\/v1$/, "/openai/deployments/gpt")
  gateway = await startTestGateway(
    `providers:\n${KNOWN_PROVIDERS.map(({ name }) => provider(name, name)).join("")}${provider("deployment", "azure", deployment)}`,
  )
})
after(async () => {
  await gateway.close()
  await upstream.close()
})

interface Seen {
  /** The request's line and headers. */
  readonly head: string
  readonly body: Record<string, unknown>
  /** What the client is told that was left out. */
  readonly dropped: readonly string[]
}

async function ask(provider: string, body: Record<string, unknown>): Promise<Seen> {
  const before = upstream.requests.length
  const messages = [{ role: "user", content: "Hi." }]
  const answer = await call(`${gateway.url}/v1/chat/completions`, {
    body: { model: `${provider}/m`, messages, stream: true, ...body },
  })
  const { text } = await answer.whole()
  assert.equal(answer.status, 200, text)
  assert.equal(upstream.requests.length, before + 1)
  const { head, body: sent } = upstream.requests[before]!
  const dropped = String(answer.headers["sluice-dropped-params"] ?? "").split(", ")
  return { head, body: JSON.parse(sent), dropped }
}

/** A value that a client may send, for every member that some entry refuses or calls otherwise. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  audio: { voice: "alloy", format: "wav" },
  frequency_penalty: 0.5,
  function_call: "auto",
  functions: [{ name: "f" }],
  logit_bias: { "50256": -100 },
  logprobs: true,
  max_completion_tokens: 77,
  max_tokens: 77,
  metadata: { a: "b" },
  min_p: 0.1,
  modalities: ["text"],
  n: 2,
  parallel_tool_calls: false,
  prediction: { type: "content", content: "x" },
  presence_penalty: 0.5,
  prompt_cache_key: "k",
  reasoning_effort: "low",
  repetition_penalty: 1.1,
  response_format: { type: "json_object" },
  seed: 7,
  service_tier: "auto",
  stop: ["x"],
  store: false,
  top_k: 5,
  top_logprobs: 2,
  user: "u",
  verbosity: "low",
}
/** Where it may only be sent beside another. */
const BESIDE: Readonly<Record<string, Record<string, unknown>>> = {
  parallel_tool_calls: { tools: [{ type: "function", function: { name: "f" } }] },
}
const SAMPLES_IN_MESSAGES: Readonly<Record<string, Record<string, unknown>>> = {
  name: { role: "user", content: "Hi.", name: "ann" },
  reasoning_content: { role: "assistant", content: "Hi.", reasoning_content: "Hm." },
}

/** A way to see each kind of quirk at work. An entry with a quirk that has none here does not compile. */
const SEE: { readonly [Quirk in keyof Required<RequestQuirks>]: (known: KnownProvider) => Promise<void> } = {
  async refuses({ name, quirks }) {
    for (const member of quirks?.refuses ?? []) {
      const sample = { [member]: SAMPLES[member], ...BESIDE[member] }
      assert.notEqual(SAMPLES[member], undefined, `the test has no sample for ${member}`)
      const { body, dropped } = await ask(name, { ...sample, top_p: 0.5 })
      assert.deepEqual([body[member], body["top_p"]], [undefined, 0.5], `${name}: ${member}`)
      assert.ok(dropped.includes(member), `${name} says nothing of ${member}: ${dropped}`)
      const neutral = await ask("nvidia", sample)
      assert.deepEqual(neutral.body[member], SAMPLES[member], `${member} is left out for everybody`)
    }
  },
  async refusesInMessages({ name, quirks }) {
    for (const member of quirks?.refusesInMessages ?? []) {
      const message = SAMPLES_IN_MESSAGES[member]
      assert.notEqual(message, undefined, `the test has no sample for ${member} in a message`)
      const messages = [message, { role: "user", content: "Go on." }]
      const { body } = await ask(name, { messages })
      const { [member]: _, ...rest } = message!
      assert.deepEqual((body["messages"] as unknown[])[0], rest)
    }
  },
  async names({ name, quirks }) {
    for (const [ours, its] of Object.entries(quirks?.names ?? {})) {
      const { body, dropped } = await ask(name, { [ours]: SAMPLES[ours] })
      assert.deepEqual([body[its], body[ours]], [SAMPLES[ours], undefined], `${name}: ${ours}`)
      assert.deepEqual(dropped, [""])
    }
  },
  async developerRole({ name }) {
    const { body } = await ask(name, { messages: [{ role: "developer", content: "Be brief." }] })
    assert.deepEqual(body["messages"], [{ role: "system", content: "Be brief." }])
  },
  async strict({ name }) {
    const tools = [{ type: "function", function: { name: "f", strict: true } }]
    const { body, dropped } = await ask(name, { tools })
    assert.deepEqual(body["tools"], [{ type: "function", function: { name: "f" } }])
    assert.deepEqual(dropped, ["tools[].function.strict"])
  },
  async streamOptions({ name }) {
    const { body } = await ask(name, { stream_options: { include_usage: true } })
    assert.deepEqual([body["stream"], body["stream_options"]], [true, undefined])
  },
  async prefill({ name, quirks }) {
    const turn = { role: "assistant", content: "Once" }
    const { body } = await ask(name, { messages: [{ role: "user", content: "Hi." }, turn] })
    const { on, members } = quirks!.prefill!
    const last = (body["messages"] as unknown[]).at(-1)
    if (on === "message") assert.deepEqual(last, { ...turn, ...members })
    else assert.deepEqual({ ...body, ...members }, body)
  },
}

for (const known of KNOWN_PROVIDERS) {
  const quirks = Object.keys(known.quirks ?? {}) as (keyof RequestQuirks)[]
  test(`${known.name} is sent what its entry says: ${quirks.join(", ") || "no quirks"}`, async () => {
    for (const quirk of quirks) await SEE[quirk](known)
    const { head, body } = await ask(known.name, {})
    assert.equal(body["model"], "m")
    if (known.quirks?.streamOptions !== false)
      assert.deepEqual(body["stream_options"], { include_usage: true })
    const { header } = known.door ?? {}
    if (header === undefined)
      assert.match(head, new RegExp(`^authorization: Bearer key-of-${known.name}$`, "m"))
  })
}

test("every kind of quirk is somebody's", () => {
  const used = new Set(KNOWN_PROVIDERS.flatMap(({ quirks }) => Object.keys(quirks ?? {})))
  assert.deepEqual([...used].sort(), Object.keys(SEE).sort())
})

test("azure is given its key in a header of its own, and a version at the address of one deployment only", async () => {
  const resource = await ask("azure", {})
  assert.match(resource.head, /^POST \/v1\/chat\/completions HTTP/)
  const deployment = await ask("deployment", {})
  assert.match(
    deployment.head,
    /^POST \/openai\/deployments\/gpt\/chat\/completions\?api-version=2024-10-21 HTTP/,
  )
  for (const [name, { head }] of [
    ["azure", resource],
    ["deployment", deployment],
  ] as const) {
    assert.match(head, new RegExp(`^api-key: key-of-${name}$`, "m"))
    assert.doesNotMatch(head, /^authorization:/im)
  }
})

test("mistral is asked in its own words", async () => {
  const { body, dropped } = await ask("mistral", {
    messages: [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "Hi." },
      { role: "assistant", content: "Once upon" },
    ],
    seed: 7,
    max_completion_tokens: 9,
    temperature: 0.1,
    user: "ann",
    stream_options: { include_usage: true },
  })
  assert.deepEqual(body, {
    model: "m",
    stream: true,
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi." },
      { role: "assistant", content: "Once upon", prefix: true },
    ],
    random_seed: 7,
    max_tokens: 9,
    temperature: 0.1,
  })
  assert.deepEqual(dropped, ["user"])
})

test("a client of anthropic's imitation is told what it was not heard in", async () => {
  const { body, dropped } = await ask("anthropic", {
    response_format: { type: "json_object" },
    seed: 7,
    max_tokens: 9,
  })
  assert.deepEqual([body["response_format"], body["seed"], body["max_tokens"]], [undefined, undefined, 9])
  assert.deepEqual(dropped.toSorted(), ["response_format", "seed"])
})

test("every provider that the table of prices knows can be configured by that name", () => {
  const priced = new Set(PRICE_TABLE.map(({ provider }) => provider))
  assert.deepEqual(
    [...priced].filter((name) => knownProvider(name) === undefined),
    [],
  )
})
