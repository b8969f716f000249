import assert from "node:assert/strict"
import { afterEach, test } from "node:test"
import { type Exposition, readExposition } from "../../test/exposition.ts"
import { aSettledCall } from "../../test/store-support.ts"
import type { AttemptRecord, SettledCall } from "../store/call-record.ts"
import { createMetrics, type MetricSources, type Metrics } from "./count.ts"

const START = Date.UTC(2026, 2, 12)
const ASKED = { modelAsked: "fast", streamed: true, startedAt: START }
const FAST = {
  gen_ai_operation_name: "chat",
  gen_ai_provider_name: "acme",
  gen_ai_request_model: "fast",
  gen_ai_response_model: "large",
}
const LARGE = { gen_ai_operation_name: "chat", gen_ai_provider_name: "acme", gen_ai_request_model: "large" }

let metrics: Metrics
afterEach(() => metrics.close())

function create(more: Partial<MetricSources> = {}): Metrics {
  metrics = createMetrics({
    version: "1.2.3",
    nameOf: (_, model) => model,
    isRoute: (name) => name === "fast",
    isKnown: () => false,
    streams: () => ({ running: 3, kept: 5, bytes: 1_000, writable: false }),
    breakers: () => [],
    ...more,
  })
  return metrics
}

function scrape(): Exposition {
  return readExposition([...metrics.write()].join(""))
}

function anAttempt(more: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    provider: "acme",
    model: "large",
    startedAt: START + 500,
    endedAt: START + 3_000,
    usage: { promptTokens: 7, completionTokens: 11, reasoningTokens: 2, cachedTokens: 4, audioTokens: 0 },
    cost: 1_234n,
    estimated: false,
    ...more,
  }
}

function aCall(more: Partial<SettledCall> = {}): SettledCall {
  const attempt = anAttempt()
  return aSettledCall("c", {
    provider: "acme",
    model: "large",
    endedAt: START + 3_000,
    attempts: [attempt],
    usage: attempt.usage!,
    timeToFirstContent: 1_000,
    tokensPerSecond: 5.5,
    longestStall: 700,
    ...more,
  })
}

test("a finished call is one call, one attempt, its tokens, its cost and its times", () => {
  create().settled(aCall(), ASKED)
  const { value } = scrape()
  assert.equal(value("sluice_calls_total", { ...FAST, ending: "finished", error_type: "" }), 1)
  assert.equal(value("sluice_attempts_total", { ...LARGE, error_type: "" }), 1)
  assert.equal(value("gen_ai_client_token_usage_sum", { ...LARGE, gen_ai_token_type: "input" }), 7)
  assert.equal(value("gen_ai_client_token_usage_sum", { ...LARGE, gen_ai_token_type: "output" }), 11)
  assert.equal(value("sluice_cached_input_tokens_total", LARGE), 4)
  assert.equal(value("sluice_reasoning_output_tokens_total", LARGE), 2)
  assert.equal(value("sluice_cost_usd_total", LARGE), 0.000_001_234)
  assert.equal(value("gen_ai_server_request_duration_seconds_sum", { ...FAST, error_type: "" }), 3)
  assert.equal(value("gen_ai_client_operation_duration_seconds_sum", { ...LARGE, error_type: "" }), 2.5)
  assert.equal(value("gen_ai_server_time_to_first_token_seconds_sum", FAST), 1)
  assert.equal(value("sluice_stream_longest_gap_seconds_sum", FAST), 0.7)
  // Eleven tokens in two seconds after the first content: ten steps of 0.2 s.
  assert.ok(Math.abs(value("gen_ai_server_time_per_output_token_seconds_sum", FAST) - 0.2) < 1e-12)
})

test("a call that fell over to another candidate has two attempts, and the first one's error is its own", () => {
  const missed = anAttempt({
    provider: "broken",
    usage: null,
    cost: 0n,
    error: { type: "provider_overloaded", message: "no" },
  })
  create().settled(aCall({ attempts: [missed, anAttempt()] }), ASKED)
  const { value, sum } = scrape()
  assert.equal(sum("sluice_attempts_total"), 2)
  assert.equal(
    value("sluice_attempts_total", {
      ...LARGE,
      gen_ai_provider_name: "broken",
      gen_ai_request_model: "other",
      error_type: "provider_overloaded",
    }),
    1,
  )
  assert.equal(value("sluice_calls_total", { ...FAST, ending: "finished", error_type: "" }), 1)
  assert.equal(sum("gen_ai_client_token_usage_count", { gen_ai_provider_name: "broken" }), 0)
})

