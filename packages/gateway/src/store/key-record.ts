/** Keys and the projects that group them. What a key's secret was is not here: only its keyed hash. */

export type BudgetPeriod = "daily" | "weekly" | "monthly" | "total"

export interface Budget {
  /** Nano-dollars. */
  readonly amount: bigint
  /** Begins anew at 00:00 UTC: each day, each Monday, each first of the month, never. */
  readonly period: BudgetPeriod
}

export interface KeyLimits {
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
  /** Calls that run at the same time. */
  readonly parallel: number | null
}

export interface KeyRecord {
  /** The identity: it stays when the secret is rotated. */
  readonly id: string
  readonly name: string
  readonly project: string | null
  readonly tags: readonly string[]
  readonly admin: boolean
  /** The beginning of the secret, to look it up and to show which one it is. */
  readonly prefix: string
  /** A keyed hash of the secret. */
  readonly hash: string
  /** The secret before the last rotation, good until `previousUntil`. */
  readonly previousHash: string | null
  readonly previousUntil: number | null
  /** Null: all. */
  readonly models: readonly string[] | null
  readonly providers: readonly string[] | null
  readonly budget: Budget | null
  readonly limits: KeyLimits
  readonly onDisconnect: string | null
  readonly dialect: string | null
  readonly forbidDetach: boolean
  readonly logContent: boolean
  readonly disabled: boolean
  readonly expiresAt: number | null
  readonly createdAt: number
  /** Where this state stands in the order of all changes of keys and projects. */
  readonly version: number
}

/** A key that is deleted keeps its identity, for the books; its secret is gone. */
export type KeyChange = { readonly id: string; readonly version: number; readonly key: KeyRecord | undefined }

export type NewKey = Omit<KeyRecord, "version" | "previousHash" | "previousUntil">
/** What may change; a rotation sets `prefix`, `hash`, `previousHash` and `previousUntil` together. */
export type KeyPatch = Partial<Omit<KeyRecord, "id" | "version" | "createdAt">>

export interface ProjectRecord {
  readonly id: string
  readonly name: string
  readonly budget: Budget | null
  readonly createdAt: number
}
export type ProjectPatch = Partial<Pick<ProjectRecord, "name" | "budget">>

/** What a key or a project has spent and holds. Nano-dollars; each period as it stands at the time of asking. */
export interface Spend {
  readonly daily: bigint
  readonly weekly: bigint
  readonly monthly: bigint
  readonly total: bigint
  /** By the holds of running calls. */
  readonly held: bigint
  readonly running: number
}
