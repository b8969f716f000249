import assert from "node:assert/strict"
import { test } from "node:test"
import type { Price } from "./price.ts"
import { createPriceList } from "./price-list.ts"
import { PRICE_TABLE, priceOf, toPrice } from "./prices.ts"

test("the table has the well-known models, each once", () => {
  const names = PRICE_TABLE.map(({ provider, model }) => `${provider}/${model}`)
  assert.ok(names.length >= 60, `${names.length} rows`)
  assert.equal(new Set(names).size, names.length)
})

for (const row of PRICE_TABLE) {
  test(`the row of ${row.provider}/${row.model} is whole, plausible, dated and has its source`, () => {
    const price = toPrice(row)
    for (const rates of price.longPrompt === undefined ? [price] : [price, price.longPrompt]) {
      for (const amount of Object.values(rates).filter((value) => typeof value === "number"))
        assert.ok(Number.isSafeInteger(amount) && amount >= 0, String(amount))
      assert.ok(rates.input > 0 && rates.output >= rates.input)
      // Reading from a cache never costs more than sending again, and writing never more than twice.
      assert.ok((rates.cached ?? 0) <= rates.input)
      assert.ok((rates.cacheWrite ?? 0) <= 2 * rates.input)
      // 1,000 USD per million: a slip of the point is three zeros.
      assert.ok(rates.output <= 1_000_000_000)
    }
    if (price.longPrompt !== undefined) {
      assert.ok(price.longPrompt.above >= 1_000)
      assert.ok(price.longPrompt.input > price.input && price.longPrompt.output > price.output)
      assert.equal(price.longPrompt.cached === undefined, price.cached === undefined)
    }
    assert.match(row.asOf, /^20\d\d-\d\d-\d\d$/)
    assert.equal(new Date(`${row.asOf}T00:00:00Z`).toISOString().slice(0, 10), row.asOf)
    assert.equal(URL.parse(row.source)?.protocol, "https:")
    assert.ok(/^\S+$/.test(row.model) && /^[a-z]+$/.test(row.provider))
  })
}

test("a model is found by its name, and by the name of a release of it that ends in a date", () => {
  const mini: Price = { input: 150_000, cached: 75_000, output: 600_000 }
  assert.deepEqual(priceOf("openai", "gpt-4o-mini"), mini)
  assert.deepEqual(priceOf("openai", "gpt-4o-mini-2024-07-18"), mini)
  assert.deepEqual(
    priceOf("anthropic", "claude-sonnet-4-5-20250929"),
    priceOf("anthropic", "claude-sonnet-4-5"),
  )
})

test("a release with a price of its own is not priced as its model", () => {
  assert.notDeepEqual(priceOf("openai", "gpt-4o-2024-05-13"), priceOf("openai", "gpt-4o"))
})

test("nothing is guessed: another provider, another suffix, no date or another case has no price", () => {
  assert.ok(priceOf("openai", "gpt-4o-mini") !== undefined)
  const others = [
    ["azure", "gpt-4o-mini"],
    ["openai", "gpt-4o-minis"],
    ["openai", "gpt-4o-mini-"],
    ["openai", "gpt-4o-mini-latest"],
    ["openai", "gpt-4o-mini-2024-13-18"],
    ["openai", "gpt-4o-mini-2024-0718"],
    ["openai", "gpt-4o-mini-20240718-x"],
    ["openai", "gpt-3.5-turbo-0301"],
    ["openai", "GPT-4o-mini"],
    ["openai", ""],
    ["", "openai/gpt-4o-mini"],
    ["sim", "story"],
  ] as const
  for (const [provider, model] of others) assert.equal(priceOf(provider, model), undefined, model)
})

const asItIs = (_: string, model: string): string => model
const itself = (provider: string): string => provider

test("the configuration's prices win, for a model's dated releases too", () => {
  const mine: Price = { input: 1, output: 2 }
  const list = createPriceList(new Map([["openai/gpt-4o", mine]]), asItIs, itself)
  assert.equal(list.priceOf("openai", "gpt-4o"), mine)
  assert.equal(list.priceOf("openai", "gpt-4o-2024-05-13"), mine)
  assert.equal(list.priceOf("openai", "gpt-4o-mini"), priceOf("openai", "gpt-4o-mini"))
  assert.equal(list.priceOf("openai", "my-own"), undefined)
})

test("a model is looked up by the name that it is priced by", () => {
  const mine: Price = { input: 1, output: 2 }
  const nameOf = (provider: string, model: string): string =>
    provider === "sim" ? model.replace(/:.*/, "") : model
  const list = createPriceList(new Map([["sim/story", mine]]), nameOf, itself)
  assert.equal(list.priceOf("sim", "story:tokens=9"), mine)
  assert.equal(list.priceOf("sim", "story"), mine)
  assert.equal(list.priceOf("sim", "other:tokens=9"), undefined)
  assert.equal(list.priceOf("openai", "gpt-4o:x"), undefined)
})

test("a vendor has its prices under whatever name it is configured; that name's own prices come first", () => {
  const mine: Price = { input: 1, output: 2 }
  const vendorOf = (provider: string): string =>
    ({ main: "openai", groq: "openai", other: "openai-compatible" })[provider] ?? provider
  const list = createPriceList(new Map([["main/gpt-4o", mine]]), asItIs, vendorOf)
  assert.deepEqual(list.priceOf("main", "gpt-4o-mini"), priceOf("openai", "gpt-4o-mini"))
  assert.equal(list.priceOf("main", "gpt-4o"), mine)
  assert.notDeepEqual(priceOf("groq", "openai/gpt-oss-120b"), undefined)
  assert.deepEqual(list.priceOf("groq", "openai/gpt-oss-120b"), priceOf("groq", "openai/gpt-oss-120b"))
  assert.equal(list.priceOf("other", "gpt-4o"), undefined)
  assert.equal(list.priceOf("main", "nobody-knows"), undefined)
})
