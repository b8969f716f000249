/**
 * A hold reserves what a call may cost, before its provider is asked, and is settled once with what it did cost.
 * Budgets and limits come with the ledger; until then every hold is granted.
 */
import type { Usage } from "@sluice/protocol"

export interface Holds {
  /** Refuses with 402 (budget) or 429 (limits). */
  take(wanted: HoldRequest): Promise<Hold>
}

export interface HoldRequest {
  readonly owner: string
  readonly streamId: string
}

export interface Hold {
  /** Once, whatever happened; `undefined`: nothing was used. */
  settle(usage: Usage | undefined): Promise<void>
}

export function createOpenHolds(): Holds {
  const hold: Hold = { settle: async () => {} }
  return { take: async () => hold }
}
