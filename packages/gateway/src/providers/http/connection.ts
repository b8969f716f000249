/** One connection to a provider: one request at a time, its answer, and then perhaps the next. */
import { connect as connectPlain, type LookupFunction, type Socket } from "node:net"
import { type ConnectionOptions, connect as connectSecure, type TLSSocket } from "node:tls"
import { AnswerError, AnswerParser, type AnswerSink } from "./answer-parser.ts"
import { type HttpRequest, textOf } from "./request.ts"

export interface Answer extends AnswerSink {
  /** A connection stands and the request is on its way. */
  connected(): void
  /** Instead of `end`; nothing is told after it. */
  failed(failure: ConnectionFailure): void
}

export interface ConnectionFailure {
  /** `connect`: nothing was sent. */
  readonly reason: "connect" | "broken"
  /** What the system calls it, or what is wrong with the answer. */
  readonly code: string | undefined
}

/** What may be done about a request that was sent, until its answer has ended or failed. */
export interface Exchange {
  /** Reads no more, but for what the sink is just being given. */
  pause(): void
  resume(): void
  /** Closes the connection; the answer hears nothing more. */
  abort(): void
}

export interface ConnectionTarget {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** Where it is secure. */
  readonly tls: ConnectionOptions
  readonly lookup: LookupFunction
}

/** The pool, as its connections see it. */
export interface Keeper {
  /** Another request may be sent; the other side says how long it waits for one. */
  free(connection: Connection, keptFor: number | undefined): void
  /** The other side speaks HTTP/2: from here on the socket is not this connection's any more. */
  shared(connection: Connection, socket: TLSSocket): void
  /** `code`: what the system calls the reason. */
  gone(connection: Connection, code: string | undefined): void
  session(session: Buffer): void
}

/** All connections are read into it, one after the other: what is read is used at once, or copied. */
const READ = Buffer.allocUnsafeSlow(64 << 10)
/** A connection that its other side closes after so long is not asked in the last moment. */
const MARGIN = 1_000
/** Milliseconds without a byte until the system asks whether the other side is still there. */
const PROBE = 60_000

export class Connection {
  /** Of the clock that is never set. */
  keptUntil = 0

  readonly #socket: Socket
  readonly #parser = new AnswerParser()
  readonly #keeper: Keeper
  #answer: Answer | undefined = undefined
  #exchange: Exchange | undefined = undefined
  #connected = false
  #handedOver = false
  #paused = false
  #parsing = false
  /** Read, but not to be parsed yet. */
  #held = NOTHING
  /** The other side has said that it sends no more, though what is held is still to be told before. */
  #ended = false
  #closed = false
  /** What the socket said of its end. */
  #code: string | undefined = undefined

