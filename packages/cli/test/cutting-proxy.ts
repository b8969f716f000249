/** A way to a gateway that breaks: the first stream is cut after so many bytes, without a goodbye. */
import net from "node:net"
import type { TestContext } from "node:test"

export interface CuttingProxy {
  readonly url: string
  cuts(): number
  /** From now on it lets everything through. */
  heal(): void
}

const REFUSAL = "HTTP/1.1 401 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

/** `for good`: behind the cut whoever stands there lets nobody through, and trying again is of no use. */
export async function cuttingProxy(
  t: TestContext,
  target: string,
  bytes: number,
  how: "once" | "for good" = "once",
): Promise<CuttingProxy> {
  const { port } = new URL(target)
  const sockets = new Set<net.Socket>()
  let cuts = 0
  let isBroken = false
  const server = net.createServer((client) => {
    if (isBroken)
      return void client
        .on("error", () => {})
        .end(REFUSAL)
        .resume()
    const upstream = net.connect(Number(port), "127.0.0.1")
    let passed = 0
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on("data", (piece) => upstream.write(piece))
    upstream.on("data", (piece) => {
      passed += piece.length
      if (cuts > 0 || passed < bytes) return void client.write(piece)
      cuts += 1
      isBroken = how === "for good"
      client.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    cuts: () => cuts,
    heal() {
      isBroken = false
    },
  }
}
