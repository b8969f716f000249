import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import type { Chunk } from "./chunk.ts"
import type { Completion } from "./completion.ts"
import { sdkMember, type ToSdk, type ToWire, toSdk, toWire, WIRE_NAMES, type WireName } from "./names.ts"
import type { ChatRequest } from "./request.ts"

const chunk: Chunk = {
  id: "chatcmpl-7",
  object: "chat.completion.chunk",
  created: 1767225600,
  model: "sim/story",
  system_fingerprint: "fp_1",
  choices: [
    {
      index: 0,
      delta: {
        reasoning_content: "hm",
        tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      finish_reason: "tool_calls",
      logprobs: {
        content: [{ token: "a", logprob: -0.5, bytes: [97], top_logprobs: [] }],
        refusal: null,
      },
    },
  ],
  usage: {
    prompt_tokens: 9,
    completion_tokens: 12,
    total_tokens: 21,
    prompt_tokens_details: { cached_tokens: 8, audio_tokens: 0 },
  },
}

const request: ChatRequest = {
  model: "sim/story",
  messages: [
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] },
    { role: "tool", content: "{}", tool_call_id: "call_1" },
  ],
  max_tokens: 5,
  logit_bias: { "50256": -100 },
  metadata: { finish_reason: "a label", deep: { tool_calls: [1] } },
  tools: [
    {
      type: "function",
      function: {
        name: "f",
        parameters: { type: "object", properties: { max_tokens: { type: "integer" } } },
      },
    },
  ],
  response_format: {
    type: "json_schema",
    json_schema: { name: "answer", schema: { properties: { finish_reason: { enum: ["tool_calls"] } } } },
  },
}

test("the SDK's form of a chunk is the vendors' camelCase", () => {
  const form = toSdk(chunk)
  assert.equal(form.systemFingerprint, "fp_1")
  assert.equal(form.choices[0]?.finishReason, "tool_calls")
  assert.equal(form.choices[0]?.delta.reasoningContent, "hm")
  assert.equal(form.choices[0]?.delta.toolCalls?.[0]?.function?.name, "f")
  assert.deepEqual(form.choices[0]?.logprobs?.content?.[0]?.topLogprobs, [])
  assert.equal(form.usage?.promptTokensDetails?.cachedTokens, 8)
  assert.doesNotMatch(JSON.stringify(form), /"\w+_\w+":/)
})

test("what went to the SDK's form comes back as it was", () => {
  assert.deepEqual(toWire(toSdk(chunk)), chunk)
  assert.deepEqual(toWire(toSdk(request)), request)
  assert.deepEqual(toSdk(toWire(toSdk(request))), toSdk(request))
})

test("what is inside a free-form member is never renamed, in either direction", () => {
  const form = toSdk(request)
  assert.deepEqual(form.metadata, request.metadata)
  assert.deepEqual(form.logitBias, request.logit_bias)
  assert.deepEqual(form.tools?.[0]?.function?.parameters, request.tools?.[0]?.function?.parameters)
  const own = {
    metadata: { finishReason: 1 },
    tools: [{ function: { parameters: { properties: { maxTokens: {} } } } }],
  }
  assert.deepEqual(toWire(own), own)
  assert.deepEqual(toWire({ logitBias: { maxTokens: 1 } }), { logit_bias: { maxTokens: 1 } })
  // Wire spelling handed to toWire, as callers may: still a free-form member.
  assert.deepEqual(toWire({ logit_bias: { maxTokens: 1 } }), { logit_bias: { maxTokens: 1 } })
})

test("a member that the table does not know keeps its name both ways", () => {
  const strange = { queue_time: 1, queueTime: 2, x_groq: { id: "req_1", usage: { total_time: 3 } } }
  assert.deepEqual(toSdk(strange), strange)
  assert.deepEqual(toWire(strange), strange)
})

test("renaming makes new values and leaves the old ones alone", () => {
  const before = structuredClone(chunk)
  const form = toSdk(chunk)
  form.choices[0]!.delta.toolCalls!.pop()
  form.usage!.promptTokens = 0
  assert.deepEqual(chunk, before)
})

