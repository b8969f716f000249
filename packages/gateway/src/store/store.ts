/**
 * The store: what outlives the process. Keys and projects, the ledger with its holds and accounts, and content that is
 * kept for a time; over SQLite in the data folder, or over Postgres for several processes. Both behave alike:
 * `store.suite.ts` runs on each.
 *
 * Invariants:
 *   1. A call has exactly one row, from `openCall` on or soon after `postCall`, whatever happens. An open row has no ending; an ending is given
 *      once, and nothing changes it.
 *   2. An open row is its own hold: what it may cost and its parallel slot count against its key and its project until
 *      it is settled or released, and the three change in one transaction.
 *   3. For every key and project: what the accounts say was spent = the sum of the costs of the settled rows = the sum
 *      of the usage totals.
 *   4. A promise that resolves has written: at level `process` the row outlives kill -9, at `power` the machine too.
 *   5. A settlement is tried until the database takes it. An opening is tried for two seconds; if it fails then, no row
 *      and no hold are left of it as soon as the database can be reached.
 *   6. Money is a bigint of nano-dollars, never a float. Counts and times are safe integers; times are UTC milliseconds.
 *   7. What was posted is written within a moment, and looked for at the start after a kill by its slip
 *      (`start/slips.ts`): of a process that is killed meanwhile no call is missing.
 *   8. A change of a key is told to every process within a second, and asked for again by `openCall` itself;
 *      `postCall` asks for nothing.
 */
import type { Admission } from "./admission.ts"
import type { CallEnding, CallRecord, OpenCall, SettledCall } from "./call-record.ts"
import type {
  KeyChange,
  KeyPatch,
  KeyRecord,
  NewKey,
  ProjectPatch,
  ProjectRecord,
  Spend,
} from "./key-record.ts"

export interface Store {
  readonly kind: "sqlite" | "postgres"
  /** This process's name in the rows of its calls. */
  readonly process: string

  /** Takes the hold and writes the row: before the call's provider is called. A call that is not admitted has no row. */
  openCall(call: OpenCall): Promise<Admission>
  /** The process before was killed, or could not enter all it knew: what it has posted may be missing. */
  readonly afterKill: boolean
  /** All that was missing has been posted: resolves when it is entered, and a later start need not look for it. */
  caughtUp(): Promise<void>
  /**
   * Whether the two below may be used: not while the database is slow, and not where what a killed process leaves behind
   * may stay unread, as a folder that only that process knew.
   */
  mayPost(): boolean
  /**
   * Enters a call that is not asked about, since nothing limits its key: within a moment, and before any question about the
   * books is answered. The caller has kept a slip of it. `process`: another that began it.
   */
  postCall(call: OpenCall, process?: string): void
  /** The ending of one that was posted; `entered` is called when its row has it. */
  postSettlement(call: SettledCall, entered?: () => void): void
  /** Raises what an open call holds to this many nano-dollars. */
  extendHold(id: string, to: bigint, at: number): Promise<Admission>
  /**
   * Gives the row its ending, pays the cost and releases the hold. False: it had an ending before, which stays. `mayWait`:
   * a few milliseconds, for other calls to be written with.
   */
  settleCall(call: SettledCall, mayWait?: boolean): Promise<boolean>
  /** A client came back for a call, running or settled. */
  countResume(id: string): Promise<void>

  readonly calls: Calls
  readonly keys: Keys
  readonly projects: Projects
  readonly contents: Contents
  usage(question: UsageQuestion): Promise<UsageRow[]>
  spend(of: "key" | "project", id: string, at: number): Promise<Spend>

  /** A value that is chosen once for all processes: the first that asks decides. */
  setting(name: string, chosen: () => string): Promise<string>
  /** Says that this process is alive, and releases the holds of those that are not; how many. Also done every BEAT. */
  beat(): Promise<number>
  /** Deletes content whose time is over, and calls that began before `callsBefore`; then makes sure that it is gone. */
  deleteExpired(now: number, callsBefore?: number): Promise<{ contents: number; calls: number }>
  /** Writes what is under way, for at most `within` milliseconds. */
  close(within?: number): Promise<void>
}

