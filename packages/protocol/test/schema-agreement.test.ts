/** Each schema and the type beside it say the same: the compiler compares them, both ways. */
import assert from "node:assert/strict"
import test from "node:test"
import type * as z from "zod"
import { chunkSchema } from "../src/chunk.schema.ts"
import type { Chunk } from "../src/chunk.ts"
import { completionSchema } from "../src/completion.schema.ts"
import type { Completion } from "../src/completion.ts"
import type { streamErrorSchema } from "../src/error.schema.ts"
import type { StreamError } from "../src/error.ts"
import type { chatRequestSchema } from "../src/request.schema.ts"
import type { ChatRequest } from "../src/request.ts"
import type { usageSchema } from "../src/usage.schema.ts"
import type { Usage } from "../src/usage.ts"

/**
 * Without the index signature that a loose schema adds, and with every member required, so that one side's lack of
 * an optional member shows. The tuple keeps `undefined` where the member was optional.
 */
type Named<T> = T extends readonly (infer Item)[]
  ? Named<Item>[]
  : T extends object
    ? { -readonly [K in keyof T as string extends K ? never : K]-?: [Named<T[K]>] }
    : T

type Agrees<Type, Schema extends z.ZodType> = [Named<Type>, Named<z.infer<Schema>>] extends [
  Named<z.infer<Schema>>,
  Named<Type>,
]
  ? true
  : false

const agreements: [
  Agrees<Chunk, typeof chunkSchema>,
  Agrees<Completion, typeof completionSchema>,
  Agrees<StreamError, typeof streamErrorSchema>,
  Agrees<Usage, typeof usageSchema>,
  Agrees<ChatRequest, typeof chatRequestSchema>,
] = [true, true, true, true, true]

test("every canonical type agrees with its schema", () => {
  assert.deepEqual(new Set(agreements), new Set([true]))
})

test("a comparison that should fail does", () => {
  const otherType: Agrees<Usage & { prompt_tokens: string }, typeof usageSchema> = false
  const oneMore: Agrees<Usage & { cost_details?: { more?: number } | null }, typeof usageSchema> = false
  const notNull: Agrees<Omit<Usage, "cost"> & { cost?: number }, typeof usageSchema> = false
  assert.deepEqual([otherType, oneMore, notNull], [false, false, false])
})

const choice = { index: 0, delta: { content: "Hi" }, finish_reason: null }
const chunk = { id: "c", object: "chat.completion.chunk", created: 1767225600, model: "m", choices: [choice] }

test("a canonical chunk passes, with unknown members kept", () => {
  const odd = { ...chunk, own: 1, choices: [{ ...choice, own: [2] }] }
  assert.deepEqual(chunkSchema.parse(odd), odd)
})

test("a chunk of another shape is refused", () => {
  const wrong = [
    { ...chunk, created: 1.5 },
    { ...chunk, object: "chat.completion" },
    { ...chunk, usage: null },
    { ...chunk, choices: undefined },
    { ...chunk, choices: [{ index: 0, delta: {} }] },
    { ...chunk, choices: [{ ...choice, delta: { role: null } }] },
    { ...chunk, choices: [{ ...choice, delta: { tool_calls: [{ id: "x" }] } }] },
    { ...chunk, choices: [{ ...choice, finish_reason: "tired" }] },
    { ...chunk, error: { code: "502", message: "x" } },
  ]
  for (const value of wrong) assert.equal(chunkSchema.safeParse(value).success, false, JSON.stringify(value))
})

test("a completion may be unfinished, and must have a message", () => {
  const message = { role: "assistant", content: null }
  const whole = { ...chunk, object: "chat.completion", choices: [{ index: 0, message, finish_reason: null }] }
  assert.deepEqual(completionSchema.parse(whole), whole)
  assert.equal(completionSchema.safeParse({ ...whole, choices: [choice] }).success, false)
})
