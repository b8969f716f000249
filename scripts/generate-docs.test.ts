import assert from "node:assert/strict"
import { test } from "node:test"
import { loadConfig } from "../packages/gateway/src/config.ts"
import { PRICE_TABLE } from "../packages/gateway/src/ledger/prices.ts"
import { blocksInMarkdown } from "./doc-examples.ts"
import { GENERATED_PAGES, isUpToDate } from "./generate-docs.ts"
import { pricesPage } from "./prices-page.ts"

for (const { path, generate } of GENERATED_PAGES) {
  test(`${path} is what its source makes of it`, () => {
    assert.ok(isUpToDate(path, generate()), `${path} is out of date: run npm run generate`)
  })
}

test("a page that is missing or differs by a letter is not up to date", () => {
  const { path, generate } = GENERATED_PAGES[0]!
  assert.equal(isUpToDate("docs/no-such-page.md", ""), false)
  assert.equal(isUpToDate(path, `${generate()} `), false)
})

test("the page of prices has every row of the table", () => {
  const page = pricesPage(PRICE_TABLE)
  for (const { provider, model, asOf, source } of PRICE_TABLE) {
    const section = page.split(/^## /m).find((part) => part.startsWith(`${provider}\n`)) ?? ""
    assert.ok(section.includes(source))
    const line = section.split("\n").find((text) => text.startsWith(`| \`${model}\` |`))
    assert.ok(line?.endsWith(`| ${asOf} |`), line)
  }
})

test("dollars are written with cents, and finer where they are finer", () => {
  const row = { provider: "a", source: "https://a.example", asOf: "2026-01-01" }
  const page = pricesPage([{ ...row, model: "m", input: 0.1, cached: 0.0375, cacheWrite: 1.25, output: 30 }])
  assert.match(page, /\| `m` \| 0\.10 \| 0\.0375 \| 1\.25 \| 30\.00 \| 2026-01-01 \|/)
})

test("the page's example is a configuration", () => {
  const [example] = blocksInMarkdown("docs/prices.md", pricesPage(PRICE_TABLE), "yaml")
  const providers = ["openai", "local", "mine"]
    .map((name) => `  ${name}: { kind: openai-compatible, base_url: http://127.0.0.1:1/v1 }\n`)
    .join("")
  const text = `providers:\n${providers}${example?.code}`
  const { prices } = loadConfig({ file: "sluice.yaml", text, environment: {}, flags: {} })
  assert.equal(prices.size, 3)
})
