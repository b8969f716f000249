/**
 * One attempt: a candidate is asked, its answer is read into canonical chunks, and it comes to exactly one of
 * `finished` and `failed`. The four timers live here, each with one meaning:
 *
 *   connect        from the start until a connection stands
 *   first_content  from the start until the first content (the commit point)
 *   idle           between two things heard from the provider, comments included, once its first event has come
 *   total          from the start to the end
 *
 * Time in which we pause the provider counts for none of them but `total`.
 */
import { type Chunk, type Completion, kindOfStatus, type WireError, wireError } from "@sluice/protocol"
import { toWireError } from "../gateway-error.ts"
import type {
  AnswerHeaders,
  Attempt,
  AttemptListener,
  ProviderFailure,
  ProviderRequest,
  Shortcut,
} from "../providers/provider.ts"
import type { Blame } from "./health.ts"
import type { Candidate, Timers } from "./plan.ts"

/** How long a body may go on after its last word. */
const LINGER = 1_000
const CLOCKS = ["connect", "firstContent", "idle", "total"] as const satisfies readonly (keyof Timers)[]

export interface AttemptEvents {
  /** The provider answered 200 with the right content type. */
  accepted(): void
  /** `data`: as it came. */
  chunk(chunk: Chunk, data: string): void
  /** Something in what the provider counted had to be set right. */
  flagged(flags: readonly string[]): void
  /** The whole answer of a call that is not streamed. */
  completion(completion: Completion): void
  /**
   * `sawFinish`: false where only `[DONE]` told the end, be it of one choice among several. `unparsed`: how many events
   * went through the shortcut.
   */
  finished(sawFinish: boolean, unparsed: number): void
  failed(failure: AttemptFailure): void
}

export interface AttemptFailure {
  /** What the client is shown if nothing better comes. */
  readonly error: WireError
  /** May another candidate be asked? Never after a 400: it would say the same. */
  readonly next: boolean
  /** May this same candidate be asked again, in a later round? */
  readonly again: boolean
  /** Whose fault it is, for whoever keeps figures. */
  readonly blame: Blame
}

export interface RunningAttempt extends Attempt {
  /** The commit point is passed: `first_content` no longer runs, and the shortcut is open. */
  committed(shortcut: Shortcut): void
}

