import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { CALLERS } from "../callers/all.ts"

const page = readFileSync(new URL("../../docs/sdks.md", import.meta.url), "utf8")

test("docs/sdks.md has a line for each thing that an SDK cannot, and no other", () => {
  const section = page.split(/^## /m).find((part) => part.startsWith("What each cannot\n")) ?? ""
  const told = [...section.matchAll(/^\| (`.+) \| (.+) \| (.+) \|$/gm)].map(([line]) =>
    line.replaceAll("`", ""),
  )
  const held = CALLERS.flatMap(({ name, cannot }) =>
    cannot.map(
      ({ ability, mode, why }) =>
        `| ${packageOf(name)} | ${ability}${mode === undefined ? "" : ` (${mode})`} | ${why} |`,
    ),
  )
  assert.ok(held.length > 0)
  assert.deepEqual(told.toSorted(), [...new Set(held)].toSorted())
})

/** The callers of one package differ by version, address and entry point, which change nothing in what it can. */
function packageOf(name: string): string {
  return name
    .replace(/ \d+\.\d+\.\d+\S*?(?=,| |$)/, "")
    .replace(/ at \S+$/, "")
    .replace(/^(@sluice\/sdk).*/, "$1")
}
