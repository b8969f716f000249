/** The one place that talks HTTP: a request, its tries, and its answer or its typed error. */
import { retryAfterMs } from "./backoff.ts"
import { CancelledError, ConnectionError, reasonOf, SluiceError, TimeoutError } from "./errors.ts"
import { errorOfAnswer } from "./read-error.ts"
import { isRetried, retryDelay } from "./retry.ts"
import { listenTo, type Watch } from "./watch.ts"

export type FetchFunction = (input: string, init: RequestInit) => Promise<Response>

export interface TransportOptions {
  readonly baseURL: string
  /** What every request carries: the credential, and the caller's own. */
  readonly headers: Readonly<Record<string, string>>
  readonly fetch?: FetchFunction
  /** For what says nothing else of its own. Default 0. */
  readonly retries?: number
}

export interface Outgoing {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** From the base URL on. */
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly watch: Watch
  /** Aborting it stops the watch, for as long as there is no answer. */
  readonly signal?: AbortSignal
  /** Streamed answers have their headers early; others only when all is done, and no such timer. */
  readonly timer?: "connect"
  readonly retries?: number
  readonly repeatable: boolean
  /** An answer that comes although its caller has gone. Without it the connection is simply closed. */
  onLateAnswer?(answer: Answer): void
}

export interface Answer {
  readonly response: Response
  /** What its reading is bound to. */
  readonly watch: Watch
  close(): void
}

/** `read` makes of an answer what was asked for; where it fails, the whole try has. */
export type Transport = <T>(outgoing: Outgoing, read: (answer: Answer) => T | Promise<T>) => Promise<T>

export function createTransport({ baseURL, headers, fetch, retries = 0 }: TransportOptions): Transport {
  return (outgoing, read) => {
    const stopListening = listenTo(outgoing.signal, outgoing.watch.stop)
    return ask(outgoing, read).finally(stopListening)
  }

  async function ask<T>(outgoing: Outgoing, read: (answer: Answer) => T | Promise<T>): Promise<T> {
    const { watch, repeatable } = outgoing
    for (let retry = 1; ; retry++) {
      try {
        return await read(await open(outgoing))
      } catch (error) {
        const isLast = retry > (outgoing.retries ?? retries)
        if (!(error instanceof SluiceError) || isLast || !isRetried({ error, repeatable })) throw error
        await watch.pause(retryDelay(error, retry))
      }
    }
  }

  async function open(outgoing: Outgoing): Promise<Answer> {
    const { watch, timer, method, path, body } = outgoing
    if (watch.stopped) throw watch.stopped
    const connection = new AbortController()
    const close = () => connection.abort()
    const init = { method, body, headers: headersOf(outgoing), signal: connection.signal }
    // Within a function, as a fetch of somebody's own may throw where it should reject.
    const pending = (async () => (fetch ?? globalThis.fetch)(baseURL + path, init))()
    let response: Response
    try {
      response = await watch.until(pending, timer)
    } catch (error) {
      const { onLateAnswer } = outgoing
      if (onLateAnswer && isGivenUp(error))
        pending.then((late) => onLateAnswer({ response: late, watch, close }), close)
      else close()
      throw error instanceof SluiceError ? error : connectionError(`No answer from ${baseURL}`, error)
    }
    const answer = { response, watch, close }
    if (response.ok) return answer
    const { text } = await readText(answer, LONGEST_ERROR)
    const wait = retryAfterMs(response.headers)
    throw errorOfAnswer(response.status, text, { requestId: requestIdOf(response), retryAfterMs: wait })
  }

  function headersOf(outgoing: Outgoing): Headers {
    const all = new Headers(headers)
    if (outgoing.body !== undefined) all.set("content-type", "application/json")
    for (const [name, value] of Object.entries(outgoing.headers ?? {}))
      if (value !== undefined) all.set(name, value)
    return all
  }
}

const LONGEST_ERROR = 65_536

/** The body as text; where it broke off, as far as it came. The connection is closed behind it. */
export async function readText(
  { response, watch, close }: Answer,
  limit = Infinity,
): Promise<{ text: string; broken?: ConnectionError }> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ""
  try {
    while (reader && text.length < limit) {
      const { value, done } = await watch.until(reader.read(), "idle")
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    return { text }
  } catch (error) {
    if (error instanceof SluiceError) throw error
    return { text, broken: connectionError("The answer broke off", error) }
  } finally {
    close()
  }
}

export function requestIdOf(response: Pick<Response, "headers">): string | undefined {
  return response.headers.get("x-request-id") ?? undefined
}

/** The caller has gone, or waits no longer; a `connect` timer only means: try again. */
function isGivenUp(error: unknown): boolean {
  return error instanceof CancelledError || (error instanceof TimeoutError && error.timer !== "connect")
}

function connectionError(what: string, cause: unknown): ConnectionError {
  return new ConnectionError(`${what}: ${reasonOf(cause)}`, { retryable: true, code: "connection", cause })
}
