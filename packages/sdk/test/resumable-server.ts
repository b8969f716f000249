/**
 * A server that keeps the stream's contract and cuts connections where a test says: each connection of a stream,
 * the call's own first, takes the next cut of the plan.
 */
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Cut {
  /** Whole events sent on this connection before the cut; bytes of the next one too, if told. */
  events: number
  bytes?: number
  /** `end`: the body ends as if complete; `silence`: nothing more comes. Default: the socket dies. */
  how?: "reset" | "end" | "silence"
}

export interface SeenRequest {
  method: string
  path: string
  headers: IncomingMessage["headers"]
  body: string
}

/** Anything but an open stream, in answer to a request: `drop` kills the socket before any header. */
export type Answer = "drop" | { status: number; headers?: Record<string, string>; body?: string }

export interface ResumableServer {
  readonly url: string
  readonly requests: SeenRequest[]
  /** Data of the events, without `[DONE]`; ids are given here. */
  events: string[]
  cuts: Cut[]
  /** Taken before the cuts, one per request, by any request but a cancel. */
  answers: Answer[]
  /** What stands at the end; Orq's proxy path sends nothing. */
  done: boolean
  cancelled: Promise<SeenRequest>
  reset(): void
  close(): Promise<void>
}

export async function startResumableServer(): Promise<ResumableServer> {
  const http = createServer((request, response) => void handle(request, response))
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  let onCancel: (request: SeenRequest) => void

  const server: ResumableServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    requests: [],
    events: [],
    cuts: [],
    answers: [],
    done: true,
    cancelled: Promise.reject(new Error("reset first")),
    reset() {
      server.requests.length = 0
      server.cuts = []
      server.answers = []
      server.done = true
      server.cancelled = new Promise((resolve) => {
        onCancel = resolve
      })
    },
    async close() {
      http.closeAllConnections()
      http.close()
      await once(http, "close")
    },
  }
  server.cancelled.catch(() => {})
  server.reset()
  return server

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ""
    for await (const part of request) body += part
    const path = request.url ?? ""
    const seen: SeenRequest = { method: request.method ?? "", path, headers: request.headers, body }
    server.requests.push(seen)
    if (/\/cancel(\?|$)/.test(path)) {
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
      onCancel(seen)
      return
    }
    const answer = server.answers.shift()
    if (answer === "drop") return void request.socket.destroy()
    if (answer !== undefined) {
      response
        .writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
        .end(answer.body ?? "")
      return
    }
    stream(response, request.method === "GET" ? Number(request.headers["last-event-id"] ?? 0) : 0)
  }

  function stream(response: ServerResponse, after: number): void {
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "sluice-stream-id": "chatcmpl-1",
      "access-control-allow-origin": "*",
    })
    const frames = server.events.map((data, index) => `id: ${index + 1}\ndata: ${data}\n\n`).slice(after)
    if (server.done) frames.push("data: [DONE]\n\n")
    const cut = server.cuts.shift()
    if (cut === undefined) {
      response.end(frames.join(""))
      return
    }
    const partial = Buffer.from(frames[cut.events] ?? "").subarray(0, cut.bytes ?? 0)
    const sent = Buffer.concat([Buffer.from(frames.slice(0, cut.events).join("")), partial])
    if (cut.how === "end") response.end(sent)
    else if (cut.how === "silence") response.write(sent)
    else {
      if (sent.length > 0) response.write(sent)
      response.flushHeaders()
      response.socket?.destroySoon()
    }
  }
}

/** A short answer: the role, a chunk for each word, a finish reason, usage. */
export function sampleEvents(words: string[]): string[] {
  const envelope = {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "sim/story",
  }
  const choice = (delta: object, finish: string | null = null) =>
    JSON.stringify({ ...envelope, choices: [{ index: 0, delta, finish_reason: finish }] })
  return [
    choice({ role: "assistant", content: "" }),
    ...words.map((word) => choice({ content: word })),
    choice({}, "stop"),
    JSON.stringify({
      ...envelope,
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: words.length, total_tokens: 9 + words.length },
    }),
  ]
}
