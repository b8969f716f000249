/**
 * A stream's events over as many connections as it takes: when one drops, the next begins behind the last event
 * that was handed out. No event is lost, none comes twice.
 */
import type { SseEvent } from "@sluice/protocol"
import { BACKOFF_DEFAULTS, type BackoffOptions, backoffDelay } from "./backoff.ts"
import { type Connection, notAStream } from "./connection.ts"
import { reasonOf, SluiceError, StreamInterruptedError, TimeoutError } from "./errors.ts"
import { natureOf } from "./read-error.ts"
import { LONGEST_PATIENCE_MS } from "./retry.ts"
import type { Watch } from "./watch.ts"

export interface EventSource {
  /** The next event; `undefined` at the stream's end, which is never a silent one. */
  next(): Promise<SseEvent | undefined>
  /** Of the last event handed out; `""` before the first. */
  readonly lastEventId: string
  close(): void
}

export interface EventSourceOptions {
  readonly first: Connection
  readonly lastEventId: string
  readonly watch: Watch
  /** Opens the stream again behind an event. Without it, a drop is the end. */
  readonly reopen?: (lastEventId: string) => Promise<Connection>
  /** Whether what was handed out so far says that the answer is complete. */
  readonly isFinished: () => boolean
  readonly backoff: BackoffOptions
}

/** What happened in place of an event. */
type Drop = { readonly drop: unknown }

export function createEventSource(options: EventSourceOptions): EventSource {
  const { watch, reopen, isFinished, backoff } = options
  let connection = options.first
  let lastEventId = options.lastEventId
  /** On a connection opened anew, until its first event that we did not have. */
  let isCatchingUp = false
  let attempts = 0
  let retryMs: number | undefined
  let anyEvents = false
  let ended = false

  return {
    async next() {
      while (!ended) {
        const event = await nextOrDrop()
        if (event === undefined) end()
        else if ("drop" in event) await reconnect(event.drop)
        // A server that begins again from its first event is followed too.
        else if (stepTo(event) > 0) return handOut(event)
      }
      return undefined
    },
    get lastEventId() {
      return lastEventId
    },
    close: () => connection.close(),
  }

  async function nextOrDrop(): Promise<SseEvent | Drop | undefined> {
    try {
      const event = await connection.next()
      if (event === undefined) return isRealEnd() ? undefined : { drop: endedEarly() }
      if (event.data === "[DONE]") return undefined
      const isGap = stepTo(event) > 1
      return isGap ? { drop: new Error(`event ${event.id} came after ${lastEventId || 0}`) } : event
    } catch (error) {
      if (isFinal(error)) throw error
      return { drop: error }
    }
  }

  /** How far it is from the last event; where no place has to be found again, or nothing is numbered, one step. */
  function stepTo({ id }: SseEvent): number {
    return isCatchingUp && isNumber(id) ? Number(id) - Number(lastEventId) : 1
  }

  function handOut(event: SseEvent): SseEvent {
    isCatchingUp = false
    anyEvents = true
    attempts = 0
    retryMs = event.retry ?? retryMs
    lastEventId = event.id || lastEventId
    return event
  }

  function end(): void {
    ended = true
    connection.close()
  }

  /** Many servers send no `[DONE]`; a gateway may have more to say, until coming back has brought nothing new. */
  function isRealEnd(): boolean {
    return isFinished() && (!reopen || connection.events === 0)
  }

  function endedEarly(): Error {
    const nature = anyEvents ? "" : natureOf(connection.instead)
    if (nature === "HTML" || nature === "JSON") throw notAStream(connection.instead, connection.response)
    return new Error("it ended without a finish reason or [DONE]")
  }

  /** One silence may be a dead connection, a second one is the server's. All else that is typed is no drop. */
  function isFinal(error: unknown): boolean {
    if (error instanceof TimeoutError && error.timer === "idle") return !reopen || attempts > 0
    return error instanceof SluiceError
  }

  async function reconnect(drop: unknown): Promise<void> {
    connection.close()
    let cause = drop
    let retryAfterMs: number | undefined
    // Where events carry no ids there is no place to come back to: all would come again, from the first.
    const canResume = reopen !== undefined && (!anyEvents || isNumber(lastEventId))
    while (canResume && attempts < (backoff.attempts ?? BACKOFF_DEFAULTS.attempts)) {
      attempts += 1
      await watch.pause(backoffDelay(attempts, backoff, { retryMs, retryAfterMs }))
      try {
        connection = await reopen(lastEventId)
        isCatchingUp = true
        return
      } catch (error) {
        // The failed attempt's own error, and not the end of the whole call?
        const isTimer = error instanceof TimeoutError && error.timer !== "connect"
        if (watch.stopped || isTimer || !(error instanceof SluiceError)) throw error
        cause = error
        retryAfterMs = error.retryAfterMs
        if (!error.retryable || (retryAfterMs ?? 0) > LONGEST_PATIENCE_MS) break
      }
    }
    if (isFinished()) end()
    else throw interrupted(lastEventId, cause)
  }
}

function isNumber(id: string): boolean {
  return /^\d+$/.test(id)
}

function interrupted(lastEventId: string, cause: unknown): StreamInterruptedError {
  const place = lastEventId === "" ? "" : ` after event ${lastEventId}`
  const message = `The stream broke off${place} and could not be resumed: ${reasonOf(cause)}`
  return new StreamInterruptedError(message, { lastEventId, cause })
}
