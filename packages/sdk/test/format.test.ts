import assert from "node:assert/strict"
import { test } from "node:test"
import { toWire } from "@sluice/protocol"
import * as v from "valibot"
import * as z from "zod"
import { jsonFormat, MalformedOutputError, parseOutput } from "../src/format.ts"
import type { ChatCompletion } from "../src/shapes.ts"

const city = jsonFormat({ name: "city", schema: z.object({ name: z.string(), people: z.number() }) })

function completionOf(
  content: string | null,
  more: { finish?: "length"; refusal?: string } = {},
): ChatCompletion {
  const message = { role: "assistant" as const, content, ...(more.refusal && { refusal: more.refusal }) }
  const choices = [{ index: 0, finishReason: more.finish ?? ("stop" as const), message }]
  return { id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m", choices }
}

test("the answer is parsed and validated, and what the schema makes of it is handed over", async () => {
  assert.deepEqual(await parseOutput(completionOf('{"name":"Oslo","people":709037}'), city), {
    name: "Oslo",
    people: 709_037,
  })
  const letters = jsonFormat({
    name: "letters",
    schema: v.array(v.string()),
    parameters: { type: "array", items: { type: "string" } },
  })
  assert.deepEqual(await parseOutput(completionOf('["a"]'), letters), ["a"])
  await assert.rejects(parseOutput(completionOf("[1]"), letters), MalformedOutputError)
})

test("an answer that does not fit is an error with what the model wrote and what is wrong with it", async () => {
  const error = await parseOutput(completionOf('{"people":1}'), city).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof MalformedOutputError)
  assert.equal(error.output, '{"people":1}')
  assert.match(error.message, /name: /)
  assert.equal(error.partial?.id, "chatcmpl-1")
})

test("half an answer, a refusal and plain text are errors that say which", async () => {
  await assert.rejects(
    parseOutput(completionOf('{"name":"Os', { finish: "length" }), city),
    /no JSON.*"length"/,
  )
  await assert.rejects(
    parseOutput(completionOf(null, { refusal: "I will not." }), city),
    /refused: I will not\./,
  )
  await assert.rejects(parseOutput(completionOf("Oslo, of course!"), city), /no JSON\.$/)
})

test("without a schema the answer is whatever its JSON is", async () => {
  assert.deepEqual(await parseOutput(completionOf("[1]"), { type: "json_object" }), [1])
  await assert.rejects(parseOutput(completionOf("one"), undefined), MalformedOutputError)
})

test("in a request of either spelling the format travels under the wire's name alone", () => {
  for (const request of [{ responseFormat: city }, { response_format: city }]) {
    assert.deepEqual(JSON.parse(JSON.stringify(toWire(request))), {
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "city",
          schema: {
            type: "object",
            properties: { name: { type: "string" }, people: { type: "number" } },
            required: ["name", "people"],
          },
          strict: true,
        },
      },
    })
  }
})

test("a schema that cannot give its JSON Schema needs `parameters`", () => {
  // @ts-expect-error: the types say so as well
  assert.throws(() => jsonFormat({ name: "s", schema: v.string() }), /Format s needs `parameters`/)
})
