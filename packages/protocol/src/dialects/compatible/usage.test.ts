import assert from "node:assert/strict"
import { test } from "node:test"
import { readUsage, writeUsage } from "./usage.ts"

const plain = { promptDetails: [], completionDetails: [], cost: false, unknown: false } as const

test("what is no usage is undefined", () => {
  for (const value of [null, undefined, {}, [], "x", 3, { prompt_tokens: null }]) {
    assert.equal(readUsage(value), undefined, JSON.stringify(value))
  }
})

test("counts are whole numbers from 0 on, and a flag says that one was not", () => {
  const read = readUsage({ prompt_tokens: -1, completion_tokens: 2.5, total_tokens: 1e300 })
  assert.deepEqual(read, {
    usage: { prompt_tokens: 0, completion_tokens: 2, total_tokens: 2 ** 31 - 1 },
    flags: ["clamped"],
  })
})

test("a missing total is summed and a missing count is 0, each with its flag", () => {
  assert.deepEqual(readUsage({ prompt_tokens: "3", completion_tokens: 4 }), {
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    flags: ["summed"],
  })
  assert.deepEqual(readUsage({ prompt_tokens: 3, total_tokens: 3 })?.flags, ["incomplete"])
})

test("a total beyond the sum, xAI's way, is left as it was said", () => {
  assert.equal(
    readUsage({ prompt_tokens: 291, completion_tokens: 26, total_tokens: 513 })?.usage.total_tokens,
    513,
  )
})

test("DeepSeek's cache hits are cached tokens, unless the details say so themselves", () => {
  const sent = { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10, prompt_cache_hit_tokens: 5 }
  assert.deepEqual(readUsage(sent)?.usage.prompt_tokens_details, { cached_tokens: 5 })
  const both = { ...sent, prompt_tokens_details: { cached_tokens: 6 } }
  assert.deepEqual(readUsage(both)?.usage.prompt_tokens_details, { cached_tokens: 6 })
})

test("Moonshot's cached tokens are too, though they stand beside the details", () => {
  const sent = { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10, cached_tokens: 4 }
  assert.deepEqual(readUsage(sent)?.usage.prompt_tokens_details, { cached_tokens: 4 })
  const silent = { ...sent, prompt_tokens_details: { cached_tokens: null } }
  assert.deepEqual(readUsage(silent)?.usage.prompt_tokens_details, { cached_tokens: 4 })
})

test("what only its provider counts goes out as it came where it may, and nowhere what we pay for it", () => {
  const sent = {
    prompt_tokens: 9,
    completion_tokens: 1,
    total_tokens: 10,
    prompt_tokens_details: { cached_tokens: 5, audio_tokens: 0, text_tokens: 9 },
    prompt_cache_hit_tokens: 5,
    prompt_cache_miss_tokens: 4,
    num_sources_used: 0,
    queue_time: 0.04,
    more: { of: ["it"] },
    nothing: null,
  }
  const { nothing, ...spoken } = sent
  const read = readUsage({ ...sent, cost_in_usd_ticks: 1_330_500, estimated_cost: 0.1, cost: { total: 1 } })
  assert.ok(read && read.flags.length === 0)
  assert.deepEqual(writeUsage(read.usage, { ...plain, unknown: true }), spoken)
  assert.deepEqual(writeUsage(read.usage, { ...plain, cost: true }), {
    prompt_tokens: 9,
    completion_tokens: 1,
    total_tokens: 10,
    prompt_tokens_details: { cached_tokens: 5, audio_tokens: 0 },
  })
})

test("details are written whole or not at all", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  assert.deepEqual(writeUsage({ ...usage, prompt_tokens_details: null }, plain), usage)
  assert.deepEqual(
    writeUsage(
      { ...usage, prompt_tokens_details: { cached_tokens: 1 }, completion_tokens_details: {} },
      plain,
    ),
    {
      ...usage,
      prompt_tokens_details: { cached_tokens: 1, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
  )
})

test("a cache write goes out under the name that the system has for it", () => {
  const usage = {
    prompt_tokens: 1,
    completion_tokens: 2,
    total_tokens: 3,
    prompt_tokens_details: { cache_write_tokens: 7 },
  }
  const written = writeUsage(usage, { ...plain, promptDetails: ["cache_creation_tokens"] })
  assert.deepEqual(written["prompt_tokens_details"], {
    cached_tokens: 0,
    audio_tokens: 0,
    cache_creation_tokens: 7,
  })
})

test("a cost goes only where there is a place for it, and its details only whole", () => {
  const sent = {
    prompt_tokens: 1,
    completion_tokens: 2,
    total_tokens: 3,
    cost: 0.5,
    is_byok: true,
    cost_details: { upstream_inference_cost: 0.5 },
    server_tool_use: { web_search_requests: 2 },
  }
  const usage = readUsage(sent)?.usage
  assert.ok(usage)
  assert.deepEqual(writeUsage(usage, plain), { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 })
  assert.deepEqual(writeUsage(usage, { ...plain, cost: true }), {
    prompt_tokens: 1,
    completion_tokens: 2,
    total_tokens: 3,
    cost: 0.5,
    is_byok: true,
    server_tool_use_details: { web_search_requests: 2 },
  })
})