test("a call that nobody answered names no provider, and an attempt that was stopped ended as its call did", () => {
  const stopped = anAttempt({ usage: null, cost: 0n })
  create().settled(
    aCall({
      ending: "cancelled",
      reason: "cancelled",
      provider: undefined,
      model: undefined,
      attempts: [stopped],
      timeToFirstContent: undefined,
      tokensPerSecond: undefined,
      longestStall: undefined,
    }),
    { ...ASKED, modelAsked: "acme/large" },
  )
  const { value, sum } = scrape()
  const nobody = { gen_ai_provider_name: "", gen_ai_request_model: "other", gen_ai_response_model: "" }
  const labels = { ...FAST, ...nobody, ending: "cancelled", error_type: "cancelled" }
  assert.equal(value("sluice_calls_total", labels), 1)
  assert.equal(sum("sluice_attempts_total", { error_type: "cancelled" }), 1)
  assert.equal(sum("gen_ai_server_time_to_first_token_seconds_count"), 0)
})

test("an interrupted call counts, with its tokens and cost, but has no duration", () => {
  create().settled(aCall({ ending: "interrupted", reason: "interrupted" }), ASKED)
  const { value, sum } = scrape()
  assert.equal(value("sluice_calls_total", { ...FAST, ending: "interrupted", error_type: "interrupted" }), 1)
  assert.equal(value("sluice_attempts_total", { ...LARGE, error_type: "interrupted" }), 1)
  assert.equal(value("sluice_cost_usd_total", LARGE), 0.000_001_234)
  assert.equal(sum("gen_ai_server_request_duration_seconds_count"), 0)
  assert.equal(sum("gen_ai_client_operation_duration_seconds_count"), 0)
})

test("a call that was not streamed has a duration and no time to first content", () => {
  create().settled(aCall(), { ...ASKED, streamed: false })
  const { sum } = scrape()
  assert.equal(sum("gen_ai_server_request_duration_seconds_count"), 1)
  assert.equal(sum("gen_ai_server_time_to_first_token_seconds_count"), 0)
})

test("a call that broke off says nothing of the time per token", () => {
  create().settled(aCall({ ending: "failed", reason: "provider_error" }), ASKED)
  const { sum } = scrape()
  assert.equal(sum("gen_ai_server_time_to_first_token_seconds_count"), 1)
  assert.equal(sum("gen_ai_server_time_per_output_token_seconds_count"), 0)
})

test("an attempt without a price is counted as such, and costs nothing that is known", () => {
  create().settled(aCall({ attempts: [anAttempt({ cost: null })], cost: null }), ASKED)
  const { value, sum } = scrape()
  assert.equal(value("sluice_unpriced_attempts_total", LARGE), 1)
  assert.equal(sum("sluice_cost_usd_total"), 0)
})

test("a clock that was set back makes no negative time", () => {
  create().settled(aCall({ endedAt: START - 5_000 }), ASKED)
  assert.equal(scrape().sum("gen_ai_server_request_duration_seconds_sum"), 0)
})

test("an error that is no word of ours is _OTHER", () => {
  create().refused({ kind: "constructor", status: 418 })
  metrics.refused({ kind: "invalid_api_key", status: 401 })
  const { value } = scrape()
  const name = "sluice_requests_refused_total"
  assert.equal(value(name, { http_response_status_code: "418", error_type: "_OTHER" }), 1)
  assert.equal(value(name, { http_response_status_code: "401", error_type: "invalid_api_key" }), 1)
})

test("a breaker is read in each of its states, and models without a name share one line", () => {
  create({
    breakers: () => [
      { provider: "acme", state: "closed" },
      { provider: "acme", credential: 2, state: "probing" },
      { provider: "acme", credential: 1, model: "large", state: "open" },
      { provider: "acme", credential: 1, model: "made-up", state: "open" },
      { provider: "acme", credential: 1, model: "made-up-too", state: "due" },
    ],
  }).settled(aCall(), ASKED)
  const { value, families } = scrape()
  const of = (credential: string, model: string, state: string): number =>
    value("sluice_breakers", {
      gen_ai_provider_name: "acme",
      credential,
      gen_ai_request_model: model,
      state,
    })
  assert.equal(families.get("sluice_breakers")?.samples.length, 4 * 4)
  assert.deepEqual([of("", "", "closed"), of("", "", "open")], [1, 0])
  assert.deepEqual([of("2", "", "probing"), of("2", "", "closed")], [1, 0])
  assert.deepEqual([of("1", "large", "open"), of("1", "large", "due")], [1, 0])
  assert.deepEqual([of("1", "other", "open"), of("1", "other", "due")], [1, 1])
})

test("what merely is gets read at the scrape", () => {
  create()
  metrics.resumed()
  const { value } = scrape()
  assert.equal(value("sluice_streams_open"), 3)
  assert.equal(value("sluice_streams_kept"), 5)
  assert.equal(value("sluice_stream_log_bytes"), 1_000)
  assert.equal(value("sluice_stream_log_writable"), 0)
  assert.equal(value("sluice_streams_resumed_total"), 1)
  assert.equal(value("sluice_build_info", { version: "1.2.3", node_version: process.versions.node }), 1)
  assert.ok(value("process_resident_memory_bytes") > 10_000_000)
  assert.ok(value("process_resident_memory_bytes") > value("process_heap_bytes"))
  assert.ok(Math.abs(value("process_start_time_seconds") - Date.now() / 1_000) < 600)
  assert.ok(value("process_cpu_seconds_total") > 0)
})
