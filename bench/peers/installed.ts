/** Other gateways are no dependencies of ours: each is installed when a run first asks for it, beside the repository's own modules. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { root } from "../../scripts/house.ts"

const CACHE = join(root, "bench/.cache")

/** The folder that `install` has filled, now or in an earlier run. What breaks off is begun anew. */
export async function installed(
  name: string,
  size: string,
  install: (folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = join(CACHE, name)
  const stamp = join(folder, ".installed")
  if (existsSync(stamp)) return folder
  console.error(`installing ${name} into ${relative(root, folder)}, once (${size}) …`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await install(folder)
  writeFileSync(stamp, "")
  return folder
}

/** Why it cannot be had, in one line that names neither a registry nor a folder of this machine. */
export function whyAbsent(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "ENOENT" && "path" in error)
    return `${error.path} is not installed`
  const text = error instanceof Error ? error.message : String(error)
  return withoutPlaces(text).replace(/\s+/g, " ").trim().slice(0, 300)
}

export function withoutPlaces(text: string): string {
  return text.replace(/\bhttps?:\/\/[^\s"')]+/g, "(address)").replace(/(?<![\w.:/])\/(?:[\w.@+-]+\/)+/g, "…/")
}
