import assert from "node:assert/strict"
import { test } from "node:test"
import { maskSecrets } from "./mask.ts"

/** Made up here; none was ever valid. */
const SECRETS = [
  "sk-abcdefghijklmnop1234",
  "sk-proj-AbC123_def456-ghi789",
  "sk-ant-api03-zzzz9999yyyy",
  "sk-or-v1-0123456789abcdef0123456789abcdef",
  "sk-abcd****wxyz",
  "gsk_a1b2c3d4e5f6g7h8",
  "xai-A1b2C3d4E5f6",
  "hf_AbCdEfGhIjKlMnOp",
  "AIzaSyA1234567890abcdefg",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
  "0123456789abcdef0123456789abcdef",
]

test("a key is masked wherever in a sentence it stands", () => {
  for (const secret of SECRETS) {
    for (const sentence of [
      secret,
      `Incorrect API key provided: ${secret}.`,
      `no access for "${secret}", sorry`,
    ]) {
      const masked = maskSecrets(sentence)
      assert.ok(!masked.includes(secret.slice(0, 12)), masked)
      assert.match(masked, /\*\*\*/)
    }
  }
})

test("what follows the word key, token or Bearer is masked when it looks like one", () => {
  for (const sentence of [
    "Bearer abc.def-123",
    "authorization: Basic dXNlcjpwYXNz",
    'api_key="A1b2C3d4E5f6G7h8"',
    "invalid token: Zm9vYmFyYmF6cXV4MTIz",
    "the API key A1b2C3d4E5f6G7h8 is wrong",
    "GET https://x.test/v1?key=A1b2C3d4E5f6G7h8",
  ]) {
    const masked = maskSecrets(sentence)
    assert.match(masked, /\*\*\*/, sentence)
    assert.doesNotMatch(masked, /A1b2|Zm9v|dXNl|abc\.def/, masked)
  }
  assert.equal(maskSecrets("https://user:hunter2@host/"), "https://user:***@host/")
})

test("ordinary sentences stay as they are", () => {
  for (const sentence of [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "Rate limit reached for gpt-4o-mini-2024-07-18 in organization org-x on tokens per min",
    "The model `meta-llama/Llama-3.3-70B-Instruct` does not exist (request id: 1f0c2a34-0000-4000-8000-123456789abc)",
    "Invalid value for key: temperature",
    "messages[0].role: field required",
  ]) {
    assert.equal(maskSecrets(sentence), sentence)
  }
})
