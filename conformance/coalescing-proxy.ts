/** Between a client and a gateway: it holds an answer's body back until it is whole and passes it on in one write. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface CoalescingProxy {
  readonly url: string
  close(): Promise<void>
}

export async function startCoalescingProxy(
  target: string,
  change: (body: string) => string = (body) => body,
): Promise<CoalescingProxy> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method,
      headers: {
        authorization: request.headers.authorization ?? "",
        "content-type": request.headers["content-type"] ?? "",
        "user-agent": request.headers["user-agent"] ?? "",
      },
      body: Buffer.concat(pieces),
    })
    const body = change(await answer.text())
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}
