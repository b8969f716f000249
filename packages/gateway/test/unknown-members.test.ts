/**
 * Members that no document of ours knows: they reach those who speak OpenAI's dialect, wherever in a stream their provider
 * puts them, and nobody whose SDK might mind.
 */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { type BuildName, validators } from "../../protocol/test/validators.ts"
import { jsonAnswer, type RawProvider, SSE_HEAD, startRawProvider } from "./raw-provider.ts"
import {
  ADMIN_KEY,
  call,
  dataOf,
  eventFrames,
  startTestGateway,
  streamBody,
  type TestGateway,
} from "./support.ts"

const SAFE = { hate: { filtered: false, severity: "safe" } }
const ON_PROMPT = [{ prompt_index: 0, content_filter_results: SAFE }]
const FOUND_LATER = {
  content_filter_results: { protected_material_text: { detected: false, filtered: false } },
  content_filter_offsets: { check_offset: 65, start_offset: 65, end_offset: 1056 },
}
const COUNTS = { prompt_tokens: 339, completion_tokens: 2, total_tokens: 341 }
const COUNTED_ITS_WAY = {
  ...COUNTS,
  prompt_cache_hit_tokens: 320,
  prompt_cache_miss_tokens: 19,
  num_sources_used: 0,
  queue_time: 0.0415,
}
const NAMELESS = { id: "", object: "", created: 0, model: "" }
const NAMED = { id: "azure-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "gpt" }

/** As Azure sends it with its asynchronous filter, which finds things out when all is said. */
const STREAM = [
  { ...NAMELESS, choices: [], prompt_filter_results: ON_PROMPT },
  { ...NAMELESS, choices: [], prompt_annotations: ["second"] },
  { ...NAMED, choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] },
  ...["Hi", " there"].map((content) => ({
    ...NAMED,
    choices: [{ index: 0, delta: { content }, finish_reason: null, content_filter_results: SAFE }],
  })),
  { ...NAMED, choices: [{ index: 0, delta: {}, finish_reason: "stop", content_filter_results: {} }] },
  { ...NAMELESS, choices: [{ index: 0, finish_reason: null, ...FOUND_LATER }] },
  { ...NAMED, choices: [], usage: COUNTED_ITS_WAY },
]
const WHOLE = {
  ...NAMED,
  object: "chat.completion",
  prompt_filter_results: ON_PROMPT,
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "Hi there" },
      finish_reason: "stop",
      content_filter_results: SAFE,
    },
  ],
  usage: COUNTED_ITS_WAY,
}

const MOUNTS: Readonly<Record<string, readonly BuildName[]>> = {
  "/v1": [],
  "/openrouter/api/v1": ["openrouter-0.9.11", "openrouter-1.3.19"],
  "/r9s/v1": ["r9s-0.5.0", "r9s-0.8.4"],
  "/atoma/v1": ["atoma-0.1.1", "atoma-0.2.1"],
  "/orq/v2/router": ["orq-python-3.11.7", "orq-python-4.12.15", "orq-node-4.15.11"],
}

let provider: RawProvider
let gateway: TestGateway
before(async () => {
  provider = await startRawProvider((socket) => {
    const { stream } = JSON.parse(provider.requests.at(-1)!.body) as { stream?: boolean }
    const events = STREAM.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")
    socket.end(
      stream === true ? `${SSE_HEAD}${events}data: [DONE]\n\n` : jsonAnswer(200, JSON.stringify(WHOLE)),
    )
  })
  gateway = await startTestGateway(
    `providers: { azure: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none } }\n`,
  )
})
after(async () => {
  await gateway.close()
  await provider.close()
})

interface Event {
  readonly choices: readonly (Record<string, unknown> & { readonly delta: { readonly content?: string } })[]
  readonly [member: string]: unknown
}

async function streamed(mount: string, more: Record<string, unknown> = {}) {
  const answer = await call(`${gateway.url}${mount}/chat/completions`, {
    body: streamBody("azure/gpt", more),
  })
  const { text } = await answer.whole()
  const events = eventFrames(text).map((frame) => dataOf(frame) as unknown as Event)
  assert.equal(textIn(events), "Hi there", text)
  return { events, text, id: String(answer.headers["sluice-stream-id"]) }
}

function textIn(events: readonly Event[]): string {
  return events.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? "")).join("")
}

const ASKED = { stream_options: { include_usage: true } }

test("what Azure found in the prompt stands on the first event, and what it found in the answer where it said so", async () => {
  for (const more of [{}, ASKED]) {
    const { events } = await streamed("/v1", more)
    const [first, ...others] = events
    assert.deepEqual(first?.["prompt_filter_results"], ON_PROMPT)
    assert.deepEqual(first?.["prompt_annotations"], ["second"])
    assert.ok(others.every((event) => !("prompt_filter_results" in event)))
    assert.ok(events.every(({ id, model }) => id === first?.["id"] && model === "azure/gpt"))
    const found = events.flatMap(({ choices }) => choices.map((choice) => choice["content_filter_results"]))
    assert.deepEqual(found, [undefined, SAFE, SAFE, {}, FOUND_LATER.content_filter_results])
    const finishes = events.flatMap(({ choices }) => choices.map((choice) => choice["finish_reason"]))
    assert.deepEqual(finishes, [null, null, null, "stop", null])
  }
})

test("a stream that is looked at as a whole has them too", async () => {
  const { id } = await streamed("/v1")
  const answer = await call(`${gateway.url}/v1/chat/completions/${id}`)
  const { prompt_filter_results: onPrompt, choices } = JSON.parse((await answer.whole()).text)
  assert.deepEqual(onPrompt, ON_PROMPT)
  assert.deepEqual(choices[0].content_filter_results, FOUND_LATER.content_filter_results)
  assert.equal(choices[0].finish_reason, "stop")
})

test("usage says all that its provider counted, streamed and whole, and the books know DeepSeek's cache hits", async () => {
  const counted = {
    ...COUNTED_ITS_WAY,
    prompt_tokens_details: { cached_tokens: 320, audio_tokens: 0 },
  }
  const { events, id } = await streamed("/v1", ASKED)
  assert.deepEqual(events.at(-1)?.["usage"], counted)
  const whole = await call(`${gateway.url}/v1/chat/completions`, {
    body: streamBody("azure/gpt", { stream: false }),
  })
  const completion = JSON.parse((await whole.whole()).text)
  assert.deepEqual(completion.usage, counted)
  assert.deepEqual(completion.prompt_filter_results, ON_PROMPT)
  assert.deepEqual(completion.choices[0].content_filter_results, SAFE)
  for (const each of [id, String(whole.headers["sluice-stream-id"])]) {
    const row = await call(`${gateway.url}/admin/calls/${each}`, { key: ADMIN_KEY })
    assert.equal(JSON.parse((await row.whole()).text).usage.cached_tokens, 320)
  }
})

for (const [mount, builds] of Object.entries(MOUNTS).slice(1)) {
  test(`${mount}: none of it is sent, and every build there takes the rest`, async () => {
    const { events, text } = await streamed(mount, ASKED)
    const whole = await call(`${gateway.url}${mount}/chat/completions`, {
      body: streamBody("azure/gpt", { stream: false }),
    })
    const answer = (await whole.whole()).text
    for (const said of [text, answer]) {
      assert.doesNotMatch(said, /filter|annotations|cache_hit|num_sources|queue_time/)
      assert.match(said, /"cached_tokens":320/)
    }
    for (const build of builds) {
      for (const event of events) assert.equal(validators[build].chunk(event), null)
      assert.equal(validators[build].completion(JSON.parse(answer)), null)
    }
  })
}
