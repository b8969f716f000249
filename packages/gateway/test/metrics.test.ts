import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { promtool } from "../../../scripts/promtool.ts"
import { METRICS } from "../src/telemetry/metrics.ts"
import { createKey, rowsOf, until } from "./books-support.ts"
import { type Exposition, readExposition } from "./exposition.ts"
import { frame, type RawProvider, SSE_HEAD, startRawProvider } from "./raw-provider.ts"
import { startSluice } from "./sluice-process.ts"
import {
  ADMIN_KEY,
  call,
  dataFrames,
  dataOf,
  eventFrames,
  KEY,
  startTestGateway,
  streamBody,
  type TestGateway,
} from "./support.ts"

/** `fast` comes to its second candidate. `counted` has a price, the others have none. */
const YAML = `
models:
  fast:
    candidates:
      - { provider: sim, model: "broken:error=500" }
      - { provider: sim, model: "counted:tokens=9" }
prices:
  sim/counted: { input: 3, output: 15 }
`
const DETACHED = { "sluice-on-disconnect": "detach" }

/** A model whose name must be escaped. What it has read from its cache is in its usage. */
const ODD = 'a "quoted" \\ name'
const CACHED = {
  prompt_tokens: 9,
  completion_tokens: 1,
  total_tokens: 10,
  prompt_tokens_details: { cached_tokens: 5 },
}

let gateway: TestGateway
let provider: RawProvider
before(async () => {
  provider = await startRawProvider((socket) => {
    const events = [frame({ content: " a" }), frame({}, "stop", { usage: CACHED }), "data: [DONE]\n\n"]
    socket.end(SSE_HEAD + events.join(""))
  })
  const providers = `raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none }`
  gateway = await startTestGateway(`providers: { ${providers} }\n${YAML}`)
})
after(async () => {
  await gateway.close()
  await provider.close()
})

async function scrape(url = gateway.url): Promise<Exposition> {
  const answer = await call(`${url}/metrics`, { key: ADMIN_KEY })
  const { text } = await answer.whole()
  assert.equal(answer.status, 200, text)
  return readExposition(text)
}

async function ask(body: unknown, headers: Record<string, string> = {}, key = KEY): Promise<string> {
  const answer = await call(`${gateway.url}/v1/chat/completions`, { body, headers, key })
  return (await answer.whole()).text
}

interface Kind {
  readonly times: number
  readonly model: string
  /** What its client does. */
  run(model: string): Promise<unknown>
}

const streamed = (model: string) => ask(streamBody(model, { stream_options: { include_usage: true } }))
const whole = (model: string) => ask(streamBody(model, { stream: false }))

const LOAD: readonly Kind[] = [
  { times: 20, model: "sim/counted:tokens=9", run: streamed },
  { times: 5, model: "sim/counted:tokens=4", run: whole },
  { times: 5, model: "sim/free:tokens=3,reasoning=2", run: streamed },
  { times: 4, model: "sim/silent:tokens=6,usage=none", run: streamed },
  { times: 2, model: `raw/${ODD}`, run: streamed },
  // Fewer than open a circuit breaker, which would have them ask their second candidate first.
  { times: 4, model: "fast", run: streamed },
  { times: 6, model: "sim/counted:tokens=30,cut=12", run: streamed },
  { times: 4, model: "sim/made-up-0:error=500", run: streamed },
  { times: 4, model: "sim/made-up-1:error=500", run: streamed },
  { times: 7, model: "sim/counted:tokens=5000,gap=5", run: leave },
  { times: 3, model: "sim/counted:tokens=40,gap=5", run: comeBackTwice },
]

async function leave(model: string): Promise<void> {
  const answer = await begin(model, 3)
  answer.leave()
}

async function comeBackTwice(model: string): Promise<void> {
  const answer = await begin(model, 3, DETACHED)
  answer.leave()
  const id = String(answer.headers["sluice-stream-id"])
  const url = `${gateway.url}/v1/chat/completions/${id}?stream=true&starting_after=2`
  for (const _ of [1, 2]) assert.match((await (await call(url)).whole()).text, /\[DONE\]/)
}

/** Asked, and the first events read. */
async function begin(model: string, frames: number, headers: Record<string, string> = {}) {
  const answer = await call(`${gateway.url}/v1/chat/completions`, { body: streamBody(model), headers })
  await answer.frames(frames)
  return answer
}

