/**
 * The answers on one connection to a provider: bytes in, however they are cut, and a head, pieces of a body and an end
 * out. HTTP/1.1 (RFC 9112) as far as a client needs it that sends one request at a time; what it does not allow is refused
 * and never guessed at, since an answer that ends elsewhere than its sender meant is somebody else's answer.
 *
 * Invariants:
 * 1. The same bytes give the same head, body and end for any cut into reads.
 * 2. `end` is told once for each answer, and only when the bytes that were promised have all come.
 * 3. What one answer may make us hold is bounded: MAX_HEAD for its head and for its trailers, MAX_SIZE_LINE for the line
 *    before a chunk. Bodies are not held at all.
 */
export interface AnswerSink {
  head(status: number, headers: ReadonlyMap<string, string>): void
  /** Part of the body, from `start` to `end`. The bytes are overwritten when this returns. */
  body(bytes: Uint8Array, start: number, end: number): void
  end(): void
}

/** It is not HTTP, or HTTP that we do not take. */
export class AnswerError extends Error {}

export const MAX_HEAD = 64 << 10
const MAX_SIZE_LINE = 4 << 10

/** What the next byte is. */
const NEXT = {
  head: 0,
  /** Of a body whose length was told. */
  body: 1,
  /** Of a body that ends with the connection. */
  rest: 2,
  size: 3,
  sizeSpace: 4,
  sizeExtension: 5,
  sizeEnd: 6,
  chunk: 7,
  chunkCr: 8,
  chunkEnd: 9,
  trailer: 10,
  trailerLine: 11,
  trailerEnd: 12,
  lastEnd: 13,
  /** All has come, and the end is to be told. */
  end: 14,
  nothing: 15,
} as const

/** A class for the machine: each read of each stream comes here, and fields side by side are one look into memory. */
export class AnswerParser {
  #sink: AnswerSink | undefined = undefined
  #next: number = NEXT.nothing
  /** Bytes of the chunk, or of the body, that are still to come. */
  #left = 0
  #digits = 0
  /** Of the size line or the trailers so far. */
  #lineLength = 0
  #stopped = false
  /** The head as far as it has come, where one read did not hold it. */
  #head = NOTHING
  #headLength = 0
  /** Another request may follow this answer. */
  reusable = false
  /** For how long the other side keeps the connection open, in milliseconds, where it says. */
  keptFor: number | undefined = undefined

  /** A request is sent: its answer comes next. */
  begin(sink: AnswerSink): void {
    this.#sink = sink
    this.#next = NEXT.head
    this.#stopped = false
    this.#headLength = 0
    this.reusable = false
    this.keptFor = undefined
  }

  /** Nobody is told any more of the answer, nor can one follow it. */
  forget(): void {
    this.#sink = undefined
    this.#next = NEXT.nothing
    this.#stopped = true
  }

  get done(): boolean {
    return this.#next === NEXT.nothing
  }

  /** The sink has stopped it, and there may be more to tell. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Reads no further, from within the sink: `read` returns with what is left. */
  stop(): void {
    this.#stopped = true
  }

