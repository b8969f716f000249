/** A chat completion as a caller's `fetch` asks for it, read so that it can be asked again, resumed and cancelled. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

export interface ResumableCall {
  /** The address up to its query; the stream's own addresses begin with it. */
  readonly path: string
  readonly query: string
  readonly init: RequestInit
  readonly headers: Headers
  readonly streams: boolean
  /** A body that is a stream itself can be sent once only. */
  readonly repeatable: boolean
  readonly signal: AbortSignal | undefined
}

/** Undefined for every other request than a POST to `…/chat/completions`. */
export async function readCall(
  input: string | URL | Request,
  init: RequestInit = {},
  onDisconnect = "drain:60",
): Promise<ResumableCall | undefined> {
  const request = input instanceof Request ? input : undefined
  const method = init.method ?? request?.method ?? "GET"
  const [path = "", query = ""] = (request?.url ?? String(input)).replace(/#.*/, "").split("?")
  if (method.toUpperCase() !== "POST" || !path.endsWith("/chat/completions")) return undefined

  const body = init.body ?? (await request?.clone().text())
  const streams = typeof body === "string" && /"stream"\s*:\s*true/.test(body)
  const headers = new Headers(init.headers ?? request?.headers)
  if (!headers.has("idempotency-key")) headers.set("idempotency-key", randomKey())
  // A call that does not stream shows no id before it is done: nobody could cancel it, so it must not run on.
  if (streams && !headers.has("sluice-on-disconnect")) headers.set("sluice-on-disconnect", onDisconnect)
  return {
    path,
    query,
    init: { ...(request && { credentials: request.credentials, mode: request.mode }), ...init, method, body },
    headers,
    streams,
    repeatable: !(body instanceof ReadableStream),
    signal: init.signal ?? request?.signal ?? undefined,
  }
}

export function sendCall(call: ResumableCall, fetch: Fetch, signal: AbortSignal): Promise<Response> {
  return fetch(withQuery(call.path, call.query), { ...call.init, headers: call.headers, signal })
}

/** The same stream from behind its event `lastEventId`; from its beginning if that is empty. */
export function resumeCall(
  call: ResumableCall,
  id: string,
  lastEventId: string,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Response> {
  const headers = ownHeaders(call)
  headers.set("accept", "text/event-stream")
  if (lastEventId !== "") headers.set("last-event-id", lastEventId)
  const query = call.query === "" ? "stream=true" : `${call.query}&stream=true`
  const url = withQuery(`${call.path}/${encodeURIComponent(id)}`, query)
  return fetch(url, { ...call.init, method: "GET", body: undefined, headers, signal })
}

/** Tells the gateway that nobody wants the rest. If that is lost, the gateway's own clock ends the call. */
export function cancelCall(call: ResumableCall, id: string, fetch: Fetch): void {
  const url = withQuery(`${call.path}/${encodeURIComponent(id)}/cancel`, call.query)
  const { signal: _aborted, ...init } = call.init
  fetch(url, { ...init, method: "POST", body: undefined, headers: ownHeaders(call), keepalive: true })
    .then((response) => response.body?.cancel())
    .catch(() => {})
}

/** What the caller sent of its own: its credential above all, but nothing that describes the call's body. */
function ownHeaders(call: ResumableCall): Headers {
  const headers = new Headers(call.headers)
  for (const name of ["content-type", "content-length", "idempotency-key", "sluice-on-disconnect"]) {
    headers.delete(name)
  }
  return headers
}

function withQuery(path: string, query: string): string {
  return query === "" ? path : `${path}?${query}`
}

/** Not `crypto.randomUUID`: browsers have that on secure pages only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("")
}
