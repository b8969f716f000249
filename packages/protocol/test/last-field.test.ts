/**
 * All that a system's own documents and SDKs know, in one request, one chunk and one answer each: between a client and
 * a provider of the same system nothing is lost, to the last field.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { atoma, openai, openrouter, orq, r9s } from "../src/dialects/index.ts"
import type { JsonObject } from "../src/json.ts"

const OF_ALL = {
  id: "x",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  system_fingerprint: "fp",
}
const TOKEN = {
  token: "a",
  logprob: -1,
  bytes: [97],
  top_logprobs: [{ token: "a", logprob: -1, bytes: [97] }],
}
const LOGPROBS = { content: [TOKEN], refusal: [TOKEN] }
const CALLED = { id: "c", type: "function", function: { name: "f", arguments: "{}" } }
const AUDIO = { id: "a", transcript: "t", data: "d", expires_at: 5 }
const COUNTS = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 }
const PROMPT = { cached_tokens: 1, audio_tokens: 2 }
const COMPLETION = {
  reasoning_tokens: 1,
  audio_tokens: 2,
  accepted_prediction_tokens: 3,
  rejected_prediction_tokens: 4,
}

interface Said {
  readonly speech: JsonObject & { readonly reasoning?: string; readonly reasoning_content?: string }
  readonly calls: readonly JsonObject[]
  readonly choice: JsonObject
  readonly envelope: JsonObject
  readonly usage: JsonObject
}

const ANSWERS: Readonly<Record<string, Said>> = {
  openai: {
    speech: {
      role: "assistant",
      content: "c",
      refusal: "r",
      audio: AUDIO,
      annotations: [{ type: "url_citation" }],
      function_call: { name: "f", arguments: "" },
    },
    calls: [CALLED],
    choice: { logprobs: LOGPROBS },
    envelope: { service_tier: "default" },
    usage: { ...COUNTS, prompt_tokens_details: PROMPT, completion_tokens_details: COMPLETION },
  },
  openrouter: {
    speech: {
      role: "assistant",
      content: "c",
      refusal: "r",
      reasoning: "t",
      reasoning_details: [
        { type: "reasoning.summary", summary: "s", id: "i", format: "openai-responses-v1", index: 0 },
        { type: "reasoning.encrypted", data: "d" },
        { type: "reasoning.text", text: "t", signature: "s" },
        { type: "reasoning.text", text: null, signature: "s", id: null },
        {
          type: "reasoning.server_tool_call",
          tool_name: "n",
          arguments: "a",
          result: "r",
          tool_call_id: "i",
        },
      ],
      audio: AUDIO,
      images: [{ type: "image_url", image_url: { url: "u" } }],
      annotations: [{ type: "url_citation", url_citation: { url: "u" } }],
    },
    calls: [CALLED],
    choice: { native_finish_reason: "end_turn", logprobs: LOGPROBS },
    envelope: {
      service_tier: "flex",
      provider: "P",
      debug: { echo_upstream_body: { a: 1 } },
      openrouter_metadata: {
        requested: "a",
        strategy: "direct",
        region: null,
        summary: "s",
        attempt: 1,
        is_byok: false,
        endpoints: { total: 1, available: [{ provider: "p", model: "m", selected: true }] },
        attempts: [{ provider: "p", model: "m", status: 200 }],
        params: { quality_floor: 1 },
        pipeline: [{ type: "t", name: "n" }],
      },
    },
    usage: {
      ...COUNTS,
      prompt_tokens_details: { ...PROMPT, cache_write_tokens: 3, video_tokens: 4 },
      completion_tokens_details: { ...COMPLETION, image_tokens: 6 },
      cost: 0.1,
      cost_details: {
        upstream_inference_cost: 0.2,
        upstream_inference_prompt_cost: 0.1,
        upstream_inference_completions_cost: 0.1,
      },
      is_byok: true,
      server_tool_use_details: { web_search_requests: 1, tool_calls_requested: 2, tool_calls_executed: 3 },
    },
  },
  r9s: {
    speech: { role: "assistant", content: "c", reasoning_content: "t" },
    calls: [CALLED],
    choice: { logprobs: LOGPROBS },
    envelope: {},
    usage: { ...COUNTS, prompt_tokens_details: PROMPT, completion_tokens_details: COMPLETION },
  },
  atoma: {
    speech: {
      role: "assistant",
      content: "c",
      reasoning_content: "t",
      function_call: { name: "f", arguments: "" },
    },
    calls: [CALLED],
    choice: { stop_reason: { Int: 4 }, logprobs: LOGPROBS },
    envelope: { service_tier: "x" },
    usage: { ...COUNTS, prompt_tokens_details: PROMPT },
  },
  orq: {
    speech: {
      role: "assistant",
      content: "c",
      refusal: "r",
      reasoning: "t",
      reasoning_signature: "s",
      redacted_reasoning: "rr",
      audio: AUDIO,
    },
    calls: [{ ...CALLED, thought_signature: "ts" }],
    choice: { logprobs: LOGPROBS },
    envelope: {},
    usage: {
      ...COUNTS,
      prompt_tokens_details: { ...PROMPT, cache_creation_tokens: 7 },
      completion_tokens_details: COMPLETION,
    },
  },
}

for (const dialect of [openai, openrouter, r9s, atoma, orq]) {
  const { speech, calls, choice, envelope, usage } = ANSWERS[dialect.name]!
  const ending = { index: 0, finish_reason: "stop", ...choice }
  const reasoning = speech.reasoning ?? speech.reasoning_content
  // The one thing that is added: each client reads one of the two names.
  const both = reasoning === undefined ? {} : { reasoning, reasoning_content: reasoning }

  test(`${dialect.name}: a chunk of its provider comes out whole for its clients`, () => {
    const toolCalls = calls.map((call) => ({ index: 0, ...call }))
    const said = { ...OF_ALL, ...envelope, usage }
    const chunkWith = (more: object) => ({
      ...said,
      choices: [{ ...ending, delta: { ...speech, ...more, tool_calls: toolCalls } }],
    })
    const read = dialect.createChunkReader()(chunkWith({}))
    assert.ok(read.type === "chunk" && read.flags === undefined)
    assert.deepEqual(overTheWire(dialect.createChunkWriter()(read.chunk)), chunkWith(both))
  })

  test(`${dialect.name}: a whole answer of its provider comes out whole for its clients`, () => {
    const said = { ...OF_ALL, ...envelope, object: "chat.completion", usage }
    const completionWith = (more: object) => ({
      ...said,
      choices: [{ ...ending, message: { ...speech, ...more, tool_calls: calls } }],
    })
    const read = dialect.readCompletion(completionWith({}))
    assert.ok(read.type === "completion" && read.flags === undefined)
    assert.deepEqual(overTheWire(dialect.writeCompletion(read.completion)), completionWith(both))
  })
}

const ASKED_OF_ALL = {
  model: "m",
  frequency_penalty: 1,
  presence_penalty: 1,
  max_completion_tokens: 6,
  seed: 1,
  temperature: 1,
  top_p: 1,
  parallel_tool_calls: true,
  stream: true,
  stream_options: { include_usage: true },
}
const PARTS = [
  { type: "text", text: "a" },
  { type: "image_url", image_url: { url: "u", detail: "low" } },
]
const MORE_PARTS = [
  { type: "input_audio", input_audio: { data: "d", format: "mp3" } },
  { type: "file", file: { file_data: "d", filename: "f" } },
]
const EPHEMERAL = { type: "ephemeral" }
const FUNCTION = { name: "f", description: "d", parameters: { type: "object" } }
const formatOf = (more: object) => ({
  type: "json_schema",
  json_schema: { name: "n", description: "d", schema: {}, ...more },
})
const OUTCOME = { role: "tool", content: "x", tool_call_id: "c" }

const REQUESTS: Readonly<Record<string, JsonObject>> = {
  openrouter: {
    tools: [
      { type: "function", function: { ...FUNCTION, strict: true }, cache_control: EPHEMERAL },
      { type: "openrouter:web_search", parameters: { max_results: 1 } },
    ],
    tool_choice: "required",
    response_format: formatOf({ strict: true }),
    stop: "a",
    max_tokens: 5,
    models: ["a"],
    provider: { order: ["x"] },
    plugins: [{ id: "web" }],
    preset: "p",
    route: "fallback",
    cache_control: EPHEMERAL,
    debug: { echo_upstream_body: true },
    repetition_penalty: 1,
    image_config: { a: 1 },
    logit_bias: { a: 1 },
    logprobs: true,
    top_logprobs: 2,
    metadata: { a: "b" },
    min_p: 0.1,
    top_a: 0.1,
    top_k: 3,
    modalities: ["text", "image"],
    prediction: { type: "content", content: "x" },
    prompt_cache_key: "k",
    prompt_cache_options: { mode: "explicit" },
    reasoning: { effort: "low", summary: "auto", max_tokens: 9, exclude: true, enabled: true },
    include_reasoning: true,
    service_tier: "flex",
    session_id: "s",
    stop_server_tools_when: [{ type: "step_count_is" }],
    structured_outputs: true,
    trace: { trace_id: "t" },
    transforms: ["middle-out"],
    usage: { include: true },
    user: "u",
    verbosity: "low",
    web_search_options: { search_context_size: "low" },
    messages: [
      { role: "developer", content: "s", name: "n" },
      {
        role: "user",
        content: [
          { ...PARTS[0], cache_control: EPHEMERAL, prompt_cache_breakpoint: true },
          PARTS[1],
          ...MORE_PARTS,
          { type: "video_url", video_url: { url: "u" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        name: "n",
        model: "m",
        reasoning: "t",
        reasoning_details: [{ type: "reasoning.text", text: "t", signature: "s" }],
        refusal: "r",
        tool_calls: [CALLED],
        audio: { id: "a" },
        images: [{ type: "image_url", image_url: { url: "u" } }],
      },
      { ...OUTCOME, content: PARTS },
    ],
  },
  r9s: {
    tools: [{ type: "function", function: FUNCTION }],
    tool_choice: { type: "function", function: { name: "f" } },
    response_format: formatOf({}),
    stop: "a",
    max_tokens: 5,
    logit_bias: { a: 1 },
    logprobs: true,
    top_logprobs: 2,
    n: 2,
    modalities: ["text"],
    audio: { voice: "alloy", format: "mp3" },
    service_tier: "auto",
    top_k: 3,
    user: "u",
    reasoning_effort: "low",
    store: true,
    metadata: { a: 1 },
    messages: [
      { role: "system", content: "s", name: "n" },
      { role: "user", content: PARTS, name: "n" },
      { role: "assistant", content: null, name: "n", reasoning_content: "t", tool_calls: [CALLED] },
      OUTCOME,
    ],
  },
  atoma: {
    tools: [{ type: "function", function: { ...FUNCTION, strict: true } }],
    tool_choice: "auto",
    response_format: formatOf({ strict: true }),
    stop: ["a"],
    logit_bias: { a: 1 },
    n: 2,
    service_tier: "x",
    user: "u",
    functions: [{ name: "f" }],
    function_call: "auto",
    messages: [
      { role: "system", content: "s", name: "n" },
      { role: "user", content: PARTS, name: "n" },
      { role: "assistant", content: "a", name: "n", refusal: "r", tool_calls: [CALLED] },
      OUTCOME,
    ],
  },
  orq: {
    tools: [{ type: "function", function: { ...FUNCTION, strict: true } }],
    tool_choice: "required",
    response_format: formatOf({ strict: true }),
    stop: "a",
    max_tokens: 5,
    metadata: { a: "b" },
    name: "n",
    audio: { voice: "alloy", format: "wav" },
    logprobs: true,
    top_logprobs: 2,
    n: 2,
    reasoning_effort: "max",
    verbosity: "low",
    thinking: { type: "enabled", budget_tokens: 5 },
    top_k: 2,
    modalities: ["text"],
    web_search_options: { enabled: true },
    guardrails: [{ id: "orq_pii_detection", execute_on: "input" }],
    plugins: [{ id: "pii_redaction" }],
    fallbacks: [{ model: "a" }],
    retry: { count: 1 },
    cache: { type: "exact_match" },
    load_balancer: { type: "weight_based", models: [] },
    timeout: { call_timeout: 5 },
    variables: { a: 1 },
    cache_control: EPHEMERAL,
    prompt_cache_key: "k",
    orq: { prompt: { id: "p", version: "latest" }, thread: { id: "t" }, inputs: {}, knowledge_bases: [] },
    messages: [
      { role: "developer", content: [{ ...PARTS[0], cache_control: EPHEMERAL }], name: "n" },
      { role: "user", content: [...PARTS, ...MORE_PARTS], cache_control: EPHEMERAL },
      {
        role: "assistant",
        content: [
          { type: "text", text: "a" },
          { type: "refusal", refusal: "r" },
          { type: "reasoning", reasoning: "t", signature: "s" },
          { type: "redacted_reasoning", data: "d" },
        ],
        refusal: "r",
        name: "n",
        audio: { id: "a" },
        reasoning_content: "t",
        reasoning_signature: "s",
        redacted_reasoning: "r",
        tool_calls: [{ ...CALLED, thought_signature: "ts" }],
      },
      OUTCOME,
    ],
  },
}

for (const dialect of [openrouter, r9s, atoma, orq]) {
  test(`${dialect.name}: all that its clients can ask reaches its provider`, () => {
    const asked = { ...ASKED_OF_ALL, ...REQUESTS[dialect.name] }
    const { body, dropped } = dialect.writeRequest(dialect.readRequest(asked))
    assert.deepEqual(overTheWire(body), asked)
    assert.deepEqual(dropped, [])
  })
}

test("a search that is switched on goes to Orq alone, and one that is described to the others", () => {
  const asked = (web_search_options: JsonObject) => ({ ...ASKED_OF_ALL, messages: [], web_search_options })
  const takers = (options: JsonObject) =>
    [openai, openrouter, orq].filter(
      (dialect) => "web_search_options" in dialect.writeRequest(dialect.readRequest(asked(options))).body,
    )
  assert.deepEqual(takers({ enabled: true }), [orq])
  assert.deepEqual(takers({ search_context_size: "low" }), [openai, openrouter])
})

function overTheWire(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
