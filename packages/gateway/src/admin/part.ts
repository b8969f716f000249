/** What the admin API needs of the gateway. */
import type { AdminCallEvents } from "@sluice/protocol"
import type { Keys } from "../auth/keys.ts"
import type { Store } from "../store/store.ts"

export interface AdminPart {
  readonly store: Store
  readonly keys: Pick<Keys, "hash" | "refresh">
  /** A call's events behind this number; undefined when its stream is kept no longer. */
  readonly readEvents: (id: string, after: number) => Promise<AdminCallEvents | undefined>
  readonly now: () => number
}