export interface Calls {
  get(id: string): Promise<CallRecord | undefined>
  /** Newest first. */
  page(question: PageQuestion): Promise<CallPage>
  /** All, newest first, read in pages: for exports. */
  all(filter: CallFilter): AsyncIterable<CallRecord>
  /** Of those of these calls that it knows, how each ended; null: it has not. */
  endings(ids: readonly string[]): Promise<ReadonlyMap<string, CallEnding | null>>
  /** Rows without an ending whose process is gone: they are `interrupted`, and somebody must settle them. */
  orphaned(): Promise<CallRecord[]>
}

export interface CallFilter {
  readonly key?: string | undefined
  readonly project?: string | undefined
  /** That answered, or that was asked where none did. */
  readonly model?: string | undefined
  readonly provider?: string | undefined
  /** `open`: no ending yet. */
  readonly ending?: CallEnding | "open" | undefined
  readonly tag?: string | undefined
  /** Began at or after. */
  readonly from?: number | undefined
  /** Began before. */
  readonly to?: number | undefined
}

export interface PageQuestion {
  readonly filter?: CallFilter | undefined
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string | undefined
}

export interface CallPage {
  readonly calls: readonly CallRecord[]
  /** Absent on the last page. */
  readonly next?: string
}

export interface Keys {
  create(key: NewKey): Promise<KeyRecord>
  get(id: string): Promise<KeyRecord | undefined>
  list(): Promise<KeyRecord[]>
  /** Undefined: there is no such key. */
  patch(id: string, patch: KeyPatch): Promise<KeyRecord | undefined>
  /** False: there was no such key. */
  delete(id: string): Promise<boolean>
  /** All changes after this version, oldest first. From 0: every key there ever was. */
  changes(after: number): Promise<KeyChange[]>
  /** Called when keys may have changed; ask `changes` then. */
  onChange(listener: () => void): void
}

export interface Projects {
  create(project: ProjectRecord): Promise<ProjectRecord>
  get(id: string): Promise<ProjectRecord | undefined>
  list(): Promise<ProjectRecord[]>
  patch(id: string, patch: ProjectPatch): Promise<ProjectRecord | undefined>
  /** Throws `conflict` while keys belong to it. */
  delete(id: string): Promise<boolean>
}

/** What a call was about, word for word, where its key asks for that; the one place in the database with such words. */
export interface Contents {
  save(id: string, content: Content, expiresAt: number): Promise<void>
  get(id: string): Promise<Content | undefined>
}

export interface Content {
  readonly request: string
  readonly answer: string | null
}

export type UsageGroup = "time" | "key" | "project" | "model" | "provider" | "ending" | "tag"

/** Settled calls that began in `[from, to)`, which are moved outwards to full hours. */
export interface UsageQuestion {
  readonly from: number
  readonly to: number
  /** A call with two tags is in two groups of tags, one without in none. */
  readonly by: readonly UsageGroup[]
  /** For `time`. */
  readonly bucket?: "hour" | "day" | "week" | "month" | undefined
  readonly filter?: Omit<CallFilter, "from" | "to" | "ending"> & { readonly ending?: CallEnding | undefined }
}

export interface UsageRow {
  /** Only what was grouped by. */
  readonly group: {
    readonly time?: number
    readonly key?: string
    /** "": none. */
    readonly project?: string
    readonly model?: string
    /** "": nobody answered. */
    readonly provider?: string
    readonly ending?: CallEnding
    readonly tag?: string
  }
  readonly calls: number
  readonly promptTokens: number
  readonly completionTokens: number
  readonly reasoningTokens: number
  readonly cachedTokens: number
  readonly audioTokens: number
  /** Nano-dollars of the calls that have a cost. */
  readonly cost: bigint
  /** Calls that have none. */
  readonly unpriced: number
  /** Calls whose usage was counted here, or cut short. */
  readonly estimated: number
  /** Before they were settled. */
  readonly resumed: number
}
