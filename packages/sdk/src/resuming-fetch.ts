/**
 * A `fetch` whose streams do not break: for the `openai` package, `@ai-sdk/*`, browsers, and whatever else takes a
 * fetch of its own. It changes nothing that its caller can see but this: when the body of a streamed chat completion
 * from a Sluice gateway drops, it is fetched on from the last event, and the body simply goes on.
 *
 * Downstream go whole events only, in the gateway's own form; heartbeats end here. A body whose stream cannot be
 * resumed errors; it never closes as if it were done.
 */
import { encodeEvent, isObject } from "@sluice/protocol"
import { BACKOFF_DEFAULTS, type BackoffOptions, backoffDelay } from "./backoff.ts"
import { resumption, streamIdOf, tell } from "./by-id.ts"
import { type Connection, openConnection } from "./connection.ts"
import { CancelledError, SluiceError } from "./errors.ts"
import { parseJson } from "./parse-json.ts"
import type { Answer } from "./request.ts"
import { type Fetch, isEventStream, type ResumableCall, readCall } from "./resumable-call.ts"
import { createEventSource } from "./source.ts"
import { createWatch, TIMER_DEFAULTS } from "./watch.ts"

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
    const call = await readCall(input, init, fetch, options.onDisconnect)
    if (call === undefined) return fetch(input, init)

    const connection = new AbortController()
    const close = () => connection.abort(call.signal?.reason)
    if (!call.streams) onAbort(call.signal, close)
    const opening = open(call, options, connection.signal)
    const response = await unlessAborted(opening, call.signal).catch((error: unknown) => {
      // The call may have begun all the same: as soon as its id is known it is cancelled.
      opening.then(
        (late) => cancelLate(late, call).finally(close),
        () => {},
      )
      throw error
    })
    const id = resumableId(response)
    if (id === undefined) {
      onAbort(call.signal, close)
      return response
    }
    const body = await resumedBody(id, { response, close }, call, options)
    const { status, statusText, headers, url } = response
    return Object.defineProperty(new Response(body, { status, statusText, headers }), "url", { value: url })
  }
}

/** The POST, repeated under the same idempotency key when the connection drops before it is answered. */
async function open(
  call: ResumableCall,
  options: ResumingFetchOptions,
  signal: AbortSignal,
): Promise<Response> {
  const watch = createWatch(UNWATCHED)
  for (let attempt = 1; ; attempt++) {
    try {
      return await call.send(signal)
    } catch (error) {
      const isUnwanted = signal.aborted || call.signal?.aborted
      const isLast = attempt > (options.attempts ?? BACKOFF_DEFAULTS.attempts)
      if (!call.repeatable || isUnwanted || isLast) throw error
      await unlessAborted(watch.pause(backoffDelay(attempt, Math.random(), options)), call.signal)
    }
  }
}

async function resumedBody(
  id: string,
  answer: Answer,
  call: ResumableCall,
  options: ResumingFetchOptions,
): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder()
  const watch = createWatch({ ...UNWATCHED, idle: options.silenceMs ?? 60_000 })
  let connection: Connection
  const connect = async (answer: Answer) => {
    connection = await openConnection(answer, watch)
    return connection
  }
  let isFinished = false
  /** The stream has said how it ended: there is nothing left to resume or to cancel. */
  let hasFailed = false
  let isOver = false
  const source = createEventSource({
    first: await connect(answer),
    lastEventId: "",
    watch,
    backoff: options,
    isFinished: () => isFinished,
    reopen: (lastEventId) => call.gateway({ ...resumption(id, lastEventId), watch }, connect),
  })
  let forget = () => {}

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        forget = onAbort(call.signal, () => {
          leave()
          controller.error(call.signal?.reason)
        })
      },
      async pull(controller) {
        try {
          // Behind an error event the rest is passed on as it comes: some clients see a failure only in a body that
          // breaks off.
          const event = await (hasFailed ? connection.next() : source.next())
          if (event !== undefined) {
            isFinished ||= /"finish_reason":\s*"/.test(event.data)
            hasFailed ||= isError(event.data)
            controller.enqueue(encoder.encode(encodeEvent({ ...event, id: event.id || undefined })))
            return
          }
          settle()
          if (call.sendsDone && !hasFailed) controller.enqueue(encoder.encode("data: [DONE]\n\n"))
          controller.close()
        } catch (error) {
          if (watch.stopped) return
          settle()
          const { lastEventId } = source
          controller.error(error instanceof SluiceError ? Object.assign(error, { id, lastEventId }) : error)
        }
      },
      cancel: leave,
    },
    // Nothing is read ahead of who reads here: the gateway feels a slow reader as if nobody stood between.
    { highWaterMark: 0 },
  )

  function leave(): void {
    if (!isOver && !hasFailed) tell(call.gateway, id, "cancel").catch(() => {})
    watch.stop(new CancelledError())
    settle()
  }

  function settle(): void {
    isOver = true
    forget()
    source.close()
  }
}

/** All timers but `idle` are the caller's own business. */
const UNWATCHED = { ...TIMER_DEFAULTS, firstContent: Infinity, idle: Infinity, total: Infinity }

async function cancelLate(response: Response, call: ResumableCall): Promise<void> {
  const id = resumableId(response)
  if (id !== undefined) await tell(call.gateway, id, "cancel").catch(() => {})
}

function resumableId(response: Response): string | undefined {
  const isStream = response.status === 200 && isEventStream(response) && response.body !== null
  return isStream ? streamIdOf(response) : undefined
}

/** Only data that could be one is parsed: inside a JSON string the quotes would be escaped. */
function isError(data: string): boolean {
  const value = data.includes('"error":') ? parseJson(data) : undefined
  return isObject(value) && isObject(value["error"])
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
