/** A key for whoever has configured none: minted once into the data folder, readable by its owner alone. */
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export function devKey(dataFolder: string): string {
  const file = join(dataFolder, "dev-key")
  try {
    const kept = readFileSync(file, "utf8").trim()
    if (kept !== "") return kept
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error
  }
  const key = `sk-sluice-dev-${randomBytes(24).toString("base64url")}`
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  writeFileSync(file, `${key}\n`, { mode: 0o600 })
  return key
}

export function hasDevKey(dataFolder: string): boolean {
  return existsSync(join(dataFolder, "dev-key"))
}
