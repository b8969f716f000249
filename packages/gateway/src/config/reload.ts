/** A configuration that changes while the gateway runs. */
import { type FSWatcher, readFileSync, realpathSync, unwatchFile, watch, watchFile } from "node:fs"
import { readFile } from "node:fs/promises"
import { dirname } from "node:path"
import { isDeepStrictEqual } from "node:util"
import type { Config } from "../config.ts"
import { settings } from "./settings.ts"

export interface Watch {
  close(): void
}

/**
 * Calls back with the new bytes each time the file's content has changed. What is watched is the folder: editors save by
 * renaming a new file over the old one, and orchestrators by moving a link. An empty file is one that is still being
 * written, and so is one that two readings in a row do not agree about. A file that is gone changes nothing.
 *
 * Who is called back loads with `loadConfig({ file, text, … })`; on a `ConfigError` the running configuration stays.
 */
export function watchConfig(path: string, onChange: (text: Uint8Array) => void): Watch {
  let known = readNow(path)
  let looking = false
  let lookAgain = false
  let closed = false

  async function look(): Promise<void> {
    lookAgain = true
    if (looking) return
    looking = true
    while (lookAgain && !closed) {
      lookAgain = false
      const text = await readSettled(path)
      if (closed || text === undefined || known?.equals(text)) continue
      known = text
      onChange(text)
    }
    looking = false
  }

  const watchers = foldersOf(path).map((folder) => watchFolder(folder, path, look))
  return {
    close() {
      closed = true
      for (const close of watchers) close()
    },
  }
}

/** Settings that take effect at the next start only, of those that differ. */
export function restartNeeded(running: Config, wanted: Config): string[] {
  return AT_THE_START.filter((path) => !isDeepStrictEqual(at(running, path), at(wanted, path))).map((path) =>
    path.join("."),
  )
}

const AT_THE_START = settings()
  .filter(({ restart }) => restart === true)
  .map(({ path }) => path)

/** Where `settle.ts` has put it: under the file's names, but in camelCase. */
function at(config: Config, path: readonly string[]): unknown {
  return path.reduce<unknown>((inside, name) => {
    const own = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    return (inside as Record<string, unknown>)[own]
  }, config)
}

function readNow(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

async function readSettled(path: string): Promise<Buffer | undefined> {
  let last: Buffer | undefined
  for (;;) {
    const text = await readFile(path).catch(() => undefined)
    if (text === undefined || text.length === 0) return undefined
    if (last?.equals(text)) return text
    last = text
  }
}

/** The file's folder, and that of the file which it links to. */
function foldersOf(path: string): string[] {
  const folders = new Set([dirname(path)])
  try {
    folders.add(dirname(realpathSync(path)))
  } catch {
    // The file is away for the moment; its own folder will say when it is back.
  }
  return [...folders]
}

/** Where the system has no watchers left, the file is looked at every other second. */
function watchFolder(folder: string, path: string, look: () => void): () => void {
  try {
    const watcher: FSWatcher = watch(folder, { persistent: false }, look)
    watcher.on("error", () => watcher.close())
    return () => watcher.close()
  } catch {
    watchFile(path, { persistent: false, interval: 2_000 }, look)
    return () => unwatchFile(path, look)
  }
}
