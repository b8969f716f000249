/**
 * `npm run generate`: the pages that are made from the sources, and two files. A test holds them up to date. The picture of the page at
 * `/` is taken by `npm run generate -- screenshot`; no two are the same, so no test compares it.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import type { LostResult } from "../bench/books.ts"
import type { Grown } from "../bench/growth/part.ts"
import { plotOf } from "../bench/growth/plot.ts"
import type { MemoryResult } from "../bench/memory.ts"
import type { MicroResult } from "../bench/micro.ts"
import { newestResults, readResults } from "../bench/results.ts"
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
import { type PerformanceSource, performancePage } from "./performance-page.ts"
import { pricesPage } from "./prices-page.ts"
import { providersPage } from "./providers-page.ts"
import { vocabularyFile } from "./vocabulary-file.ts"

interface GeneratedPage {
  /** From the repository's root. */
  readonly path: string
  readonly generate: () => string | Uint8Array
}

/** In the order of the page. */
const GROWTH = Object.fromEntries(
  ["streams", "keys", "rows", "routes"].map((part) => [part, readResults<Grown>(`growth-${part}`)]),
)

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
    path: "docs/performance.md",
    generate: () =>
      performancePage({
        relay: newestResults<NonNullable<PerformanceSource["relay"]>>("relay"),
        memory: readResults<MemoryResult>("memory"),
        books: readResults<LostResult>("books"),
        micro: readResults<MicroResult>("micro"),
        growth: GROWTH,
      }),
  },
  ...Object.entries(GROWTH).flatMap(([name, grown]): GeneratedPage[] =>
    grown === undefined ? [] : [{ path: `docs/growth-${name}.svg`, generate: () => plotOf(grown) }],
  ),
  {
    path: "packages/gateway/sluice.schema.json",
    generate: () => `${JSON.stringify(configurationSchema(), null, 2)}\n`,
  },
  { path: "packages/gateway/src/tokens/o200k_base.bin", generate: vocabularyFile },
  { path: "docs/errors.md", generate: errorsPage },
  { path: "docs/providers.md", generate: () => providersPage(KNOWN_PROVIDERS) },
]

if (import.meta.main && process.argv[2] === "screenshot") {
  const { takeScreenshot } = await import("./screenshot.ts")
  console.log(`written  ${await takeScreenshot()}`)
} else if (import.meta.main) {
  for (const { path, generate } of GENERATED_PAGES) {
    const wanted = generate()
    const changed = !isUpToDate(path, wanted)
    if (changed) writeFileSync(resolve(root, path), wanted)
    console.log(`${changed ? "written" : "as it was"}  ${path}`)
  }
}

export function isUpToDate(path: string, wanted: string | Uint8Array): boolean {
  try {
    return readFileSync(resolve(root, path)).equals(Buffer.from(wanted))
  } catch {
    return false
  }
}
