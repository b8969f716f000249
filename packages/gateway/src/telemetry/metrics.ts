/**
 * Every metric that `/metrics` shows, in the order in which it shows them. docs/metrics.md is made from this table.
 *
 * Where OpenTelemetry's conventions for generative AI (or for Node.js) have a name for what is measured, it is theirs as
 * Prometheus spells it: dots as underscores, the unit behind, `_total` behind a counter. Their buckets too.
 * An attempt is the gateway as a client of a provider (`gen_ai_client_…`); a call is the gateway as its client's server
 * (`gen_ai_server_…`).
 *
 * No label holds what a client can make up: names.ts says which models are named. None holds a key or a project.
 */
import type { MetricDeclaration } from "./registry.ts"

export type Declared = MetricDeclaration & {
  /** The heading under which docs/metrics.md has it. */
  readonly about: "calls" | "attempts" | "streams" | "refusals" | "routing" | "process"
  /** Its name in OpenTelemetry's conventions. */
  readonly convention?: string
}

/** Of an attempt: `gen_ai_request_model` is what its provider calls the model. */
const ATTEMPT = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"] as const
/** Of a call: `gen_ai_request_model` is what the client asked for; provider and answering model are "" where nobody answered. */
const CALL = [...ATTEMPT, "gen_ai_response_model"] as const

/** The convention's, and on to what a long answer takes. */
const SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
  655.36,
]
const FIRST_TOKEN_SECONDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]
const TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const GAP_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const TOKENS = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
]

export const NANO_DOLLARS = 1_000_000_000

