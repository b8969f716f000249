/** `docs/metrics.md`: the table of metrics for people, and what to ask of them. */
import type { Declared } from "../packages/gateway/src/telemetry/metrics.ts"

const SECTIONS: Readonly<Record<Declared["about"], string>> = {
  calls: "Calls: what clients get",
  attempts: "Attempts: what providers give",
  streams: "Streams",
  refusals: "Refusals",
  routing: "Circuit breakers",
  process: "The process",
}

export function metricsPage(table: Readonly<Record<string, Declared>>): string {
  const metrics = Object.values(table)
  const sections = Object.entries(SECTIONS).map(([about, title]) => {
    const rows = metrics.filter((metric) => metric.about === about).map(row)
    return `## ${title}\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n${rows.join("\n")}\n`
  })
  return `${INTRODUCTION}\n${sections.join("\n")}\n${edges(metrics)}\n${QUESTIONS}`
}

function row({ name, type, labels, help, convention }: Declared): string {
  const known = convention === undefined ? "" : ` OpenTelemetry: \`${convention}\`.`
  return `| \`${name}\` | ${type} | ${labels.map(quoted).join(", ")} | ${help}${known} |`
}

/** An objective that lies on an edge can be counted; between two it is guessed. */
function edges(metrics: readonly Declared[]): string {
  const lines = metrics.flatMap((metric) =>
    metric.type === "histogram" ? [`- \`${metric.name}\`: ${metric.buckets.join(", ")}`] : [],
  )
  return `## Edges of the histograms\n\n${lines.join("\n")}\n`
}

function quoted(name: string): string {
  return `\`${name}\``
}

const INTRODUCTION = `<!-- Made by \`npm run generate\` from packages/gateway/src/telemetry/metrics.ts: change it there. -->
# Metrics

\`GET /metrics\` answers in Prometheus' text format. It needs an admin key, as \`Authorization: Bearer\` or \`x-api-key\`:

\`\`\`yaml
# prometheus.yml
scrape_configs:
  - job_name: sluice
    authorization: { credentials_file: sluice-admin-key }
    static_configs: [{ targets: ["127.0.0.1:4000"] }]
\`\`\`

Names are those of OpenTelemetry's [conventions for generative AI](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/)
and [for Node.js](https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/) where these have one, as Prometheus
spells them. The conventions for generative AI are still in development; these are theirs of 2026. The rest begins with
\`sluice_\`, or is what every process tells Prometheus.

A **call** is a client's request, an **attempt** one try at a provider: a call has as many attempts as candidates were asked.
Calls, attempts, tokens and cost are counted when a call is settled, and agree with the ledger.
Counters begin at 0 when the process starts.

- \`gen_ai_provider_name\` is the provider's name in \`sluice.yaml\`; "" where nobody answered.
- \`gen_ai_request_model\` is, of an attempt, what its provider calls the model; of a call, what the client asked for: a name
  under \`models\`, or \`provider/model\`. \`gen_ai_response_model\` is the model that answered.
- \`error_type\` is "" where nothing went wrong, else the error's type as clients see it; a word that is not ours is \`_OTHER\`.
- \`ending\` is \`finished\`, \`failed\`, \`cancelled\` or \`interrupted\` (found without an ending at the next start).

No label holds a key or a project; the admin API's \`/admin/usage\` has what each of them used. A model has its name once it
has answered, or where \`sluice.yaml\` or the price table has it; what a client makes up is \`other\`, and so is what comes
after 500 models, or 250 of one provider. The simulator's models go without their script.
`

const QUESTIONS = `## What to ask

Calls a second, by what was asked for:

\`\`\`promql
sum by (gen_ai_request_model) (rate(sluice_calls_total[5m]))
\`\`\`

The share of calls that broke:

\`\`\`promql
sum(rate(sluice_calls_total{ending=~"failed|interrupted"}[5m])) / sum(rate(sluice_calls_total[5m]))
\`\`\`

The time to the first token that 95 of 100 calls keep to, by provider:

\`\`\`promql
histogram_quantile(0.95, sum by (le, gen_ai_provider_name) (rate(gen_ai_server_time_to_first_token_seconds_bucket[5m])))
\`\`\`

Tokens a second within a stream, on average:

\`\`\`promql
sum by (gen_ai_response_model) (rate(gen_ai_server_time_per_output_token_seconds_count[5m]))
  / sum by (gen_ai_response_model) (rate(gen_ai_server_time_per_output_token_seconds_sum[5m]))
\`\`\`

Tokens a minute, and the share of the input that came from the providers' caches:

\`\`\`promql
60 * sum by (gen_ai_token_type) (rate(gen_ai_client_token_usage_sum[5m]))
\`\`\`

\`\`\`promql
sum(rate(sluice_cached_input_tokens_total[1h])) / sum(rate(gen_ai_client_token_usage_sum{gen_ai_token_type="input"}[1h]))
\`\`\`

US dollars an hour, by model:

\`\`\`promql
sum by (gen_ai_provider_name, gen_ai_request_model) (increase(sluice_cost_usd_total[1h]))
\`\`\`

How many candidates a call needs; 1 is best:

\`\`\`promql
sum(rate(sluice_attempts_total[5m])) / sum(rate(sluice_calls_total[5m]))
\`\`\`

## What to be told of

\`\`\`yaml
# rules.yml
groups:
  - name: sluice
    rules:
      - alert: SluiceIsDown
        expr: up{job="sluice"} == 0
        for: 1m
      - alert: SluiceCannotKeepStreams # the disk is full or broken; new calls are refused
        expr: sluice_stream_log_writable == 0
        for: 1m
      - alert: SluiceCallsBreak
        expr: sum(rate(sluice_calls_total{ending=~"failed|interrupted"}[5m])) / sum(rate(sluice_calls_total[5m])) > 0.05
        for: 10m
      - alert: SluiceAnswersLate
        expr: histogram_quantile(0.95, sum by (le) (rate(gen_ai_server_time_to_first_token_seconds_bucket[5m]))) > 5
        for: 10m
      - alert: SluiceBreakerStaysOpen # a provider, a credential or a model is left alone
        expr: sum by (gen_ai_provider_name, credential, gen_ai_request_model) (sluice_breakers{state!="closed"}) > 0
        for: 10m
      - alert: SluiceLoopIsLate # the process has more to do than one core can
        expr: nodejs_eventloop_delay_p99_seconds > 0.1
        for: 5m
      - alert: SluiceSpendsUnseen # a model without a price: set one under \`prices\`
        expr: increase(sluice_unpriced_attempts_total[1h]) > 0
\`\`\`
`
