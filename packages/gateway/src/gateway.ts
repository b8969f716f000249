/** Everything that lives as long as the process, in one place. Handlers are given it; nothing else is global. */
import type { Keys } from "./auth/keys.ts"
import type { Heart } from "./http/heartbeat.ts"
import type { OriginRules } from "./http/origin.ts"
import type { PriceList } from "./ledger/price-list.ts"
import type { Holds } from "./limits/hold.ts"
import type { Health } from "./routing/health.ts"
import type { Routes } from "./routing/plan.ts"
import type { Sessions } from "./routing/sessions.ts"
import type { Store } from "./store/store.ts"
import type { Streams } from "./streams/streams.ts"
import type { Metrics } from "./telemetry/count.ts"

export interface Gateway {
  readonly keys: Keys
  readonly streams: Streams
  readonly books: Books
  readonly metrics: Metrics
  readonly heart: Heart
  /** Replaced as a whole at a reload; a call keeps the one it began with. */
  routes: Routes
  readonly health: Health
  readonly sessions: Sessions
  readonly origins: OriginRules
  readonly limits: { readonly bodyBytes: number }
  /** SIGTERM has come: no new calls. */
  draining: boolean
  readonly log: (line: string) => void
}

/** Money: what a call may cost, what it did cost, and where that is written. */
export interface Books {
  readonly store: Store
  readonly holds: Holds
  /** What the log keeps outlives the process, so that calls may be posted. */
  readonly posts: boolean
  /** Replaced at a reload, as is `unpriced`. */
  prices: PriceList
  /** Whether a budget lets a call through whose model has no price. */
  unpriced: "refuse" | "allow"
  /** Milliseconds for which content is kept, where a key asks for that; replaced at a reload. */
  keepContent: number
}
