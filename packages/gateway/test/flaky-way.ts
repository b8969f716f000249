/** A way to the gateway that can be taken away and given back, at the same address. */
import net from "node:net"

export interface FlakyWay {
  readonly url: string
  /** Breaks every connection, and takes no new one. */
  close(): Promise<void>
  open(): Promise<void>
}

export async function startFlakyWay(to: string): Promise<FlakyWay> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((near) => {
    const far = net.connect(Number(new URL(to).port), "127.0.0.1")
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on("error", () => {})
      one.on("close", () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  const open = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject)
      server.listen(port, "127.0.0.1", resolve)
    })
  await open(0)
  const { port } = server.address() as net.AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    open: () => open(port),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
