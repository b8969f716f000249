/**
 * Calls that nobody waits for: their key has no limit that could refuse them, and the journal has them, so the database may
 * learn of them a moment later, many in one transaction. A call that has ended by then is one row, written once.
 *
 * Invariants:
 *   1. What is posted is in the books after EVERY and the transaction that follows, or the store is `behind`.
 *   2. The jobs of a call are pushed in their order.
 *   3. `flush` resolves when everything that was posted before it has been entered: who asks the books after it is answered
 *      as if nothing had waited. Where the database does not answer it gives up, so that who asks is told.
 */
import type { LedgerJob } from "./batch.ts"
import type { OpenCall, SettledCall } from "./call-record.ts"

/** Milliseconds. Long enough for company, short enough that what waits is little. */
const EVERY = 40
/** Milliseconds after which the database is slow, and calls had better wait for it. */
const BEHIND = 1_000

export interface Posting {
  open(call: OpenCall, process: string): void
  settle(call: SettledCall): void
  /** Pushes what waits: a job that is pushed behind it is done behind it. */
  post(): void
  flush(): Promise<void>
  /** What was posted has waited for long. */
  isBehind(): boolean
}

export interface PostingOptions {
  push(job: LedgerJob): Promise<unknown>
  readonly log: (line: string) => void
  readonly every?: number
  /** Milliseconds that a flush waits at most. */
  readonly patience?: number
  readonly now?: () => number
}

/** What waits of one call. Nothing else of it is held meanwhile: what lives this long the collector copies. */
interface Waiting {
  readonly open?: { readonly call: OpenCall; readonly process: string }
  settled?: SettledCall
}

export function createPosting({
  push,
  log,
  every = EVERY,
  patience = BEHIND,
  now = () => performance.now(),
}: PostingOptions): Posting {
  let waiting = new Map<string, Waiting>()
  let timer: NodeJS.Timeout | undefined
  /** The last batch, and those before it that are not done. */
  let running: Promise<void> | undefined
  /** When the database was last heard. */
  let since = 0

  function add(id: string, one: Waiting): void {
    if (running === undefined && waiting.size === 0) since = now()
    waiting.set(id, one)
    timer ??= setTimeout(post, every)
  }

  function post(): void {
    if (waiting.size === 0) return
    clearTimeout(timer)
    timer = undefined
    const jobs = [...waiting].map(([id, one]) => jobOf(id, one))
    waiting = new Map()
    const before = running
    const batch = pushAll(jobs, before).then(() => {
      since = now()
      if (running === batch) running = undefined
    })
    running = batch
  }

  async function pushAll(jobs: readonly LedgerJob[], before: Promise<void> | undefined): Promise<void> {
    const outcomes = await Promise.allSettled(jobs.map(push))
    for (const [index, outcome] of outcomes.entries())
      if (outcome.status === "rejected")
        log(`store: of the call ${jobs[index]?.id} not all is in the books: ${outcome.reason}`)
    await before
  }

  return {
    open: (call, process) => add(call.id, { open: { call, process } }),
    settle(settled) {
      const one = waiting.get(settled.id)
      if (one === undefined) add(settled.id, { settled })
      else one.settled ??= settled
    },
    post,
    flush() {
      post()
      return running === undefined ? NOTHING : within(patience, running)
    },
    isBehind: () => running !== undefined && now() - since > BEHIND,
  }
}

function jobOf(id: string, { open, settled }: Waiting): LedgerJob {
  if (open === undefined) return { kind: "settle", id, call: settled!, mayWait: false }
  if (settled === undefined) return { kind: "open", id, ...open, posted: true }
  return { kind: "whole", id, ...open, settled }
}

const NOTHING = Promise.resolve()

function within(milliseconds: number, wanted: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    void wanted.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
