/** A client's body → the canonical request → the body for a provider, for each of the five systems. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Dialect } from "../src/dialects/dialect.ts"
import { atoma, dialects, openai, openrouter, orq, r9s } from "../src/dialects/index.ts"
import type { JsonObject } from "../src/json.ts"
import type { ChatRequest } from "../src/request.ts"

const USER = { role: "user" as const, content: "Hi" }

function freeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) freeze(member)
    Object.freeze(value)
  }
  return value
}

/** The request as each of our readers would hand it on, with members that the type does not know. */
function written(dialect: Dialect, more: JsonObject) {
  const body = freeze({ model: "m", messages: [USER], ...more })
  const { body: sent, dropped } = dialect.writeRequest(dialect.readRequest(body))
  return { sent: JSON.parse(JSON.stringify(sent)) as Record<string, unknown>, dropped: dropped.sort() }
}

// ── reading a client's ──

test("each dialect reads a body without changing it, keeps what it does not know, and follows no __proto__", () => {
  const text =
    '{"model":"m","messages":[{"role":"assistant","content":null,"reasoning_content":"t","__proto__":{"a":1},"x":2}],"unheard_of":{"__proto__":1},"temperature":1,"top_p":1,"__proto__":{"polluted":1}}'
  for (const dialect of Object.values(dialects)) {
    const body = freeze(JSON.parse(text) as JsonObject)
    const request = dialect.readRequest(body)
    assert.equal(JSON.stringify(body), text)
    assert.equal(Object.getPrototypeOf(request), Object.prototype)
    assert.equal(Object.getPrototypeOf(request.messages[0]), Object.prototype)
    assert.deepEqual(request.messages, [{ role: "assistant", content: null, x: 2, reasoning: "t" }])
    assert.ok("unheard_of" in request && !("polluted" in request))
    assert.equal(request.temperature, 1)
    assert.equal(request.top_p, 1)
  }
})

test("max_tokens and max_completion_tokens are read as sent, and a message's own reasoning beats its alias", () => {
  const request = openai.readRequest({
    messages: [{ role: "assistant", content: "a", reasoning: "own", reasoning_content: "alias" }],
    max_tokens: 5,
    max_completion_tokens: 6,
  })
  assert.equal(request.max_tokens, 5)
  assert.equal(request.max_completion_tokens, 6)
  assert.deepEqual(request.messages, [{ role: "assistant", content: "a", reasoning: "own" }])
})

test("orq: the older envelope is kept and hoisted, and the newer member wins", () => {
  const envelope = {
    name: "n",
    fallbacks: [{ model: "a" }],
    retry: { count: 2 },
    cache: { type: "exact_match" },
    load_balancer: { type: "weight_based" },
    timeout: { call_timeout: 5 },
    prompt: { id: "p" },
  }
  const body = freeze({ model: "m", messages: [USER], orq: envelope, retry: { count: 5 }, cache: null })
  const request: ChatRequest & { prompt?: unknown } = orq.readRequest(body)
  assert.deepEqual(request.orq, envelope)
  assert.deepEqual(request.fallbacks, envelope.fallbacks)
  assert.deepEqual(request.retry, { count: 5 })
  assert.deepEqual(request.cache, envelope.cache)
  assert.deepEqual(request.load_balancer, envelope.load_balancer)
  assert.deepEqual(request.timeout, envelope.timeout)
  assert.equal(request.name, "n")
  assert.equal(request.prompt, undefined)
})

test("usage is wanted by who asked for it, and always by OpenRouter's clients", () => {
  const asking: ChatRequest = { messages: [], stream_options: { include_usage: true } }
  const silent: ChatRequest = { messages: [], stream_options: null }
  for (const [name, dialect] of Object.entries(dialects)) {
    assert.equal(dialect.wantsUsage(asking), true)
    assert.equal(dialect.wantsUsage(silent), name === "openrouter")
  }
})

// ── writing a provider's ──

