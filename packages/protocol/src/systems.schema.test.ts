import assert from "node:assert/strict"
import test from "node:test"
import { requestSchema } from "./systems.schema.ts"
import { explain } from "./values.schema.ts"

const systems = ["openai", "openrouter", "r9s", "atoma", "orq"] as const
type System = (typeof systems)[number]
const body = { model: "sim/story", messages: [{ role: "user", content: "Hi" }] }

/** The sentence of refusal, or `undefined` where the body passes. */
function refusal(system: System, more: object): string | undefined {
  const { error } = requestSchema(system).safeParse({ ...body, ...more })
  return error && explain(error).message
}

test("the smallest request passes in every system", () => {
  for (const system of systems) assert.equal(refusal(system, {}), undefined)
})

test("a refusal names the member and says what was expected and what came", () => {
  const sentences: [object, string, string][] = [
    [{ temperature: "1" }, "temperature", 'temperature must be a number, got "1".'],
    [{ model: undefined }, "model", "model is required and must be a string."],
    [{ messages: [] }, "messages", "messages must hold at least one message."],
    [{ messages: "Hi" }, "messages", 'messages must be an array, got "Hi".'],
    [{ messages: [3] }, "messages[0]", "messages[0] must be an object, got 3."],
    [
      { messages: [...body.messages, { role: "robot" }] },
      "messages[1].role",
      'messages[1].role must be one of "system", "developer", "user", "assistant", "tool", "function", got "robot".',
    ],
    [
      { messages: [{ role: "user" }] },
      "messages[0].content",
      "messages[0].content is required and must be a string or an array of content parts.",
    ],
    [
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }] },
      "messages[0].content[0].image_url.url",
      "messages[0].content[0].image_url.url is required and must be a string.",
    ],
    [
      { messages: [{ role: "user", content: [{ type: "text" }] }] },
      "messages[0].content[0].text",
      "messages[0].content[0].text is required in a part of this type.",
    ],
    [
      { messages: [{ role: "assistant", tool_calls: [{ id: "call_1", type: "function", function: {} }] }] },
      "messages[0].tool_calls[0].function.name",
      "messages[0].tool_calls[0].function.name is required and must be a string.",
    ],
    [
      { tools: [{ type: "function" }] },
      "tools[0].function",
      "tools[0].function is required and must be an object.",
    ],
    [{ stop: ["a", 1] }, "stop[1]", "stop[1] must be a string, got 1."],
    [{ logit_bias: { "50256": "x" } }, "logit_bias.50256", 'logit_bias.50256 must be a number, got "x".'],
    [
      { tool_choice: "maybe" },
      "tool_choice",
      'tool_choice must be one of "none", "auto", "required" or an object naming a tool, got "maybe".',
    ],
    [
      { response_format: { type: "json_schema" } },
      "response_format.json_schema",
      "response_format.json_schema is required and must be an object.",
    ],
  ]
  for (const [more, param, message] of sentences) {
    const { error } = requestSchema("openai").safeParse({ ...body, ...more })
    assert.deepEqual(error && explain(error), { param, message })
  }
  const { error } = requestSchema("openai").safeParse([])
  assert.deepEqual(error && explain(error), {
    param: "",
    message: "The body must be an object, got an array.",
  })
})

test("a refusal does not repeat what may be a prompt", () => {
  const secret = "my key is sk-0123456789 and my dog's name is Rex"
  assert.equal(
    refusal("openai", { temperature: secret }),
    "temperature must be a number, got another string.",
  )
})

test("sampling values of the right type are the provider's to judge", () => {
  for (const system of systems) {
    assert.equal(refusal(system, { temperature: 3, top_p: -1, max_tokens: 0, top_logprobs: 99 }), undefined)
  }
})

test("n above 128, integers beyond 2^53 and numbers that are none are refused everywhere", () => {
  for (const system of systems) {
    assert.equal(refusal(system, { n: 128 }), undefined)
    assert.equal(refusal(system, { n: 129 }), "n must be at most 128, got 129.")
    assert.equal(refusal(system, { seed: 2 ** 53 - 1 }), undefined)
    assert.match(refusal(system, { seed: 2 ** 53 }) ?? "", /^seed must be .*, got an integer beyond 2\^53\.$/)
    assert.match(refusal(system, { max_tokens: 1e300 }) ?? "", /got an integer beyond 2\^53\.$/)
    assert.match(refusal(system, JSON.parse('{"temperature": 1e999}')) ?? "", /got Infinity\.$/)
    assert.match(refusal(system, { max_tokens: 1.5 }) ?? "", /^max_tokens must be an integer, got 1\.5\.$/)
  }
})

test("only Orq takes fractions for seed and top_k, and a float that is whole passes everywhere", () => {
  for (const system of systems) {
    assert.equal(refusal(system, JSON.parse('{"seed": 1.0, "top_k": 40.0}')), undefined)
  }
  assert.equal(refusal("orq", { seed: 1.5, top_k: 0.5 }), undefined)
  for (const system of ["openrouter", "r9s", "atoma"] as const) {
    assert.equal(refusal(system, { seed: 1.5 }), "seed must be an integer, got 1.5.")
  }
})

