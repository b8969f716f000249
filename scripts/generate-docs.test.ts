import assert from "node:assert/strict"
import { existsSync, globSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { test } from "node:test"
import { settings } from "../packages/gateway/src/config/settings.ts"
import { VARIABLES } from "../packages/gateway/src/config/variables.ts"
import { loadConfig } from "../packages/gateway/src/config.ts"
import { PRICE_TABLE } from "../packages/gateway/src/ledger/prices.ts"
import { KNOWN_PROVIDERS } from "../packages/gateway/src/providers/known-providers.ts"
import { blocksInMarkdown } from "./doc-examples.ts"
import { GENERATED_PAGES, isUpToDate } from "./generate-docs.ts"
import { root } from "./house.ts"
import { pricesPage } from "./prices-page.ts"
import { providersPage } from "./providers-page.ts"

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

test("the page of prices has an example that is a configuration", () => {
  const [example] = blocksInMarkdown("docs/prices.md", pricesPage(PRICE_TABLE), "yaml")
  const providers = ["openai", "local", "mine"]
    .map((name) => `  ${name}: { kind: openai-compatible, base_url: http://127.0.0.1:1/v1 }\n`)
    .join("")
  const text = `providers:\n${providers}${example?.code}`
  const { prices } = loadConfig({ file: "sluice.yaml", text, environment: {}, flags: {} })
  assert.equal(prices.size, 3)
})

const CONFIGURATION = readFileSync(resolve(root, "docs/configuration.md"), "utf8")

test("the page of the configuration has every setting, in the section that it stands in", () => {
  const sections = new Map(
    CONFIGURATION.split(/^### /m).map((part) => [part.slice(0, part.indexOf("\n")), part] as const),
  )
  for (const { path, about } of settings()) {
    const [section = "", ...rest] = path.filter((step) => step !== "<name>")
    // What a route may set stands once, among the defaults.
    const title = section === "models" && rest.length > 0 && rest[0] !== "candidates" ? "defaults" : section
    const page = sections.get(title) ?? ""
    assert.ok(page.includes(about), `${path.join(".")}: ${about}`)
    const name = rest.join(".").replaceAll(".[]", "[]")
    if (name !== "" && name !== "candidates[]") assert.ok(page.includes(`| \`${name}\` |`), path.join("."))
  }
})

test("the configuration's examples are configurations", () => {
  const examples = blocksInMarkdown("docs/configuration.md", CONFIGURATION, "yaml")
  assert.equal(examples.length, 3)
  const environment = { OPENAI_API_KEY: "key" }
  const loaded = examples.map(({ code }) =>
    loadConfig({ file: "sluice.yaml", text: code, environment, flags: {} }),
  )
  assert.deepEqual(
    loaded.map(({ providers }) => providers.map(({ name, baseUrl }) => `${name} ${baseUrl}`)),
    [
      ["openai https://api.openai.com/v1", "local http://127.0.0.1:8080/v1"],
      ["local http://127.0.0.1:8080/v1"],
      [],
    ],
  )
})

test("the mistake that the page quotes is what the gateway says", () => {
  const text = `providers:
  openai: { kind: openai, credential: none }
  local: { kind: openai-compatible, base_url: "http://127.0.0.1:1" }
models:
  fast:
    candidates:
      - { provider: opnai, model: m }
`
  assert.throws(
    () => loadConfig({ file: "sluice.yaml", text, environment: {}, flags: {} }),
    ({ message }: Error) => CONFIGURATION.includes(`\n${message}\n`),
  )
})

test("the page has every variable that the gateway reads, and no other", () => {
  const sources = globSync("packages/gateway/src/config{.ts,/*.ts}", { cwd: root, exclude: ["**/*.test.ts"] })
  const read = sources.flatMap((path) =>
    [...readFileSync(resolve(root, path), "utf8").matchAll(/(?:environment\[|read\()"([A-Z_]+)"/g)].map(
      ([, name]) => name,
    ),
  )
  assert.deepEqual([...new Set(read)].toSorted(), VARIABLES.map(({ name }) => name).toSorted())
})

test("the page of providers says of each what its entry has, and where that is known from", () => {
  const page = providersPage(KNOWN_PROVIDERS)
  for (const {
    name,
    baseUrl,
    variables,
    sources,
    asOf,
    quirks,
    compat,
    notes,
    unverified,
  } of KNOWN_PROVIDERS) {
    assert.ok(page.includes(`\n| \`${name}\``), name)
    const section = page.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? ""
    const said = [
      asOf,
      ...sources,
      ...(compat ?? []),
      ...(notes ?? []),
      ...(quirks?.refuses ?? []),
      unverified ?? "",
    ]
    for (const text of said) assert.ok(section.includes(text), `${name}: ${text}`)
    if (baseUrl !== undefined)
      for (const variable of variables) assert.ok(page.includes(`\`${variable}\``), variable)
    assert.equal(section.includes("OpenAI-compatible endpoint; what is lost"), compat !== undefined)
  }
})

test("the page of providers has an example that is a configuration", () => {
  const [example] = blocksInMarkdown("docs/providers.md", providersPage(KNOWN_PROVIDERS), "yaml")
  const names = [...(example?.code ?? "").matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, name])
  const environment = Object.fromEntries(names)
  const text = example?.code ?? ""
  const { providers } = loadConfig({ file: "sluice.yaml", text, environment, flags: {} })
  assert.deepEqual(
    providers.map(({ kind }) => kind),
    ["groq", "azure", "ollama", "openai", "openrouter", "openai-compatible"],
  )
  assert.equal(providers[3]?.credentials.length, 2)
})

test("CONTRIBUTING shows the entry and the transcript of a provider as they are", () => {
  const text = readFileSync(resolve(root, "CONTRIBUTING.md"), "utf8")
  const [entry] = blocksInMarkdown("CONTRIBUTING.md", text, "ts")
  const hosts = readFileSync(resolve(root, "packages/gateway/src/providers/known/hosts.ts"), "utf8")
  assert.ok(entry !== undefined && hosts.includes(entry.code.replace(/^(?=.)/gm, "  ")))
  const transcript = /`(packages\/gateway\/test\/transcripts\/[\w.-]+\.json)`/.exec(text)?.[1]
  assert.ok(transcript !== undefined && existsSync(resolve(root, transcript)), transcript)
})
