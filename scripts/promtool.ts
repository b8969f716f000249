/** Prometheus' own checker, for tests: the machine's, or the one that install-test-tools.sh has fetched. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { root } from "./house.ts"

const PLACES = ["promtool", join(root, ".cache/promtool")]

/** A scrape it reads from its standard input, all else from a file. */
const ARGUMENTS = {
  metrics: () => ["check", "metrics"],
  rules: (file: string) => ["check", "rules", file],
  config: (file: string) => ["check", "config", "--syntax-only", file],
} as const

/** What it says of this text; "" where it finds nothing. Undefined where there is no promtool: the test then says so. */
export function promtool(
  context: TestContext,
  what: keyof typeof ARGUMENTS,
  text: string,
): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "sluice-promtool-"))
  try {
    const file = join(folder, `${what}.yml`)
    writeFileSync(file, text)
    for (const place of PLACES) {
      const run = spawnSync(place, ARGUMENTS[what](file), { input: text, encoding: "utf8" })
      if (run.error === undefined)
        return run.status === 0 ? "" : `${run.stdout}${run.stderr}` || `it ended with ${run.status}`
      if (!("code" in run.error) || run.error.code !== "ENOENT") throw run.error
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  context.diagnostic("promtool is absent (sh scripts/install-test-tools.sh promtool)")
  return undefined
}