export function startAttempt(
  candidate: Candidate,
  asked: ProviderRequest,
  timers: Timers,
  events: AttemptEvents,
  /** Milliseconds of a clock that is never set. */
  now: () => number,
  log: (line: string) => void,
): RunningAttempt {
  const { provider } = candidate
  const read = provider.dialect.createChunkReader()
  let status = 0
  let contentType = ""
  let retryAfter: number | undefined
  let over = false
  /** Of each choice that has begun, whether it has said why it ends. */
  const choices = new Map<number, boolean>()
  const sawFinish = (): boolean => choices.size > 0 && [...choices.values()].every(Boolean)
  let sawChunk = false
  /** There is one from the commit point on. */
  let shortcut: Shortcut | undefined
  let paused = false

  let lingering: NodeJS.Timeout | undefined
  /**
   * When the provider was last heard, but for what its shortcut took. The idle timer looks at it when it fires: nothing is set
   * anew per event.
   */
  let heardAt = 0

  const clocks: Partial<Record<keyof Timers, NodeJS.Timeout | undefined>> = {}
  const startClock = (name: keyof Timers): void => {
    clocks[name] = setTimeout(timedOut, timers[name], name)
  }
  function startIdle(wait: number): void {
    const fire = (): void => {
      const left = Math.max(heardAt, shortcut?.heardAt ?? 0) + timers.idle - now()
      if (left > 0) startIdle(left)
      else timedOut("idle")
    }
    clocks.idle = setTimeout(fire, wait)
  }
  const stopClock = (name: keyof Timers): void => {
    clearTimeout(clocks[name])
    clocks[name] = undefined
  }

  function settle(tell: () => void, close: () => void = abort): void {
    if (over) return
    over = true
    listener.shortcut = undefined
    for (const name of CLOCKS) clearTimeout(clocks[name])
    tell()
    close()
  }

  const abort = (): void => attempt?.abort()

  /** All has been said: the body may end by itself, so that its connection can be used again. */
  const linger = (): void => {
    lingering = setTimeout(abort, LINGER)
  }

  const fail = (failure: AttemptFailure): void => settle(() => events.failed(failure))
  const finish = (): void => settle(() => events.finished(sawFinish(), shortcut?.taken ?? 0), linger)

  function timedOut(name: keyof Timers): void {
    const words = { connect: "connect", firstContent: "first_content", idle: "idle", total: "total" }
    const error = wireError(
      "timeout",
      `The provider '${provider.name}' did not answer in time (${words[name]} timer, ${timers[name] / 1_000} s).`,
      { metadata: { timer: words[name], provider_name: provider.name } },
    )
    // An answer that is long has done nothing wrong; one that never came has.
    const blame =
      name === "connect" ? "provider" : name === "total" && shortcut !== undefined ? "nobody" : "model"
    fail({ error, next: true, again: true, blame })
  }

  const broken = (message: string, metadata: Record<string, unknown> = {}): AttemptFailure => ({
    error: wireError("provider_error", message, { metadata: { provider_name: provider.name, ...metadata } }),
    next: true,
    again: true,
    blame: metadata["reason"] === "connect" ? "provider" : "model",
  })

  /**
   * An error that came as an event. Before the commit point it means what the same status would have meant before the
   * answer; after it there is no status left to tell, and all that a client must know is that the provider failed.
   */
  function inBand(error: WireError): AttemptFailure {
    if (shortcut === undefined) return readFailure(error, error.status, error.retryAfter, provider.name)
    const metadata = { ...error.metadata, provider_name: provider.name, provider_error_type: error.kind }
    const { message, retryable } = error
    return {
      error: wireError("provider_error", message, { metadata, retryable }),
      next: false,
      again: false,
      blame: readFailure(error, error.status, error.retryAfter, provider.name).blame,
    }
  }

  function onEvent(data: string): void {
    heardAt = now()
    if (data === "[DONE]") {
      if (sawChunk) finish()
      else fail(broken(`The provider '${provider.name}' ended its stream without a single chunk.`))
      return
    }
    const value = parse(data)
    const result =
      value === undefined
        ? ({ type: "malformed", reason: "an event that is not JSON" } as const)
        : read(value)
    if (result.type === "chunk") {
      if (!sawChunk && !over) {
        sawChunk = true
        if (!paused) startIdle(timers.idle)
      }
      for (const { index, finish_reason: finish } of result.chunk.choices)
        choices.set(index, finish !== null || choices.get(index) === true)
      if (result.flags !== undefined) events.flagged(result.flags)
      events.chunk(result.chunk, data)
    } else if (result.type === "error") fail(inBand(result.error))
    else fail(broken(`The provider '${provider.name}' sent ${result.reason}.`))
  }

  function onBody(text: string): void {
    if (status !== 200)
      return fail(readFailure(provider.dialect.readError(status, text), status, retryAfter, provider.name))
    if (asked.stream || contentType !== "application/json") {
      return fail(
        broken(
          `The provider '${provider.name}' answered with the content type '${contentType.slice(0, 80)}'.`,
        ),
      )
    }
    const value = parse(text)
    const result =
      value === undefined
        ? ({ type: "malformed", reason: "an answer that is not JSON" } as const)
        : provider.dialect.readCompletion(value)
    if (result.type === "completion") {
      settle(() => {
        if (result.flags !== undefined) events.flagged(result.flags)
        events.completion(result.completion)
        events.finished(true, 0)
      }, linger)
    } else if (result.type === "error") fail(inBand(result.error))
    else fail(broken(`The provider '${provider.name}' sent ${result.reason}.`))
  }

  function onEnd(): void {
    if (sawFinish()) finish()
    else fail(broken(`The stream of the provider '${provider.name}' ended before it was finished.`))
  }

  function onFailure({ reason, message }: ProviderFailure): void {
    // A connection that breaks after the finish reason has cost nothing that the client was promised.
    if (sawFinish() && reason === "broken") finish()
    else fail(broken(message, { reason }))
  }

  /** Our own mistake must not become a call that never ends. */
  function guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      log(`an answer of '${provider.name}' could not be handled: ${describe(error)}`)
      fail({ error: toWireError(error), next: false, again: false, blame: "nobody" })
    }
  }

  const listener: AttemptListener & { shortcut: Shortcut | undefined } = {
    connected: () => stopClock("connect"),
    answered(answerStatus: number, headers: AnswerHeaders) {
      stopClock("connect")
      status = answerStatus
      contentType = headers.contentType
      retryAfter = headers.retryAfter
      if (status === 200 && contentType === (asked.stream ? "text/event-stream" : "application/json"))
        events.accepted()
    },
    shortcut: undefined,
    event(data) {
      if (!over) guard(() => onEvent(data))
    },
    alive() {
      heardAt = now()
    },
    body(text) {
      if (!over) guard(() => onBody(text))
    },
    ended() {
      clearTimeout(lingering)
      if (!over) guard(onEnd)
    },
    failed(failure: ProviderFailure) {
      clearTimeout(lingering)
      if (!over) guard(() => onFailure(failure))
    },
  }

  startClock("connect")
  startClock("total")
  if (asked.stream) startClock("firstContent")
  // The listener may be called before `open` returns, hence the two names.
  let attempt: Attempt | undefined
  const opened = provider.open(asked, listener)
  attempt = opened
  if (over) opened.abort()

  return {
    pause() {
      paused = true
      stopClock("idle")
      opened.pause()
    },
    resume() {
      paused = false
      heardAt = now()
      if (!over && sawChunk) startIdle(timers.idle)
      opened.resume()
    },
    abort() {
      settle(() => {})
    },
    committed(opened) {
      shortcut = opened
      if (!over) listener.shortcut = opened
      stopClock("firstContent")
    },
  }
}