  /** Gives how far it has read: to the end, but where the answer ended before or the sink has stopped it. */
  read(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    this.#stopped = false
    while (!this.#stopped && (at < end || this.#next === NEXT.end)) {
      switch (this.#next) {
        // Hot path, down to chunkEnd: one small chunk, whole.
        case NEXT.size: {
          const digit = hexOf(bytes[at]!)
          if (digit >= 0) {
            // 2^48 is more than anybody sends, and far from where numbers lose their last digit.
            if (++this.#digits > 12) throw new AnswerError("a chunk size of more than 12 digits")
            this.#left = this.#left * 16 + digit
            at++
            break
          }
          if (this.#digits === 0) throw new AnswerError("a chunk without a size")
          this.#lineLength = 0
          this.#next = NEXT.sizeSpace
          break
        }
        case NEXT.sizeSpace:
          if (bytes[at] === CR || bytes[at] === SEMICOLON) this.#next = NEXT.sizeExtension
          else if (!isBlank(bytes[at]!)) throw new AnswerError("a chunk without a size")
          else if (++this.#lineLength > MAX_SIZE_LINE) throw tooLong(MAX_SIZE_LINE)
          else at++
          break
        case NEXT.sizeExtension:
          at = this.#skipToCr(bytes, at, end, MAX_SIZE_LINE, NEXT.sizeEnd)
          break
        case NEXT.sizeEnd:
          expect(bytes[at++], LF)
          this.#lineLength = 0
          this.#next = this.#left === 0 ? NEXT.trailer : NEXT.chunk
          break
        case NEXT.chunk:
        case NEXT.body: {
          const from = at
          at = Math.min(end, at + this.#left)
          this.#left -= at - from
          if (this.#left === 0) this.#next = this.#next === NEXT.chunk ? NEXT.chunkCr : NEXT.end
          this.#sink!.body(bytes, from, at)
          break
        }
        case NEXT.chunkCr:
          expect(bytes[at++], CR)
          this.#next = NEXT.chunkEnd
          break
        case NEXT.chunkEnd:
          expect(bytes[at++], LF)
          this.#digits = 0
          this.#next = NEXT.size
          break

        case NEXT.trailer:
          this.#next = bytes[at] === CR ? NEXT.lastEnd : NEXT.trailerLine
          if (bytes[at] === CR) at++
          break
        case NEXT.trailerLine:
          at = this.#skipToCr(bytes, at, end, MAX_HEAD, NEXT.trailerEnd)
          break
        case NEXT.trailerEnd:
          expect(bytes[at++], LF)
          this.#next = NEXT.trailer
          break
        case NEXT.lastEnd:
          expect(bytes[at++], LF)
          this.#finish()
          break

        case NEXT.head:
          at = this.#readHead(bytes, at, end)
          break
        case NEXT.end:
          this.#finish()
          break
        case NEXT.rest:
          this.#sink!.body(bytes, at, end)
          at = end
          break
        default:
          return at
      }
    }
    return at
  }

  /** The connection has ended. True: the answer was to end so, or there is none to come. */
  ended(): boolean {
    if (this.#next === NEXT.rest) this.#finish()
    return this.#next === NEXT.nothing
  }

  #finish(): void {
    const sink = this.#sink
    this.#next = NEXT.nothing
    this.#sink = undefined
    sink!.end()
  }

  #skipToCr(bytes: Uint8Array, from: number, end: number, most: number, next: number): number {
    let at = from
    while (at < end && bytes[at] !== CR) {
      if (bytes[at] === LF) throw new AnswerError("a line that ends without a CR")
      at++
    }
    this.#lineLength += at - from
    if (this.#lineLength > most) throw tooLong(most)
    if (at === end) return at
    this.#next = next
    return at + 1
  }

  #readHead(bytes: Uint8Array, start: number, end: number): number {
    const before = this.#headLength
    const length = Math.min(MAX_HEAD, before + end - start)
    // It grows by doubling, so that a head in many small reads takes no longer than its length.
    if (length > this.#head.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, Math.min(MAX_HEAD, 2 * this.#head.length)))
      this.#head.copy(larger, 0, 0, before)
      this.#head = larger
    }
    this.#head.set(bytes.subarray(start, start + length - before), before)
    const head = this.#head.subarray(0, length)
    const blank = head.indexOf("\r\n\r\n", Math.max(0, before - 3))
    if (blank < 0) {
      if (length === MAX_HEAD) throw new AnswerError(`a head of more than ${MAX_HEAD} bytes`)
      this.#headLength = length
      return end
    }
    this.#headLength = 0
    this.#head = NOTHING
    this.#begun(head.toString("latin1", 0, blank + 4))
    return start + blank + 4 - before
  }

  #begun(text: string): void {
    const { version, status, headers } = readHead(text)
    // 100, 103: the answer itself comes behind it. 101 was not asked for.
    if (status === 101) throw new AnswerError("a switch of protocols")
    if (status < 200) return
    const { next, length } = bodyOf(version, status, headers)
    this.#next = next === NEXT.body && length === 0 ? NEXT.end : next
    this.#left = length
    this.#digits = 0
    const connection = (headers.get("connection") ?? "").toLowerCase()
    this.reusable = next !== NEXT.rest && version === "1.1" && !/\bclose\b/.test(connection)
    const kept = /\btimeout=(\d{1,6})\b/.exec(headers.get("keep-alive") ?? "")
    this.keptFor = kept === null ? undefined : Number(kept[1]) * 1_000
    this.#sink!.head(status, headers)
  }
}

interface Head {
  readonly version: "1.0" | "1.1"
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
}

/** Linear in its length: each part of a line ends at a character that the part cannot hold. */
const HEAD = /^HTTP\/1\.[01] [1-5]\d\d(?: [^\r\n\0]*)?\r\n(?:[!#$%&'*+\-.^_`|~\w]+:[^\r\n\0]*\r\n)*\r\n$/

function readHead(text: string): Head {
  if (!HEAD.test(text)) throw new AnswerError("a head that is not HTTP/1.1")
  const lines = text.split("\r\n")
  const headers = new Map<string, string>()
  for (const line of lines.slice(1, -2)) {
    const colon = line.indexOf(":")
    const name = line.slice(0, colon).toLowerCase()
    const value = withoutBlanks(line, colon + 1)
    const known = headers.get(name)
    headers.set(name, known === undefined ? value : `${known}, ${value}`)
  }
  return {
    version: text.startsWith("1.0", "HTTP/".length) ? "1.0" : "1.1",
    status: Number(text.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)),
    headers,
  }
}

/** From `start` on, without the spaces and tabs at its ends: others that `trim` takes are no part of HTTP. */
function withoutBlanks(line: string, start: number): string {
  let from = start
  let to = line.length
  while (from < to && isBlank(line.charCodeAt(from))) from++
  while (to > from && isBlank(line.charCodeAt(to - 1))) to--
  return line.slice(from, to)
}

/** How the body is told from what follows it (RFC 9112, 6.3). Two ways at once are how answers are smuggled. */
function bodyOf(
  version: string,
  status: number,
  headers: ReadonlyMap<string, string>,
): { next: number; length: number } {
  const coding = headers.get("transfer-encoding")
  const length = headers.get("content-length")
  if (coding !== undefined) {
    if (length !== undefined || version === "1.0" || coding.toLowerCase() !== "chunked")
      throw new AnswerError("a transfer encoding that is not chunked alone")
    return status === 204 || status === 304 ? NO_BODY : { next: NEXT.size, length: 0 }
  }
  if (status === 204 || status === 304) return NO_BODY
  if (length === undefined) return { next: NEXT.rest, length: 0 }
  if (!/^\d{1,15}$/.test(length)) throw new AnswerError("a content length that is no number")
  return { next: NEXT.body, length: Number(length) }
}

const NO_BODY = { next: NEXT.body, length: 0 }
const NOTHING = Buffer.alloc(0)
const [TAB, LF, CR, SPACE, SEMICOLON] = [9, 10, 13, 32, 59] as const

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB
}

function tooLong(most: number): AnswerError {
  return new AnswerError(`a line of more than ${most} bytes`)
}

function expect(byte: number | undefined, wanted: number): void {
  if (byte !== wanted) throw new AnswerError("a chunk that does not end where it said")
}

/** -1: it is no digit. */
function hexOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
