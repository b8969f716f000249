import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ERROR_KINDS } from "../../error.ts"
import { readError } from "./read-error.ts"

function summary(status: number, body: unknown) {
  const error = readError(status, typeof body === "string" ? body : JSON.stringify(body))
  return { status: error.status, kind: error.kind, message: error.message }
}

const BODIES: readonly [name: string, status: number, body: unknown, kind: string, message: string][] = [
  [
    "OpenAI",
    400,
    { error: { message: "Bad.", type: "t", param: null, code: "x" } },
    "invalid_request",
    "Bad.",
  ],
  ["OpenRouter", 402, { error: { code: 402, message: "No credits." } }, "payment_required", "No credits."],
  ["r9s", 403, { error: { message: "No.", type: "t" }, status: 403 }, "permission_denied", "No."],
  ["Atoma", 423, { error: { code: "LOCKED", message: "Locked." } }, "invalid_request", "Locked."],
  ["Orq", 401, { code: 401, error: "Unauthorized" }, "invalid_api_key", "Unauthorized"],
  ["a bare message", 404, { message: "Not here." }, "not_found", "Not here."],
  ["FastAPI's text", 405, { detail: "Method Not Allowed" }, "method_not_allowed", "Method Not Allowed"],
  [
    "FastAPI's list",
    422,
    { detail: [{ loc: ["body", "messages", 0], msg: "field required" }, { msg: "too many" }] },
    "unprocessable",
    "body.messages.0: field required; too many",
  ],
  [
    "Google's array",
    429,
    [{ error: { code: 429, message: "Slow down." } }],
    "rate_limit_exceeded",
    "Slow down.",
  ],
  [
    "OpenRouter's wrapping of another's error",
    400,
    {
      error: {
        code: 400,
        message: "Provider returned error",
        metadata: { raw: '{"error":{"message":"bad image"}}' },
      },
    },
    "invalid_request",
    "Provider returned error: bad image",
  ],
  ["text", 500, "upstream exploded", "server", "upstream exploded"],
  ["JSON text", 500, '"upstream exploded"', "server", "upstream exploded"],
  [
    "a proxy's page",
    502,
    "<html>\n<head><title>502 Bad Gateway</title></head><body><h1>x</h1></body></html>",
    "provider_error",
    "502 Bad Gateway",
  ],
  [
    "a page without title",
    503,
    "<body><script>x()</script><p>We are  down</p></body>",
    "provider_overloaded",
    "We are down",
  ],
  ["nothing", 504, "", "timeout", "the provider answered 504 with an empty body"],
  ["blanks", 500, " \n", "server", "the provider answered 500 with an empty body"],
  ["an empty page", 500, "<html></html>", "server", "the provider answered 500 with a page without text"],
  ["an empty object", 500, {}, "server", "the provider answered 500 without a message"],
  ["half a JSON", 500, '{"error":{"mess', "server", '{"error":{"mess'],
  ["null", 529, "null", "provider_overloaded", "null"],
  ["a number", 400, "17", "invalid_request", "17"],
]

for (const [name, status, body, kind, message] of BODIES) {
  test(`an error body of the kind "${name}" is read`, () => {
    assert.deepEqual(summary(status, body), { status, kind, message })
  })
}

test("a context that is too long is recognised by code and by sentence, and speed is not taken for length", () => {
  const kindOf = (status: number, error: object) => summary(status, { error }).kind
  for (const message of [
    "This model's maximum context length is 8192 tokens.",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "The input exceeds the context window of this model",
    "Please reduce the length of the messages or completion.",
  ]) {
    assert.equal(kindOf(400, { message, type: "invalid_request_error" }), "context_length_exceeded", message)
  }
  assert.equal(kindOf(400, { message: "m", code: "context_length_exceeded" }), "context_length_exceeded")
  assert.equal(
    kindOf(413, { message: "m", metadata: { error_type: "token_limit_exceeded" } }),
    "context_length_exceeded",
  )
  const speed = {
    message: "Rate limit: context length of 8192 tokens per minute",
    code: "rate_limit_exceeded",
  }
  assert.equal(kindOf(429, speed), "rate_limit_exceeded")
})

test("a word overrules the status only where it says more", () => {
  assert.equal(summary(400, { error: { message: "m", code: "invalid_api_key" } }).kind, "invalid_api_key")
  assert.equal(summary(400, { error: { message: "m", type: "api_error" } }).kind, "invalid_request")
  assert.equal(summary(404, { error: { message: "The model `x` does not exist" } }).kind, "model_not_found")
  assert.equal(
    summary(400, { error: { message: "m", code: "content_filter" } }).kind,
    "content_policy_violation",
  )
})

test("retryable follows the kind, but an empty purse stays empty and a lock opens", () => {
  const retryableOf = (status: number, body: unknown) => readError(status, JSON.stringify(body)).retryable
  assert.equal(retryableOf(429, { error: { message: "m" } }), true)
  assert.equal(retryableOf(429, { error: { message: "m", code: "insufficient_quota" } }), false)
  assert.equal(retryableOf(423, { error: { code: "LOCKED", message: "m" } }), true)
  assert.equal(retryableOf(400, { error: { message: "m" } }), false)
})

test("param, the provider's code and name, and the seconds to wait are kept", () => {
  const body = {
    error: {
      message: "m",
      param: "messages[0]",
      code: "some_code",
      metadata: { provider_name: "Some", retry_after_seconds: 1.2 },
    },
  }
  const { param, retryAfter, metadata } = readError(429, JSON.stringify(body))
  assert.equal(param, "messages[0]")
  assert.equal(retryAfter, 2)
  assert.deepEqual(metadata, { provider_code: "some_code", provider_name: "Some" })
})

test("no credential gets through, in any member, however long the text before it", () => {
  const key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
  const bodies: unknown[] = [
    {
      error: {
        message: `Incorrect API key provided: ${key}`,
        code: key,
        param: key,
        metadata: { provider_name: key },
      },
    },
    { error: { message: "m", metadata: { raw: `{"error":"bad key ${key}"}` } } },
    { detail: [{ loc: [key], msg: key }] },
    `<title>${key}</title>`,
    `${"x ".repeat(240)}${key}`,
    `${"x ".repeat(9_995)}${key}`,
  ]
  for (const body of bodies) {
    const error = readError(401, typeof body === "string" ? body : JSON.stringify(body))
    assert.doesNotMatch(JSON.stringify(error), /sk-proj-abc|abcdefghijklmnop/)
  }
})

test("a message is one line of at most 500 characters", () => {
  const { message } = readError(500, `first\n\n${"y".repeat(5_000)}`)
  assert.equal(message.length, 500)
  assert.match(message, /^first y+…$/)
})

test("any status and any body at all give an error with a sentence, a known kind and an error's status", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.string().map((text) => `<html>${text}`),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 700 }), body, (status, text) => {
      const error = readError(status, text)
      assert.ok(error.kind in ERROR_KINDS)
      assert.ok(error.message.length > 0 && error.message.length <= 500)
      assert.ok(error.status >= 400 && error.status <= 599)
    }),
  )
})
