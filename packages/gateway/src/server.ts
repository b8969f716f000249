/** The process's life: compose the gateway, listen, drain, exit. */
import type { AddressInfo, Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { wireError } from "@sluice/protocol"
import { handle } from "./app.ts"
import type { Gateway } from "./gateway.ts"
import { createServer } from "./node-http.ts"

export interface Listening {
  readonly url: string
  /** Ends when nothing runs any more or the time is over; says how many streams were cut. */
  drain(milliseconds: number): Promise<number>
  close(): Promise<void>
}

/** Milliseconds. */
const SETTLE_WITHIN = 10_000
/** More than a burst of clients that all connect at once. */
const BACKLOG = 4_096

export async function listen(gateway: Gateway, host: string, port: number): Promise<Listening> {
  const server = createServer({
    requestTimeout: 60_000,
    headersTimeout: 20_000,
    keepAliveTimeout: 75_000,
    noDelay: true,
  })
  const sockets = new Set<Socket>()
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  server.on("request", (request, response) => void handle(request, response, gateway))
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen({ host, port, backlog: BACKLOG }, resolve)
  })
  const address = server.address() as AddressInfo
  const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address

  async function close(): Promise<void> {
    gateway.streams.close()
    gateway.heart.close()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeIdleConnections()
      // Whoever is still being written to has a second to take it.
      const last = setTimeout(() => server.closeAllConnections(), 1_000)
      server.once("close", () => clearTimeout(last))
    })
  }

  return {
    url: `http://${shownHost}:${address.port}`,
    async drain(milliseconds) {
      gateway.draining = true
      const allEnded = Promise.all(
        gateway.streams.running().map((stream) => new Promise<void>((resolve) => stream.onEnd(resolve))),
      )
      let late: NodeJS.Timeout | undefined
      const outOfTime = new Promise<void>((resolve) => {
        late = setTimeout(resolve, milliseconds)
      })
      await Promise.race([allEnded, outOfTime])
      clearTimeout(late)
      const left = gateway.streams.running()
      const settled = Promise.all(left.map((stream) => new Promise<void>((resolve) => stream.onEnd(resolve))))
      for (const stream of left) stream.source?.stop("failed", SHUTTING_DOWN)
      // Their books are closed before the process goes: what they used may have to be counted first.
      const patience = new AbortController()
      await Promise.race([settled, sleep(SETTLE_WITHIN, undefined, { signal: patience.signal })])
      patience.abort()
      await close()
      return left.length
    },
    close,
  }
}

const SHUTTING_DOWN = wireError(
  "gateway_shutdown",
  "The gateway was shut down before this stream had finished.",
)
