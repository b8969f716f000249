/** What a hold is answered with: taken, or refused and why. */

export interface Rate {
  readonly limit: number
  readonly remaining: number
  /** When all of it is there again. */
  readonly resetAt: number
}

/** How far the key's limits are used, this call included; absent where the key has no such limit. */
export interface Rates {
  readonly requests?: Rate
  readonly tokens?: Rate
}

export type Refusal =
  | { readonly reason: "unknown_key" | "disabled_key" | "expired_key" }
  /** An extension came after the ending. */
  | { readonly reason: "ended" }
  /** `resetAt` null: never by itself. */
  | {
      readonly reason: "budget"
      readonly scope: "key" | "project"
      readonly amount: bigint
      readonly spent: bigint
      readonly held: bigint
      readonly resetAt: number | null
    }
  | { readonly reason: "unpriced"; readonly scope: "key" | "project" }
  | {
      readonly reason: "requests" | "tokens"
      readonly limit: number
      readonly retryAt: number
    }
  | { readonly reason: "parallel"; readonly limit: number }

export type Admission =
  | { readonly admitted: true; readonly rates: Rates }
  | { readonly admitted: false; readonly refusal: Refusal; readonly rates: Rates }