test("under load every scrape is what the format allows, and no counter ever falls", async (t) => {
  const work = Promise.all(
    LOAD.flatMap(({ times, model, run }) => Array.from({ length: times }, () => run(model))),
  )
  let running = true
  const scrapes: Exposition[] = []
  const scraping = (async () => {
    while (running) scrapes.push(await scrape())
  })()
  try {
    await work
  } finally {
    running = false
  }
  await scraping
  await until(async () => (await scrape()).value("sluice_streams_open") === 0)
  t.diagnostic(`${scrapes.length} scrapes`)
  assert.ok(scrapes.length > 1)
  for (const [index, { families, value }] of scrapes.slice(1).entries()) {
    for (const { type, samples } of scrapes[index]!.families.values()) {
      if (type === "gauge") continue
      for (const sample of samples) {
        if (sample.name.endsWith("_sum")) continue
        assert.ok(value(sample.name, sample.labels) >= sample.value, JSON.stringify(sample))
      }
    }
    assert.equal(families.size, scrapes[0]?.families.size)
  }
})

test("what was counted is what the load was", async () => {
  const { sum, value } = await scrape()
  const calls = (labels: Record<string, string>) => sum("sluice_calls_total", labels)
  const asked = (model: string) => ({ gen_ai_request_model: model })
  assert.equal(calls({}), 20 + 5 + 5 + 4 + 2 + 4 + 6 + 8 + 7 + 3)
  assert.equal(calls({ ending: "finished" }), 20 + 5 + 5 + 4 + 2 + 4 + 3)
  const failed = { ending: "failed", error_type: "provider_error" }
  assert.equal(calls({ ...failed, gen_ai_response_model: "counted" }), 6)
  assert.equal(calls({ ...failed, gen_ai_response_model: "" }), 4 + 4)
  assert.equal(calls({ ending: "cancelled", error_type: "cancelled" }), 7)
  assert.equal(calls(asked("fast")), 4)
  assert.equal(calls(asked(`raw/${ODD}`)), 2)
  assert.equal(sum("sluice_cached_input_tokens_total", asked(ODD)), 2 * 5)
  assert.equal(calls(asked("sim/counted")), 20 + 5 + 6 + 7 + 3)
  assert.equal(sum("sluice_attempts_total", asked("broken")), 4)
  assert.equal(sum("sluice_attempts_total", { ...asked("counted"), error_type: "" }), 20 + 5 + 4 + 3)
  assert.equal(value("sluice_streams_resumed_total"), 3 * 2)
  // Six that were cut: its breaker has opened, and may be due again by now.
  const breakers = ["open", "due"].map((state) => sum("sluice_breakers", { ...asked("counted"), state }))
  assert.ok(total(breakers) >= 1)
  // The simulator's own counts: tokens of content, and of reasoning.
  const tokens = (model: string, type: string) =>
    sum("gen_ai_client_token_usage_sum", { ...asked(model), gen_ai_token_type: type })
  assert.equal(tokens("free", "output"), 5 * (3 + 2))
  assert.equal(sum("sluice_reasoning_output_tokens_total", asked("free")), 5 * 2)
  assert.equal(tokens("silent", "output"), 4 * 6, "counted here, where the provider reports nothing")
  const answer = JSON.parse(await whole("sim/free:tokens=1")) as { usage: { prompt_tokens: number } }
  assert.equal(tokens("free", "input"), 5 * answer.usage.prompt_tokens)
  await until(async () => (await scrape()).sum("sluice_calls_total") === calls({}) + 1)
})

