import assert from "node:assert/strict"
import { test } from "node:test"
import { createNames, type NameSources, OTHER } from "./names.ts"

const SOURCES: NameSources = {
  nameOf: (provider, model) => (provider === "sim" ? model.replace(/:.*/, "") : model),
  isRoute: (name) => name === "fast",
  isKnown: (provider, model) => `${provider}/${model}` === "acme/large",
}

test("a model has its name when it has answered, and not before", () => {
  const names = createNames(SOURCES)
  assert.equal(names.model("acme", "made-up", false), OTHER)
  assert.equal(names.model("acme", "small", false), OTHER)
  assert.equal(names.model("acme", "small", true), "small")
  assert.equal(names.model("acme", "small", false), "small")
  assert.equal(names.model("other-place", "small", false), OTHER)
})

test("a model that the configuration or the price table has is named at once", () => {
  assert.equal(createNames(SOURCES).model("acme", "large", false), "large")
})

test("a simulator's script is no part of a name", () => {
  const names = createNames(SOURCES)
  assert.equal(names.model("sim", "story:tokens=3,seed=7", true), "story")
  assert.equal(names.asked("sim/story:gap=30", "sim", "story"), "sim/story")
})

test("what was asked for is a route, a model that has a name, or other", () => {
  const names = createNames(SOURCES)
  assert.equal(names.asked("fast", "acme", "large"), "fast")
  assert.equal(names.asked("acme/large", "acme", "large"), "acme/large")
  assert.equal(names.asked("fast:nitro", "acme", "large"), "fast")
  assert.equal(names.asked("acme/large:floor", "acme", "large"), "acme/large")
  assert.equal(names.asked("large", "acme", "large"), "acme/large", "its provider was named apart")
  assert.equal(names.asked("made-up", "acme", OTHER), OTHER)
  for (const name of ["", "/", "acme", "acme/", "acme/made-up", "made-up/large", "slow", "/large"]) {
    assert.equal(names.asked(name, "", ""), OTHER, name)
  }
})

test("models that answer to any name are named up to a bound, and leave room for other providers", () => {
  const names = createNames(SOURCES)
  const named = (provider: string): number => {
    const all = Array.from({ length: 10_000 }, (_, index) => names.model(provider, `model-${index}`, true))
    return new Set(all).size - 1
  }
  assert.deepEqual(["one", "two", "three"].map(named), [250, 250, 0])
  assert.equal(names.model("one", "model-7", false), "model-7")
  assert.equal(names.model("acme", "large", true), "large")
})

test("what was asked for beside what answered makes no more pairs than there may be", () => {
  const names = createNames(SOURCES)
  for (const provider of ["one", "two"]) {
    for (let index = 0; index < 100; index++) names.model(provider, `model-${index}`, true)
  }
  const pairs = new Set<string>()
  for (let one = 0; one < 100; one++) {
    for (let two = 0; two < 100; two++) {
      pairs.add(`${names.asked(`one/model-${one}`, "two", `model-${two}`)} ${two}`)
    }
  }
  assert.equal(pairs.size, 500 + 100, "as many as are named, and other beside each that answers")
})
