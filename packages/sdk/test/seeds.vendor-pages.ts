/** The vendors' own pages, read where they are at hand. They are not ours to keep here. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import type { Member } from "./seeds.pages.ts"

export interface VendorPage {
  readonly name: string
  /** The code of its Example Usage. */
  readonly example: string | undefined
  readonly members: readonly Member[]
}

const folder = resolve(import.meta.dirname, "../../../../shared/seeds")

export function readVendorPages(): VendorPage[] {
  return filesOf(folder).map((file) => {
    const text = readFileSync(join(folder, file), "utf8")
    const name = text.match(/^# (\w+)/)?.[1]
    assert.ok(name, `${file} has no title`)
    const rows = text.split("\n").filter((line) => line.startsWith("| `"))
    return { name, example: text.match(/```typescript\n(.*?)```/s)?.[1], members: rows.map(memberOf) }
  })
}

function filesOf(path: string): string[] {
  return existsSync(path) ? readdirSync(path).filter((file) => file.endsWith(".md")) : []
}

function memberOf(row: string): Member {
  const [, name = "", type = "", mark] = row.split("|").map((cell) => cell.trim())
  return {
    name: name.replaceAll("`", ""),
    // A link's text, without its target; emphasis removed.
    type: type
      .replace(/\]\([^)]*\)/g, "]")
      .replace(/\[((?:\w+\[)?\w+\.\w+\]?)\](?!\w)/g, "$1")
      .replaceAll("*", ""),
    required: mark === ":heavy_check_mark:",
  }
}

export function moved(example: string): string {
  return example.replace(/"(?:@r9s\/sdk|@openrouter\/sdk|atoma-sdk)\/models/, '"@sluice/sdk/models')
}

/** The example's value: the literal after its `=`, which is plain data. */
export function valueOfExample(example: string): unknown {
  const literal = example.slice(example.indexOf("= ") + 2).replace(/;\s*$/, "")
  return Function(`"use strict"; return (${literal})`)()
}