test("what was counted is what the ledger has, row by row, attempt by attempt and to the nano-dollar", async () => {
  const { sum } = await scrape()
  const rows = await rowsOf(gateway)
  assert.ok(rows.length < 200, "the page holds them all")
  assert.equal(sum("sluice_calls_total"), rows.length)
  for (const [name, group] of groups(rows, ({ ending, reason }) => `${ending} ${reason ?? ""}`)) {
    const [ending = "", error_type = ""] = name.split(" ")
    assert.equal(sum("sluice_calls_total", { ending, error_type }), group.length, name)
  }
  const attempts = rows.flatMap((row) => row.attempts.map((attempt) => ({ ...attempt, row })))
  assert.equal(sum("sluice_attempts_total"), attempts.length)
  for (const [error_type, group] of groups(attempts, ({ error, row }) => error?.type ?? row.reason ?? "")) {
    assert.equal(sum("sluice_attempts_total", { error_type }), group.length, error_type)
  }
  for (const [type, member] of [
    ["input", "prompt"],
    ["output", "completion"],
  ] as const) {
    const used = attempts.flatMap(({ usage }) => (usage === null ? [] : [usage[`${member}_tokens`]]))
    assert.equal(sum("gen_ai_client_token_usage_sum", { gen_ai_token_type: type }), total(used))
    assert.equal(sum("gen_ai_client_token_usage_count", { gen_ai_token_type: type }), used.length)
  }
  const cost = total(attempts.map(({ cost_nano }) => Number(cost_nano ?? 0)))
  assert.ok(cost > 0)
  assert.equal(Math.round(sum("sluice_cost_usd_total") * 1e9), cost)
  assert.equal(
    sum("sluice_unpriced_attempts_total"),
    attempts.filter(({ cost_nano }) => cost_nano === null).length,
  )
  assert.equal(sum("sluice_streams_resumed_total"), total(rows.map(({ resumed }) => resumed)))
  const streams = rows.filter((row) => row.streamed)
  const first = streams.flatMap(({ time_to_first_content_ms: ms }) => (ms === null ? [] : [ms / 1_000]))
  assert.equal(sum("gen_ai_server_time_to_first_token_seconds_count"), first.length)
  close(sum("gen_ai_server_time_to_first_token_seconds_sum"), total(first))
  const durations = rows.map((row) => (Date.parse(row.ended_at ?? "") - Date.parse(row.started_at)) / 1_000)
  assert.equal(sum("gen_ai_server_request_duration_seconds_count"), rows.length)
  close(sum("gen_ai_server_request_duration_seconds_sum"), total(durations))
  assert.equal(sum("gen_ai_client_operation_duration_seconds_count"), attempts.length)
})

test("a scrape has every metric of the table and no other, each with something to show", async () => {
  await call(`${gateway.url}/v1/models`, { key: "sk-wrong" })
  const { families } = await scrape()
  assert.deepEqual(
    [...families.values()].map(({ name, type, help }) => ({ name, type, help })),
    Object.values(METRICS).map(({ name, type, help }) => ({ name, type, help })),
  )
  for (const { name, labels } of Object.values(METRICS)) {
    for (const sample of families.get(name)?.samples ?? []) {
      assert.deepEqual(
        Object.keys(sample.labels).filter((label) => label !== "le"),
        labels,
      )
    }
  }
  const silent = [...families.values()].filter(({ samples }) => samples.length === 0).map(({ name }) => name)
  assert.deepEqual(silent, [])
})

test("Prometheus' own checker has nothing to say of a scrape", async (t) => {
  const answer = await call(`${gateway.url}/metrics`, { key: ADMIN_KEY })
  const { text } = await answer.whole()
  const said = promtool(t, "metrics", text)
  if (said === undefined) return
  assert.equal(said, "")
  const broken = text.replace('le="+Inf"', 'le="+Inf')
  assert.match(promtool(t, "metrics", broken) ?? "", /error/)
})

test("what a client makes up is no label, nor is anything of a key", async () => {
  for (let index = 0; index < 5; index++) await streamed(`nowhere/made-up-${index}`)
  const answer = await call(`${gateway.url}/metrics`, { key: ADMIN_KEY })
  const { text } = await answer.whole()
  assert.ok(!text.includes("made-up"), "neither what failed nor what is nowhere")
  assert.ok(!text.includes("tokens="), "no script of the simulator")
  for (const secret of [KEY, ADMIN_KEY]) assert.ok(!text.includes(secret))
  const { sum } = readExposition(text)
  const refused = { http_response_status_code: "404", error_type: "model_not_found" }
  assert.equal(sum("sluice_requests_refused_total", refused), 5)
  assert.equal(sum("sluice_attempts_total", { gen_ai_request_model: "other" }), 8)
})

