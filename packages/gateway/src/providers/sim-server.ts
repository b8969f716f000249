/**
 * The simulator alone: an OpenAI-compatible server over real sockets, for whoever wants a provider that keeps books.
 * Its journal has one line per request, written when the request is over, with the tokens that truly left.
 */
import { closeSync, openSync, writeSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { isObject, stringOr, type WireError, wireError } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import { createServer } from "../node-http.ts"
import { countTokens } from "../tokens/count.ts"
import { openSim, type SimListener, type SimRequest } from "./sim.ts"
import { messageTexts, type SimAnswer } from "./sim-answer.ts"
import { readSimModel } from "./sim-grammar.ts"

export interface SimServerOptions {
  /** 0: any free one. */
  readonly port: number
  /** The file that lines are appended to; none where absent. */
  readonly journal?: string | undefined
}

export interface SimServer {
  readonly url: string
  readonly port: number
  /** Ends what runs, and waits for the journal's last lines. */
  close(): Promise<void>
}

export type SimEnding = "finished" | "cut" | "stalled" | "error" | "client_gone"

/** A line of the journal. */
export interface SimJournalLine {
  /** When the request was over. */
  at: string
  /** The completion's id; null where there was none. */
  id: string | null
  /** The caller's `x-request-id`. */
  request_id: string | null
  model: string | null
  stream: boolean
  prompt_tokens: number
  /** What was handed to the socket. */
  tokens: number
  /** What the whole answer would have come to. */
  completion_tokens: number
  ended: SimEnding
  status: number
  authorization_seen: boolean
}

export async function startSimServer(options: SimServerOptions): Promise<SimServer> {
  const journal = openJournal(options.journal)
  const running = new Set<Promise<void>>()

  const server = createServer((incoming, response) => {
    response.setHeader("x-simulator", "sluice")
    const handled = route(incoming, response, journal.write).catch(() => {
      // The client left while it was still asking.
      response.destroy()
    })
    running.add(handled)
    void handled.finally(() => running.delete(handled))
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port, "127.0.0.1", resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      await Promise.all(running)
      journal.close()
    },
  }
}

async function route(
  incoming: IncomingMessage,
  response: ServerResponse,
  journal: Journal["write"],
): Promise<void> {
  const path = (incoming.url ?? "").split("?")[0]
  if (incoming.method === "GET" && path === "/v1/models") {
    const model = { id: "sim/story", object: "model", created: 0, owned_by: "sluice-simulator" }
    return sendJson(response, 200, { object: "list", data: [model] })
  }
  if (incoming.method !== "POST" || path !== "/v1/chat/completions") {
    return sendError(
      response,
      wireError("not_found", "The simulator serves POST /v1/chat/completions and GET /v1/models."),
    )
  }
  const asked = readRequest(await readBody(incoming))
  if ("kind" in asked) {
    sendError(response, asked)
    journal({ ...lineFor(incoming), status: asked.status })
    return
  }
  await complete(asked, incoming, response, journal)
}

/** Resolves when the request is over and in the journal. */
async function complete(
  asked: SimRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
  journal: Journal["write"],
): Promise<void> {
  const { request, stream } = asked
  let answer: SimAnswer | undefined
  let events = 0
  let tokens = 0
  let ended: SimEnding | undefined
  let status = 0
  let unsent = ""
  let unsentTokens = 0

  // One write for all that was said in one go, and its tokens count when the system has taken them.
  function flush(): void {
    const carried = unsentTokens
    const bytes = unsent
    unsent = ""
    unsentTokens = 0
    if (bytes === "" || response.destroyed) return
    const ready = response.write(bytes, (error) => {
      if (error == null) tokens += carried
    })
    if (!ready) attempt.pause()
  }
  response.on("drain", () => attempt.resume())

  const listener: SimListener = {
    planned(plan) {
      answer = plan
    },
    connected() {},
    answered(answerStatus, headers) {
      status = answerStatus
      response.statusCode = answerStatus
      response.setHeader("content-type", headers.contentType)
      response.setHeader("cache-control", "no-store")
      if (headers.retryAfter !== undefined) response.setHeader("retry-after", headers.retryAfter)
      response.flushHeaders()
    },
    event(data, carried) {
      if (data !== "[DONE]") events += 1
      if (data.startsWith('{"error"')) ended = "error"
      if (unsent === "") process.nextTick(flush)
      unsent += `data: ${data}\n\n`
      unsentTokens += carried
    },
    alive() {},
    body(text) {
      if (status !== 200) ended = "error"
      else unsentTokens += answer?.completionTokens ?? 0
      unsent += text
      flush()
    },
    ended() {
      flush()
      ended ??= "finished"
      response.end()
    },
    failed() {
      ended = "cut"
      // A cut within the body, not before it: what was said so far arrives, and half an object where nothing was.
      if (events === 0 && !stream) unsent += "{"
      flush()
      response.write("", () => response.destroy())
    },
  }

  const attempt = openSim(asked, listener)
  await new Promise<void>((resolve) => response.once("close", resolve))
  attempt.abort()

  // "Finished" is only what has been written to the end; and what the client left after a stall was a stall.
  if (ended !== "cut" && !response.writableFinished)
    ended = stalled(asked, events) ? "stalled" : "client_gone"
  journal({
    ...lineFor(incoming),
    id: answer?.id ?? null,
    model: request.model ?? null,
    stream,
    prompt_tokens: await countTokens(messageTexts(request)).catch(() => 0),
    tokens,
    completion_tokens: answer?.completionTokens ?? 0,
    ended: ended ?? "client_gone",
    status,
  })
}

function stalled({ request, stream }: SimRequest, events: number): boolean {
  const read = readSimModel(request.model ?? "")
  const after = read.type === "script" ? read.script.stall : undefined
  return after !== undefined && (!stream || events >= after)
}

const BODY_LIMIT = 64 * 1024 * 1024

async function readBody(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of incoming) {
    length += piece.length
    if (length <= BODY_LIMIT) pieces.push(piece)
  }
  return length <= BODY_LIMIT ? Buffer.concat(pieces).toString() : ""
}

