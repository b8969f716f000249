/** Canonical streams and answers for fast-check, and the JSON that a careless provider might send. */
import fc from "fast-check"
import type { Chunk, ChunkChoice, Delta, FinishReason, ToolCallDelta } from "../src/chunk.ts"
import type { Usage } from "../src/usage.ts"

const word = fc.string({ minLength: 1, maxLength: 8 })
const text = fc.string({ maxLength: 12 })
const count = fc.nat(1_000_000)
const optional = { requiredKeys: [] }

const usage: fc.Arbitrary<Usage> = fc.record(
  {
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: fc.record({ cached_tokens: count, audio_tokens: count }),
    completion_tokens_details: fc.record({
      reasoning_tokens: count,
      audio_tokens: count,
      accepted_prediction_tokens: count,
      rejected_prediction_tokens: count,
    }),
    cost: fc.double({ min: 0, max: 10, noNaN: true, noDefaultInfinity: true }).map(Math.abs),
    cost_details: fc.record({
      upstream_inference_prompt_cost: fc.nat(5),
      upstream_inference_completions_cost: fc.nat(5),
    }),
    is_byok: fc.boolean(),
  },
  { requiredKeys: ["prompt_tokens", "completion_tokens", "total_tokens"] },
)

const bytes = fc.option(fc.array(fc.nat(255), { maxLength: 3 }))
const logprob = fc.integer({ min: -20, max: 0 })
const tokens = fc.option(
  fc.array(
    fc.record({
      token: text,
      logprob,
      bytes,
      top_logprobs: fc.array(fc.record({ token: text, logprob, bytes }), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
)
const logprobs = fc
  .record({ content: tokens, refusal: tokens })
  .filter(({ content, refusal }) => content !== null || refusal !== null)

const delta: fc.Arbitrary<Delta> = fc.record(
  {
    role: fc.constant("assistant" as const),
    content: text,
    refusal: text,
    reasoning: word,
    reasoning_details: fc.array(fc.record({ type: fc.constant("reasoning.text" as const), text }), {
      minLength: 1,
      maxLength: 2,
    }),
    reasoning_signature: text,
    redacted_reasoning: text,
    audio: fc.record({ id: word, data: text, transcript: text, expires_at: count }, optional),
    images: fc.array(fc.record({ type: fc.constant("image_url") }), { maxLength: 1 }),
    annotations: fc.array(fc.record({ type: fc.constant("url_citation") }), { maxLength: 1 }),
    function_call: fc.record({ name: word, arguments: text }, optional),
  },
  optional,
)

const FINISHES: readonly FinishReason[] = ["stop", "length", "tool_calls", "content_filter", "function_call"]

const choice: fc.Arbitrary<ChunkChoice> = fc.record(
  {
    index: fc.nat(1),
    delta,
    finish_reason: fc.option(fc.constantFrom(...FINISHES)),
    native_finish_reason: word,
    stop_reason: fc.oneof(word, count),
    logprobs,
  },
  { requiredKeys: ["index", "delta", "finish_reason"] },
)

/** Pieces of up to three parallel calls, interleaved: the first of each says what the call is. */
const toolPieces: fc.Arbitrary<ToolCallDelta[]> = fc
  .array(fc.record({ index: fc.nat(2), name: word, text }), { maxLength: 8 })
  .map((pieces) => {
    const begun = new Set<number>()
    return pieces.map(({ index, name, text }): ToolCallDelta => {
      if (begun.has(index)) return { index, function: { arguments: text } }
      begun.add(index)
      return { index, id: `call_${index}_${name}`, type: "function", function: { name, arguments: text } }
    })
  })

const envelope = fc.record(
  {
    id: word,
    object: fc.constant("chat.completion.chunk" as const),
    created: count,
    model: word,
    system_fingerprint: word,
    service_tier: word,
    provider: word,
  },
  { requiredKeys: ["id", "object", "created", "model"] },
)

/** A whole stream as a well-behaved inside would give it: text, tool calls piece by piece, an end, usage. */
export const canonicalStream: fc.Arbitrary<Chunk[]> = fc
  .record({
    envelope,
    choices: fc.array(fc.array(choice, { maxLength: 2 }), { maxLength: 6 }),
    toolPieces,
    usage,
  })
  .map(({ envelope, choices, toolPieces, usage }) => [
    ...choices.map((some): Chunk => ({ ...envelope, choices: some })),
    ...toolPieces.map(
      (piece): Chunk => ({
        ...envelope,
        choices: [{ index: 0, delta: { tool_calls: [piece] }, finish_reason: null }],
      }),
    ),
    { ...envelope, choices: [], usage },
  ])
  // fast-check likes objects without a prototype, which nothing that was parsed has.
  .map((stream) => structuredClone(stream))

/** Anything at all where a provider's member should stand, or something near enough to get past a reader. */
function careless(...likely: unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...likely), weight: 4 },
    { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 },
  )
}

const carelessCall = fc.record(
  {
    index: careless(0, 1, 2, "0", 1.5, null),
    id: careless("call_1", "call_2", "", null),
    type: careless("function", "custom", null, ""),
    function: careless(
      { name: "f", arguments: "{" },
      { arguments: "}" },
      { name: "f", arguments: { a: 1 } },
      { name: null, arguments: null },
      null,
    ),
    thought_signature: careless("s", null, 4),
  },
  optional,
)

const carelessWords = fc.record(
  {
    role: careless("assistant", "", null, "tool"),
    content: careless("a", "", null, [
      { type: "text", text: "a" },
      { type: "thinking", thinking: [{ text: "t" }] },
    ]),
    refusal: careless("no", null),
    reasoning: careless("t", null, "", ["t"], { text: "t" }),
    reasoning_content: careless("t", null),
    reasoning_text: careless("t", null),
    reasoning_details: careless(
      [{ type: "reasoning.text", text: "t" }],
      [{ type: "reasoning.new" }],
      null,
      [1],
    ),
    reasoning_signature: careless("s", null),
    redacted_reasoning: careless("s", null),
    tool_calls: fc.oneof(fc.array(carelessCall, { maxLength: 3 }), careless(null, [])),
    audio: careless({ id: "a", expires_at: 1.5, data: null }, null),
    images: careless([{}], null),
    annotations: careless([{}], null),
    function_call: careless({ name: "f", arguments: "{}" }, null),
    unheard_of: careless(null, 1),
  },
  optional,
)

const carelessChoice = fc.record(
  {
    index: careless(0, 1, null, "0"),
    delta: fc.oneof({ arbitrary: carelessWords, weight: 6 }, careless(null, {})),
    message: fc.oneof({ arbitrary: carelessWords, weight: 6 }, careless(null, {})),
    text: careless("a", null),
    finish_reason: careless("stop", "STOP", "", null, "eos_token", "error"),
    native_finish_reason: careless("STOP", null),
    stop_reason: careless("</s>", 128009, null, { Int: 4 }, { String: "s" }),
    logprobs: careless({ content: [{ token: "a", logprob: -1 }] }, { content: null }, {}, null, {
      content: [{ token: "a", logprob: -1, bytes: ["x"], top_logprobs: [{}] }],
      refusal: [],
    }),
    error: careless(null),
  },
  optional,
)

/** What no provider should send, and some do. */
export const carelessAnswer: fc.Arbitrary<unknown> = fc.record(
  {
    id: careless("x", "", null, 5),
    object: careless("chat.completion.chunk", "chat.completion", "", null),
    created: careless(1700000000, 1700000000.5, "1700000000", null, -4),
    model: careless("m", "", null),
    choices: fc.oneof(
      { arbitrary: fc.array(carelessChoice, { maxLength: 2 }), weight: 6 },
      careless(null, []),
    ),
    usage: careless(
      { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      {
        prompt_tokens: "1",
        completion_tokens: -2,
        total_tokens: 3.5,
        prompt_tokens_details: { cached_tokens: null },
      },
      {
        prompt_tokens: 1,
        prompt_tokens_details: { cached_tokens: 1 },
        cost: 1,
        cost_details: { upstream_inference_cost: 1 },
      },
      {},
      null,
    ),
    x_groq: careless({ usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }, null),
    system_fingerprint: careless("fp", null),
    service_tier: careless("default", null),
    provider: careless("p", null),
    openrouter_metadata: careless({}, null),
    debug: careless({}, null),
    error: fc.constantFrom(null, undefined),
    unheard_of: careless(null, { a: 1 }),
  },
  optional,
)
