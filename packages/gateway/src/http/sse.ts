/**
 * A reader at the end of an HTTP response: takes what the log has, as fast as the client reads it.
 *
 * Bytes go out in whole events, so a heartbeat (a comment) always stands at an event's boundary. What is the
 * reader's and not the call's is written here and not logged: heartbeats, Atoma's pad, `[DONE]`.
 */
import type { ServerResponse } from "node:http"
import { type Dialect, encodeComment } from "@sluice/protocol"
import type { Mount } from "../call.ts"
import type { Reader, Stream } from "../streams/stream.ts"
import { createChunkedBody } from "./chunked.ts"
import type { Beating, Heart } from "./heartbeat.ts"

const READ_LIMIT = 256 * 1024
/** How long a client may take to read the last bytes of a truncated body before its connection is closed. */
const LINGER = 1_000
const DONE = "data: [DONE]\n\n"
const HEARTBEAT = [Buffer.from(encodeComment("sluice"))]

export interface SseAnswer {
  readonly response: ServerResponse
  readonly mount: Mount
  readonly dialect: Dialect
  readonly headers: Record<string, string>
}

/** Serves `stream` from after `seq` to its end, live. Returns at once; the response goes on by itself. */
export function serveEvents(answer: SseAnswer, stream: Stream, seq: number, heart: Heart): void {
  const { response } = answer
  const { record } = stream
  if (response.destroyed) return

  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
    ...answer.headers,
  })
  response.flushHeaders()
  const body = createChunkedBody(response, () => {
    blocked = false
    stream.wakeLater(reader)
    stream.progressed()
  })

  let position = seq
  const missing = record.bytesAfter(seq)
  let taken = record.written - missing
  let blocked = false
  let over = false
  let longest = 0

  const reader: Reader & Beating & { caughtUp: boolean } = {
    caughtUp: missing <= READ_LIMIT,
    quiet: 0,
    beat() {
      if (!blocked && !over) blocked = !body.write(HEARTBEAT)
    },
    wake: pump,
    // What a socket takes without complaint is little, and asking it costs more than it says.
    behind: () => record.written - taken + (blocked ? body.waiting : 0),
    drop() {
      leave()
      response.socket?.destroySoon()
    },
  }

  /** One read and one write: who has more to catch up with than that goes on in the next turn. */
  function pump(): void {
    if (over || blocked) return
    const newest = position + 1 === record.visible ? record.newest : undefined
    if (newest !== undefined) {
      // Hot path: it was level with the head, and one event has come.
      taking(newest)
      blocked = !body.writeOne(newest)
    } else {
      const events = record.read(position, READ_LIMIT)
      if (position < record.first - 1) return reader.drop() // the events it needs were dropped: it can ask and be told
      for (const event of events) taking(event)
      if (events.length > 0) blocked = !body.write(events)
    }
    if (position < record.visible) {
      if (!blocked) stream.wakeLater(reader)
      return
    }
    if (blocked) return
    reader.caughtUp = true
    if (record.visibleEnding !== undefined) finish()
  }

  function taking(event: Uint8Array): void {
    if (event.length > longest) longest = event.length
    taken += event.length
    position++
    reader.quiet = 0
  }

  function finish(): void {
    leave()
    if (record.visibleEnding !== "finished") return truthfulEnd(answer)
    const pad = answer.dialect.padBeforeDone ? encodeComment("-".repeat(Math.max(4096, longest))) : ""
    response.end(answer.mount.sendsDone ? `${pad}${DONE}` : pad)
  }

  function leave(): void {
    if (over) return
    over = true
    body.close()
    heart.stop(reader)
    stream.detach(reader)
  }

  response.on("close", leave)
  response.on("error", leave)

  heart.start(reader)
  stream.attach(reader)
  pump()
}

/**
 * A stream that did not finish. openai's and OpenRouter's clients read the error event; the others drop it, so there
 * the body is left without its last HTTP chunk and the connection is closed (FIN, not RST, which could overtake the
 * bytes before it): to them a failure must look like a broken transfer, never like an end.
 */
function truthfulEnd({ response, dialect }: SseAnswer): void {
  if (dialect.name === "openai" || dialect.name === "openrouter") {
    response.end()
    return
  }
  const { socket } = response
  if (socket === null) return
  // The callback of an empty write runs when all before it has been handed to the system.
  const timer = setTimeout(() => socket.destroySoon(), LINGER)
  socket.once("close", () => clearTimeout(timer))
  socket.write("", () => socket.destroySoon())
}
