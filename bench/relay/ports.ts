/** Ports of this machine, on the loopback address. */
import { connect, createServer } from "node:net"

/** Below the range that outgoing connections take theirs from. */
const FIRST_PORT = 19_100
let next = FIRST_PORT

export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++
    if (port > FIRST_PORT + 500) throw new Error(`no free port from ${FIRST_PORT} on`)
    if (await bindable(port)) return port
  }
}

export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })
}

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })
}
