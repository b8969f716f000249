/**
 * A `fetch` whose streams do not break: for the `openai` package, `@ai-sdk/*`, browsers, and whatever else takes a
 * fetch of its own. It changes nothing that its caller can see but this: when the body of a streamed chat completion
 * from a Sluice gateway drops, it is fetched on from the last whole event, and the body simply goes on.
 *
 * Downstream go whole events only, byte for byte; what stood half-read at the cut is dropped, for the resumed
 * stream begins with that event anew. A body whose stream cannot be resumed errors; it never closes as if done.
 */
import { BACKOFF_DEFAULTS, type BackoffOptions, backoffDelay, retryAfterMs, wait } from "./backoff.ts"
import { errorOfAnswer, StreamInterruptedError } from "./errors.ts"
import { createEventCutter } from "./event-cutter.ts"
import {
  cancelCall,
  type Fetch,
  type ResumableCall,
  readCall,
  resumeCall,
  sendCall,
} from "./resumable-call.ts"

export interface ResumingFetchOptions extends BackoffOptions {
  /** The fetch underneath. Default: the runtime's own. */
  fetch?: Fetch
  /** What the gateway does while nobody listens: `drain:<seconds>`, `detach` or `cancel`. Default `drain:60`. */
  onDisconnect?: string
  /** A connection that brings no byte for so long, not even a heartbeat, counts as dropped. Default 60 s. */
  silenceMs?: number
}

/**
 * Gives a `fetch` that resumes the streamed chat completions of a Sluice gateway.
 *
 * Requests to `…/chat/completions` get an `Idempotency-Key` (unless they have one), so that one dropped before its
 * answer is repeated safely, and, if they stream, the header `sluice-on-disconnect`. So give it to clients of a
 * Sluice gateway: other servers know nothing of that header, and a browser asks them in a preflight first. All
 * other requests pass untouched, and so does every answer without a `sluice-stream-id`.
 *
 * Aborting the request, or cancelling its body, cancels the call at the gateway.
 *
 * @example
 * ```ts
 * import { resumingFetch } from "@sluice/sdk"
 * import OpenAI from "openai"
 *
 * const client = new OpenAI({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…", fetch: resumingFetch() })
 * const stream = await client.chat.completions.create({
 *   model: "sim/story",
 *   messages: [{ role: "user", content: "Tell me a story." }],
 *   stream: true,
 * })
 * for await (const chunk of stream) console.log(chunk.choices[0]?.delta.content ?? "")
 * ```
 */
export function resumingFetch(options: ResumingFetchOptions = {}): Fetch {
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  return async (input, init) => {
    const call = await readCall(input, init, options.onDisconnect)
    if (call === undefined) return fetch(input, init)

    const connection = new AbortController()
    const disconnect = () => connection.abort(call.signal?.reason)
    if (!call.streams) onAbort(call.signal, disconnect)
    const opening = open(call, fetch, options, connection.signal)
    const response = await unlessAborted(opening, call.signal).catch((error: unknown) => {
      // The call may have begun all the same: as soon as its id is known it is cancelled.
      opening.then(
        (late) => leave(late, call, fetch, connection),
        () => {},
      )
      throw error
    })
    const id = streamId(response)
    if (id === undefined || response.body === null) {
      onAbort(call.signal, disconnect)
      return response
    }
    const body = resumedBody({ id, call, fetch, options, connection, first: response.body })
    const { status, statusText, headers, url } = response
    return Object.defineProperty(new Response(body, { status, statusText, headers }), "url", { value: url })
  }
}

/** The POST, repeated under the same idempotency key when the connection drops before it is answered. */
async function open(
  call: ResumableCall,
  fetch: Fetch,
  options: ResumingFetchOptions,
  signal: AbortSignal,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sendCall(call, fetch, signal)
    } catch (error) {
      const unwanted = signal.aborted || call.signal?.aborted
      if (!call.repeatable || unwanted || attempt > attemptsOf(options)) throw error
      await wait(backoffDelay(attempt, Math.random(), options), call.signal)
    }
  }
}

interface OpenStream {
  readonly id: string
  readonly call: ResumableCall
  readonly fetch: Fetch
  readonly options: ResumingFetchOptions
  readonly connection: AbortController
  readonly first: ReadableStream<Uint8Array>
}

