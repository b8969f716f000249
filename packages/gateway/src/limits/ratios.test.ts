import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { countTokens } from "gpt-tokenizer/encoding/o200k_base"
import { createRandom, storyTokens } from "../providers/sim-text.ts"
import type { PromptSize } from "./bound.ts"
import { createRatios } from "./ratios.ts"

const RECENT = 32
const LEAST = 8

const text = (bytes: number): PromptSize => ({ bytes, mediaTokens: 0 })
const sizeOf = (prompt: string): PromptSize => text(Buffer.byteLength(prompt))

test("a model that nobody knows yet is held at a token a byte", () => {
  const ratios = createRatios()
  assert.equal(ratios.promptBound("m", text(100_000)), 100_000)
  assert.equal(ratios.promptBound("m", { bytes: 10, mediaTokens: 5_000 }), 5_010)
  for (let call = 0; call < LEAST - 1; call++) ratios.learn("m", text(10_000), 2_500)
  assert.equal(ratios.promptBound("m", text(100_000)), 100_000)
  ratios.learn("m", text(10_000), 2_500)
  assert.equal(ratios.promptBound("m", text(100_000)), 25_000)
  assert.equal(ratios.promptBound("another", text(100_000)), 100_000)
})

test("whatever was seen, the bound of a prompt like any of the last calls is not below that call", () => {
  const call = fc.record({
    bytes: fc.integer({ min: 1, max: 1e6 }),
    tokens: fc.integer({ min: 1, max: 1e6 }),
  })
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 100 }), (calls) => {
      const ratios = createRatios()
      for (const { bytes, tokens } of calls) ratios.learn("m", text(bytes), tokens)
      for (const { bytes, tokens } of calls.slice(-RECENT)) {
        const bound = ratios.promptBound("m", text(bytes))
        assert.ok(Number.isSafeInteger(bound) && bound >= tokens, `${bound} for ${tokens} of ${bytes}`)
      }
    }),
    { numRuns: 300 },
  )
})

test("a longer prompt is never held lower", () => {
  const ratios = createRatios()
  for (let call = 0; call < RECENT; call++) ratios.learn("m", text(5_000 + call), 1_250)
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(100_000), (bytes, more) => {
      assert.ok(ratios.promptBound("m", text(bytes + more)) >= ratios.promptBound("m", text(bytes)))
    }),
  )
})

/** Stories, and with them numbers, code and other scripts, as a real conversation mixes them. */
function prompts(count: number, seed: string): string[] {
  const random = createRandom(seed)
  const spices = [
    "const a = { b: [1, 22, 333] }\n",
    " 1984-06-08 ",
    " größer, naïve ",
    " https://a.example/b?c=1 ",
  ]
  return Array.from({ length: count }, (_, index) => {
    const story = storyTokens(seed, index)
    let prompt = ""
    const bytes = 4_000 + random() * 8_000
    while (prompt.length < bytes) {
      for (let token = 0; token < 20; token++) prompt += story.next().value
      if (random() < 0.3) prompt += spices[Math.floor(random() * spices.length)]
    }
    return prompt
  })
}

test("once it has learned, the bound is far below a token a byte and rarely below the true count", (context) => {
  const ratios = createRatios()
  const known = prompts(RECENT, "known")
  for (const prompt of known) ratios.learn("m", sizeOf(prompt), countTokens(prompt))
  const bounds = prompts(200, "new").map((prompt) => {
    const bound = ratios.promptBound("m", sizeOf(prompt))
    const tokens = countTokens(prompt)
    ratios.learn("m", sizeOf(prompt), tokens)
    return { bound, tokens, bytes: sizeOf(prompt).bytes }
  })
  const below = bounds.filter(({ bound, tokens }) => bound < tokens).length
  const held = bounds.reduce((sum, { bound, tokens }) => sum + bound / tokens, 0) / bounds.length
  context.diagnostic(`${below} of ${bounds.length} below; ${held.toFixed(3)} times the true count on average`)
  assert.ok(below <= bounds.length * 0.05)
  for (const { bound, bytes } of bounds) assert.ok(bound < bytes / 2)
})

test("text of another script is held too low once, and then no more", () => {
  const ratios = createRatios()
  for (const prompt of prompts(64, "english")) ratios.learn("m", sizeOf(prompt), countTokens(prompt))
  const hexadecimal = Array.from(
    { length: 2_000 },
    (_, at) => ((at * 2_654_435_761) >>> 0).toString(16)[0],
  ).join("")
  const [size, tokens] = [sizeOf(hexadecimal), countTokens(hexadecimal)]
  assert.ok(ratios.promptBound("m", size) < tokens)
  ratios.learn("m", size, tokens)
  assert.ok(ratios.promptBound("m", size) >= tokens)
  for (const prompt of prompts(RECENT - 1, "more english"))
    ratios.learn("m", sizeOf(prompt), countTokens(prompt))
  assert.ok(ratios.promptBound("m", size) >= tokens, "it is still among the recent ones")
})

test("a prompt that a provider adds of its own is learned apart: it does not grow with the caller's", () => {
  const ratios = createRatios()
  ratios.learn("m", text(50), 400)
  assert.equal(ratios.promptBound("m", text(50)), 400)
  assert.equal(ratios.promptBound("m", text(100_000)), 100_350)
  for (let call = 0; call < RECENT; call++) ratios.learn("m", text(50), 20)
  assert.equal(ratios.promptBound("m", text(50)), 50, "forgotten when it is no longer seen")
})

test("nothing is learned from pictures, nor from counts that cannot be", () => {
  const ratios = createRatios()
  for (let call = 0; call < RECENT; call++) {
    ratios.learn("m", { bytes: 5_000, mediaTokens: 1 }, 10)
    for (const tokens of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      ratios.learn("m", text(5_000), tokens)
    ratios.learn("m", text(0), 10)
  }
  assert.equal(ratios.promptBound("m", text(5_000)), 5_000)
})

test("it remembers the thousand models that were used last", () => {
  const ratios = createRatios()
  const teach = (model: string) => {
    for (let call = 0; call < LEAST; call++) ratios.learn(model, text(10_000), 2_500)
  }
  teach("first")
  teach("second")
  for (let model = 0; model < 998; model++) ratios.learn(`m${model}`, text(10_000), 2_500)
  ratios.learn("first", text(10_000), 2_500)
  ratios.learn("one more", text(10_000), 2_500)
  assert.equal(ratios.promptBound("first", text(10_000)), 2_500)
  assert.equal(ratios.promptBound("second", text(10_000)), 10_000)
})
