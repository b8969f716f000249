/**
 * A circuit breaker: whether something that has failed should be asked again already.
 *
 *   closed    ask it
 *   open      ask others, while others are left, until its time is over
 *   due       its time is over: the next call may try it
 *   probing   one call is trying it; to all others it is still open
 *
 * Failures weigh 1 (a stall, which costs a client its patience, 2) and a success halves what has gathered; at THRESHOLD it
 * opens. So five failures in a row open it, and so does a place that fails three times of four; one that fails every
 * second time stays closed. Each opening without a success between lasts twice as long as the one before.
 */

export type BreakerState = "closed" | "open" | "due" | "probing"

export interface Breaker {
  state(now: number): BreakerState
  /** When it is due; 0 while it is closed. */
  readonly dueAt: number
  /** Somebody asks: if it is due, this is the probe. */
  asked(now: number): void
  succeeded(): void
  /** `retryAfter`: milliseconds, as the place itself said; it opens at once for as long. */
  failed(now: number, weight: number, retryAfter?: number): void
  /** Nobody knows: the client left before there was an answer. */
  unknown(): void
}

/** What has gathered when it opens. */
export const THRESHOLD = 5

export interface Cooldown {
  /** Milliseconds of the first opening, and the most that doubling makes of it. */
  readonly first: number
  readonly most: number
}

export function createBreaker(cooldown: Cooldown): Breaker {
  let gathered = 0
  let dueAt = 0
  let probing = false
  let openings = 0

  return {
    state(now) {
      if (dueAt === 0) return "closed"
      if (probing) return "probing"
      return now < dueAt ? "open" : "due"
    },
    get dueAt() {
      return dueAt
    },
    asked(now) {
      if (dueAt !== 0 && now >= dueAt) probing = true
    },
    succeeded() {
      gathered /= 2
      dueAt = 0
      probing = false
      openings = 0
    },
    failed(now, weight, retryAfter) {
      gathered += weight
      const wasOpen = dueAt !== 0
      // Calls that were under way when it opened say what is known already.
      if (wasOpen && !probing && now < dueAt && retryAfter === undefined) return
      if (!wasOpen && gathered < THRESHOLD && retryAfter === undefined) return
      const wait = Math.min(cooldown.first * 2 ** openings, cooldown.most)
      // A place that says itself when it is back has not failed more than before.
      if (retryAfter === undefined) openings++
      dueAt = Math.max(dueAt, now + (retryAfter ?? wait))
      gathered = Math.min(gathered, THRESHOLD)
      probing = false
    },
    unknown() {
      probing = false
    },
  }
}