function resumedBody(stream: OpenStream): ReadableStream<Uint8Array> {
  const { id, call, fetch, options, connection } = stream
  const cutter = createEventCutter()
  let reader = stream.first.getReader()
  /** How many attempts in a row have brought nothing, and how many events had come when the last one was made. */
  let attempt = 0
  let eventsBefore = 0
  let forget = () => {}

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        forget = onAbort(call.signal, () => {
          leaveStream()
          controller.error(call.signal?.reason)
        })
      },
      async pull(controller) {
        try {
          const whole = await nextEvents()
          if (connection.signal.aborted) return
          if (whole !== undefined) return controller.enqueue(whole)
          forget()
          controller.close()
        } catch (error) {
          if (connection.signal.aborted) return
          forget()
          connection.abort()
          controller.error(error)
        }
      },
      cancel: leaveStream,
    },
    // Nothing is read ahead of who reads here: the gateway feels a slow reader as if nobody stood between.
    { highWaterMark: 0 },
  )

  /** The next whole events, over as many connections as it takes; undefined at the end. */
  async function nextEvents(): Promise<Uint8Array | undefined> {
    for (;;) {
      const part = await readPart()
      if (part.bytes !== undefined) {
        const whole = cutter.push(part.bytes)
        if (cutter.events > eventsBefore) attempt = 0
        if (whole.length > 0) return whole
      } else if (isComplete(part.error)) {
        return undefined
      } else {
        await reconnect(part.error ?? new Error("its body ended early"))
      }
    }
  }

  async function readPart(): Promise<{ bytes?: Uint8Array; error?: unknown }> {
    const { silenceMs = 60_000 } = options
    let timer: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`nothing came for ${silenceMs} ms`)), silenceMs)
    })
    try {
      const { value } = await Promise.race([reader.read(), silence])
      return value === undefined ? {} : { bytes: value }
    } catch (error) {
      reader.cancel().catch(() => {})
      return { error }
    } finally {
      clearTimeout(timer)
    }
  }

  function isComplete(error: unknown): boolean {
    // A failure is passed on as it came: some dialects' clients see it only in a body that breaks off.
    if (cutter.ending === "error" && error !== undefined) throw error
    if (cutter.ending !== undefined) return true
    // Where no [DONE] is sent (Orq's proxy path), the end is a resumed stream that has nothing to add.
    return error === undefined && cutter.finished && attempt > 0
  }

  async function reconnect(cause: unknown): Promise<void> {
    cutter.restart()
    eventsBefore = cutter.events
    let retryAfter: number | undefined
    for (;;) {
      attempt += 1
      if (attempt > attemptsOf(options)) throw interrupted(cause)
      const server = { retryAfterMs: retryAfter, retryMs: cutter.retryMs }
      await wait(backoffDelay(attempt, Math.random(), options, server), connection.signal)
      const answer = await resume()
      if (answer.reader !== undefined) {
        reader = answer.reader
        return
      }
      if (answer.final) throw interrupted(answer.cause)
      cause = answer.cause
      retryAfter = answer.retryAfterMs
    }
  }

  async function resume(): Promise<{
    reader?: ReadableStreamDefaultReader<Uint8Array>
    cause?: unknown
    final?: boolean
    retryAfterMs?: number
  }> {
    try {
      const response = await resumeCall(call, id, cutter.lastEventId, fetch, connection.signal)
      if (response.status === 200 && isEventStream(response) && response.body !== null) {
        return { reader: response.body.getReader() }
      }
      return {
        cause: errorOfAnswer(response.status, await response.text()),
        final: !mayPass(response.status),
        retryAfterMs: retryAfterMs(response.headers),
      }
    } catch (cause) {
      return { cause }
    }
  }

  function interrupted(cause: unknown): StreamInterruptedError {
    const { lastEventId } = cutter
    const place = lastEventId === "" ? "before its first event" : `after event ${lastEventId}`
    const why = cause instanceof Error ? cause.message : String(cause)
    return new StreamInterruptedError(`Stream ${id} broke off ${place} and could not be resumed: ${why}`, {
      id,
      lastEventId,
      cause,
    })
  }

  function leaveStream(): void {
    forget()
    // Not when the stream has said how it ended: there is nothing left to cancel.
    if (cutter.ending === undefined) cancelCall(call, id, fetch)
    connection.abort()
  }
}

/** A call that its caller gave up before the answer came. */
function leave(response: Response, call: ResumableCall, fetch: Fetch, connection: AbortController): void {
  const id = streamId(response)
  if (id !== undefined) cancelCall(call, id, fetch)
  connection.abort()
}

function streamId(response: Response): string | undefined {
  if (response.status !== 200 || !isEventStream(response)) return undefined
  return response.headers.get("sluice-stream-id") ?? undefined
}

function isEventStream(response: Response): boolean {
  return response.headers.get("content-type")?.toLowerCase().startsWith("text/event-stream") ?? false
}

/** Refusals that another attempt may not meet. */
function mayPass(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

function attemptsOf(options: ResumingFetchOptions): number {
  return options.attempts ?? BACKOFF_DEFAULTS.attempts
}

/** Calls back once, at once if it has happened already; the answer takes it back. */
function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted) listener()
  else signal?.addEventListener("abort", listener, { once: true })
  return () => signal?.removeEventListener("abort", listener)
}

/** The promise's own result, unless the signal is faster. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal?.reason))
    promise.then(resolve, reject).finally(forget)
  })
}