test("a stream always asks for usage, and a call that is not streamed has no stream options", () => {
  for (const dialect of Object.values(dialects)) {
    assert.deepEqual(written(dialect, { stream: true }).sent["stream_options"], { include_usage: true })
    const refusing = written(dialect, { stream: true, stream_options: { include_usage: false } })
    assert.deepEqual(refusing.sent["stream_options"], { include_usage: true })
    for (const stream of [false, undefined]) {
      const { sent, dropped } = written(dialect, { stream, stream_options: { include_usage: true } })
      assert.ok(!("stream_options" in sent))
      assert.deepEqual(dropped, [])
    }
  }
})

test("null members are left out, and nobody is told of a loss", () => {
  for (const dialect of Object.values(dialects)) {
    const { sent, dropped } = written(dialect, { temperature: null, provider: null, n: null, stop: null })
    assert.deepEqual(sent, { model: "m", messages: [USER] })
    assert.deepEqual(dropped, [])
  }
})

const OPENROUTERS = {
  provider: { order: ["a"] },
  plugins: [{ id: "web" }],
  preset: "p",
  models: ["a"],
  route: "fallback",
  transforms: ["middle-out"],
  session_id: "s",
  trace: {},
  debug: { echo_upstream_body: true },
  image_config: {},
  stop_server_tools_when: [{}],
  usage: { include: true },
}
const ORQS = {
  fallbacks: [{ model: "a" }],
  retry: { count: 1 },
  cache: { type: "exact_match" },
  load_balancer: {},
  timeout: { call_timeout: 1 },
  guardrails: [{}],
  orq: {},
  name: "n",
  variables: {},
}

test("a vendor's own members go to that vendor alone, and the others' lists say so", () => {
  for (const [name, dialect] of Object.entries(dialects)) {
    const { sent, dropped } = written(dialect, { ...OPENROUTERS, ...ORQS })
    const kept = name === "openrouter" ? OPENROUTERS : name === "orq" ? ORQS : {}
    const lost = Object.keys({ ...OPENROUTERS, ...ORQS }).filter((member) => !(member in kept))
    assert.deepEqual(sent, { model: "m", messages: [USER], ...kept }, name)
    assert.deepEqual(dropped, lost.sort(), name)
  }
})

test("members that nobody knows pass to OpenAI-compatible providers alone", () => {
  for (const [name, dialect] of Object.entries(dialects)) {
    const { sent, dropped } = written(dialect, { chat_template_kwargs: { a: 1 } })
    assert.equal("chat_template_kwargs" in sent, name === "openai")
    assert.deepEqual(dropped, name === "openai" ? [] : ["chat_template_kwargs"])
  }
})

/** What each system does not take of members that several others do. */
const REFUSED: Record<keyof typeof dialects, readonly string[]> = {
  openai: [],
  openrouter: ["n", "store", "functions", "function_call", "audio", "thinking"],
  r9s: [
    "functions",
    "function_call",
    "prediction",
    "verbosity",
    "min_p",
    "top_a",
    "thinking",
    "prompt_cache_key",
  ],
  atoma: [
    "logprobs",
    "top_logprobs",
    "metadata",
    "store",
    "top_k",
    "modalities",
    "audio",
    "reasoning_effort",
    "prediction",
  ],
  orq: ["user", "service_tier", "logit_bias", "store", "functions", "function_call", "prediction", "min_p"],
}
const VALUES: JsonObject = {
  n: 2,
  store: true,
  functions: [{ name: "f" }],
  function_call: "auto",
  audio: { voice: "alloy", format: "wav" },
  thinking: { type: "enabled" },
  prediction: { type: "content", content: "x" },
  verbosity: "low",
  min_p: 0.1,
  top_a: 0.1,
  top_k: 4,
  prompt_cache_key: "k",
  logprobs: true,
  top_logprobs: 2,
  metadata: { a: "b" },
  modalities: ["text"],
  reasoning_effort: "low",
  user: "u",
  service_tier: "auto",
  logit_bias: { "1": 2 },
}

test("what a system does not take is dropped and listed, and what it takes is sent as it was", () => {
  for (const [name, refused] of Object.entries(REFUSED) as [keyof typeof dialects, string[]][]) {
    for (const [member, value] of Object.entries(VALUES)) {
      const { sent, dropped } = written(dialects[name], { [member]: value })
      const isListed = dropped.includes(member)
      assert.equal(isListed, !(member in sent), `${name}: ${member}`)
      if (refused.includes(member)) assert.ok(isListed, `${name} took ${member}`)
      if (!isListed) assert.deepEqual(sent[member], value, `${name}: ${member}`)
    }
  }
})

