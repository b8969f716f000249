/**
 * How long to wait before trying again: at once the first time, since most drops are a moment's, then full jitter
 * under a doubling ceiling, so that a thousand clients cut by one restart do not come back in step.
 */
export interface BackoffOptions {
  /** The ceiling of the first real wait. Default 250 ms. */
  initialMs?: number
  /** No wait is longer than this, unless the server asks for it. Default 10 s. */
  maxMs?: number
  /** Attempts in a row that bring nothing before it is given up. Default 8. */
  attempts?: number
}

export const BACKOFF_DEFAULTS = { initialMs: 250, maxMs: 10_000, attempts: 8 } as const

/** What the server asked for, in milliseconds. */
export interface ServerWait {
  /** From the header `Retry-After`: the least wait, even the first time. */
  retryAfterMs?: number
  /** From the stream's `retry:` field: takes the place of `initialMs`. */
  retryMs?: number
}

/** The wait before attempt 1, 2, 3 …; `random` is a number from 0 to 1. */
export function backoffDelay(
  attempt: number,
  options: BackoffOptions = {},
  server: ServerWait = {},
  random = Math.random(),
): number {
  const { maxMs = BACKOFF_DEFAULTS.maxMs } = options
  const initialMs = server.retryMs ?? options.initialMs ?? BACKOFF_DEFAULTS.initialMs
  const ceiling = attempt <= 1 ? 0 : Math.min(maxMs, initialMs * 2 ** (attempt - 2))
  return Math.max(Math.round(random * ceiling), server.retryAfterMs ?? 0)
}

/** `Retry-After` in either of its forms, seconds or a date, as milliseconds from `now`. */
export function retryAfterMs(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get("retry-after")?.trim()
  if (!value) return undefined
  const seconds = Number(value)
  const wait = Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1000
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined
}
