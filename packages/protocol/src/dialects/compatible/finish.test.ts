import assert from "node:assert/strict"
import { test } from "node:test"
import { COMMON_FINISHES, finishFor, readFinish } from "./finish.ts"

test("every provider's word has its meaning, and its own word is kept", () => {
  const meanings = {
    STOP: "stop",
    eos_token: "stop",
    end_turn: "stop",
    stop_sequence: "stop",
    max_tokens: "length",
    MAX_TOKENS: "length",
    model_length: "length",
    tool_use: "tool_calls",
    SAFETY: "content_filter",
    RECITATION: "content_filter",
    refusal: "content_filter",
    abort: "error",
    insufficient_system_resource: "error",
    a_word_of_tomorrow: "stop",
  }
  for (const [native, reason] of Object.entries(meanings))
    assert.deepEqual(readFinish(native), { reason, native })
  for (const reason of COMMON_FINISHES) assert.deepEqual(readFinish(reason), { reason })
})

test("nothing said is null", () => {
  for (const word of [null, undefined, "", 3, {}]) assert.deepEqual(readFinish(word), { reason: null })
})

test("a client without the word for a failure is told nothing rather than stop", () => {
  assert.equal(finishFor("error", COMMON_FINISHES), null)
  assert.equal(finishFor("error", new Set(["error"] as const)), "error")
  assert.equal(finishFor("function_call", new Set(["stop"] as const)), "stop")
})
