/**
 * What is known of the places that answer: how busy and how quick each candidate is, and which of them should be left
 * alone for a while. `plan` reads it, `open` tells it; it is kept for as long as the process lives, reloads included.
 *
 * Three things can be at fault, and each has its breaker:
 *
 *   the provider                 no connection comes about
 *   a credential of it           it is refused: 401, 402, 403
 *   a model, by this credential  all else: 5xx, 404, 429, a stall, an answer that is cut or makes no sense
 *
 * One model that is down must not take a provider's others with it, nor one used-up credential the rest of them.
 */
import { type Breaker, type BreakerState, type Cooldown, createBreaker, THRESHOLD } from "./breaker.ts"
import type { Candidate } from "./plan.ts"

/** Whose fault a failure is; `nobody`: the request's, or our own. */
export type Blame = "provider" | "credential" | "model" | "nobody"

export interface Failure {
  readonly blame: Blame
  /** It said nothing for too long. */
  readonly stalled: boolean
  /** Milliseconds, as it said itself. */
  readonly retryAfter?: number | undefined
}

export interface Figures {
  /** Attempts under way. */
  readonly busy: number
  /** Milliseconds to the first content, the last ones counting most; undefined: not asked yet. */
  readonly firstContent: number | undefined
  /** Tokens a second after that. */
  readonly rate: number | undefined
  /** When it may be asked again; 0: now. */
  readonly dueAt: number
}

/** One attempt, as far as health goes. */
export interface Asking {
  readonly credential: number
  firstContent(): void
  /** `tokens`: of the answer, as counted or as seen. */
  finished(tokens: number): void
  failed(failure: Failure): void
  /** The client left, or the gateway stops. */
  left(): void
}

export interface Health {
  figuresOf(candidate: Candidate): Figures
  /**
   * Begins an attempt, with the credential whose turn it is; those in `tried` have failed in this call. Undefined: none
   * is left that is worth asking.
   */
  ask(candidate: Candidate, tried: ReadonlySet<number>): Asking | undefined
  breakers(): Iterable<BreakerReading>
}

export interface BreakerReading {
  readonly provider: string
  /** The credential's place in its list, from 1; undefined: the provider itself. */
  readonly credential: number | undefined
  readonly model: string | undefined
  readonly state: BreakerState
}

const SECOND = 1_000
const PLACE: Cooldown = { first: 5 * SECOND, most: 300 * SECOND }
/** What is wrong with a credential is seldom mended by waiting. */
const REFUSED: Cooldown = { first: 60 * SECOND, most: 600 * SECOND }
/** Of a new figure, in the figure that is kept. */
const SHARE = 0.3
/** Not asked for so long, a candidate is thought to have become twice as quick: so it is tried again some day. */
const FORGIVEN_IN = 60 * SECOND
/** Clients can name any model: of those that nobody has asked for longest, the oldest are forgotten. */
const MOST_KNOWN = 2_000

interface Known {
  busy: number
  firstContent: number | undefined
  rate: number | undefined
  askedAt: number
  turn: number
}

