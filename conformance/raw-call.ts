/** A call without any SDK: every byte of the answer, and whether HTTP says that it came to its end. */
import http from "node:http"
import type { Server } from "./caller.ts"

export interface RawAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  /** False where the connection was closed before the body's end. */
  readonly complete: boolean
}

export function rawCall(
  server: Server,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${server.url}${path}`, {
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${server.key}`,
        ...headers,
      },
    })
    request.once("error", reject)
    request.once("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        text += piece
      })
      // A broken transfer is an answer too.
      response.on("error", () => {})
      response.on("close", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          complete: response.complete,
        }),
      )
    })
    request.end(JSON.stringify(body))
  })
}

/** The `data:` lines of an event stream, without `[DONE]`. */
export function dataLines(text: string): string[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data!).filter((data) => data !== "[DONE]")
}

/** Its events, parsed. */
export function eventsOf({ text }: RawAnswer): unknown[] {
  return dataLines(text).map((data): unknown => JSON.parse(data))
}
