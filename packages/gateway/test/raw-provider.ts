/**
 * A misbehaving provider, for faults that no well-meant server can make: it owns the socket and writes what it is
 * told, byte for byte. A simulator of faults, nothing else.
 */
import net from "node:net"

export interface RawProvider {
  /** What stands in a configuration's `base_url`. */
  readonly baseUrl: string
  /** Requests seen so far: request line and headers, and the body. */
  readonly requests: { head: string; body: string }[]
  /** Resolves when the n-th connection (1-based) has been closed by the other side. */
  closedByPeer(count: number): Promise<void>
  close(): Promise<void>
}

/** Told of each whole request; writes what it likes to the socket. */
export type Behaviour = (socket: net.Socket, requestNumber: number) => void | Promise<void>

export async function startRawProvider(behave: Behaviour): Promise<RawProvider> {
  const requests: { head: string; body: string }[] = []
  const sockets = new Set<net.Socket>()
  let closed = 0
  let waiting: (() => void)[] = []
  const server = net.createServer((socket) => {
    sockets.add(socket)
    let received = Buffer.alloc(0)
    socket.on("error", () => {})
    socket.on("close", () => {
      sockets.delete(socket)
      closed++
      const callbacks = waiting
      waiting = []
      for (const callback of callbacks) callback()
    })
    socket.on("data", (piece) => {
      received = Buffer.concat([received, typeof piece === "string" ? Buffer.from(piece) : piece])
      for (;;) {
        const end = received.indexOf("\r\n\r\n")
        if (end < 0) return
        const head = received.subarray(0, end).toString("latin1")
        const length = Number(head.match(/^content-length: *(\d+)$/im)?.[1] ?? 0)
        if (received.length < end + 4 + length) return
        requests.push({ head, body: received.subarray(end + 4, end + 4 + length).toString() })
        received = received.subarray(end + 4 + length)
        void behave(socket, requests.length)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address() as net.AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    requests,
    async closedByPeer(count) {
      while (closed < count) await new Promise<void>((resolve) => waiting.push(resolve))
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

export const SSE_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
export const CHUNKED_SSE_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

export function chunkOf(bytes: string | Uint8Array): Buffer {
  const body = Buffer.from(bytes)
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")])
}

export function jsonAnswer(status: number, body: string, headers = ""): string {
  return `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}connection: close\r\n\r\n${body}`
}

export function frame(
  delta: Record<string, unknown>,
  finish: string | null = null,
  more: object = {},
): string {
  const chunk = {
    id: "raw-1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "raw",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

/** Role, the words one by one, finish, usage, `[DONE]`. */
export function wholeStream(words: readonly string[]): string[] {
  return [
    frame({ role: "assistant", content: "" }),
    ...words.map((content) => frame({ content })),
    frame({}, "stop"),
    `data: ${JSON.stringify({
      id: "raw-1",
      object: "chat.completion.chunk",
      created: 1_700_000_000,
      model: "raw",
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: words.length, total_tokens: 3 + words.length },
    })}\n\n`,
    "data: [DONE]\n\n",
  ]
}