test("a member called __proto__ stays a member and never becomes the prototype", () => {
  const hostile: unknown = JSON.parse('{"__proto__": {"polluted_by": true, "finish_reason": 1}, "id": "x"}')
  for (const turn of [toSdk, toWire]) {
    const turned: object = Object(turn(hostile))
    assert.equal(Object.getPrototypeOf(turned), Object.prototype)
    assert.ok(Object.hasOwn(turned, "__proto__"))
    assert.equal(Reflect.get({}, "polluted_by"), undefined)
  }
  assert.equal(JSON.stringify(toWire(toSdk(hostile))), JSON.stringify(hostile))
})

test("nesting without end does not exhaust the stack", () => {
  const deep: unknown = JSON.parse(`${'{"a":['.repeat(100_000)}${"]}".repeat(100_000)}`)
  assert.doesNotThrow(() => toWire(toSdk(deep)))
})

test("values that write themselves as JSON are handed on as they are", () => {
  const date = new Date(0)
  assert.equal(toWire({ sessionId: date }).session_id, date)
})

test("every name has one SDK name, and no two share it", () => {
  const sdkNames = WIRE_NAMES.map((name) => sdkMember(name).to)
  assert.equal(new Set(WIRE_NAMES).size, WIRE_NAMES.length)
  assert.equal(new Set(sdkNames).size, WIRE_NAMES.length)
  for (const name of sdkNames) assert.match(name, /^[a-z]+([A-Z][a-z]*)+$/)
})

test("any JSON object comes back as it was, unless it bore one of our SDK names already", () => {
  const sdkNames = new Set<string>(WIRE_NAMES.map((name) => sdkMember(name).to))
  const name = fc.oneof(
    fc.constantFrom<string>(
      ...WIRE_NAMES,
      "metadata",
      "schema",
      "parameters",
      "__proto__",
      "constructor",
      "x_y",
    ),
    fc.string().filter((any) => !sdkNames.has(any)),
  )
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, 0, "text"),
      fc.array(tie("value"), { maxLength: 4 }),
      // As JSON.parse makes them, so that `__proto__` is a member like any other.
      fc
        .uniqueArray(fc.tuple(name, tie("value")), { maxLength: 5, selector: ([key]) => key })
        .map((members) => Object.fromEntries(members)),
    ),
  }))
  fc.assert(
    fc.property(value, (original) => {
      assert.deepEqual(toWire(toSdk(original)), original)
      assert.equal(JSON.stringify(toWire(toSdk(original))), JSON.stringify(original))
    }),
    { numRuns: 2000 },
  )
})

test("renaming takes time in proportion to what is renamed", () => {
  const visits = (size: number) => {
    let read = 0
    const counted = new Proxy(
      { finish_reason: null },
      {
        get(target, key) {
          read++
          return Reflect.get(target, key)
        },
      },
    )
    toSdk(Array.from({ length: size }, () => ({ choices: [counted] })))
    return read
  }
  assert.equal(visits(2000), 2 * visits(1000))
})

// ── what the compiler holds ──

type MembersOf<T> = T extends readonly (infer Item)[]
  ? MembersOf<Item>
  : T extends object
    ? { [K in keyof T & string]: (string extends K ? never : K) | MembersOf<T[K]> }[keyof T & string]
    : never
type Snake = Extract<MembersOf<ChatRequest | Chunk | Completion>, `${string}_${string}`>

test("the table holds every snake_case member of the canonical types", () => {
  // A member that is missing from the table makes this line an error of the compiler's, naming it.
  const missing: Exclude<Snake, WireName>[] = []
  assert.deepEqual(missing satisfies never[], [])
})

test("the types of both forms follow from the table too", () => {
  const form: ToSdk<Chunk> = toSdk(chunk)
  const back: ToWire<ToSdk<Chunk>> = toWire(form)
  const wire: Chunk = back
  const reason: ToSdk<Chunk>["choices"][number]["finishReason"] = wire.choices[0]!.finish_reason
  // @ts-expect-error: the wire's spelling is not the SDK's
  assert.equal(form.system_fingerprint, undefined)
  assert.equal(reason, "tool_calls")
})
