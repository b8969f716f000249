/**
 * A `fetch` whose streams do not break: for the `openai` package, `@ai-sdk/*`, browsers, and whatever else takes a
 * fetch of its own. It changes nothing that its caller can see but this: when the body of a streamed chat completion
 * from a Sluice gateway drops, it is fetched on from the last event, and the body simply goes on.
 *
 * Downstream go whole events only, in the gateway's own form; heartbeats end here. A body whose stream cannot be
 * resumed errors; it never closes as if it were done.
 */
import { isObject, objectOr, type SseEvent } from "@sluice/protocol"
import { BACKOFF_DEFAULTS, type BackoffOptions, backoffDelay } from "./backoff.ts"
import { resumption, streamIdOf, tell } from "./by-id.ts"
import { openConnection } from "./connection.ts"
import { CancelledError, SluiceError } from "./errors.ts"
import { DONE, eventBody } from "./event-body.ts"
import { parseJson } from "./parse-json.ts"
import type { Answer } from "./request.ts"
import { type Fetch, isEventStream, type ResumableCall, readCall } from "./resumable-call.ts"
import { createEventSource } from "./source.ts"
import { createWatch, listenTo, type Watch } from "./watch.ts"

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
    if (!call.streams) listenTo(call.signal, close)
    // All timers but `idle` are the caller's own business.
    const watch = createWatch({ firstContent: Infinity, idle: options.silenceMs ?? 60_000, total: Infinity })
    const opening = open(call, options, watch, connection.signal)
    const response = await unlessAborted(opening, call.signal).catch((error: unknown) => {
      // The call may have begun all the same: as soon as its id is known it is cancelled.
      opening.then(
        (late) => cancel(call, resumableId(late)).finally(close),
        () => {},
      )
      throw error
    })
    const id = resumableId(response)
    if (id === undefined) {
      listenTo(call.signal, close)
      return response
    }
    const body = await resumedBody(id, { response, watch, close }, call, options)
    return Object.defineProperty(new Response(body, response), "url", { value: response.url })
  }
}

/** The POST, repeated under the same idempotency key when the connection drops before it is answered. */
async function open(
  call: ResumableCall,
  options: ResumingFetchOptions,
  watch: Watch,
  signal: AbortSignal,
): Promise<Response> {
  const { attempts = BACKOFF_DEFAULTS.attempts } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await call.send(signal)
    } catch (error) {
      if (!call.repeatable || call.signal?.aborted || attempt > attempts) throw error
      await unlessAborted(watch.pause(backoffDelay(attempt, options)), call.signal)
    }
  }
}

async function resumedBody(
  id: string,
  answer: Answer,
  call: ResumableCall,
  backoff: BackoffOptions,
): Promise<ReadableStream<Uint8Array>> {
  const { watch } = answer
  let connection = await openConnection(answer)
  let isFinished = false
  /** The stream has said how it ended: there is nothing left to resume or to cancel. */
  let hasFailed = false
  let isOver = false
  const source = createEventSource({
    first: connection,
    lastEventId: "",
    watch,
    backoff,
    isFinished: () => isFinished,
    async reopen(lastEventId) {
      connection = await call.gateway({ ...resumption(id, lastEventId), watch }, openConnection)
      return connection
    },
  })
  let forget = () => {}

  return eventBody(events(), {
    start(controller) {
      forget = listenTo(call.signal, () => {
        leave()
        controller.error(call.signal?.reason)
      })
    },
    cancel: leave,
  })

  async function* events(): AsyncGenerator<SseEvent | typeof DONE> {
    try {
      for (;;) {
        // Behind an error event the rest is passed on as it comes: some clients see a failure only in a body that
        // breaks off.
        const event = await (hasFailed ? connection.next() : source.next())
        if (event === undefined) break
        isFinished ||= /"finish_reason":\s*"/.test(event.data)
        hasFailed ||= isError(event.data)
        yield event
      }
    } catch (error) {
      const { lastEventId } = source
      throw error instanceof SluiceError ? Object.assign(error, { id, lastEventId }) : error
    } finally {
      settle()
    }
    if (call.sendsDone && !hasFailed) yield DONE
  }

  function leave(): void {
    if (!isOver && !hasFailed) void cancel(call, id)
    watch.stop(new CancelledError())
    settle()
  }

  function settle(): void {
    isOver = true
    forget()
    source.close()
  }
}

async function cancel(call: ResumableCall, id: string | undefined): Promise<void> {
  if (id !== undefined) await tell(call.gateway, id, "cancel").catch(() => {})
}

function resumableId(response: Response): string | undefined {
  const isStream = response.status === 200 && isEventStream(response) && response.body !== null
  return isStream ? streamIdOf(response) : undefined
}

/** Only data that could be one is parsed: inside a JSON string the quotes would be escaped. */
function isError(data: string): boolean {
  return data.includes('"error":') && isObject(objectOr(parseJson(data))["error"])
}

/** The promise's own result, unless the signal is faster. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = listenTo(signal, () => reject(signal?.reason))
    promise.then(resolve, reject).finally(forget)
  })
}
