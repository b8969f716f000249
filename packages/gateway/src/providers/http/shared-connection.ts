/**
 * One connection to a provider that speaks HTTP/2: many requests at a time, each on a stream of its own. One read of the
 * socket brings pieces of many answers, so a piece costs less than half of what it does on a connection of its own.
 *
 * Invariants:
 *   1. An answer is told of one end or one failure; after an abort of nothing.
 *   2. An answer has ended where its stream has. Whatever else closes the stream is a failure.
 *   3. A request that the other side says it has not begun with has failed before anything was sent.
 *   4. A connection on which nothing comes while calls wait is asked whether it lives. If it does not say so, it is closed.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2"
import type { TLSSocket } from "node:tls"
import type { Answer, ConnectionFailure, Exchange } from "./connection.ts"
import type { HttpRequest } from "./request.ts"

/** The pool, as the connections that are shared see it. */
export interface SharedKeeper {
  gone(connection: SharedConnection): void
  /** The other side wants HTTP/1.1 after all. */
  refused(): void
}

/** Calls at once: what a connection that breaks takes with it. With five times as many a piece is a third cheaper. */
export const MOST_CALLS = 50
/** What of one answer may be on its way or wait to be read. */
const WINDOW = 256 << 10
/** What of all answers together may be on its way. What waits to be read does not count here: nobody waits for the slow. */
const WINDOW_OF_ALL = MOST_CALLS * WINDOW
/** In megabytes. Node would refuse an answer's headers while bodies of more than 10 wait to be sent. */
const MEMORY = 4_096
/** Looks, a second apart, at which nothing had come. */
const ASK_AFTER = 15
const GIVE_UP_AFTER = 25

export class SharedConnection {
  /** Of the clock that is never set; where no call is under way. */
  keptUntil: number

  readonly #session: ClientHttp2Session
  readonly #socket: TLSSocket
  readonly #keeper: SharedKeeper
  readonly #keep: number
  readonly #calls = new Set<SharedExchange>()
  #most = MOST_CALLS
  /** It takes no more calls. */
  #leaving = false
  #ended = false
  #heard = 0
  #silentLooks = 0

