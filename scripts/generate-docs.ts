/**
 * `npm run generate`: the pages that are made from the sources. A test holds them up to date. The picture of the page at
 * `/` is taken by `npm run generate -- screenshot`; no two are the same, so no test compares it.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { configurationSchema } from "../packages/gateway/src/config/json-schema.ts"
import { settings } from "../packages/gateway/src/config/settings.ts"
import { VARIABLES } from "../packages/gateway/src/config/variables.ts"
import { PRICE_TABLE } from "../packages/gateway/src/ledger/prices.ts"
import { KNOWN_PROVIDERS } from "../packages/gateway/src/providers/known-providers.ts"
import { METRICS } from "../packages/gateway/src/telemetry/metrics.ts"
import { configurationPage } from "./configuration-page.ts"
import { errorsPage } from "./errors-page.ts"
import { root } from "./house.ts"
import { metricsPage } from "./metrics-page.ts"
import { pricesPage } from "./prices-page.ts"
import { providersPage } from "./providers-page.ts"

interface GeneratedPage {
  /** From the repository's root. */
  readonly path: string
  readonly generate: () => string
}

export const GENERATED_PAGES: readonly GeneratedPage[] = [
  { path: "docs/metrics.md", generate: () => metricsPage(METRICS) },
  { path: "docs/prices.md", generate: () => pricesPage(PRICE_TABLE) },
  {
    path: "docs/configuration.md",
    generate: () =>
      configurationPage({
        settings: settings(),
        variables: VARIABLES,
        providers: KNOWN_PROVIDERS,
        example: readFileSync(resolve(root, "examples/sluice.yaml"), "utf8"),
      }),
  },
  {
    path: "packages/gateway/sluice.schema.json",
    generate: () => `${JSON.stringify(configurationSchema(), null, 2)}\n`,
  },
  { path: "docs/errors.md", generate: errorsPage },
  { path: "docs/providers.md", generate: () => providersPage(KNOWN_PROVIDERS) },
]

if (import.meta.main && process.argv[2] === "screenshot") {
  const { takeScreenshot } = await import("./screenshot.ts")
  console.log(`written  ${await takeScreenshot()}`)
} else if (import.meta.main) {
  for (const { path, generate } of GENERATED_PAGES) {
    const text = generate()
    const changed = !isUpToDate(path, text)
    if (changed) writeFileSync(resolve(root, path), text)
    console.log(`${changed ? "written" : "as it was"}  ${path}`)
  }
}

export function isUpToDate(path: string, text: string): boolean {
  try {
    return readFileSync(resolve(root, path), "utf8") === text
  } catch {
    return false
  }
}
