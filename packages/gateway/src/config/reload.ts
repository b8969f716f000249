/** A configuration that changes while the gateway runs. */
import { type FSWatcher, readFileSync, realpathSync, unwatchFile, watch, watchFile } from "node:fs"
import { readFile } from "node:fs/promises"
import { dirname } from "node:path"
import type { Config } from "../config.ts"

export interface Watch {
  close(): void
}

/**
 * Calls back with the new text each time the file's content has changed. What is watched is the folder: editors save by
 * renaming a new file over the old one, and orchestrators by moving a link. An empty file is one that is still being
 * written, and so is one that two readings in a row do not agree about. A file that is gone changes nothing.
 *
 * Who is called back loads with `loadConfig({ file, text, … })`; on a `ConfigError` the running configuration stays.
 */
export function watchConfig(path: string, onChange: (text: string) => void): Watch {
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
      if (closed || text === undefined || text === known) continue
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
  const settings: Record<string, (config: Config) => unknown> = {
    "server.host": (config) => config.server.host,
    "server.port": (config) => config.server.port,
    "server.body_limit": (config) => config.server.bodyLimit,
    "server.heartbeat": (config) => config.server.heartbeat,
    "server.drain": (config) => config.server.drain,
    "server.cors": (config) => config.server.cors.join(" "),
    "streams.durability": (config) => config.streams.durability,
  }
  return Object.keys(settings).filter((name) => settings[name]!(running) !== settings[name]!(wanted))
}

function readNow(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

async function readSettled(path: string): Promise<string | undefined> {
  let last: string | undefined
  for (;;) {
    const text = await readFile(path, "utf8").catch(() => undefined)
    if (text === undefined || text === "" || text === last) return text === "" ? undefined : text
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