test("atoma: stop becomes a list, max_tokens its newer name, developers the system, and silence a text", () => {
  const { sent, dropped } = written(atoma, {
    stop: "END",
    max_tokens: 7,
    tool_choice: "required",
    messages: [
      { role: "developer", content: "Be brief." },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "" } }],
      },
    ],
  })
  assert.deepEqual(sent["stop"], ["END"])
  assert.equal(sent["max_completion_tokens"], 7)
  assert.ok(!("max_tokens" in sent))
  assert.deepEqual(sent["messages"], [
    { role: "system", content: "Be brief." },
    {
      role: "assistant",
      content: "",
      tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "" } }],
    },
  ])
  assert.deepEqual(dropped, ["tool_choice"])
  assert.equal(written(atoma, { max_tokens: 7, max_completion_tokens: 9 }).sent["max_completion_tokens"], 9)
})

test("r9s: strict is taken out where it stands, and words outside its lists are dropped", () => {
  const { sent, dropped } = written(r9s, {
    tools: [
      { type: "function", function: { name: "f", strict: true }, cache_control: { type: "ephemeral" } },
    ],
    response_format: { type: "json_schema", json_schema: { name: "s", schema: {}, strict: true } },
    reasoning_effort: "xhigh",
    service_tier: "flex",
    messages: [
      { role: "developer", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] },
    ],
  })
  assert.deepEqual(sent, {
    model: "m",
    tools: [{ type: "function", function: { name: "f" } }],
    response_format: { type: "json_schema", json_schema: { name: "s", schema: {} } },
    messages: [{ role: "system", content: [{ type: "text", text: "a" }] }],
  })
  assert.deepEqual(dropped, [
    "messages[].content[].cache_control",
    "reasoning_effort",
    "response_format.json_schema.strict",
    "service_tier",
    "tools[].cache_control",
    "tools[].function.strict",
  ])
})

test("formats that only OpenRouter knows go nowhere else among the vendors", () => {
  const response_format = { type: "grammar", grammar: "g" }
  for (const [name, dialect] of Object.entries(dialects)) {
    const { dropped } = written(dialect, { response_format })
    assert.deepEqual(dropped, ["openai", "openrouter"].includes(name) ? [] : ["response_format"], name)
  }
})

test("OpenRouter's server tools stay at OpenRouter, and a choice among no tools is dropped with them", () => {
  const tools = [{ type: "openrouter:web_search" }]
  for (const [name, dialect] of Object.entries(dialects)) {
    const { sent, dropped } = written(dialect, { tools, tool_choice: "auto", parallel_tool_calls: true })
    if (name === "openrouter") assert.deepEqual(sent["tools"], tools)
    else {
      assert.deepEqual(sent, { model: "m", messages: [USER] }, name)
      assert.deepEqual(dropped, ["parallel_tool_calls", "tool_choice", "tools[].openrouter:web_search"], name)
    }
  }
})

test("reasoning is asked for in the system's words", () => {
  const reasoning = { effort: "high", max_tokens: 100 }
  for (const dialect of [openai, r9s, orq]) {
    const { sent, dropped } = written(dialect, { reasoning })
    assert.equal(sent["reasoning_effort"], "high")
    assert.deepEqual(dropped, ["reasoning.max_tokens"])
  }
  assert.deepEqual(written(openrouter, { reasoning }).sent["reasoning"], reasoning)
  const both = written(openrouter, { reasoning, reasoning_effort: "low" })
  assert.deepEqual(both.sent["reasoning"], reasoning)
  assert.deepEqual(both.dropped, ["reasoning_effort"])
  assert.deepEqual(
    written(openrouter, { reasoning: { max_tokens: 1 }, reasoning_effort: "low" }).sent["reasoning"],
    {
      max_tokens: 1,
      effort: "low",
    },
  )
  assert.deepEqual(written(atoma, { reasoning, reasoning_effort: "low" }).dropped, [
    "reasoning",
    "reasoning_effort",
  ])
})

