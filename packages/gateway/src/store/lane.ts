/**
 * Group commit. Jobs go in one at a time and out in batches: one batch runs, and all that comes meanwhile is the next.
 * A job's promise resolves when its batch is durable.
 *
 * Invariants:
 *   1. Jobs of one call run in the order in which they came, and never two in one batch.
 *   2. A batch that fails for a reason that may pass is tried again, whole and in its place, for as long as each of its
 *      jobs has patience, and so are those that wait behind it. Whether it had been committed is not known, so it is
 *      marked as retried.
 *   3. A batch that fails for good is taken apart, so that one bad job does not fail its neighbours.
 *   4. A job that may wait for company goes with the next batch that another calls for, or alone after a moment.
 *   5. After `close` nothing is taken; what was taken is given the time that is left.
 */
import { StoreError } from "./store-error.ts"

export interface Lane<Job, Outcome> {
  push(job: Job): Promise<Outcome>
  /** Resolves when nothing is left (true) or `milliseconds` have passed; then what is left is refused. */
  close(milliseconds: number): Promise<boolean>
}

export interface LaneOptions<Job, Outcome> {
  execute(jobs: readonly Job[], retried: boolean): Promise<readonly Outcome[]>
  /** Milliseconds for which a job is tried. */
  patience(job: Job): number
  /** Nobody minds if it takes a few milliseconds more: a batch costs the same for one job as for ten. */
  mayWait?(job: Job): boolean
  /** Milliseconds that it waits at most. */
  readonly moment?: number
  /** A job whose patience is over: perhaps it was done, and nobody was told. */
  abandoned?(job: Job): void
  readonly most?: number
  readonly now?: () => number
  readonly wait?: (milliseconds: number) => Promise<void>
}

interface Entry<Job, Outcome> {
  readonly job: Job
  readonly since: number
  tries: number
  resolve(outcome: Outcome): void
  reject(error: unknown): void
}

const MOST = 2_000
/** Milliseconds that a job waits for company. */
const MOMENT = 5
const FIRST_PAUSE = 5
const LONGEST_PAUSE = 500

export function createLane<Job extends { readonly id: string }, Outcome>(
  options: LaneOptions<Job, Outcome>,
): Lane<Job, Outcome> {
  const { execute, patience, mayWait = () => false, abandoned } = options
  const { moment = MOMENT, most = MOST, now = () => performance.now(), wait = pause } = options
  let queue: Entry<Job, Outcome>[] = []
  let closed = false
  let over = false
  let running: Promise<void> | undefined
  let nextPause = FIRST_PAUSE
  /** While all that is queued waits for company: somebody has come. */
  let called: (() => void) | undefined

  function push(job: Job): Promise<Outcome> {
    if (closed) return Promise.reject(new StoreError("closed", "The store is closed."))
    return add(job)
  }

  function add(job: Job): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      queue.push({ job, since: now(), tries: 0, resolve, reject })
      running ??= work()
      if (called !== undefined && !mayWait(job)) called()
    })
  }

  async function work(): Promise<void> {
    // Whoever comes in the same breath rides along, as do all calls whose streams this turn of the loop has kept.
    await undefined
    while (queue.length > 0) {
      if (!closed && queue.every(({ job }) => mayWait(job))) await company()
      await attempt(takeBatch())
    }
    running = undefined
  }

  function company(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(come, moment)
      called = come
      function come(): void {
        clearTimeout(timer)
        called = undefined
        resolve()
      }
    })
  }

  function takeBatch(): Entry<Job, Outcome>[] {
    const ids = new Set<string>()
    let length = 0
    while (length < queue.length && length < most) {
      const { id } = queue[length]!.job
      if (ids.has(id)) break
      ids.add(id)
      length += 1
    }
    const batch = queue.slice(0, length)
    queue = length === queue.length ? [] : queue.slice(length)
    return batch
  }

  async function attempt(batch: readonly Entry<Job, Outcome>[]): Promise<void> {
    try {
      const retried = batch.some(({ tries }) => tries > 0)
      const outcomes = await execute(
        batch.map(({ job }) => job),
        retried,
      )
      nextPause = FIRST_PAUSE
      for (const [index, entry] of batch.entries()) entry.resolve(outcomes[index]!)
    } catch (error) {
      if (!isPermanent(error)) await again(batch, error)
      else if (batch.length === 1) batch[0]?.reject(error)
      else for (const entry of batch) await attempt([entry])
    }
  }

  async function again(batch: readonly Entry<Job, Outcome>[], error: unknown): Promise<void> {
    const left = batch.filter((entry) => {
      if (over) {
        entry.reject(tooLate())
        return false
      }
      entry.tries += 1
      return stays(entry, error)
    })
    await wait(nextPause)
    nextPause = Math.min(nextPause * 2, LONGEST_PAUSE)
    if (over) for (const entry of left) entry.reject(tooLate())
    else {
      // Whoever gives one up queues another job meanwhile, behind all that stay.
      const behind = queue
      queue = []
      const staying = behind.filter((entry) => stays(entry, error))
      queue = [...left, ...staying, ...queue]
    }
  }

  /** Whoever waits behind a batch that does not go through is told no later. */
  function stays(entry: Entry<Job, Outcome>, error: unknown): boolean {
    if (isPatient(entry)) return true
    entry.reject(error)
    if (entry.tries > 0) abandoned?.(entry.job)
    return false
  }

  function isPatient({ since, job }: Entry<Job, Outcome>): boolean {
    return now() - since < patience(job)
  }

  return {
    push,
    async close(milliseconds) {
      closed = true
      called?.()
      const late = new AbortController()
      await Promise.race([running, pause(milliseconds, late.signal)])
      late.abort()
      // A batch that is under way is not waited for: its database may never answer.
      over = true
      for (const { reject } of queue) reject(tooLate())
      queue = []
      return running === undefined
    },
  }
}

function tooLate(): StoreError {
  return new StoreError("closed", "The store was closed before this was written.")
}

function isPermanent(error: unknown): boolean {
  return error instanceof StoreError && error.permanent
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