export const METRICS = {
  calls: {
    about: "calls",
    name: "sluice_calls_total",
    type: "counter",
    help: "Calls that have ended, as their rows in the ledger say: finished, failed, cancelled or interrupted, and by what.",
    labels: [...CALL, "ending", "error_type"],
  },
  callDuration: {
    about: "calls",
    name: "gen_ai_server_request_duration_seconds",
    convention: "gen_ai.server.request.duration",
    type: "histogram",
    help: "From a call's arrival to its ending. Interrupted calls are left out: nobody saw when they ended.",
    labels: [...CALL, "error_type"],
    buckets: SECONDS,
  },
  firstToken: {
    about: "calls",
    name: "gen_ai_server_time_to_first_token_seconds",
    convention: "gen_ai.server.time_to_first_token",
    type: "histogram",
    help: "From a streamed call's arrival to its first content, candidates that failed before included.",
    labels: CALL,
    buckets: FIRST_TOKEN_SECONDS,
  },
  perToken: {
    about: "calls",
    name: "gen_ai_server_time_per_output_token_seconds",
    convention: "gen_ai.server.time_per_output_token",
    type: "histogram",
    help: "Of finished streamed calls: the time after the first content, divided by the tokens after the first.",
    labels: CALL,
    buckets: TOKEN_SECONDS,
  },
  longestGap: {
    about: "calls",
    name: "sluice_stream_longest_gap_seconds",
    type: "histogram",
    help: "The longest silence of each streamed call between two events with content.",
    labels: CALL,
    buckets: GAP_SECONDS,
  },
  attempts: {
    about: "attempts",
    name: "sluice_attempts_total",
    type: "counter",
    help: "Tries at a candidate, by the error that ended them; without an error the answer is whole.",
    labels: [...ATTEMPT, "error_type"],
  },
  attemptDuration: {
    about: "attempts",
    name: "gen_ai_client_operation_duration_seconds",
    convention: "gen_ai.client.operation.duration",
    type: "histogram",
    help: "From asking a candidate to the end of its answer or its failure. Interrupted ones are left out.",
    labels: [...ATTEMPT, "error_type"],
    buckets: SECONDS,
  },
  tokens: {
    about: "attempts",
    name: "gen_ai_client_token_usage",
    convention: "gen_ai.client.token.usage",
    type: "histogram",
    help: "Tokens of each attempt that used any, input and output; counted here where its provider does not report them.",
    labels: [...ATTEMPT, "gen_ai_token_type"],
    buckets: TOKENS,
  },
  cachedTokens: {
    about: "attempts",
    name: "sluice_cached_input_tokens_total",
    type: "counter",
    help: "Of the input tokens, those that the provider read from its cache.",
    labels: ATTEMPT,
  },
  reasoningTokens: {
    about: "attempts",
    name: "sluice_reasoning_output_tokens_total",
    type: "counter",
    help: "Of the output tokens, those that were reasoning.",
    labels: ATTEMPT,
  },
  cost: {
    about: "attempts",
    name: "sluice_cost_usd_total",
    type: "counter",
    help: "US dollars that attempts have cost, as the ledger has it.",
    labels: ATTEMPT,
    per: NANO_DOLLARS,
  },
  unpriced: {
    about: "attempts",
    name: "sluice_unpriced_attempts_total",
    type: "counter",
    help: "Attempts whose cost is not known because their model has no price.",
    labels: ATTEMPT,
  },
  running: {
    about: "streams",
    name: "sluice_streams_open",
    type: "gauge",
    help: "Calls that run at the moment, streamed or not, whoever still listens.",
    labels: [],
  },
  resumed: {
    about: "streams",
    name: "sluice_streams_resumed_total",
    type: "counter",
    help: "How often a client came back for a stream and read on.",
    labels: [],
  },
  kept: {
    about: "streams",
    name: "sluice_streams_kept",
    type: "gauge",
    help: "Streams that can be read at the moment, the ended ones included.",
    labels: [],
  },
  logBytes: {
    about: "streams",
    name: "sluice_stream_log_bytes",
    type: "gauge",
    help: "Bytes of the events that are kept: what streams.total_bytes limits.",
    labels: [],
  },
  logWritable: {
    about: "streams",
    name: "sluice_stream_log_writable",
    type: "gauge",
    help: "1; 0 while the journal cannot be written: new calls are then refused.",
    labels: [],
  },
  refused: {
    about: "refusals",
    name: "sluice_requests_refused_total",
    type: "counter",
    help: "Requests that were answered with an error before any provider was asked: no key, no budget, no such model.",
    labels: ["http_response_status_code", "error_type"],
  },
  breakers: {
    about: "routing",
    name: "sluice_breakers",
    type: "gauge",
    help: "Circuit breakers by state: of a provider, of one of its credentials (by place), of a model. Only what has failed has one.",
    labels: ["gen_ai_provider_name", "credential", "gen_ai_request_model", "state"],
  },
  delayP50: {
    about: "process",
    name: "nodejs_eventloop_delay_p50_seconds",
    convention: "nodejs.eventloop.delay.p50",
    type: "gauge",
    help: "How late the event loop is, the median since the scrape before.",
    labels: [],
  },
  delayP99: {
    about: "process",
    name: "nodejs_eventloop_delay_p99_seconds",
    convention: "nodejs.eventloop.delay.p99",
    type: "gauge",
    help: "How late the event loop is, the 99th percentile since the scrape before.",
    labels: [],
  },
  delayMax: {
    about: "process",
    name: "nodejs_eventloop_delay_max_seconds",
    convention: "nodejs.eventloop.delay.max",
    type: "gauge",
    help: "How late the event loop is, at worst since the scrape before.",
    labels: [],
  },
  loopTime: {
    about: "process",
    name: "nodejs_eventloop_time_seconds_total",
    convention: "nodejs.eventloop.time",
    type: "counter",
    help: "Time that the event loop was active, and that it waited.",
    labels: ["nodejs_eventloop_state"],
  },
  cpu: {
    about: "process",
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "CPU time of the process, all its threads.",
    labels: [],
  },
  memory: {
    about: "process",
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Memory of the process that is in RAM.",
    labels: [],
  },
  heap: {
    about: "process",
    name: "process_heap_bytes",
    type: "gauge",
    help: "Of it, what the objects of the main thread take.",
    labels: [],
  },
  startTime: {
    about: "process",
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When the process was started, in seconds since 1970.",
    labels: [],
  },
  build: {
    about: "process",
    name: "sluice_build_info",
    type: "gauge",
    help: "Always 1; its labels say what runs.",
    labels: ["version", "node_version"],
  },
} as const satisfies Readonly<Record<string, Declared>>
