/**
 * One call's watch: everything that the call waits for, it waits for through here, so that a timer or an abort ends
 * the wait at once, whatever the network does. Only waiting counts for `firstContent` and `idle`: a caller who is
 * slow to read is not the server's silence.
 */
import { CancelledError, type SluiceError, TimeoutError, type TimerName } from "./errors.ts"

/**
 * The four timers, in milliseconds; `Infinity` switches one off.
 *
 * @example
 * ```ts
 * import { Sluice, type TimerOptions } from "@sluice/sdk"
 *
 * const timers: TimerOptions = { connect: 5_000, firstContent: 30_000, idle: 20_000, total: 120_000 }
 * export const client = new Sluice({ apiKey: "sk-…", timers })
 * ```
 */
export interface TimerOptions {
  /** From sending a streamed request to the headers of its answer; each try has its own. Default 60 s. */
  connect?: number
  /** To the first chunk that says more than the role. Default 10 minutes. */
  firstContent?: number
  /** From one sign of life to the next; a heartbeat is one. Default 60 s from a Sluice gateway, else 5 minutes. */
  idle?: number
  /** For the whole call. Default 30 minutes. */
  total?: number
}

const TIMER_DEFAULTS = {
  connect: 60_000,
  firstContent: 600_000,
  idle: 300_000,
  total: 1_800_000,
} as const

/** What a runtime's `setTimeout` takes; a longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

export interface Watch {
  /** Waits for `work`, but no longer than the timers that apply. */
  until<T>(work: Promise<T>, timer?: "connect" | "idle"): Promise<T>
  pause(milliseconds: number): Promise<void>
  /** There is content: `firstContent` has done its duty. */
  contentArrived(): void
  /** Ends the present wait, and every later one, with this error. */
  stop(error: SluiceError): void
  readonly stopped: SluiceError | undefined
}

/** Of several settings of a timer the last holds. */
export function createWatch(...settings: readonly (TimerOptions | undefined)[]): Watch {
  const timers: Required<TimerOptions> = Object.assign({}, TIMER_DEFAULTS, ...settings)
  const started = performance.now()
  let firstContentLeft: number = timers.firstContent
  let stopped: SluiceError | undefined
  let interrupt: (error: SluiceError) => void = () => {}

  function until<T>(work: Promise<T>, timer?: "connect" | "idle"): Promise<T> {
    const waitingSince = performance.now()
    const [name, left] = firstToFire(timer, waitingSince)
    let alarm: ReturnType<typeof setTimeout> | undefined
    const interruption = new Promise<never>((_, reject) => {
      interrupt = reject
      const ring = () => reject(timeoutError(name, timers[name]))
      if (stopped) reject(stopped)
      else if (left <= LONGEST_TIMER) alarm = setTimeout(ring, Math.max(0, left))
    })
    return Promise.race([interruption, work]).finally(() => {
      clearTimeout(alarm)
      firstContentLeft -= performance.now() - waitingSince
    })
  }

  function firstToFire(timer: "connect" | "idle" | undefined, now: number): [TimerName, number] {
    const left: [TimerName, number][] = [
      ["total", started + timers.total - now],
      ["firstContent", firstContentLeft],
    ]
    if (timer) left.push([timer, timers[timer]])
    return left.reduce((first, next) => (next[1] < first[1] ? next : first))
  }

  return {
    until,
    pause(milliseconds) {
      let alarm: ReturnType<typeof setTimeout> | undefined
      const over = new Promise<void>((resolve) => {
        alarm = setTimeout(resolve, milliseconds)
      })
      return until(over).finally(() => clearTimeout(alarm))
    },
    contentArrived() {
      firstContentLeft = Infinity
    },
    stop(error) {
      stopped ??= error
      interrupt(stopped)
    },
    get stopped() {
      return stopped
    },
  }
}

/** Calls `onAbort` once when the signal is aborted, at once if it is already; gives the way to stop listening. */
export function listenTo(
  signal: AbortSignal | undefined,
  onAbort: (error: CancelledError) => void,
): () => void {
  const listener = () => onAbort(new CancelledError("The call was aborted.", { cause: signal?.reason }))
  if (signal?.aborted) listener()
  else signal?.addEventListener("abort", listener, { once: true })
  return () => signal?.removeEventListener("abort", listener)
}

const MISSED: Record<TimerName, string> = {
  connect: "No answer",
  firstContent: "No content",
  idle: "No sign of life",
  total: "No end",
}

function timeoutError(timer: TimerName, milliseconds: number): TimeoutError {
  return new TimeoutError(`${MISSED[timer]} within ${milliseconds} ms (timer ${timer}).`, { timer })
}