/** As much as the simulator needs to know of a request: what it ignores may be anything. */
function readRequest(text: string): SimRequest | WireError {
  const body = parse(text)
  if (!isObject(body)) return wireError("invalid_request", "The body must be a JSON object of 64 MB at most.")
  if (stringOr(body.model) === undefined) {
    return wireError("invalid_request", "'model' must be a string.", { param: "model" })
  }
  if (!Array.isArray(body.messages) || !body.messages.every(isObject)) {
    return wireError("invalid_request", "'messages' must be an array of objects.", { param: "messages" })
  }
  return { request: dialects.openai.readRequest(body), body, stream: body.stream === true }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function sendError(response: ServerResponse, error: WireError): void {
  sendJson(response, error.status, dialects.openai.writeError(error))
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

interface Journal {
  write(line: SimJournalLine): void
  close(): void
}

function openJournal(file: string | undefined): Journal {
  if (file === undefined) return { write() {}, close() {} }
  const descriptor = openSync(file, "a")
  return {
    // In one write to the system: whoever dies next, the line is there.
    write: (line) => void writeSync(descriptor, `${JSON.stringify(line)}\n`),
    close: () => closeSync(descriptor),
  }
}

function lineFor(incoming: IncomingMessage): SimJournalLine {
  const requestId = incoming.headers["x-request-id"]
  return {
    at: new Date().toISOString(),
    id: null,
    request_id: typeof requestId === "string" ? requestId : null,
    model: null,
    stream: false,
    prompt_tokens: 0,
    tokens: 0,
    completion_tokens: 0,
    ended: "error",
    status: 0,
    // That there was a credential, never which.
    authorization_seen: incoming.headers.authorization !== undefined,
  }
}
