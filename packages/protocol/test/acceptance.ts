/**
 * The measured rows that a validator can see: a scenario, the value it makes, and which builds took it, one sign a
 * build in the order of BUILDS: `+` taken, `-` thrown. Rows about bytes (line ends, coalescing, `[DONE]`) belong to
 * the encoder's tests.
 */
export interface Row {
  readonly scenario: string
  readonly value: unknown
  readonly taken: string
}

type Members = Record<string, unknown>

const ALL = "+++++++++"
const NONE = "---------"

function base(change: { chunk?: Members; choice?: Members; delta?: Members } = {}): Members {
  return settle({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1700000000,
    model: "m/x",
    choices: [
      settle({
        index: 0,
        delta: settle({ role: "assistant", content: "Hi", ...change.delta }),
        finish_reason: null,
        ...change.choice,
      }),
    ],
    ...change.chunk,
  })
}

/** A member that is undefined is one that was never sent. */
function settle(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

const chunk = (scenario: string, change: Members, taken: string): Row => ({
  scenario,
  value: base({ chunk: change }),
  taken,
})
const choice = (scenario: string, change: Members, taken: string): Row => ({
  scenario,
  value: base({ choice: change }),
  taken,
})
const delta = (scenario: string, change: Members, taken: string): Row => ({
  scenario,
  value: base({ delta: change }),
  taken,
})
const bare = (scenario: string, value: unknown, taken: string): Row => ({ scenario, value, taken })
const tool = (scenario: string, call: unknown, taken: string): Row =>
  delta(scenario, { tool_calls: [call] }, taken)
const usage = (scenario: string, change: unknown, taken: string): Row =>
  chunk(scenario, { choices: [], usage: change }, taken)

const TOKENS = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }
const CALL = { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } }
const TOKEN = {
  token: "a",
  logprob: -0.1,
  bytes: [97],
  top_logprobs: [{ token: "a", logprob: -0.1, bytes: [97] }],
}
const METADATA = {
  requested: "m",
  strategy: "direct",
  region: null,
  summary: "s",
  attempt: 1,
  is_byok: false,
  endpoints: { total: 1, available: [{ provider: "p", model: "m", selected: true }] },
}

const COST = {
  upstream_inference_cost: 0.1,
  upstream_inference_prompt_cost: 0.05,
  upstream_inference_completions_cost: 0.05,
}

