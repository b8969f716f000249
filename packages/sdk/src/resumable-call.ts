/** A chat completion as a caller's `fetch` asks for it, read so that it can be asked again and followed by its id. */
import { EVENTS, PATH } from "./by-id.ts"
import { randomKey } from "./random-key.ts"
import { createTransport, type Transport } from "./request.ts"

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

export interface ResumableCall {
  readonly streams: boolean
  /** A body that is a stream itself can be sent once only. */
  readonly repeatable: boolean
  readonly signal: AbortSignal | undefined
  /** Orq's first path knows no `[DONE]`. */
  readonly sendsDone: boolean
  send(signal: AbortSignal): Promise<Response>
  /** The gateway that it was sent to, asked with the caller's own credential, query and settings. */
  readonly gateway: Transport
}

/** Undefined for every other request than a POST to `…/chat/completions`. */
export async function readCall(
  input: string | URL | Request,
  init: RequestInit = {},
  fetch: Fetch,
  onDisconnect = "drain:60",
): Promise<ResumableCall | undefined> {
  const request = input instanceof Request ? input : undefined
  const method = init.method ?? request?.method ?? "GET"
  const [path = "", query = ""] = (request?.url ?? String(input)).replace(/#.*/, "").split("?")
  if (method.toUpperCase() !== "POST" || !path.endsWith(PATH)) return undefined

  const { signal = request?.signal, ...rest } = init
  const body = init.body ?? (await request?.clone().text())
  const streams = typeof body === "string" && /"stream"\s*:\s*true/.test(body)
  const headers = new Headers(init.headers ?? request?.headers)
  const own = Object.fromEntries(headers)
  for (const name of ["content-type", "content-length", "idempotency-key"]) delete own[name]

  if (!headers.has("idempotency-key")) headers.set("idempotency-key", randomKey())
  // A call that does not stream shows no id before it is done: nobody could cancel it, so it must not run on.
  if (streams && !headers.has("sluice-on-disconnect")) headers.set("sluice-on-disconnect", onDisconnect)
  const settings = { ...(request && { credentials: request.credentials, mode: request.mode }), ...rest }
  const withQuery = (url: string) => (query === "" ? url : `${url}${url.includes("?") ? "&" : "?"}${query}`)
  return {
    streams,
    repeatable: !(body instanceof ReadableStream),
    signal: signal ?? undefined,
    sendsDone: !path.endsWith(`/proxy${PATH}`),
    send: (signal) => fetch(withQuery(path), { ...settings, method, headers, body, signal }),
    gateway: createTransport({
      baseURL: path.slice(0, -PATH.length),
      headers: own,
      fetch: (url, init) =>
        fetch(withQuery(url), { ...settings, body: undefined, ...init, keepalive: init.method === "POST" }),
    }),
  }
}

export function isEventStream(response: Response): boolean {
  return response.headers.get("content-type")?.toLowerCase().startsWith(EVENTS) ?? false
}
