/**
 * Who is calling. A secret is never kept: what is kept is its keyed hash. A presented secret is hashed and looked up
 * by its hash, so neither the look-up nor the compare tells anything about a secret that is nearly right.
 */
import { randomBytes, timingSafeEqual } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import type { dialects } from "@sluice/protocol/dialects"
import { GatewayError } from "../gateway-error.ts"
import type { Budget, KeyLimits } from "../store/key-record.ts"
import type { OnDisconnect } from "../streams/on-disconnect.ts"
import { createKeyedHash } from "./keyed-hash.ts"
import { presentedKey, readTokenKey } from "./token-key.ts"

export interface Key {
  /** The identity: it stays when the secret is rotated. Streams and idempotency keys belong to it. */
  readonly id: string
  readonly admin: boolean
  /** False for the keys that only the environment knows: nothing limits them. */
  readonly stored: boolean
  readonly name: string
  /** The beginning of its secret; "" where nothing of it may be shown. */
  readonly prefix: string
  readonly project: string | null
  readonly tags: readonly string[]
  /** What may be asked for and who may answer; null: all. See `mayUse`. */
  readonly models: readonly string[] | null
  readonly providers: readonly string[] | null
  readonly onDisconnect: OnDisconnect | null
  readonly dialect: keyof typeof dialects | null
  readonly forbidDetach: boolean
  readonly logContent: boolean
  readonly limits: KeyLimits
  readonly budget: Budget | null
  readonly expiresAt: number | null
}

/** What a secret opens. */
export interface Entry {
  readonly hash: string
  readonly key: Key
  /** Why it opens nothing any more: "was deleted", … */
  readonly refused?: string | undefined
  /** A rotated secret's end. */
  readonly until?: number | undefined
}

export interface Keys {
  /** A key that the environment knows. */
  add(key: Pick<Key, "id" | "admin">, secret: string): void
  /** 401 unless the headers carry a key that is known and good. */
  authenticate(headers: IncomingHttpHeaders): Key
  /** What is kept of a secret. */
  hash(secret: string): string
  /** What a stored key's secret opens from now on. */
  set(entry: Entry): void
  forget(hash: string): void
  /** Takes in what has changed in the store; kept when this process goes by it. */
  refresh(): Promise<void>
  close(): void
}

export function createKeys(pepper: Uint8Array = randomBytes(32), now: () => number = Date.now): Keys {
  const fromEnvironment = new Map<string, Entry>()
  const stored = new Map<string, Entry>()
  const hash = createKeyedHash(pepper)

  return {
    hash,
    add(key, secret) {
      const entry = { hash: hash(secret), key: { ...UNLIMITED, ...key, name: key.id } }
      fromEnvironment.set(entry.hash, entry)
    },
    set: (entry) => void stored.set(entry.hash, entry),
    forget: (hash) => void stored.delete(hash),
    authenticate(headers) {
      const secret = readTokenKey(headers)?.secret ?? presentedKey(headers)
      if (secret === undefined) {
        throw refusal("No API key was sent. Send it as 'Authorization: Bearer <key>' or 'x-api-key: <key>'.")
      }
      const presented = hash(secret)
      const entry = fromEnvironment.get(presented) ?? stored.get(presented)
      if (entry === undefined || !isSame(entry.hash, presented))
        throw refusal("The API key is not known to this gateway.")
      const reason = entry.refused ?? expiry(entry, now())
      if (reason !== undefined) throw refusal(`The API key ${reason}.`)
      return entry.key
    },
    refresh: async () => {},
    close: () => {},
  }
}

/** No limit could refuse its calls. */
export function isUnlimited({ stored, limits, budget, project }: Key): boolean {
  const { requestsPerMinute, tokensPerMinute, parallel } = limits
  const free = requestsPerMinute === null && tokensPerMinute === null && parallel === null
  return !stored || (free && budget === null && project === null)
}

const UNLIMITED: Omit<Key, "id" | "admin" | "name"> = {
  stored: false,
  prefix: "",
  project: null,
  tags: [],
  models: null,
  providers: null,
  onDisconnect: null,
  dialect: null,
  forbidDetach: false,
  logContent: false,
  limits: { requestsPerMinute: null, tokensPerMinute: null, parallel: null },
  budget: null,
  expiresAt: null,
}

function isSame(hash: string, presented: string): boolean {
  return hash.length === presented.length && timingSafeEqual(Buffer.from(hash), Buffer.from(presented))
}

function expiry({ key, until }: Entry, at: number): string | undefined {
  if (until !== undefined && at >= until) return "was rotated: use its new secret"
  if (key.expiresAt !== null && at >= key.expiresAt) {
    return `expired at ${new Date(key.expiresAt).toISOString()}`
  }
  return undefined
}

function refusal(message: string): GatewayError {
  return new GatewayError("invalid_api_key", message)
}