  constructor(target: ConnectionTarget, keeper: Keeper) {
    this.#keeper = keeper
    const { host, port, secure, tls, lookup } = target
    const options = {
      host,
      port,
      lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE,
      onread: { buffer: READ, callback: (length: number) => this.#read(length) },
    }
    this.#socket = secure ? connectSecure({ ...options, ...tls }) : connectPlain(options)
    this.#socket.once(secure ? "secureConnect" : "connect", () => {
      this.#connected = true
      if (secure && this.#handOver(this.#socket as TLSSocket)) return
      if (this.#answer === undefined) this.#keeper.free(this, undefined)
      else this.#answer.connected()
    })
    if (secure) this.#socket.on("session", (session: Buffer) => this.#keeper.session(session))
    this.#socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#code ??= error.code
    })
    this.#socket.on("end", () => {
      // In the middle of a handshake the error that says so is still to come.
      if (!this.#connected || this.#handedOver) return
      this.#ended = true
      this.#goOn()
    })
    this.#socket.on("close", () => {
      if (this.#handedOver) return
      this.#closed = true
      this.#keeper.gone(this, this.#code)
      this.#goOn()
    })
  }

  get connected(): boolean {
    return this.#connected
  }

  send(request: HttpRequest, answer: Answer): Exchange {
    this.#answer = answer
    this.#parser.begin(answer)
    const exchange: Exchange = {
      pause: () => this.#exchange === exchange && this.#pause(),
      resume: () => this.#exchange === exchange && this.#resume(),
      abort: () => {
        if (this.#exchange !== exchange) return
        this.#done()
        this.close()
      },
    }
    this.#exchange = exchange
    this.#socket.write(textOf(request))
    if (this.#connected) answer.connected()
    return exchange
  }

  /** An exchange under way is told that its connection broke. */
  close(): void {
    this.#held = NOTHING
    this.#paused = false
    this.#parser.stop()
    // Not with the socket's own word, which comes only at the end of the loop's turn.
    this.#keeper.gone(this, this.#code)
    this.#socket.destroy()
  }

  #handOver(socket: TLSSocket): boolean {
    if (socket.alpnProtocol !== "h2") return false
    this.#handedOver = true
    this.#keeper.shared(this, socket)
    return true
  }

  /** Hot path. True: go on reading. */
  #read(length: number): boolean {
    // TLS gives all the records that it has decrypted, paused or not.
    const at = this.#paused ? 0 : this.#parse(READ, length)
    if (at < length && this.#paused) this.#held = Buffer.concat([this.#held, READ.subarray(at, length)])
    return !this.#paused
  }

  /** Gives how far it came: to the end, where it was not paused. */
  #parse(bytes: Buffer, end: number): number {
    let at = 0
    this.#parsing = true
    try {
      // A pause that was taken back at once has stopped it as well.
      do at = this.#parser.read(bytes, at, end)
      while (this.#parser.stopped && !this.#paused && !this.#parser.done && !this.#socket.destroyed)
      if (this.#parser.done) this.#answered(at === end)
    } catch (error) {
      this.#mistaken(error)
      at = end
    }
    this.#parsing = false
    return at
  }

  /** Whoever listens sees to its own mistakes; one that got through ends this call and no other. */
  #mistaken(error: unknown): void {
    this.#code ??= error instanceof AnswerError ? error.message : String(error)
    // Who has been told the end is told nothing more.
    if (this.#parser.done) this.#done()
    this.#fail()
  }

  /** `clean`: nothing stands behind the answer, which nobody has asked for. */
  #answered(clean: boolean): void {
    if (this.#answer === undefined) return this.close()
    const { reusable, keptFor } = this.#parser
    this.#done()
    if (!clean || !reusable || (keptFor !== undefined && keptFor <= MARGIN)) return this.close()
    // TLS says of what was written that it is only once the loop has come round: the answer may be there before.
    if (this.#socket.writableLength > 0) setImmediate(() => this.#free(keptFor))
    else this.#free(keptFor)
  }

  /** A request that was not sent whole has been answered before it was read whole: what is left of it would be the next. */
  #free(keptFor: number | undefined): void {
    if (this.#socket.writableLength > 0 || this.#ended) this.close()
    else if (!this.#socket.destroyed)
      this.#keeper.free(this, keptFor === undefined ? undefined : keptFor - MARGIN)
  }

  #pause(): void {
    this.#paused = true
    this.#parser.stop()
    this.#socket.pause()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
    this.#goOn()
  }

  /** What is held comes first, then the end of the connection. */
  #goOn(): void {
    if (this.#paused || this.#parsing) return
    // Also with nothing held: the end of an answer may be what is still to be told.
    const held = this.#held
    this.#held = NOTHING
    const at = this.#parse(held, held.length)
    if (this.#paused) this.#held = held.subarray(at)
    if (this.#paused || !(this.#ended || this.#closed)) return
    try {
      // Where it has only closed, it broke.
      if (this.#ended && this.#parser.ended()) this.#done()
    } catch (error) {
      this.#mistaken(error)
    }
    this.#fail()
  }

  #fail(): void {
    const answer = this.#answer
    this.#done()
    this.close()
    answer?.failed({ reason: this.#connected ? "broken" : "connect", code: this.#code })
  }

  /** The answer hears nothing more. */
  #done(): void {
    this.#answer = undefined
    this.#exchange = undefined
    this.#held = NOTHING
    this.#parser.forget()
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }
}

const NOTHING = Buffer.alloc(0)
