/** The vendors' types and the schemas of the same pages say the same: the compiler compares them, both ways. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { ToSdk } from "@sluice/protocol"
import type {
  chatCompletionStreamEventSchema,
  chatCompletionsCreateStreamResponseBodySchema,
  createChatCompletionDataSchema,
  createChatCompletionResponseBodySchema,
  sendChatCompletionRequestResponseBodySchema,
} from "@sluice/protocol/schema"
import type * as z from "zod"
import type {
  ChatCompletionStreamEvent,
  CreateChatCompletionData,
  CreateChatCompletionResponseBody,
} from "../src/models/index.ts"
import type {
  ChatCompletionsCreateStreamResponseBody,
  SendChatCompletionRequestResponseBody,
} from "../src/models/operations.ts"

/** Without the index signature of a loose schema; the tuple keeps `undefined` where a member is optional. */
type Named<T> = T extends readonly (infer Item)[]
  ? Named<Item>[]
  : T extends object
    ? { [K in keyof T as string extends K ? never : K]-?: [Named<T[K]>] }
    : T

type Same<A, B> = [Named<A>, Named<B>] extends [Named<B>, Named<A>] ? true : false

const agreements: [
  Same<CreateChatCompletionResponseBody, ToSdk<z.infer<typeof createChatCompletionResponseBodySchema>>>,
  Same<ChatCompletionStreamEvent, ToSdk<z.infer<typeof chatCompletionStreamEventSchema>>>,
  Same<
    SendChatCompletionRequestResponseBody,
    ToSdk<z.infer<typeof sendChatCompletionRequestResponseBodySchema>>
  >,
  Same<
    ChatCompletionsCreateStreamResponseBody,
    ToSdk<z.infer<typeof chatCompletionsCreateStreamResponseBodySchema>>
  >,
  Same<CreateChatCompletionData, z.infer<typeof createChatCompletionDataSchema>>,
] = [true, true, true, true, true]

test("each vendor's type agrees with the schema of its page, at every depth", () => {
  assert.deepEqual(new Set(agreements), new Set([true]))
})

test("a comparison that should fail does", () => {
  const otherVendor: Same<SendChatCompletionRequestResponseBody, ChatCompletionsCreateStreamResponseBody> =
    false
  const otherMark: Same<{ a?: string }, { a?: string | null }> = false
  assert.deepEqual([otherVendor, otherMark], [false, false])
})
