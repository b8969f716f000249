/**
 * Calls that nobody waits for: their key has no limit that could refuse them, and the journal has them, so the database may
 * learn of them a moment later, many in one transaction. A call that has ended by then is one row, written once.
 *
 * Invariants:
 *   1. What is posted is pushed within EVERY, the jobs of a call in their order.
 *   2. `flush` resolves when everything that was posted before it has been entered: who asks the books after it is answered
 *      as if nothing had waited. Where the database does not answer it rejects.
 *   3. What was refused for good is not entered: it is said, `owes`, and nothing more is posted for a moment.
 */
import type { LedgerJob } from "./batch.ts"
import type { OpenCall, SettledCall } from "./call-record.ts"
import { StoreError } from "./store-error.ts"

/** Milliseconds. Long enough for company, short enough that what waits is little. */
const EVERY = 40
/** Milliseconds after which the database is slow, and calls had better wait for it. */
const BEHIND = 1_000

export interface Posting {
  open(call: OpenCall, process: string): void
  /** `entered` is called when the row has the ending. */
  settle(call: SettledCall, entered?: () => void): void
  /** Pushes what waits: a job that is pushed behind it is done behind it. */
  post(): void
  flush(patience?: number): Promise<void>
  /** What was posted has waited for long, a flush of it gave up, or it was refused just now. */
  isBehind(): boolean
  /** Some of it was refused. */
  owes(): boolean
}

export interface PostingOptions {
  push(job: LedgerJob): Promise<unknown>
  readonly log: (line: string) => void
  readonly every?: number
  readonly now?: () => number
}

/** What waits of one call. Nothing else of it is held meanwhile: what lives this long the collector copies. */
interface Waiting {
  readonly open?: { readonly call: OpenCall; readonly process: string }
  settled?: SettledCall
  entered?: (() => void) | undefined
}

export function createPosting({
  push,
  log,
  every = EVERY,
  now = () => performance.now(),
}: PostingOptions): Posting {
  let waiting = new Map<string, Waiting>()
  let timer: NodeJS.Timeout | undefined
  /** The last batch, and those before it that are not done. */
  let running: Promise<void> | undefined
  /** When the database was last heard. */
  let since = 0
  /** A flush has given up since: its timer and `since` are on two clocks, so that it is said and not reckoned. */
  let gaveUp = false
  let refusedAt: number | undefined

  function add(id: string, one: Waiting): void {
    if (running === undefined && waiting.size === 0) since = now()
    waiting.set(id, one)
    timer ??= setTimeout(post, every)
  }

  function post(): void {
    if (waiting.size === 0) return
    clearTimeout(timer)
    timer = undefined
    const batch = pushAll(waiting, running).then(() => {
      since = now()
      gaveUp = false
      if (running === batch) running = undefined
    })
    waiting = new Map()
    running = batch
  }

  async function pushAll(
    posted: ReadonlyMap<string, Waiting>,
    before: Promise<void> | undefined,
  ): Promise<void> {
    await Promise.all([...posted].map(([id, one]) => enter(id, one)))
    await before
  }

  async function enter(id: string, one: Waiting): Promise<void> {
    try {
      if ((await push(jobOf(id, one))) === false) refused(id, "its row has another ending, or there is none")
      else one.entered?.()
    } catch (error) {
      refused(id, error)
    }
  }

  function refused(id: string, why: unknown): void {
    refusedAt = now()
    log(`store: not all of the call ${id} is in the books (${why}); the next start tries again`)
  }

  return {
    open: (call, process) => add(call.id, { open: { call, process } }),
    settle(settled, entered) {
      const one = waiting.get(settled.id)
      if (one === undefined) add(settled.id, { settled, entered })
      else if (one.settled === undefined) Object.assign(one, { settled, entered })
    },
    post,
    flush(patience = BEHIND) {
      post()
      if (running === undefined) return NOTHING
      return within(patience, running).catch((late) => {
        gaveUp = true
        throw late
      })
    },
    isBehind: () =>
      (running !== undefined && (gaveUp || now() - since > BEHIND)) ||
      (refusedAt !== undefined && now() - refusedAt < BEHIND),
    owes: () => refusedAt !== undefined,
  }
}

function jobOf(id: string, { open, settled }: Waiting): LedgerJob {
  if (open === undefined) return { kind: "settle", id, call: settled!, mayWait: false }
  if (settled === undefined) return { kind: "open", id, ...open, posted: true }
  return { kind: "whole", id, ...open, settled }
}

const NOTHING = Promise.resolve()

function within(milliseconds: number, wanted: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void =>
      reject(new StoreError("unavailable", "The database does not take what it is given."))
    const timer = setTimeout(late, milliseconds)
    void wanted.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
