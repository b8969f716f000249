/** The keys that the environment knows, the one that is minted where there is none, and how a newcomer is shown it. */
import { join } from "node:path"
import { devKey, hasDevKey } from "../auth/dev-key.ts"
import type { Keys } from "../auth/keys.ts"
import { type Config, ConfigError, isLoopback } from "../config.ts"
import type { Store } from "../store/store.ts"

/** Gives the key that is to be shown to whoever has configured and stored none. */
export async function addEnvironmentKeys(
  keys: Keys,
  config: Config,
  store: Store,
): Promise<string | undefined> {
  const { api, admin } = config.keys
  if (api !== undefined) keys.add({ id: "env", admin: false }, api.reveal())
  if (admin !== undefined) keys.add({ id: "admin", admin: true }, admin.reveal())
  if (api !== undefined || admin !== undefined) return undefined
  const stored = (await store.keys.list()).length > 0
  if (!isLoopback(config.server.host)) {
    if (stored) return undefined
    const message = "others can reach this host, so it needs a key of yours: set SLUICE_API_KEY"
    throw new ConfigError(config.file, [{ line: undefined, path: "server.host", message }])
  }
  // One that was minted stays good beside stored keys: it may be what they were made with.
  if (stored && !hasDevKey(config.dataFolder)) return undefined
  const key = devKey(config.dataFolder)
  keys.add({ id: "dev", admin: true }, key)
  return key
}

/** In double quotes for a shell. A key of ours is shown to a person at a terminal; a pipe may end in a log. */
export function keyToShow(config: Config, minted: string | undefined, terminal: boolean): string {
  if (config.keys.api !== undefined) return "$SLUICE_API_KEY"
  if (config.keys.admin !== undefined) return "$SLUICE_ADMIN_KEY"
  if (minted === undefined) return "<your key>"
  return terminal ? minted : `$(cat ${join(config.dataFolder, "dev-key")})`
}

export function welcome(url: string, key: string): string {
  return `
Try it:

  curl -N ${url}/v1/chat/completions -H "authorization: Bearer ${key}" -H 'content-type: application/json' \\
    -d '{"model":"sim/story:gap=30","stream":true,"messages":[{"role":"user","content":"Tell me a story."}]}'

Or look: open ${url}/ in a browser and give it the key.
`
}
