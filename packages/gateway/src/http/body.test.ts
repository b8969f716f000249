import assert from "node:assert/strict"
import { test } from "node:test"
import { GatewayError } from "../gateway-error.ts"
import { parseJson } from "./body.ts"

function refusal(text: string | Uint8Array): GatewayError {
  try {
    parseJson(typeof text === "string" ? Buffer.from(text) : text)
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error))
    return error
  }
  throw new assert.AssertionError({ message: `accepted: ${String(text).slice(0, 80)}` })
}

test("what JSON parsers disagree about is refused, each with the member's name", () => {
  const cases: [string, string | undefined, RegExp][] = [
    ['{"temperature":1e999}', "temperature", /finite/],
    ['{"a":{"b":[1,-1e999]}}', "a.b[1]", /finite/],
    ['{"seed":9007199254740994}', "seed", /2\^53/],
    ['{"__proto__":{}}', "__proto__", /not accepted/],
    ['{"a":[{"__proto__":1}]}', "a[0].__proto__", /not accepted/],
    ["[]", undefined, /JSON object/],
    ["null", undefined, /JSON object/],
    ['"x"', undefined, /JSON object/],
    ["", undefined, /not valid JSON/],
    ["{", undefined, /not valid JSON/],
    ['{"a":1}{"b":2}', undefined, /not valid JSON/],
  ]
  for (const [text, param, message] of cases) {
    const { wire } = refusal(text)
    assert.equal(wire.status, 400, text)
    assert.equal(wire.param, param, text)
    assert.match(wire.message, message, text)
  }
})

test("bytes that are no UTF-8 are refused", () => {
  assert.match(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).wire.message, /UTF-8/)
})

test("nesting is bounded at 100, and a hundred thousand brackets do no harm", () => {
  const nested = (depth: number): string => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`
  parseJson(Buffer.from(nested(100)))
  assert.match(refusal(nested(101)).wire.message, /at most 100 deep/)
  assert.equal(refusal(nested(100_000)).wire.status, 400)
})

test("numbers in range pass, whatever they mean to a provider", () => {
  const text =
    '{"max_tokens":0,"temperature":3,"seed":9007199254740992,"x":-0.5,"tools":[{"function":{"parameters":{"maximum":9223372036854775807}}}],"constructor":{"prototype":1}}'
  assert.deepEqual(Object.keys(parseJson(Buffer.from(text))), [
    "max_tokens",
    "temperature",
    "seed",
    "x",
    "tools",
    "constructor",
  ])
})
