/** The clients of the kill bench: they keep every byte that they were sent, and ask again after the kill. */
import http from "node:http"

export interface Seen {
  readonly mount: string
  readonly body: string
  readonly idempotencyKey: string
  status: number
  id: string
  /** Every byte of the body, as it came. */
  text: string
  /** The body ended as HTTP says that a body ends. */
  complete: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  readonly complete: boolean
}

/** Longer than this nobody waits: a hang is a failure. */
const PATIENCE = 10_000

/** Starts one streamed call; `came` is told of each piece of its body, `over` comes when its connection is gone, however that came about. */
export function startStream(
  url: string,
  key: string,
  { came, ...asked }: Pick<Seen, "mount" | "body" | "idempotencyKey"> & { came: () => void },
): { seen: Seen; over: Promise<void> } {
  const seen: Seen = { ...asked, status: 0, id: "", text: "", complete: false }
  const over = new Promise<void>((resolve) => {
    const request = http.request(`${url}${asked.mount}/chat/completions`, {
      method: "POST",
      agent: false,
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "idempotency-key": asked.idempotencyKey,
        "x-request-id": asked.idempotencyKey,
        "sluice-on-disconnect": "detach",
      },
    })
    request.on("error", () => resolve())
    request.on("response", (response) => {
      seen.status = response.statusCode ?? 0
      seen.id = String(response.headers["sluice-stream-id"] ?? "")
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        seen.text += piece
        came()
      })
      response.on("error", () => {})
      response.on("close", () => {
        seen.complete = response.complete
        resolve()
      })
    })
    request.end(asked.body)
  })
  return { seen, over }
}

export function ask(
  url: string,
  key: string,
  options: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method: options.method ?? (options.body === undefined ? "GET" : "POST"),
      agent: false,
      signal: AbortSignal.timeout(PATIENCE),
      headers: {
        authorization: `Bearer ${key}`,
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
    })
    request.on("error", reject)
    request.on("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        text += piece
      })
      response.on("error", (error) => {
        // A body that is left torn on purpose ends like this.
        if ("code" in error && error.code !== "ECONNRESET") reject(error)
      })
      response.on("close", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          complete: response.complete,
        })
      })
    })
    request.end(options.body)
  })
}
