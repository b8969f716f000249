import assert from "node:assert/strict"
import test from "node:test"
import { mayUse } from "./may-use.ts"

const ALL = { models: null, providers: null }

test("a key without lists may use everything, one with empty lists nothing", () => {
  assert.ok(mayUse(ALL, "openai/gpt-4o", "openai"))
  assert.ok(!mayUse({ ...ALL, models: [] }, "openai/gpt-4o"))
  assert.ok(!mayUse({ ...ALL, providers: [] }, "openai/gpt-4o", "openai"))
})

test("a name is the whole name, and a star at its end any rest", () => {
  const key = { models: ["fast", "openai/gpt-4o*"], providers: ["openai"] }
  assert.ok(mayUse(key, "fast", "openai"))
  assert.ok(mayUse(key, "openai/gpt-4o-mini"))
  assert.ok(!mayUse(key, "faster"))
  assert.ok(!mayUse(key, "openai/gpt-4"))
  assert.ok(!mayUse(key, "fast", "openai-eu"))
  assert.ok(mayUse({ ...ALL, models: ["*"] }, "anything"))
})

test("a simulator's script and the wishes nitro and floor change nothing about the model", () => {
  const key = { ...ALL, models: ["sim/story", "openai/gpt-4o"] }
  assert.ok(mayUse(key, "sim/story:tokens=5,cut=3"))
  assert.ok(mayUse(key, "openai/gpt-4o:nitro"))
  assert.ok(mayUse(key, "openai/gpt-4o:floor:nitro"))
  assert.ok(!mayUse(key, "sim/storm:tokens=5"))
})

test("another tag of a model is another model", () => {
  const key = { ...ALL, models: ["local/llama:8b", "openai/gpt-4o"] }
  assert.ok(mayUse(key, "local/llama:8b"))
  assert.ok(mayUse(key, "local/llama:8b:nitro"))
  assert.ok(!mayUse(key, "local/llama:70b"))
  assert.ok(!mayUse(key, "openai/gpt-4o:extended"))
  assert.ok(!mayUse(key, "openai/gpt-4o:nitro:extended"))
})

test("both lists must allow", () => {
  const key = { models: ["fast"], providers: ["openai"] }
  assert.ok(!mayUse(key, "fast", "acme"))
  assert.ok(!mayUse(key, "slow", "openai"))
})
