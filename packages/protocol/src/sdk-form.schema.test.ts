import assert from "node:assert/strict"
import test from "node:test"
import { chunkSchema } from "./chunk.schema.ts"
import { toSdk } from "./names.ts"
import { chatRequestSchema } from "./request.schema.ts"
import { sdkForm } from "./sdk-form.schema.ts"

const wire = {
  id: "chatcmpl-7",
  object: "chat.completion.chunk",
  created: 1767225600,
  model: "sim/story",
  system_fingerprint: "fp_7",
  choices: [
    {
      index: 0,
      delta: {
        reasoning_details: [
          { type: "reasoning.server_tool_call", tool_name: "f", arguments: "", result: "" },
        ],
      },
      finish_reason: null,
    },
  ],
  error: { code: 502, message: "gone", metadata: { error_type: "provider_error" } },
}

test("the SDK's form of a value passes the SDK's form of its schema", () => {
  const form = sdkForm(chunkSchema)
  assert.deepEqual(form.parse(toSdk(wire)), toSdk(wire))
})

test("members are checked under their SDK names, in arrays and unions too", () => {
  const form = sdkForm(chunkSchema)
  const choice = toSdk(wire).choices[0]
  const { finishReason: _, ...withoutReason } = choice!
  const wrong = [
    { ...toSdk(wire), systemFingerprint: 7 },
    { ...toSdk(wire), choices: [withoutReason] },
    {
      ...toSdk(wire),
      choices: [{ ...choice, delta: { reasoningDetails: [{ type: "reasoning.summary" }] } }],
    },
    { ...toSdk(wire), error: { ...wire.error, metadata: { errorType: "provider_error" } } },
  ]
  for (const value of wrong) assert.equal(form.safeParse(value).success, false, JSON.stringify(value))
})

test("a schema that cannot be renamed is refused, not passed through", () => {
  assert.throws(() => sdkForm(chatRequestSchema), TypeError)
})
