/**
 * What the store throws. `newer_database`, `unknown_migration` and `unusable` stop the start with their one sentence;
 * `invalid` is the caller's mistake and stays one however often it is tried; `unavailable` may pass.
 */
export type StoreErrorCode =
  | "newer_database"
  | "unknown_migration"
  | "unusable"
  | "invalid"
  | "conflict"
  | "unavailable"
  | "closed"

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = "StoreError"
    this.code = code
  }

  /** Trying again cannot help. */
  get permanent(): boolean {
    return this.code !== "unavailable"
  }
}