export const CHUNK_ROWS: readonly Row[] = [
  bare("base", base(), ALL),
  chunk("usage=null", { usage: null }, "++--+++++"),
  usage("usage basic, choices[]", TOKENS, ALL),
  chunk("usage on content chunk", { usage: TOKENS }, ALL),
  usage("usage ptd{cached} only", { ...TOKENS, prompt_tokens_details: { cached_tokens: 0 } }, "+++++-+++"),
  usage(
    "usage ptd{cached,audio} ctd{4}",
    {
      ...TOKENS,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    ALL,
  ),
  usage("usage ptd{}", { ...TOKENS, prompt_tokens_details: {} }, "+++++-+++"),
  usage(
    "usage ptd null ctd null",
    { ...TOKENS, prompt_tokens_details: null, completion_tokens_details: null },
    ALL,
  ),
  usage(
    "usage ptd members null",
    { ...TOKENS, prompt_tokens_details: { cached_tokens: null, audio_tokens: null } },
    "++--+-+++",
  ),
  usage("usage ctd members null", { ...TOKENS, completion_tokens_details: { reasoning_tokens: null } }, ALL),
  usage("usage cost OR fields", { ...TOKENS, cost: 0.1, is_byok: false }, ALL),
  usage(
    "usage cost_details partial",
    { ...TOKENS, cost: 0.1, cost_details: { upstream_inference_cost: 0.1 } },
    "+++-+++++",
  ),
  usage("usage float tokens", { prompt_tokens: 9.5, completion_tokens: 12.5, total_tokens: 22 }, "+++---+++"),
  usage("usage missing total", { prompt_tokens: 9, completion_tokens: 12 }, "++----+++"),
  usage("usage {}", {}, "++----+++"),
  usage(
    "usage tokens null",
    { prompt_tokens: null, completion_tokens: null, total_tokens: null },
    "++----++-",
  ),
  usage(
    "usage tokens strings",
    { prompt_tokens: "9", completion_tokens: "1", total_tokens: "10" },
    "++----++-",
  ),
  choice("finish omitted", { finish_reason: undefined }, "+++-++---"),
  ...["tool_calls", "length", "content_filter", "function_call"].map((word) =>
    choice(`finish="${word}"`, { finish_reason: word }, ALL),
  ),
  ...["error", "STOP", "", "eos_token"].map((word) =>
    choice(`finish="${word}"`, { finish_reason: word }, "++++++---"),
  ),
  chunk("sysfp null", { system_fingerprint: null }, "+++-+++++"),
  chunk("sysfp str", { system_fingerprint: "fp_1" }, ALL),
  chunk("service_tier null", { service_tier: null }, "++++-++++"),
  chunk("service_tier str", { service_tier: "default" }, ALL),
  choice("logprobs null", { logprobs: null }, ALL),
  choice("logprobs full", { logprobs: { content: [TOKEN], refusal: null } }, ALL),
  choice("logprobs no refusal key", { logprobs: { content: [TOKEN] } }, "++-+++++-"),
  choice("logprobs content null", { logprobs: { content: null, refusal: null } }, ALL),
  choice(
    "logprobs no top_logprobs",
    { logprobs: { content: [{ token: "a", logprob: -0.1, bytes: [97] }], refusal: null } },
    "++--+-++-",
  ),
  choice("logprobs bytes null", { logprobs: { content: [{ ...TOKEN, bytes: null }], refusal: null } }, ALL),
  choice(
    "logprobs no bytes",
    { logprobs: { content: [{ token: "a", logprob: -0.1, top_logprobs: [] }], refusal: null } },
    "++--++++-",
  ),
  choice("logprobs {}", { logprobs: {} }, "++--++++-"),
  choice("delta {}", { delta: {} }, ALL),
  choice("delta missing", { delta: undefined }, NONE),
  choice("delta null", { delta: null }, NONE),
  delta("content null", { content: null }, ALL),
  delta("role=null", { role: null }, "++--++++-"),
  ...["", "tool", "user", "developer"].map((role) => delta(`role="${role}"`, { role }, "++--++---")),
  tool("tool first full", CALL, ALL),
  tool("tool cont {index,fn.args}", { index: 0, function: { arguments: "{" } }, "+++++-+++"),
  tool(
    "tool cont {index,id,type,fn.args}",
    { index: 0, id: "call_1", type: "function", function: { arguments: "{" } },
    ALL,
  ),
  tool(
    'tool cont {index,id="",type,fn.args}',
    { index: 0, id: "", type: "function", function: { arguments: "{" } },
    ALL,
  ),
  tool("tool cont {index,id,type} no fn", { index: 0, id: "call_1", type: "function" }, "--+++++++"),
  tool("tool id null", { ...CALL, id: null }, "++--+-++-"),
  tool("tool type null", { ...CALL, type: null }, "++--+-++-"),
  tool("tool fn.name null", { ...CALL, function: { name: null, arguments: "" } }, "++--++++-"),
  tool('tool fn.name ""', { ...CALL, function: { name: "", arguments: "" } }, ALL),
  tool("tool fn.arguments null", { ...CALL, function: { name: "f", arguments: null } }, "++--++++-"),
  tool("tool fn null", { ...CALL, function: null }, "----++++-"),
  tool(
    "tool no index",
    { id: "call_1", type: "function", function: { name: "f", arguments: "" } },
    "++--+-+++",
  ),
  tool("tool type custom", { index: 0, id: "call_1", type: "custom", custom: { name: "f" } }, "----++---"),
  delta("tool_calls null", { tool_calls: null }, "++--++++-"),
  delta("tool_calls []", { tool_calls: [] }, ALL),
  delta("refusal null", { refusal: null }, ALL),
  delta("reasoning str", { reasoning: "t" }, ALL),
  delta("reasoning null", { reasoning: null }, "++++++++-"),
  delta("reasoning_content str", { reasoning_content: "t" }, ALL),
  delta("reasoning_content null", { reasoning_content: null }, ALL),
  delta("both reasoning+_content", { reasoning: "t", reasoning_content: "t" }, ALL),
  delta("reasoning_details text", { reasoning_details: [{ type: "reasoning.text", text: "t" }] }, ALL),
  delta("reasoning_details unknown", { reasoning_details: [{ type: "reasoning.new" }] }, "++-++++++"),
  delta("reasoning_details null", { reasoning_details: null }, "++--+++++"),
  delta("reasoning_signature/redacted", { reasoning_signature: "s", redacted_reasoning: "r" }, ALL),
  delta("reasoning_signature null", { reasoning_signature: null }, "++++++++-"),
  delta("audio null", { audio: null }, "+++-+++++"),
  delta("audio obj", { audio: { id: "a", data: "d", transcript: "t", expires_at: 1 } }, ALL),
  delta("images/annotations extras", { images: [{}], annotations: [{}] }, ALL),
  delta("function_call legacy delta", { function_call: { name: "f", arguments: "{}" } }, ALL),
  bare(
    "unknown extras everywhere",
    base({ chunk: { foo: 1 }, choice: { foo: { a: 1 } }, delta: { foo: [1] } }),
    ALL,
  ),
  chunk("created float", { created: 1700000000.5 }, "+++---+++"),
  chunk("created string", { created: "1700000000" }, "++----++-"),
  chunk("created missing", { created: undefined }, "++----+--"),
  chunk("created null", { created: null }, "++----+--"),
  chunk("created 0", { created: 0 }, ALL),
  chunk("object missing", { object: undefined }, "++-------"),
  chunk('object ""', { object: "" }, "-+--++---"),
  chunk("object chat.completion", { object: "chat.completion" }, "-+--++---"),
  chunk("id missing", { id: undefined }, "++----+--"),
  chunk("id null", { id: null }, "++----+--"),
  chunk('id ""', { id: "" }, ALL),
  chunk("model missing", { model: undefined }, "++----+--"),
  chunk("model null", { model: null }, "++----+--"),
  chunk("choices []", { choices: [] }, ALL),
  chunk("choices missing", { choices: undefined }, NONE),
  chunk("choices null", { choices: null }, NONE),
  choice("index missing", { index: undefined }, "++----+++"),
  bare(
    "error OR unified int code",
    base({ chunk: { error: { code: 502, message: "m" } }, choice: { finish_reason: "error" } }),
    "++++++---",
  ),
  chunk("error int code, finish null", { error: { code: 502, message: "m" } }, ALL),
  bare(
    "error string code",
    base({ chunk: { error: { code: "x", message: "m" } }, choice: { finish_reason: "error" } }),
    "++--++---",
  ),
  bare(
    "error string code, finish stop",
    base({ chunk: { error: { code: "x", message: "m" } }, choice: { finish_reason: "stop" } }),
    "++--+++++",
  ),
  chunk("error null", { error: null }, "++--+++++"),
  chunk("error obj, choices []", { choices: [], error: { code: 502, message: "m" } }, ALL),
  bare("bare {error:{message,type,code}}", { error: { message: "m", type: "t", code: "c" } }, NONE),
  bare("bare {error:{code:500,message}}", { error: { code: 500, message: "m" } }, NONE),
  bare("bare {}", {}, NONE),
  bare("bare []", [], NONE),
  bare(
    "error.metadata OR",
    base({
      chunk: { error: { code: 502, message: "m", metadata: { error_type: "provider_unavailable" } } },
      choice: { finish_reason: "error" },
    }),
    "++++++---",
  ),
  chunk(
    "error.metadata {provider_name,raw}",
    { error: { code: 502, message: "m", metadata: { provider_name: "p", raw: "r" } } },
    "+++-+++++",
  ),
  choice("stop_reason=null", { stop_reason: null }, ALL),
  choice('stop_reason="</s>"', { stop_reason: "</s>" }, "+++++-+++"),
  choice("stop_reason=128009", { stop_reason: 128009 }, "+++++-+++"),
  choice("stop_reason={String}", { stop_reason: { String: "</s>" } }, ALL),
  choice("stop_reason={Int}", { stop_reason: { Int: 1 } }, ALL),
  chunk("openrouter_metadata ok", { openrouter_metadata: METADATA }, ALL),
  chunk(
    "index 1, two choices",
    { choices: [0, 1].map((index) => ({ index, delta: { content: "Hi" }, finish_reason: null })) },
    ALL,
  ),
  chunk("o.debug chunk first", { choices: [], debug: { echo_upstream_body: { model: "m" } } }, ALL),
  bare(
    "o.provider+native_finish_reason",
    base({ chunk: { provider: "p" }, choice: { finish_reason: "stop", native_finish_reason: "STOP" } }),
    ALL,
  ),
  usage("o.usage full superset", { ...TOKENS, cost: 0.1, cost_details: COST, is_byok: false }, ALL),
  chunk(
    "o.openrouter_metadata on usage chunk",
    { choices: [], usage: TOKENS, openrouter_metadata: METADATA },
    ALL,
  ),
  chunk("openrouter_metadata {}", { openrouter_metadata: {} }, "+++-+++++"),
]

function whole(change: { completion?: Members; choice?: Members; message?: Members } = {}): Members {
  return settle({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1700000000,
    model: "m/x",
    system_fingerprint: null,
    choices: [
      settle({
        index: 0,
        message: settle({ role: "assistant", content: "Hi", ...change.message }),
        finish_reason: "stop",
        logprobs: null,
        ...change.choice,
      }),
    ],
    usage: TOKENS,
    ...change.completion,
  })
}

export const COMPLETION_ROWS: readonly Row[] = [
  bare("n.full sysfp null", whole(), ALL),
  bare("n.sysfp missing", whole({ completion: { system_fingerprint: undefined } }), "+++-+++++"),
  bare("n.finish null", whole({ choice: { finish_reason: null } }), "--+++++++"),
  bare("n.finish missing", whole({ choice: { finish_reason: undefined } }), "--+-++---"),
  bare("n.content null", whole({ message: { content: null } }), "++++-++++"),
  bare("n.refusal null, reasoning null", whole({ message: { refusal: null, reasoning: null } }), ALL),
  bare("n.tool_calls null", whole({ message: { tool_calls: null } }), "++--+-++-"),
  bare(
    "n.tool_calls full",
    whole({
      message: {
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      choice: { finish_reason: "tool_calls" },
    }),
    "++++-++++",
  ),
  bare(
    "n.usage ptd{cached} only",
    whole({ completion: { usage: { ...TOKENS, prompt_tokens_details: { cached_tokens: 0 } } } }),
    "+++++-+++",
  ),
  bare("n.usage missing", whole({ completion: { usage: undefined } }), ALL),
  bare("n.usage null", whole({ completion: { usage: null } }), "++--+++++"),
  bare("n.object chunk", whole({ completion: { object: "chat.completion.chunk" } }), "----++---"),
  bare("n.annotations", whole({ message: { annotations: [] } }), ALL),
]

export interface ErrorRow extends Row {
  readonly status: number
}

const openaiBody = { error: { message: "m", type: "t", param: null, code: "x" } }
const failed = (status: number, scenario: string, value: unknown, taken: string): ErrorRow => ({
  status,
  scenario: `${status} ${scenario}`,
  value,
  taken,
})

/** Taken means: an error that says what happened. Thrown means: one that speaks of validation, syntax or reading. */
export const ERROR_ROWS: readonly ErrorRow[] = [
  ...[400, 401, 402, 404, 408, 413, 422, 429, 500, 502, 503, 524, 529].map((status) =>
    failed(status, "openai", openaiBody, "++--+++++"),
  ),
  failed(403, "openai", openaiBody, "+++-+++++"),
  ...[409, 423, 425, 504].map((status) => failed(status, "openai", openaiBody, ALL)),
  ...[400, 401, 402, 403, 404, 408, 409, 413, 422, 423, 425, 429, 500, 502, 503, 504, 524, 529].map(
    (status) => failed(status, "openrouter", { error: { code: status, message: "m" } }, ALL),
  ),
  failed(400, "r9s status int", { ...openaiBody, status: 400 }, "----+++++"),
  failed(400, "r9s status str", { ...openaiBody, status: "400" }, "++--+++++"),
  failed(400, "union int code+type", { error: { code: 400, message: "m", type: "t" } }, ALL),
  failed(
    400,
    "openai code null",
    { error: { message: "m", type: "t", param: null, code: null } },
    "++--+++++",
  ),
  failed(400, "openai no code", { error: { message: "m", type: "t", param: null } }, "++--+++++"),
  failed(400, "atoma", { error: { code: "REQUEST_ERROR", message: "m" } }, "++--+++++"),
  failed(400, "{error:str}", { error: "m" }, "----+++++"),
  failed(400, "{message}", { message: "m" }, "----+++++"),
  failed(400, "empty body", undefined, "----++--+"),
  failed(
    404,
    "openrouter availability no code",
    { error: { message: "m", error_type: "no_endpoints", http_status: 404 } },
    "++--+++++",
  ),
  failed(
    400,
    "superset",
    { error: { message: "m", type: "t", param: null, code: 400, metadata: { error_type: "x" } } },
    ALL,
  ),
]