test("what is refused before a provider is asked counts by its status, and is no call", async () => {
  const before = await scrape()
  const chat = `${gateway.url}/v1/chat/completions`
  const story = streamBody("sim/counted:tokens=3")
  const poor = await createKey(gateway, { budget: { amount_usd: "0.000001", period: "daily" } })
  const slow = await createKey(gateway, { limits: { requests_per_minute: 1 } })
  await ask(story, {}, slow.secret)
  for (const _ of [1, 2, 3]) await ask(story, {}, "sk-wrong")
  for (const _ of [1, 2]) await ask(story, {}, poor.secret)
  for (const _ of [1, 2, 3, 4]) await ask(story, {}, slow.secret)
  await ask("{", {})
  await (await call(`${gateway.url}/admin/keys`)).whole()
  await (await call(`${chat}/chatcmpl-unknown?stream=true`)).whole()
  await (await call(`${gateway.url}/v1/nothing`)).whole()
  const after = await scrape()
  const more = (status: number, kind: string): number => {
    const labels = { http_response_status_code: String(status), error_type: kind }
    const name = "sluice_requests_refused_total"
    return after.value(name, labels) - before.value(name, labels)
  }
  assert.equal(more(401, "invalid_api_key"), 3)
  assert.equal(more(402, "payment_required"), 2)
  assert.equal(more(429, "rate_limit_exceeded"), 4)
  assert.equal(more(400, "invalid_request"), 1)
  assert.equal(more(403, "permission_denied"), 1)
  assert.equal(more(404, "not_found"), 2)
  assert.equal(after.sum("sluice_calls_total"), before.sum("sluice_calls_total") + 1)
})

test("a stream that runs is open, and its events have a size", async () => {
  const before = await scrape()
  const streams = await Promise.all([1, 2, 3].map(() => begin("sim/counted:tokens=5000,gap=5", 2)))
  const during = await scrape()
  assert.equal(during.value("sluice_streams_open"), 3)
  assert.equal(during.value("sluice_streams_kept"), before.value("sluice_streams_kept") + 3)
  assert.ok(during.value("sluice_stream_log_bytes") > before.value("sluice_stream_log_bytes"))
  assert.equal(during.value("sluice_stream_log_writable"), 1)
  for (const stream of streams) stream.leave()
  await until(async () => (await scrape()).value("sluice_streams_open") === 0)
})

test("the metrics need an admin key", async () => {
  const url = `${gateway.url}/metrics`
  const none = await call(url, { key: "" })
  assert.equal(none.status, 401)
  const user = await call(url)
  assert.equal(user.status, 403)
  assert.ok(!(await user.whole()).text.includes("sluice_"))
  const post = await call(url, { key: ADMIN_KEY, body: {} })
  assert.equal(post.status, 405)
  const below = await call(`${url}/x`, { key: ADMIN_KEY })
  assert.equal(below.status, 404)
  const admin = await call(url, { key: "", headers: { "x-api-key": ADMIN_KEY } })
  assert.equal(admin.status, 200)
  assert.equal(admin.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
  assert.equal(admin.headers["cache-control"], "no-store")
  await admin.whole()
})

test("a call that its process left unfinished counts as interrupted at the next start, as its row does", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-metrics-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const first = await startSluice(t, folder, YAML)
  const body = streamBody("sim/counted:tokens=5000,gap=5")
  const answer = await call(`${first.url}/v1/chat/completions`, { body, headers: DETACHED })
  await answer.frames(20)
  await first.kill()
  const { text } = await answer.whole()
  const second = await startSluice(t, folder, YAML)
  const { sum, value } = await scrape(second.url)
  const labels = { ending: "interrupted", error_type: "interrupted", gen_ai_request_model: "sim/counted" }
  assert.equal(sum("sluice_calls_total", labels), 1)
  assert.equal(sum("sluice_calls_total"), 1)
  assert.equal(value("sluice_streams_open"), 0)
  const [row] = await rowsOf(second)
  assert.equal(row?.ending, "interrupted")
  const output = sum("gen_ai_client_token_usage_sum", { gen_ai_token_type: "output" })
  assert.equal(output, row?.usage.completion_tokens)
  assert.ok(output >= dataFrames(text).filter((frame) => contentOf(frame) !== "").length)
  assert.equal(Math.round(sum("sluice_cost_usd_total") * 1e9), Number(row?.cost_nano))
})

function contentOf(frame: string): string {
  if (eventFrames(frame).length === 0) return ""
  const { choices } = dataOf(frame) as { choices?: { delta?: { content?: string } }[] }
  return choices?.[0]?.delta?.content ?? ""
}

function groups<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item[]> {
  return Map.groupBy(items, nameOf)
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
}

/** Sums of fractions, added up in another order. */
function close(one: number, other: number): void {
  assert.ok(Math.abs(one - other) < 1e-6, `${one} is not ${other}`)
}
