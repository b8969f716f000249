/** A call's row in the ledger: as it is opened, as it is settled, and as it reads. Times are milliseconds since 1970, UTC. */

export type CallEnding = "finished" | "failed" | "cancelled" | "interrupted"

/** One row more in the books: what is known of a call before its provider is asked. */
export interface OpenCall {
  /** Minted here; also the stream's id. Never a client's. */
  readonly id: string
  /** The identity of the key that asks. */
  readonly key: string
  /** False for keys that only the environment knows: nothing limits them, what they spend is counted all the same. */
  readonly keyIsStored: boolean
  readonly dialect: string
  /** Which rule chose the dialect. */
  readonly dialectRule: string
  readonly modelAsked: string
  readonly streamed: boolean
  /** The user agent. */
  readonly client?: string | undefined
  /** The caller's own name for the call. For finding it, never for telling calls apart. */
  readonly clientRequestId?: string | undefined
  readonly tags: readonly string[]
  readonly startedAt: number
  readonly hold: HoldWanted
}

export interface HoldWanted {
  /** The highest that the call may cost, in nano-dollars; null: its model has no price. */
  readonly amount: bigint | null
  /** The highest number of tokens, for the limit of tokens a minute. */
  readonly tokens: number
  /** Whether a budget lets a call through whose model has no price. */
  readonly unpriced: "refuse" | "allow"
}

/** One try at a candidate. */
export interface AttemptRecord {
  readonly provider: string
  readonly model: string
  readonly startedAt: number
  readonly endedAt: number
  readonly usage: CallUsage | null
  /** Nano-dollars; null: no price. */
  readonly cost: bigint | null
  readonly estimated: boolean
  readonly status?: number | undefined
  readonly error?: { readonly type: string; readonly message: string } | undefined
}

export interface CallUsage {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly reasoningTokens: number
  readonly cachedTokens: number
  readonly audioTokens: number
}

/** How a call ended and what it came to. */
export interface SettledCall {
  readonly id: string
  readonly ending: CallEnding
  /** What ended it, where that was not `finished`. */
  readonly reason?: string | undefined
  readonly endedAt: number
  /** Who answered; absent when nobody did. */
  readonly model?: string | undefined
  readonly provider?: string | undefined
  readonly attempts: readonly AttemptRecord[]
  /** The answering attempt's. */
  readonly usage: CallUsage
  /** Nano-dollars, the sum over the attempts; null when a model without a price was used. */
  readonly cost: bigint | null
  readonly estimated: boolean
  /** What was set right on the way: `clamped`, `finish_added`, … */
  readonly flags: readonly string[]
  readonly firstContentAt?: number | undefined
  /** Milliseconds, by a clock that never jumps. */
  readonly timeToFirstContent?: number | undefined
  readonly tokensPerSecond?: number | undefined
  /** Milliseconds between events. */
  readonly gapP50?: number | undefined
  readonly gapP99?: number | undefined
  readonly longestStall?: number | undefined
  /** How often it has been resumed so far. */
  readonly resumed: number
}

/** The whole row. Without an ending the call runs, or its process died. */
export interface CallRecord {
  readonly id: string
  /** The row's number in order of writing. */
  readonly seq: number
  readonly process: string
  readonly key: string
  readonly project: string | null
  readonly dialect: string
  readonly dialectRule: string
  readonly modelAsked: string
  readonly streamed: boolean
  readonly client: string | null
  readonly clientRequestId: string | null
  readonly tags: readonly string[]
  readonly startedAt: number
  /** What is, or was, held for it, in nano-dollars. */
  readonly held: bigint
  readonly ending: CallEnding | null
  readonly reason: string | null
  readonly endedAt: number | null
  readonly model: string | null
  readonly provider: string | null
  readonly attempts: readonly AttemptRecord[]
  readonly usage: CallUsage
  readonly cost: bigint | null
  readonly estimated: boolean
  readonly flags: readonly string[]
  readonly firstContentAt: number | null
  readonly timeToFirstContent: number | null
  readonly tokensPerSecond: number | null
  readonly gapP50: number | null
  readonly gapP99: number | null
  readonly longestStall: number | null
  readonly resumed: number
}
