/**
 * A server on loopback that keeps the stream's contract and misbehaves on cue. Every stream is a log of numbered
 * events. Each answer to a call or a resumption takes the next act of the script; when the script has run out, the
 * server behaves.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** What happens instead of a good answer. */
export type Act =
  /** The connection dies before any header; the call has begun all the same. */
  | "drop"
  /** No header ever comes. */
  | "silence"
  /** A good answer: to have a later one misbehave. */
  | "behave"
  | Cut
  | Reply

/** The body stops behind so many whole events of this connection, and so many bytes more. */
export interface Cut {
  readonly events?: number
  readonly bytes?: number
  /** `reset`: RST (default); `fin`: the socket is closed; `end`: the body ends as if complete; `stall`: nothing more comes. */
  readonly how?: "reset" | "fin" | "end" | "stall"
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The body stays open behind what was sent. */
  readonly stall?: boolean
}

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

export interface ScriptedServer {
  readonly url: string
  /** Data of every call's events; `[DONE]` comes by itself. */
  events: readonly string[]
  script: Act[]
  readonly requests: SeenRequest[]
  /** How many calls were begun: a repeated idempotency key begins none. */
  readonly calls: number
  /** Whether the answers carry ids and `sluice-stream-id`, and streams can be resumed. */
  isSluice: boolean
  sendsDone: boolean
  /** Milliseconds in the first event's `retry:`. */
  retry: number | undefined
  /** Between the events. */
  comment: string
  /** What a call that does not stream, and a retrieval, are answered with. */
  completion: object
  /** The next request (or an earlier one) whose method and path fit; waits until it has come. */
  saw(what: RegExp): Promise<SeenRequest>
  reset(): void
  close(): Promise<void>
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const http = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const streams = new Map<string, readonly string[]>()
  const idOfKey = new Map<string, string>()
  const waiting = new Set<() => void>()
  let calls = 0

  const server: ScriptedServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    events: [],
    script: [],
    requests: [],
    get calls() {
      return calls
    },
    isSluice: true,
    sendsDone: true,
    retry: undefined,
    comment: "",
    completion: {},
    saw(what) {
      return new Promise((resolve) => {
        const look = () => {
          const found = server.requests.find(({ method, path }) => what.test(`${method} ${path}`))
          if (!found) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      })
    },
    reset() {
      streams.clear()
      idOfKey.clear()
      server.requests.length = 0
      calls = 0
      Object.assign(server, { script: [], isSluice: true, sendsDone: true, retry: undefined, comment: "" })
    },
    async close() {
      const closed = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
      await closed
    },
  }
  return server

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ""
    try {
      for await (const part of request) body += part
    } catch {
      return
    }
    const seen = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body }
    server.requests.push(seen)
    for (const look of [...waiting]) look()

    const url = new URL(seen.path, "http://localhost")
    const [, named, verb] = /\/chat\/completions(?:\/([^/]+))?(?:\/(\w+))?$/.exec(url.pathname) ?? []
    if (verb !== undefined) return void json(response, 200, { state: verb })
    if (url.pathname.endsWith("/models"))
      return void json(response, 200, { data: [{ id: "sim/story", owned_by: "us" }] })

    const [id, isReplay] = named === undefined ? begin(request) : [named, false]
    const act = server.script.shift() ?? "behave"
    if (act === "silence") return
    if (act === "drop") return void request.socket.destroy()
    if (typeof act === "object" && "status" in act) return reply(response, act)
    if (!streams.has(id) || (named !== undefined && !server.isSluice)) {
      return void json(response, 404, { error: { message: "No such stream." } })
    }
    if (url.searchParams.get("stream") !== "true" && !/"stream":true/.test(body)) {
      return void json(response, 200, server.completion, { "sluice-stream-id": id })
    }
    const after = Number(url.searchParams.get("starting_after") ?? request.headers["last-event-id"] ?? 0)
    await stream({ id, isReplay, after, response, cut: act === "behave" ? undefined : act })
  }

  function begin(request: IncomingMessage): [id: string, isReplay: boolean] {
    const key = String(request.headers["idempotency-key"] ?? "")
    const known = key === "" ? undefined : idOfKey.get(key)
    if (known !== undefined) return [known, true]
    calls += 1
    const id = `chatcmpl-${calls}`
    streams.set(id, server.events)
    idOfKey.set(key, id)
    return [id, false]
  }

  async function stream(what: {
    id: string
    isReplay: boolean
    after: number
    response: ServerResponse
    cut: Cut | undefined
  }): Promise<void> {
    const { id, isReplay, after, response, cut } = what
    const frames = (streams.get(id) ?? []).map((data, index) => frame(data, index + 1)).slice(after)
    if (server.sendsDone) frames.push("data: [DONE]\n\n")
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "x-request-id": "request-1",
      ...(server.isSluice && { "sluice-stream-id": id }),
      ...(isReplay && { "sluice-replayed": "true" }),
    })
    response.flushHeaders()
    const body = Buffer.from(frames.join(""))
    if (cut === undefined) return void response.end(body)
    const { events = 0, bytes = 0, how = "reset" } = cut
    const sent = body.subarray(0, Buffer.byteLength(frames.slice(0, events).join("")) + bytes)
    if (how === "end") return void response.end(sent)
    if (sent.length > 0) await new Promise<unknown>((resolve) => response.write(sent, resolve))
    if (how === "reset") response.socket?.resetAndDestroy()
    else if (how === "fin") response.socket?.end()
  }

  function frame(data: string, seq: number): string {
    const retry = seq === 1 && server.retry !== undefined ? `retry: ${server.retry}\n` : ""
    return `${server.isSluice ? `id: ${seq}\n` : ""}${retry}data: ${data}\n\n${server.comment}`
  }
}

function reply(response: ServerResponse, { status, headers, body = "", stall }: Reply): void {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  if (!stall) response.end(body)
  else response.write(body === "" ? " " : body)
}

function json(response: ServerResponse, status: number, body: object, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))
}

/** An answer of so many events: role, a word each, finish reason, usage. */
export function storyOf(events: number): string[] {
  const words = Array.from({ length: events - 3 }, (_, index) => ` wörd${index}`)
  return [
    chunkOf({ role: "assistant", content: "" }),
    ...words.map((content) => chunkOf({ content })),
    chunkOf({}, "stop"),
    JSON.stringify({ ...ENVELOPE, choices: [], usage: USAGE }),
  ]
}

export const ENVELOPE = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "sim/story",
}
export const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }

export function chunkOf(delta: object, finish_reason: string | null = null, index = 0): string {
  return JSON.stringify({ ...ENVELOPE, choices: [{ index, delta, finish_reason }] })
}