export function createHealth(now: () => number = () => performance.now()): Health {
  const known = new Map<string, Known>()
  const breakers = new Map<string, { breaker: Breaker; reading: Omit<BreakerReading, "state"> }>()
  let newest: Known | undefined

  /** The newest last, so that the first is the one to forget. */
  function touch(candidate: Candidate): Known {
    const name = nameOf(candidate)
    const entry = known.get(name) ?? {
      busy: 0,
      firstContent: undefined,
      rate: undefined,
      askedAt: now(),
      turn: 0,
    }
    if (entry === newest) return entry
    newest = entry
    known.delete(name)
    known.set(name, entry)
    if (known.size > MOST_KNOWN) forget(known, ({ busy }) => busy === 0)
    return entry
  }

  function breakersOf({ provider, model }: Candidate, credential: number): Named[] {
    const secret = `${provider.name}#${provider.credentials[credential]}`
    const of = (name: string, cooldown: Cooldown, reading: Omit<BreakerReading, "state">): Named => ({
      name,
      cooldown,
      reading,
    })
    const at = { provider: provider.name, credential: credential + 1 }
    return [
      of(provider.name, PLACE, { provider: provider.name, credential: undefined, model: undefined }),
      of(secret, REFUSED, { ...at, model: undefined }),
      of(`${secret}/${model}`, PLACE, { ...at, model }),
    ]
  }

  /** Most never fail: only what has failed once has a breaker. */
  function made({ name, cooldown, reading }: Named): Breaker {
    const breaker = breakers.get(name)?.breaker ?? createBreaker(cooldown)
    breakers.delete(name)
    breakers.set(name, { breaker, reading })
    if (breakers.size > MOST_KNOWN) forget(breakers, () => true)
    return breaker
  }

  /** 0: it may be asked now. */
  function dueAt(candidate: Candidate, credential: number): number {
    if (breakers.size === 0) return 0
    const at = now()
    return breakersOf(candidate, credential).reduce((latest, { name }) => {
      const breaker = breakers.get(name)?.breaker
      const state = breaker?.state(at) ?? "closed"
      if (breaker === undefined || state === "closed" || state === "due") return latest
      return Math.max(latest, breaker.dueAt, at + 1)
    }, 0)
  }

  /** They take turns; undefined: all have been tried. */
  function nextCredential(
    candidate: Candidate,
    entry: Known,
    tried: ReadonlySet<number>,
  ): number | undefined {
    const { credentials } = candidate.provider
    if (credentials.length === 1) return tried.has(0) ? undefined : 0
    const left = credentials.map((_, credential) => credential).filter((at) => !tried.has(at))
    if (left.length === 0) return undefined
    const turn = entry.turn++ % left.length
    const inTurn = [...left.slice(turn), ...left.slice(0, turn)]
    // Where all are to be left alone, the one that is due first: better asked than not answered.
    const due = inTurn.map((credential) => dueAt(candidate, credential))
    return inTurn[due.indexOf(Math.min(...due))]!
  }

  return {
    figuresOf(candidate) {
      const entry = known.get(nameOf(candidate))
      const due = candidate.provider.credentials.map((_, credential) => dueAt(candidate, credential))
      return {
        busy: entry?.busy ?? 0,
        firstContent:
          entry?.firstContent === undefined
            ? undefined
            : entry.firstContent * 0.5 ** ((now() - entry.askedAt) / FORGIVEN_IN),
        rate: entry?.rate,
        dueAt: Math.min(...due),
      }
    },

    ask(candidate, tried) {
      const entry = touch(candidate)
      const credential = nextCredential(candidate, entry, tried)
      if (credential === undefined) return undefined

      const startedAt = now()
      entry.busy++
      entry.askedAt = startedAt
      let contentAt: number | undefined
      let over = false
      function end(tell: () => void): void {
        if (over) return
        over = true
        entry.busy--
        tell()
      }
      const each = (tell: (breaker: Breaker) => void): void => {
        if (breakers.size === 0) return
        for (const { name } of breakersOf(candidate, credential)) {
          const breaker = breakers.get(name)?.breaker
          if (breaker !== undefined) tell(breaker)
        }
      }
      each((breaker) => breaker.asked(startedAt))
      const learnFirstContent = (): void => {
        entry.firstContent = mixed(entry.firstContent, now() - startedAt)
      }

      return {
        credential,
        firstContent() {
          contentAt ??= now()
          learnFirstContent()
        },
        finished(tokens) {
          end(() => {
            const seconds = (now() - (contentAt ?? startedAt)) / SECOND
            if (tokens > 1 && seconds > 0) entry.rate = mixed(entry.rate, tokens / seconds)
            each((breaker) => breaker.succeeded())
          })
        },
        failed({ blame, stalled, retryAfter }) {
          end(() => {
            // What it has waited in vain is a figure too.
            if (stalled && contentAt === undefined) learnFirstContent()
            if (blame === "nobody") return each((breaker) => breaker.unknown())
            const at = BLAMED[blame]
            for (const [index, named] of breakersOf(candidate, credential).entries()) {
              if (index < at) breakers.get(named.name)?.breaker.succeeded()
              else if (index > at) breakers.get(named.name)?.breaker.unknown()
              else made(named).failed(now(), weightOf(blame, stalled), retryAfter)
            }
          })
        },
        left() {
          end(() => each((breaker) => breaker.unknown()))
        },
      }
    },

    *breakers() {
      const at = now()
      for (const { breaker, reading } of breakers.values()) yield { ...reading, state: breaker.state(at) }
    },
  }
}

interface Named {
  readonly name: string
  readonly cooldown: Cooldown
  readonly reading: Omit<BreakerReading, "state">
}

/** Its place among the three. */
const BLAMED = { provider: 0, credential: 1, model: 2 } as const

/** A refused credential is refused: there is nothing to gather. */
function weightOf(blame: Blame, stalled: boolean): number {
  if (blame === "credential") return THRESHOLD
  return stalled ? 2 : 1
}

export function nameOf({ provider, model }: Candidate): string {
  return `${provider.name}/${model}`
}

function mixed(kept: number | undefined, now: number): number {
  return kept === undefined ? now : kept + SHARE * (now - kept)
}

function forget<Entry>(entries: Map<string, Entry>, may: (entry: Entry) => boolean): void {
  for (const [name, entry] of entries) if (may(entry)) return void entries.delete(name)
}
