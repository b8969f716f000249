import assert from "node:assert/strict"
import { test } from "node:test"
import type { JsonObject } from "@sluice/protocol"
import { requestSchema } from "@sluice/protocol/schema/request"
import fc from "fast-check"
import { GatewayError } from "./gateway-error.ts"
import { validateRequest } from "./request.ts"

const ODD: readonly unknown[] = [null, true, "", "auto", 0, 0.5, 2 ** 60, [], {}, [1], ["stop"], { a: 1 }]
const NAMES = [
  "temperature",
  "max_tokens",
  "seed",
  "stop",
  "tools",
  "tool_choice",
  "response_format",
  "metadata",
]
const MORE = ["stream", "stream_options", "provider", "user", "reasoning_effort", "unknown"]

/** Right but for up to three members, each of which may be right too. */
const message = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>({ role: "user", content: "Hi" }, { role: "system", content: "Be." }),
  },
  {
    weight: 3,
    arbitrary: fc.constant({ role: "user", content: [{ type: "text", text: "Hi", own: 1 }], own: [1] }),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>({ role: "nobody" }, { role: "user", content: 1 }, null) },
)
const odd = fc.tuple(fc.constantFrom(...NAMES, ...MORE), fc.constantFrom(...ODD))
const body = fc
  .tuple(fc.array(message, { minLength: 1, maxLength: 2 }), fc.array(odd, { maxLength: 3 }))
  .map(([messages, members]) => ({ model: "m", messages, ...Object.fromEntries(members) }))

for (const dialect of ["openai", "r9s", "openrouter", "atoma", "orq"] as const) {
  test(`${dialect}: what is checked in one function is let through just as its schema has it`, () => {
    const schema = requestSchema(dialect)
    let right = 0
    fc.assert(
      fc.property(body, (body) => {
        const wanted = schema.safeParse(body)
        if (!wanted.success)
          return assert.throws(() => validateRequest(body as JsonObject, dialect), GatewayError)
        right += 1
        assert.deepEqual(validateRequest(body as JsonObject, dialect), wanted.data)
      }),
      { numRuns: 1_000 },
    )
    assert.ok(right > 20, `only ${right} of the bodies were right`)
  })
}
