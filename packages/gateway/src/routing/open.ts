/**
 * Candidates in turn until one has passed the commit point.
 *
 * The commit point is the first event whose delta says anything but a role, or any finish reason. Until then what a
 * candidate sends is held back, so that its failure costs the client nothing: the next one is asked. After it the
 * answer is this candidate's, for better or worse.
 */
import type { ChatRequest, Chunk, Completion, Delta, JsonObject, Usage, WireError } from "@sluice/protocol"
import { toWireError } from "../gateway-error.ts"
import type { Shortcut } from "../providers/provider.ts"
import { type AttemptFailure, type RunningAttempt, startAttempt } from "./attempt.ts"
import type { Asking, Failure, Health } from "./health.ts"
import type { Candidate, Plan } from "./plan.ts"
import { sentTo } from "./sent.ts"
import type { Wanted } from "./wanted.ts"

const MAX_HELD_EVENTS = 64
const MAX_HELD_BYTES = 256 * 1024
/** Longer than this nobody waits for a provider: its `Retry-After` is passed on to the client instead. */
const MAX_RETRY_WAIT = 10_000
const RETRY_BASE = 250
/** What a provider asks for beyond this is forgotten: it may have been set right long before. */
const MOST_RETRY_AFTER = 3_600_000

export interface OpeningEvents {
  /** A candidate was asked and did not answer: it failed before the commit point, or the call was stopped before. */
  missed(attempt: MissedAttempt): void
  committed(commit: Commit): void
  /** Never asked before the commit point. */
  readonly shortcut: Shortcut
  /** `data`: as it came, where the chunk was not held back. */
  chunk(chunk: Chunk, data?: string): void
  flagged(flags: readonly string[]): void
  completion(completion: Completion): void
  finished(sawFinish: boolean): void
  /** `committed`: false when no candidate got that far, and `error` is what the last one said. */
  failed(error: WireError, committed: boolean, attempts: number): void
}

export interface Commit {
  readonly candidate: Candidate
  /** When it was asked, in milliseconds since 1970. */
  readonly startedAt: number
  /** How many candidates were asked, this one included. */
  readonly attempts: number
  /** Members of the request that this candidate's dialect has no place for. */
  readonly dropped: readonly string[]
  /** What it was sent. */
  readonly body: JsonObject
}

export interface MissedAttempt {
  readonly candidate: Candidate
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly error: WireError | undefined
  /** What its provider reported all the same. */
  readonly usage: Usage | undefined
  readonly body: JsonObject
}

export interface Opening {
  pause(): void
  resume(): void
  abort(): void
}

export interface OpenOptions {
  readonly plan: Plan
  readonly request: ChatRequest
  /** What the request says of its routing: members of it that are done here go no further. */
  readonly wanted: Pick<Wanted, "honoured" | "dropped">
  readonly health: Health
  readonly stream: boolean
  /** 0 ≤ x < 1 */
  readonly random: () => number
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number
  readonly log: (line: string) => void
}

