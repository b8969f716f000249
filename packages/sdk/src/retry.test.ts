import assert from "node:assert/strict"
import { test } from "node:test"
import { CancelledError, ConnectionError, MalformedResponseError, TimeoutError } from "./errors.ts"
import { errorOfAnswer } from "./read-error.ts"
import { isRetried, retryDelay } from "./retry.ts"

const broken = new ConnectionError("No answer: it broke")
const refused = new ConnectionError("No answer", {
  cause: new TypeError("fetch failed", {
    cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  }),
})

test("a connection that was never made is retried everywhere", () => {
  assert.equal(isRetried({ error: refused, repeatable: false }), true)
  assert.equal(isRetried({ error: refused, repeatable: true }), true)
})

test("a connection that broke, or a server that stays silent, is retried only where the call is repeatable", () => {
  for (const error of [broken, new TimeoutError("", { timer: "connect" })]) {
    assert.equal(isRetried({ error, repeatable: true }), true)
    assert.equal(isRetried({ error, repeatable: false }), false)
  }
})

test("answers that may pass are retried, the others never", () => {
  const retried = [408, 409, 425, 429, 500, 502, 503, 504, 529]
  for (let status = 400; status < 600; status++) {
    const error = errorOfAnswer(status, "")
    const expected = retried.includes(status) || (status > 501 && status < 600)
    assert.equal(isRetried({ error, repeatable: false }), expected, String(status))
  }
})

test("a server that says whether it is of use is believed", () => {
  const body = (retryable: boolean) => JSON.stringify({ error: { message: "No.", metadata: { retryable } } })
  assert.equal(isRetried({ error: errorOfAnswer(502, body(false)), repeatable: true }), false)
  assert.equal(isRetried({ error: errorOfAnswer(400, body(true)), repeatable: true }), true)
})

test("what would take longer than a minute is not waited for", () => {
  assert.equal(isRetried({ error: errorOfAnswer(429, "", { retryAfterMs: 60_000 }), repeatable: true }), true)
  assert.equal(
    isRetried({ error: errorOfAnswer(429, "", { retryAfterMs: 60_001 }), repeatable: true }),
    false,
  )
})

test("an abort, the other timers, and an answer that is none are never retried", () => {
  const errors = [
    new CancelledError(),
    new TimeoutError("", { timer: "total" }),
    new TimeoutError("", { timer: "firstContent" }),
    new MalformedResponseError("", { received: "HTML" }),
  ]
  for (const error of errors) assert.equal(isRetried({ error, repeatable: true }), false)
})

test("a drop is retried at once, a refusal after a wait that doubles, and never before Retry-After", () => {
  assert.deepEqual(
    [1, 2, 3].map((retry) => retryDelay(broken, retry, 1)),
    [0, 250, 500],
  )
  assert.deepEqual(
    [1, 2, 3].map((retry) => retryDelay(errorOfAnswer(503, ""), retry, 1)),
    [250, 500, 1000],
  )
  assert.equal(retryDelay(errorOfAnswer(503, "", { retryAfterMs: 3000 }), 1, 1), 3000)
})