/**
 * What a provider's error answer means for the call:
 *   400 413 422       the request is wrong: no other candidate would like it better (a too long context excepted)
 *   401 402 403       our credential is wrong: the client must not think it is its key
 *   404 429           as they are
 *   3xx, wrong type   never followed, never trusted
 *   5xx               502, or 503 where that was said
 */
export function readFailure(
  error: WireError,
  status: number,
  retryAfter: number | undefined,
  providerName: string,
): AttemptFailure {
  const metadata = { ...error.metadata, provider_name: providerName, provider_status: status }
  const shown = (kind: Parameters<typeof wireError>[0], message: string, more = {}): WireError =>
    wireError(kind, message, { metadata, ...(retryAfter === undefined ? {} : { retryAfter }), ...more })

  const failure = (error: WireError, { next = true, again = true, blame = "model" as Blame } = {}) => ({
    error,
    next,
    again,
    blame,
  })

  if (error.kind === "context_length_exceeded")
    return failure({ ...error, metadata }, { again: false, blame: "nobody" })
  if (status === 400 || status === 413 || status === 422)
    return failure({ ...error, metadata }, { next: false, again: false, blame: "nobody" })
  if (status === 401 || status === 402 || status === 403) {
    const message = `The provider '${providerName}' refused this gateway's credential (${status}).`
    return failure(shown("provider_auth", message), { again: false, blame: "credential" })
  }
  if (status === 404) return failure(shown("model_not_found", error.message), { again: false })
  if (status === 429)
    return failure(shown("rate_limit_exceeded", error.message, { retryAfter: retryAfter ?? 1 }))
  if (status === 503 || status === 529) {
    const more = { status: 503, retryAfter: retryAfter ?? 1 }
    return failure(shown("provider_overloaded", error.message, more))
  }
  if (status === 408 || status === 504) return failure(shown("timeout", error.message))
  if (status >= 300 && status < 400) {
    const message = `The provider '${providerName}' answered with a redirect (${status}); redirects are never followed.`
    return failure(shown("provider_error", message), { again: false })
  }
  if (status >= 500 || status === 409 || status === 425)
    return failure(shown("provider_error", error.message))
  const kind = kindOfStatus(status)
  return failure(shown(kind === "server" ? "provider_error" : kind, error.message), { again: false })
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