export function open(options: OpenOptions, events: OpeningEvents): Opening {
  const { plan, request, wanted, health, stream, random, now, log } = options
  let queue = [...plan.candidates]
  let again: Candidate[] = []
  let round = 0
  let attempts = 0
  let running: RunningAttempt | undefined
  let waiting: NodeJS.Timeout | undefined
  /** While an attempt that may still miss is running. */
  let missRunning: (() => void) | undefined
  let paused = false
  let over = false
  /** The running attempt, as far as health goes. */
  let asking: Asking | undefined
  /** By candidate: credentials that were refused in this round. */
  let refused: Map<Candidate, Set<number>> | undefined

  function next(): void {
    const candidate = queue.shift()
    if (candidate !== undefined) ask(candidate)
  }

  /** Our own mistake must not become a call that never ends, nor end the process with all its other calls. */
  function ask(candidate: Candidate): void {
    try {
      attempt(candidate)
    } catch (error) {
      log(`the provider '${candidate.provider.name}' could not be asked: ${describe(error)}`)
      asking?.left()
      if (over) return
      over = true
      events.failed(toWireError(error), false, attempts)
    }
  }

  function attempt(candidate: Candidate): void {
    attempts++
    const startedAt = Date.now()
    const { upstream, body, dropped } = sentTo(candidate, { ...request, stream }, wanted)
    const held: Chunk[] = []
    let heldBytes = 0
    let committed = false
    /** Of the answer as far as it was parsed, roughly. */
    let tokens = 0
    /** What its usage says. */
    let reported: number | undefined

    const miss = (error: WireError | undefined): void => {
      const usage = held.findLast((chunk) => chunk.usage !== undefined)?.usage
      events.missed({ candidate, startedAt, error, usage, body })
    }
    missRunning = () => miss(undefined)
    // One credential at least is left: who has none is not asked again.
    const asked = health.ask(candidate, refused?.get(candidate) ?? NONE)!
    asking = asked

    const commit = (): void => {
      if (committed) return
      committed = true
      missRunning = undefined
      running?.committed(events.shortcut)
      events.committed({ candidate, attempts, dropped, startedAt, body })
      for (const chunk of held) if (!over) events.chunk(chunk)
      held.length = 0
    }

    running = undefined
    const started = startAttempt(
      candidate,
      { request: upstream, body, stream, credential: asked.credential },
      plan.timers,
      {
        accepted() {
          if (plan.commit === "headers" && stream) commit()
        },
        chunk(chunk, data) {
          if (over) return
          tokens++
          reported = chunk.usage?.completion_tokens ?? reported
          if (committed) return events.chunk(chunk, data)
          held.push(chunk)
          heldBytes += data.length
          const isContent = hasContent(chunk)
          if (isContent) asked.firstContent()
          if (isContent || held.length >= MAX_HELD_EVENTS || heldBytes > MAX_HELD_BYTES) commit()
        },
        flagged: events.flagged,
        completion(completion) {
          if (over) return
          reported = completion.usage?.completion_tokens
          commit()
          events.completion(completion)
        },
        finished(sawFinish, unparsed) {
          if (over) return
          commit()
          over = true
          asked.finished(reported ?? tokens + unparsed)
          events.finished(sawFinish)
        },
        failed(failure) {
          if (over) return
          asked.failed(healthOf(failure))
          if (committed) {
            over = true
            events.failed(failure.error, true, attempts)
            return
          }
          missRunning = undefined
          miss(failure.error)
          failed(candidate, failure, asked.credential)
        },
      },
      now,
      log,
    )
    running = started
    queue[0]?.provider.warm?.()
    if (committed) started.committed(events.shortcut)
    if (over) started.abort()
    else if (paused) started.pause()
  }

  function failed(candidate: Candidate, failure: AttemptFailure, credential: number): void {
    if (failure.next && otherCredential(candidate, failure, credential)) return ask(candidate)
    if (failure.next && mayAgain(failure, plan)) again.push(candidate)
    if (failure.next && queue.length > 0) return next()
    const wait =
      failure.next && again.length > 0 && round < plan.retries ? retryWait(round, failure, random) : undefined
    if (wait === undefined) {
      over = true
      events.failed(failure.error, false, attempts)
      return
    }
    round++
    queue = again
    again = []
    refused = undefined
    waiting = setTimeout(next, wait)
  }

  /** A refused or used-up credential says nothing of the provider's others. */
  function otherCredential(candidate: Candidate, failure: AttemptFailure, credential: number): boolean {
    if (failure.blame !== "credential" && failure.error.status !== 429) return false
    refused ??= new Map()
    const tried = refused.get(candidate) ?? new Set()
    refused.set(candidate, tried.add(credential))
    return tried.size < candidate.provider.credentials.length
  }

  // Not before the caller holds the opening: a candidate may answer at once.
  queueMicrotask(() => {
    if (!over) next()
  })

  return {
    pause() {
      paused = true
      running?.pause()
    },
    resume() {
      paused = false
      running?.resume()
    },
    abort() {
      if (!over) missRunning?.()
      over = true
      asking?.left()
      clearTimeout(waiting)
      running?.abort()
    },
  }
}

const NONE: ReadonlySet<number> = new Set()

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function healthOf({ error, blame }: AttemptFailure): Failure {
  const timer = error.kind === "timeout" && error.metadata?.["timer"]
  return {
    blame,
    stalled: timer === "first_content" || timer === "idle",
    retryAfter:
      error.retryAfter === undefined ? undefined : Math.min(error.retryAfter * 1_000, MOST_RETRY_AFTER),
  }
}

/** Orq's clients say after which statuses a model is to be asked again. */
function mayAgain({ again, error }: AttemptFailure, { retryOn }: Plan): boolean {
  if (retryOn === undefined) return again
  const status = error.metadata?.["provider_status"]
  return retryOn.has(typeof status === "number" ? status : error.status)
}

/** Full jitter over a doubling bound, or what the provider asks for; undefined: not worth waiting. */
function retryWait(round: number, failure: AttemptFailure, random: () => number): number | undefined {
  const asked = (failure.error.retryAfter ?? 0) * 1_000
  if (asked > MAX_RETRY_WAIT) return undefined
  return Math.max(asked, random() * RETRY_BASE * 2 ** round)
}

/** The commit point's question: does any delta say something other than its role, or is there a finish reason? */
export function hasContent(chunk: Chunk): boolean {
  return chunk.choices.some((choice) => choice.finish_reason !== null || saysAnything(choice.delta))
}

function saysAnything(delta: Delta): boolean {
  for (const name in delta) if (name !== "role" && !isEmpty(delta[name as keyof Delta])) return true
  return false
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true
  return typeof value === "object" && Object.keys(value).length === 0
}
