import assert from "node:assert/strict"
import { test } from "node:test"
import { dialectOf, KNOWN_PROVIDERS, knownProvider, PROVIDER_KINDS } from "./known-providers.ts"

test("each provider is there once, under a name that a configuration can have", () => {
  const names = KNOWN_PROVIDERS.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.length >= 25, `${names.length} providers`)
  for (const name of names) assert.match(name, /^[a-z0-9][a-z0-9.-]*$/)
  assert.deepEqual(PROVIDER_KINDS, [...names, "openai-compatible"])
})

test("no two providers share a variable or an address", () => {
  const variables = KNOWN_PROVIDERS.flatMap(({ variables }) => variables)
  const urls = KNOWN_PROVIDERS.flatMap(({ baseUrl }) => baseUrl ?? [])
  for (const list of [variables, urls]) assert.equal(new Set(list).size, list.length)
})

for (const known of KNOWN_PROVIDERS) {
  test(`the entry of ${known.name} is whole, dated and has its sources`, () => {
    const { baseUrl, example, variables, local, dialect, quirks, compat, notes, unverified } = known
    if (baseUrl === undefined) assert.match(example ?? "", /^https:\/\//)
    else {
      assert.equal(new URL(baseUrl).protocol, local ? "http:" : "https:")
      assert.match(baseUrl, /[^/]$/)
    }
    if (local) assert.equal(new URL(baseUrl!).hostname, "127.0.0.1")
    assert.equal(variables.length === 0, local === true)
    for (const variable of variables) assert.match(variable, /^[A-Z][A-Z0-9_]+$/)
    // The vendors' own dialects say what they take by themselves.
    assert.ok(quirks === undefined || dialect === "openai")
    assert.ok(Object.keys(quirks ?? { any: true }).length > 0)
    for (const text of compat ?? []) assert.doesNotMatch(text, /\.$/)
    for (const text of notes ?? []) assert.match(text, /\.$/)
    assert.doesNotMatch(unverified ?? "", /\.$/)
    assert.match(known.asOf, /^20\d\d-\d\d-\d\d$/)
    assert.ok(known.sources.length > 0)
    for (const source of known.sources) assert.equal(URL.parse(source)?.protocol, "https:")
  })
}

test("a kind that nobody knows is spoken to as OpenAI is", () => {
  assert.equal(knownProvider("openai-compatible"), undefined)
  assert.equal(dialectOf("openai-compatible").name, "openai")
  assert.equal(dialectOf("orq").name, "orq")
  assert.equal(dialectOf("groq").name, "openai")
})