  /** `keep`: milliseconds that it may stand without a call. */
  constructor(socket: TLSSocket, authority: string, keep: number, keeper: SharedKeeper) {
    this.#socket = socket
    this.#keeper = keeper
    this.#keep = keep
    this.keptUntil = performance.now() + keep
    // Read when it is first wanted: those who never want it are spared its memory.
    const { connect } = process.getBuiltinModule("node:http2")
    const session = connect(`https://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW },
      maxSessionMemory: MEMORY,
    })
    this.#session = session
    session.once("connect", () => session.setLocalWindowSize(WINDOW_OF_ALL))
    session.on("remoteSettings", ({ maxConcurrentStreams = MOST_CALLS }) => {
      this.#most = Math.min(MOST_CALLS, maxConcurrentStreams)
    })
    // It ends what runs and takes no more.
    session.on("goaway", () => {
      this.#leaving = true
    })
    session.on("error", (error: NodeJS.ErrnoException) => this.#end(error.code))
    session.on("close", () => this.#end("closed"))
  }

  get hasRoom(): boolean {
    // It may be closed, and say so later.
    const { closed, destroyed } = this.#session
    return !this.#leaving && !closed && !destroyed && this.#calls.size < this.#most
  }

  send(request: HttpRequest, answer: Answer): Exchange {
    const { head, body } = request
    const stream = this.#session.request(head.fields, { endStream: body === undefined })
    const call = new SharedExchange(stream, answer, (code) => this.#over(call, code))
    this.#calls.add(call)
    if (body !== undefined) stream.end(body)
    answer.connected()
    return call
  }

  /** Once a second. */
  look(now: number): void {
    if (this.#calls.size === 0) {
      this.#silentLooks = 0
      if (now >= this.keptUntil) this.close()
      return
    }
    const { bytesRead } = this.#socket
    this.#silentLooks = bytesRead === this.#heard ? this.#silentLooks + 1 : 0
    this.#heard = bytesRead
    if (this.#silentLooks === ASK_AFTER) this.#session.ping(() => {})
    if (this.#silentLooks === GIVE_UP_AFTER) this.#end("ETIMEDOUT")
  }

  /** Calls under way are told that theirs broke. */
  close(): void {
    this.#end(undefined)
  }

  #over(call: SharedExchange, code: number): void {
    this.#calls.delete(call)
    this.keptUntil = performance.now() + this.#keep
    if (code === CODE.http11Required) this.#keeper.refused()
    // Nobody is left, and nobody will come.
    if (this.#leaving && this.#calls.size === 0) this.#session.close()
  }

  #end(code: string | undefined): void {
    if (this.#ended) return
    this.#ended = this.#leaving = true
    this.#keeper.gone(this)
    for (const call of [...this.#calls]) call.broke(code)
    this.#session.destroy()
  }
}

/** A class for the machine: each piece of each answer comes here. */
class SharedExchange implements Exchange {
  readonly #stream: ClientHttp2Stream
  readonly #answer: Answer
  readonly #closed: (code: number) => void
  #over = false
  #paused = false
  /** While it is paused: to be told when it goes on. */
  #failure: ConnectionFailure | undefined = undefined
  #code: string | undefined = undefined

  constructor(stream: ClientHttp2Stream, answer: Answer, closed: (code: number) => void) {
    this.#stream = stream
    this.#answer = answer
    this.#closed = closed
    stream.on("response", (headers) =>
      this.#tell(() => answer.head(Number(headers[":status"]), mapOf(headers))),
    )
    stream.on("data", (bytes: Buffer) => this.#read(bytes))
    stream.on("end", () => this.#ended())
    stream.on("error", ({ code }: NodeJS.ErrnoException) => {
      // What the other side said of the stream itself says more.
      if (code !== "ERR_HTTP2_STREAM_ERROR") this.#code ??= code
    })
    stream.on("close", () => this.#closedWith(stream.rstCode ?? CODE.none))
  }

  pause(): void {
    if (this.#over) return
    this.#paused = true
    this.#stream.pause()
  }

  resume(): void {
    if (this.#over || !this.#paused) return
    this.#paused = false
    if (this.#failure === undefined) this.#stream.resume()
    else this.#fail(this.#failure)
  }

  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#stream.close(CODE.cancel)
  }

  /** The connection did. */
  broke(code: string | undefined): void {
    this.#fail({ reason: "broken", code })
    this.#closed(CODE.none)
  }

  /** Hot path. */
  #read(bytes: Buffer): void {
    if (this.#over) return
    try {
      this.#answer.body(bytes, 0, bytes.length)
    } catch (error) {
      this.#mistaken(error)
    }
  }

  #ended(): void {
    // A stream that was closed ends as well, as far as Node is concerned.
    if (this.#over || this.#stream.rstCode !== CODE.none) return
    this.#over = true
    this.#closed(CODE.none)
    try {
      this.#answer.end()
    } catch {
      // Who has been told the end is told nothing more.
    }
  }

  #closedWith(code: number): void {
    this.#closed(code)
    // The other side says that it has done nothing about the request.
    const begun = code !== CODE.refused && code !== CODE.http11Required
    this.#fail({ reason: begun ? "broken" : "connect", code: this.#code ?? `HTTP/2 ${NAMES[code] ?? code}` })
  }

  #tell(what: () => void): void {
    if (this.#over) return
    try {
      what()
    } catch (error) {
      this.#mistaken(error)
    }
  }

  /** Whoever listens sees to its own mistakes; one that got through ends this call and no other. */
  #mistaken(error: unknown): void {
    if (this.#over) return
    this.#stream.close(CODE.cancel)
    this.#paused = false
    this.#fail({ reason: "broken", code: String(error) })
  }

  #fail(failure: ConnectionFailure): void {
    if (this.#over) return
    if (this.#paused) {
      this.#failure ??= failure
      return
    }
    this.#over = true
    this.#answer.failed(failure)
  }
}

function mapOf(headers: IncomingHttpHeaders): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !name.startsWith(":"))
      map.set(name, Array.isArray(value) ? value.join(", ") : value)
  }
  return map
}

/** RFC 9113, section 7. */
const NAMES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
]
const CODE = {
  none: NAMES.indexOf("NO_ERROR"),
  refused: NAMES.indexOf("REFUSED_STREAM"),
  cancel: NAMES.indexOf("CANCEL"),
  http11Required: NAMES.indexOf("HTTP_1_1_REQUIRED"),
}
