/**
 * The stored keys as this process goes by them: all in memory, so that a call costs no query, and told of every
 * change. Changes are numbered in the order of their commits, so asking for what comes after the last one misses none.
 */
import { randomBytes } from "node:crypto"
import { dialects } from "@sluice/protocol/dialects"
import type { KeyChange, KeyRecord } from "../store/key-record.ts"
import type { Store } from "../store/store.ts"
import { parseOnDisconnect } from "../streams/on-disconnect.ts"
import { createKeys, type Entry, type Key, type Keys } from "./keys.ts"

export interface StoredKeysOptions {
  readonly log: (line: string) => void
  readonly now?: () => number
}

const RETRY = 250

/** The environment's keys are added to what this gives. */
export async function openKeys(
  store: Pick<Store, "keys" | "setting">,
  { log, now = Date.now }: StoredKeysOptions,
): Promise<Keys> {
  const pepper = await store.setting("key-pepper", () => randomBytes(32).toString("base64url"))
  const keys = createKeys(Buffer.from(pepper, "base64url"), now)
  const hashes = new Map<string, readonly Entry[]>()
  let version = 0
  let closed = false
  let last: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined

  async function readChanges(): Promise<void> {
    waiting = undefined
    for (const change of await store.keys.changes(version)) {
      apply(change)
      version = change.version
    }
  }

  function apply({ id, key }: KeyChange): void {
    const before = hashes.get(id) ?? []
    // Whoever holds the secret of a deleted key is told so; after the next start nobody remembers it.
    const after =
      key === undefined ? before.map((entry) => ({ ...entry, refused: "was deleted" })) : entriesOf(key)
    for (const { hash } of before) keys.forget(hash)
    for (const entry of after) keys.set(entry)
    if (key === undefined) hashes.delete(id)
    else hashes.set(id, after)
  }

  /** One at a time; who asks while one runs waits for the one after it, which sees what was changed until then. */
  function refresh(): Promise<void> {
    waiting ??= last.then(readChanges)
    last = waiting.catch(() => {})
    return waiting
  }

  function follow(): void {
    if (closed) return
    refresh().catch((error: unknown) => {
      log(`keys: the changes could not be read, trying again: ${error}`)
      setTimeout(follow, RETRY).unref()
    })
  }

  store.keys.onChange(follow)
  await refresh()
  return {
    ...keys,
    refresh,
    close() {
      closed = true
    },
  }
}

function entriesOf(record: KeyRecord): Entry[] {
  const key = keyOf(record)
  const refused = record.disabled ? "is disabled" : undefined
  const current: Entry = { hash: record.hash, key, refused }
  if (record.previousHash === null) return [current]
  return [current, { hash: record.previousHash, key, refused, until: record.previousUntil ?? 0 }]
}

function keyOf(record: KeyRecord): Key {
  const { id, admin, name, prefix, project, tags, models, providers } = record
  const { forbidDetach, logContent, limits, budget, expiresAt } = record
  const onDisconnect = parseOnDisconnect(record.onDisconnect ?? "") ?? null
  const dialect = isServed(record.dialect) ? record.dialect : null
  const settings = { onDisconnect, dialect, forbidDetach, logContent, limits, budget, expiresAt }
  return { id, admin, stored: true, name, prefix, project, tags, models, providers, ...settings }
}

function isServed(name: string | null): name is keyof typeof dialects {
  return name !== null && Object.hasOwn(dialects, name)
}
