/**
 * A reader at the end of an HTTP response: takes what the log has, as fast as the client reads it.
 *
 * Bytes go out in whole events, so a heartbeat (a comment) always stands at an event's boundary. What is the
 * reader's and not the call's is written here and not logged: heartbeats, Atoma's pad, `[DONE]`.
 */
import type { ServerResponse } from "node:http"
import { type Dialect, encodeComment } from "@sluice/protocol"
import type { Mount } from "../call.ts"
import type { StreamRecord } from "../streams/log.ts"
import type { Reader, Stream } from "../streams/stream.ts"
import { ChunkedBody } from "./chunked.ts"
import type { Beating, Heart } from "./heartbeat.ts"

const READ_LIMIT = 256 * 1024
/** How long a client may take to read the last bytes of a truncated body before its connection is closed. */
const LINGER = 1_000
const DONE = "data: [DONE]\n\n"
const HEARTBEAT = Buffer.from(encodeComment("sluice"))

export interface SseAnswer {
  readonly response: ServerResponse
  readonly mount: Mount
  readonly dialect: Dialect
  readonly headers: Record<string, string>
}

/** Serves `stream` from after `seq` to its end, live. Returns at once; the response goes on by itself. */
export function serveEvents(answer: SseAnswer, stream: Stream, seq: number, heart: Heart): void {
  const { response } = answer
  const { socket } = response
  if (response.destroyed) return

  // The head and what there is to read leave in one write.
  socket?.cork()
  process.nextTick(() => socket?.uncork())
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
    ...answer.headers,
  })
  response.flushHeaders()
  new EventReader(answer, stream, seq, heart).begin()
}

/** A class for the machine: each event of each stream comes here, and fields side by side are one look into memory. */
class EventReader implements Reader, Beating {
  quiet = 0
  caughtUp: boolean
  readonly #answer: SseAnswer
  readonly #stream: Stream
  readonly #record: StreamRecord
  readonly #heart: Heart
  readonly #body: ChunkedBody
  #position: number
  #taken: number
  #blocked = false
  #over = false
  #longest = 0

  constructor(answer: SseAnswer, stream: Stream, seq: number, heart: Heart) {
    const { record } = stream
    const missing = record.bytesAfter(seq)
    this.#answer = answer
    this.#stream = stream
    this.#record = record
    this.#heart = heart
    this.#position = seq
    this.#taken = record.written - missing
    this.caughtUp = missing <= READ_LIMIT
    this.#body = new ChunkedBody(answer.response, () => {
      this.#blocked = false
      stream.wakeLater(this)
      stream.progressed()
    })
  }

  begin(): void {
    const { response } = this.#answer
    response.on("close", () => this.#leave())
    response.on("error", () => this.#leave())
    this.#heart.start(this)
    this.#stream.attach(this)
    this.wake()
  }

  /** One read and one write: who has more to catch up with than that goes on in the next turn. */
  wake(): void {
    if (this.#over || this.#blocked) return
    const record = this.#record
    const newest = this.#position + 1 === record.visible ? record.newest : undefined
    if (newest !== undefined) {
      // Hot path: it was level with the head, and one event has come.
      this.#take(newest)
      this.#blocked = !this.#body.writeOne(newest)
    } else {
      const events = record.read(this.#position, READ_LIMIT)
      // The events it needs were dropped: it can ask and be told.
      if (this.#position < record.first - 1) return this.drop()
      for (const event of events) this.#take(event)
      if (events.length > 0) this.#blocked = !this.#body.write(events)
    }
    if (this.#position < record.visible) {
      if (!this.#blocked) this.#stream.wakeLater(this)
      return
    }
    if (this.#blocked) return
    this.caughtUp = true
    if (record.visibleEnding !== undefined) this.#finish()
  }

  /** What a socket takes without complaint is little, and asking it costs more than it says. */
  behind(): number {
    return this.#record.written - this.#taken + (this.#blocked ? this.#body.waiting : 0)
  }

  drop(): void {
    this.#leave()
    this.#answer.response.socket?.destroySoon()
  }

  beat(): void {
    if (!this.#blocked && !this.#over) this.#blocked = !this.#body.writeOne(HEARTBEAT)
  }

  #take(event: Uint8Array): void {
    if (event.length > this.#longest) this.#longest = event.length
    this.#taken += event.length
    this.#position++
    this.quiet = 0
  }

  #finish(): void {
    this.#leave()
    const { response, dialect, mount } = this.#answer
    if (this.#record.visibleEnding !== "finished") return truthfulEnd(this.#answer)
    const pad = dialect.padBeforeDone ? encodeComment("-".repeat(Math.max(4096, this.#longest))) : ""
    response.end(mount.sendsDone ? `${pad}${DONE}` : pad)
  }

  #leave(): void {
    if (this.#over) return
    this.#over = true
    this.#body.close()
    this.#heart.stop(this)
    this.#stream.detach(this)
  }
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
