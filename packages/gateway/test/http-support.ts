/** Calls of the pool that note what they are told, and certificates for the servers that they call. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import type { Exchange } from "../src/providers/http/connection.ts"
import { createHttpPool, type HttpPool, type Origin, type PoolOptions } from "../src/providers/http/pool.ts"
import { headOf } from "../src/providers/http/request.ts"

/** Something to wait for: it is looked at again whenever anything has happened. */
export function createNews(): { tell(): void; until(there: () => boolean): Promise<void> } {
  let waiting: (() => void)[] = []
  return {
    tell() {
      const told = waiting
      waiting = []
      for (const tell of told) tell()
    },
    async until(there) {
      while (!there()) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

export interface Call {
  readonly exchange: Exchange
  /** What it was told, in order; pieces of the body that follow each other are one "body". */
  readonly told: string[]
  readonly headers: Map<string, string>
  readonly pieces: Buffer[]
  /** The bytes of the body so far. */
  readonly count: number
  /** "end", or the failure: what was told last. */
  readonly over: Promise<string>
  body(): Buffer
  until(there: () => boolean): Promise<void>
}

/** From within the sink. */
export interface During {
  head?(call: Call): void
  body?(call: Call): void
  end?(call: Call): void
}

/** And taken up again when the loop has come round. */
export const PAUSED_AT_EACH_PIECE: During = {
  body({ exchange }) {
    exchange.pause()
    setImmediate(() => exchange.resume())
  },
}

export interface Question {
  readonly method?: "GET" | "POST"
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export function ask(pool: HttpPool, origin: Origin, question: Question = {}, during: During = {}): Call {
  const head = headOf(
    question.method ?? "GET",
    origin.authority,
    question.path ?? "/",
    question.headers ?? {},
  )
  const news = createNews()
  const over = Promise.withResolvers<string>()
  const [told, pieces, headers]: [string[], Buffer[], Map<string, string>] = [[], [], new Map()]
  let count = 0
  const tell = (what: string): void => {
    if (what !== "body" || told.at(-1) !== "body") told.push(what)
    news.tell()
  }
  const exchange = pool.send(
    origin,
    { head, ...(question.body === undefined ? {} : { body: question.body }) },
    {
      connected: () => tell("connected"),
      head(status, sent) {
        for (const [name, value] of sent) headers.set(name, value)
        tell(`head ${status}`)
        during.head?.(call)
      },
      body(bytes, start, end) {
        pieces.push(Buffer.from(bytes.subarray(start, end)))
        count += end - start
        tell("body")
        during.body?.(call)
      },
      end() {
        tell("end")
        during.end?.(call)
        over.resolve("end")
      },
      failed({ reason, code }) {
        const what = `failed ${reason}: ${code}`
        tell(what)
        over.resolve(what)
      },
    },
  )
  const call: Call = {
    exchange,
    told,
    headers,
    pieces,
    get count() {
      return count
    },
    over: over.promise,
    body: () => Buffer.concat(pieces),
    until: news.until,
  }
  return call
}

export function openPool(t: TestContext, options: PoolOptions = {}): HttpPool {
  const pool = createHttpPool(options)
  t.after(() => pool.close())
  return pool
}

/** Bytes of which no two parts are alike. */
export function largeBody(size: number): Buffer {
  const body = Buffer.alloc(size)
  for (let at = 0; at + 4 <= size; at += 4) body.writeUInt32BE(Math.imul(at, 2_654_435_761) >>> 0, at)
  return body
}

export interface Pair {
  readonly key: Buffer
  readonly cert: Buffer
}

/** A key and a certificate that vouches for itself. `alternative`: whom it is for. */
export function makePair(name: string, alternative: string): Pair {
  const folder = mkdtempSync(join(tmpdir(), "sluice-pair-"))
  const [key, cert] = [join(folder, "key"), join(folder, "cert")]
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${alternative}`]
  try {
    execFileSync("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", cert], {
      stdio: "pipe",
    })
    return { key: readFileSync(key), cert: readFileSync(cert) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