test("an assistant's reasoning goes back under the system's name for it", () => {
  const messages = [
    { role: "assistant", content: "a", reasoning: "t", reasoning_details: [{ type: "reasoning.text" }] },
  ]
  const first = (dialect: Dialect) => {
    const { sent, dropped } = written(dialect, { messages })
    return { message: (sent["messages"] as unknown[])[0], dropped }
  }
  const details = "messages[].reasoning_details"
  for (const dialect of [openai, r9s, orq]) {
    assert.deepEqual(first(dialect), {
      message: { role: "assistant", content: "a", reasoning_content: "t" },
      dropped: [details],
    })
  }
  assert.deepEqual(first(openrouter), { message: messages[0], dropped: [] })
  assert.deepEqual(first(atoma), {
    message: { role: "assistant", content: "a" },
    dropped: ["messages[].reasoning", details],
  })
})

test("orq: thoughts that come as parts go back as they were there, and elsewhere as the message's reasoning", () => {
  const thoughts = [
    { type: "reasoning", reasoning: "First ", signature: "s" },
    { type: "redacted_reasoning", data: "d" },
    { type: "reasoning", reasoning: "this.", signature: "" },
  ]
  const said = { type: "text", text: "a" }
  const calls = [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }]
  const messages = [
    { role: "assistant", content: [...thoughts, said] },
    { role: "assistant", content: thoughts, tool_calls: calls },
    { role: "assistant", content: thoughts, reasoning: "own" },
    { role: "user", content: [said] },
  ]
  const at = (dialect: Dialect) => written(dialect, { messages })
  assert.deepEqual(at(orq), {
    sent: {
      model: "m",
      messages: messages.map(({ reasoning, ...message }) => ({
        ...message,
        ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
      })),
    },
    dropped: [],
  })
  const dropped = ["messages[].content[].redacted_reasoning", "messages[].content[].signature"]
  for (const [dialect, name] of [
    [openai, "reasoning_content"],
    [r9s, "reasoning_content"],
    [openrouter, "reasoning"],
  ] as const) {
    assert.deepEqual(at(dialect), {
      sent: {
        model: "m",
        messages: [
          { role: "assistant", content: [said], [name]: "First this." },
          { role: "assistant", content: null, tool_calls: calls, [name]: "First this." },
          { role: "assistant", content: null, [name]: "own" },
          { role: "user", content: [said] },
        ],
      },
      dropped,
    })
  }
  assert.deepEqual(at(atoma), {
    sent: {
      model: "m",
      messages: [
        { role: "assistant", content: [said] },
        { role: "assistant", content: "", tool_calls: calls },
        { role: "assistant", content: "" },
        { role: "user", content: [said] },
      ],
    },
    dropped: [...dropped, "messages[].reasoning"],
  })
})

test("two vendors' plugins are told apart by id", () => {
  const plugins = [{ id: "web" }, { id: "pii_redaction" }]
  const at = (dialect: Dialect) => written(dialect, { plugins })
  assert.deepEqual(at(openrouter), {
    sent: { model: "m", messages: [USER], plugins: [{ id: "web" }] },
    dropped: ["plugins[]"],
  })
  assert.deepEqual(at(orq).sent["plugins"], [{ id: "pii_redaction" }])
  assert.deepEqual(written(orq, { plugins: [{ id: "web" }] }).dropped, ["plugins"])
})

test("metadata that may hold only text loses the rest, by name", () => {
  const metadata = { a: "b", c: 1 }
  for (const dialect of [openrouter, orq]) {
    const { sent, dropped } = written(dialect, { metadata })
    assert.deepEqual(sent["metadata"], { a: "b" })
    assert.deepEqual(dropped, ["metadata.c"])
  }
  assert.deepEqual(written(r9s, { metadata }).sent["metadata"], metadata)
})

test("the parameters of a tool are free-form and arrive as they were", () => {
  const parameters = { type: "object", properties: { strict: { type: "null", default: null }, provider: {} } }
  for (const dialect of Object.values(dialects)) {
    const { sent } = written(dialect, { tools: [{ type: "function", function: { name: "f", parameters } }] })
    assert.deepEqual(sent["tools"], [{ type: "function", function: { name: "f", parameters } }])
  }
})
