/** A provider of the test's own: for each model it says, byte for byte, what the test wants said. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type Play, playOn } from "./cuts.ts"

export interface RawProvider {
  readonly baseUrl: string
  /** What is answered to who asks for this model: a JSON body, or the frames of a stream. */
  answers(model: string, answer: JsonAnswer | readonly string[]): void
  /** The same, down to the connection's bytes. */
  plays(model: string, play: Play): void
  /** A model that is asked and never answers. */
  silent(model: string): Silence
  close(): Promise<void>
}

export interface JsonAnswer {
  readonly status?: number
  /** Undefined: an empty body, said to be JSON. */
  readonly body: object | undefined
}

export interface Silence {
  /** The request is here. */
  readonly asked: Promise<void>
  /** Whoever asked has closed the connection. */
  readonly left: Promise<void>
}

type Handler = (response: ServerResponse) => void

export async function startRawProvider(): Promise<RawProvider> {
  const handlers = new Map<string, Handler>()
  const server = createServer(async (request, response) => {
    const model = modelOf(await bodyOf(request))
    const handler = handlers.get(model)
    if (handler === undefined) response.writeHead(404).end(`nothing is said for the model ${model}`)
    else handler(response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    answers(model, answer) {
      handlers.set(model, (response) => say(response, answer))
    },
    plays(model, play) {
      handlers.set(model, ({ socket }) => void (socket && playOn(socket, play)))
    },
    silent(model) {
      const asked = Promise.withResolvers<void>()
      const left = Promise.withResolvers<void>()
      handlers.set(model, (response) => {
        response.once("close", left.resolve)
        asked.resolve()
      })
      return { asked: asked.promise, left: left.promise }
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

function say(response: ServerResponse, answer: JsonAnswer | readonly string[]): void {
  if ("body" in answer) {
    response.writeHead(answer.status ?? 200, { "content-type": "application/json" })
    response.end(JSON.stringify(answer.body) ?? "")
  } else {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.end(answer.join(""))
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ""
  for await (const piece of request.setEncoding("utf8")) text += piece
  return text
}

function modelOf(body: string): string {
  const { model }: { model?: string } = JSON.parse(body)
  return model ?? ""
}

const ENVELOPE = { id: "raw-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "raw" }

export function frame(data: object | string): string {
  return `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`
}

/** A chunk with one choice, as most servers send it. */
export function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  return frame({ ...ENVELOPE, choices: [{ index: 0, delta, finish_reason: finish }], ...more })
}

/** A chunk with these choices and members. */
export function chunkOf(choices: readonly object[], more: object = {}): string {
  return frame({ ...ENVELOPE, choices, ...more })
}

export const DONE = frame("[DONE]")