test("null stands for absent only where the system's own table has it", () => {
  const takesNull: Record<string, System[]> = {
    temperature: ["openai", "openrouter", "atoma", "orq"],
    max_tokens: ["openai", "openrouter", "atoma", "orq"],
    stop: ["openai", "openrouter", "atoma", "orq"],
    stream_options: ["openai", "openrouter", "atoma", "orq"],
    parallel_tool_calls: ["openai", "openrouter", "atoma"],
    tools: ["openai", "atoma"],
    tool_choice: ["openai", "atoma"],
    response_format: ["openai", "atoma"],
    stream: ["openai"],
    messages: [],
  }
  for (const [member, takers] of Object.entries(takesNull)) {
    const taken = systems.filter((system) => refusal(system, { [member]: null }) === undefined)
    assert.deepEqual(
      taken,
      takers.toSorted((a, b) => systems.indexOf(a) - systems.indexOf(b)),
      member,
    )
  }
})

test("each system's own enums hold at its mount", () => {
  const accepted: [object, System[]][] = [
    [{ messages: [{ role: "developer", content: "x" }] }, ["openai", "openrouter", "orq"]],
    [{ messages: [{ role: "user", content: null }] }, ["r9s", "atoma"]],
    [{ messages: [{ role: "tool", content: "x" }] }, ["r9s", "atoma", "orq"]],
    [
      { messages: [{ role: "user", content: [{ type: "video_url", video_url: { url: "x" } }] }] },
      ["openai", "openrouter"],
    ],
    [{ messages: [{ role: "user", content: [{ type: "hologram" }] }] }, ["openai"]],
    [
      {
        messages: [
          { role: "user", content: [{ type: "image_url", image_url: { url: "x", detail: "original" } }] },
        ],
      },
      ["openai", "openrouter", "atoma"],
    ],
    [{ stop: "x" }, ["openai", "openrouter", "r9s", "orq"]],
    [{ tool_choice: "required" }, ["openai", "openrouter", "r9s", "orq"]],
    [{ reasoning_effort: "minimal" }, ["openai", "openrouter", "atoma", "orq"]],
    [{ service_tier: "flex" }, ["openai", "openrouter", "atoma", "orq"]],
    [{ modalities: ["image"] }, ["openai", "openrouter", "atoma"]],
    [{ audio: { voice: "nova", format: "pcm16" } }, ["openai", "openrouter", "atoma", "orq"]],
    [{ metadata: { count: 1 } }, ["openai", "r9s", "atoma"]],
    [{ response_format: { type: "python" } }, ["openai", "openrouter"]],
    [{ tools: [{ function: { name: "f" } }] }, ["orq"]],
    [{ tools: [{ type: "openrouter:web_search" }] }, ["openai", "openrouter", "atoma"]],
    [{ thinking: { type: "adaptive" } }, systems.slice()],
    [{ thinking: { type: "deep" } }, ["openai", "openrouter", "r9s", "atoma"]],
    [{ cache_control: { type: "ephemeral", ttl: "1h" } }, systems.slice()],
    [{ cache_control: { type: "eternal" } }, ["openai", "r9s", "atoma"]],
    [{ model: undefined }, ["openrouter"]],
  ]
  for (const [more, takers] of accepted) {
    assert.deepEqual(
      systems.filter((system) => refusal(system, more) === undefined),
      takers,
      JSON.stringify(more),
    )
  }
})

test("a vendor's own members are checked at its mount, and unknown at the others", () => {
  const wrong: [object, System, string][] = [
    [{ models: "a" }, "openrouter", 'models must be an array, got "a".'],
    [{ provider: { sort: "colour" } }, "openrouter", ""],
    [{ route: "x" }, "openrouter", 'route must be one of "fallback", "sort", got "x".'],
    [{ timeout: 30 }, "orq", "timeout must be an object, got 30."],
    [{ cache: { type: "fuzzy" } }, "orq", 'cache.type must be "exact_match", got "fuzzy".'],
    [{ guardrails: [{ id: "x", execute_on: "both" }] }, "orq", ""],
  ]
  for (const [more, owner, sentence] of wrong) {
    for (const system of systems) {
      const said = refusal(system, more)
      assert.equal(said !== undefined, system === owner, `${JSON.stringify(more)} at ${system}`)
      if (system === owner && sentence !== "") assert.equal(said, sentence)
    }
  }
})

test("unknown members are kept at every depth", () => {
  const odd = {
    ...body,
    messages: [{ role: "user", content: [{ type: "text", text: "x", own: 1 }], own: [2] }],
    tools: [{ type: "function", function: { name: "f", own: 3 }, own: 4 }],
    own: { deep: null },
  }
  for (const system of systems) assert.deepEqual(requestSchema(system).parse(odd), odd)
})

test("a million wrong messages cost one finding", () => {
  const messages = Array.from({ length: 1_000_000 }, () => 1)
  const { error } = requestSchema("openai").safeParse({ ...body, messages })
  assert.equal(error?.issues.length, 1)
  const metadata = Object.fromEntries(messages.slice(0, 1000).map((value, at) => [at, value]))
  assert.equal(requestSchema("orq").safeParse({ ...body, metadata }).error?.issues.length, 1)
})

test("a member called __proto__ does not reach any prototype", () => {
  const hostile = JSON.parse(
    '{"model": "m", "messages": [{"role": "user", "content": "x"}], "__proto__": {"n": 129}}',
  )
  const read = requestSchema("openai").parse(hostile)
  assert.equal(Object.getPrototypeOf(read), Object.prototype)
  assert.equal(read["n"], undefined)
})
