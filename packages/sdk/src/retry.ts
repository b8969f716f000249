/** What is tried again before an answer has begun, and what never: a list of sentences, the first that fits decides. */
import { backoffDelay } from "./backoff.ts"
import { ConnectionError, type SluiceError, TimeoutError } from "./errors.ts"

export interface FailedTry {
  readonly error: SluiceError
  /** A second try can neither do nor cost a thing twice: it only reads, or the server knows the call by its key. */
  readonly repeatable: boolean
}

/** Nobody waits longer than this because a server asks for it. */
export const LONGEST_PATIENCE_MS = 60_000

const SENTENCES: readonly (readonly [isRetried: boolean, fits: (failed: FailedTry) => boolean])[] = [
  // What the server asks to be left alone with for more than a minute is not retried: nobody waits that long.
  [false, ({ error }) => (error.retryAfterMs ?? 0) > LONGEST_PATIENCE_MS],
  // A connection that was never made is retried: nothing has been asked yet.
  [true, ({ error }) => error instanceof ConnectionError && wasNeverMade(error)],
  // A connection that broke, or stayed silent, before the headers is retried where the call is repeatable.
  [true, ({ error, repeatable }) => repeatable && isSilence(error)],
  // Elsewhere it is not: the call may have been served, and would be billed twice.
  [false, ({ error }) => isSilence(error)],
  // 408, 409, 425, 429 and 5xx (but 501) are retried, unless the server says that it is of no use.
  [true, ({ error }) => (error.status ?? 0) >= 400 && error.retryable],
  // Everything else is not: 400, 401, 402, 403, 404, 410, 413, 422; an abort; an answer that is none.
]

export function isRetried(failed: FailedTry): boolean {
  return SENTENCES.find(([, fits]) => fits(failed))?.[0] ?? false
}

/** The wait before retry 1, 2, …: at once after a drop, after a refusal only with a breath. */
export function retryDelay(error: SluiceError, retry: number, random?: number): number {
  const attempt = error instanceof ConnectionError ? retry : retry + 1
  return backoffDelay(attempt, {}, error, random)
}

function isSilence(error: SluiceError): boolean {
  return error instanceof ConnectionError || (error instanceof TimeoutError && error.timer === "connect")
}

/** Node, Bun and Deno say so; a browser does not, and there it counts as broken. */
function wasNeverMade(error: SluiceError): boolean {
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? String(cause.code) : ""
    if (/REFUSED|NOTFOUND|EAI_AGAIN|UNREACH|CONNECT_TIMEOUT/i.test(code)) return true
  }
  return false
}
