/**
 * A chat in the browser, behind an app server that holds the key. Start a gateway (`npm start`), then:
 *
 *   SLUICE_API_KEY=sk-… node examples/browser-chat/server.ts
 *
 * Reload the page while an answer is being written: it goes on. The page keeps the answer's id and the last event it
 * has seen; this server lets go of the answer when the page leaves (`detach`) and picks it up when it is back
 * (`chat.resume`). Neither of them stores a word of it: the gateway does.
 *
 *   GET    /                       the page
 *   POST   /answers                { messages } → the answer, as events; its id in the header `answer-id`
 *   GET    /answers/{id}?after=N   the same answer from behind event N
 *   DELETE /answers/{id}           stops it
 *
 * Whoever knows an id may read its answer here. An app with users keeps a list of whose is whose.
 */
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type ChatParams, type ChatStream, Sluice, SluiceError } from "@sluice/sdk"

const PAGES: Record<string, { file: string; type: string }> = {
  "/": { file: "index.html", type: "text/html; charset=utf-8" },
  "/chat.js": { file: "chat.js", type: "text/javascript; charset=utf-8" },
}
const LONGEST_BODY = 1_000_000

export function createBrowserChat(client: Sluice, model: string): Server {
  return createServer(async (request, response) => {
    try {
      await handle(request, response)
    } catch (error) {
      const known = error instanceof SluiceError
      if (!known) console.error(error)
      const message = known ? error.message : "Something went wrong here."
      if (response.headersSent) response.end(eventOf({ error: message }))
      else sendJson(response, known ? (error.status ?? 502) : 500, { error: message })
    }
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost")
    const id = /^\/answers\/([\w-]+)$/.exec(url.pathname)?.[1]
    const page = PAGES[url.pathname]
    if (request.method === "GET" && page) {
      response.writeHead(200, { "content-type": page.type, "cache-control": "no-store" })
      response.end(await readFile(new URL(page.file, import.meta.url)))
    } else if (request.method === "POST" && url.pathname === "/answers") {
      const messages = await readMessages(request)
      if (!messages) return sendJson(response, 400, { error: "Expected JSON with messages." })
      await relay(await client.chat.send({ model, messages, stream: true }), response)
    } else if (request.method === "GET" && id) {
      const lastEventId = url.searchParams.get("after") ?? ""
      await relay(await client.chat.resume({ id, lastEventId }), response)
    } else if (request.method === "DELETE" && id) {
      const stream = await client.chat.resume({ id })
      await stream.cancel()
      sendJson(response, 200, {})
    } else {
      sendJson(response, 404, { error: "There is nothing here." })
    }
  }
}

/** The stream as the page wants it: text, and after it how it ended. */
async function relay(stream: ChatStream, response: ServerResponse): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "answer-id": stream.id,
  })
  response.flushHeaders()
  // A page that goes away may be a page that reloads: the answer is written on without it.
  const gone = once(response, "close").then(() => stream.detach().catch(() => {}))
  for await (const { id, data } of stream.events()) {
    const text = data.choices[0]?.delta.content ?? ""
    if (!response.write(`id: ${id}\n${eventOf({ text })}`))
      await Promise.race([once(response, "drain"), gone])
  }
  response.end(eventOf({ done: true }))
}

function eventOf(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

async function readMessages(request: IncomingMessage): Promise<ChatParams["messages"] | undefined> {
  // A form on a foreign page can post anything but this type.
  if (!request.headers["content-type"]?.startsWith("application/json")) return undefined
  let body = ""
  for await (const part of request.setEncoding("utf8")) {
    body += part
    if (body.length > LONGEST_BODY) return undefined
  }
  try {
    const { messages } = JSON.parse(body)
    return Array.isArray(messages) ? messages : undefined
  } catch {
    return undefined
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
}

if (import.meta.main) {
  const model = process.env["MODEL"] ?? "sim/story:tokens=120,gap=40"
  const server = createBrowserChat(new Sluice(), model)
  server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    console.log(`browser chat on http://127.0.0.1:${port}`)
  })
}
