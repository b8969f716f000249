/**
 * Connections to providers: as many as there are calls, each kept open after its answer for whoever asks next.
 *
 * An HTTP/1.1 client for one purpose, in place of a general one: a stream's bytes are read into one buffer that all
 * connections share, and handed on where they stand. docs/decisions/2026-11-28-own-http-client.md says what that is worth.
 */
import { isIP, type LookupFunction } from "node:net"
import type { ConnectionOptions } from "node:tls"
import { type Answer, Connection, type Exchange } from "./connection.ts"
import { createNames } from "./names.ts"

export interface HttpPool {
  /** Sends a request; what comes of it is told to `answer`, from within this call or later. */
  send(origin: Origin, request: HttpRequest, answer: Answer): Exchange
  /** Sees to it that a connection stands for whoever asks next, if it can be had; tries so now and then only. */
  warm(origin: Origin): void
  /** Closes all connections: exchanges under way are told that theirs broke. */
  close(): void
}

export interface HttpRequest {
  /** From `headOf`: the same for all requests to one place, so it is written once. */
  readonly head: string
  readonly body?: string
}

/** Where to: from `originOf`. */
export interface Origin {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** For the `host` header. */
  readonly authority: string
}

export interface PoolOptions {
  /** Milliseconds that a connection is kept without a call; less where its provider says so. */
  readonly keep?: number
  /** For tests: whom to trust. */
  readonly tls?: Pick<ConnectionOptions, "ca">
  readonly names?: LookupFunction
  /** Milliseconds for a connection to become ready ahead of a call, and until the next try. */
  readonly warming?: number
}

const KEEP = 30_000
/** A place that is down is not knocked at with each call. */
const WARMING = 10_000
/** How often is looked for those whose time is over. */
const SWEEP = 1_000

export function originOf({ protocol, hostname, port, host }: URL): Origin {
  const secure = protocol === "https:"
  if (!secure && protocol !== "http:") throw new Error(`'${protocol}//${host}' is neither http nor https`)
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname
  return { host: bare, port: port === "" ? (secure ? 443 : 80) : Number(port), secure, authority: host }
}

export function createHttpPool({
  keep = KEEP,
  tls = {},
  names = createNames(),
  warming: warmingFor = WARMING,
}: PoolOptions = {}): HttpPool {
  /** By origin: connections that have nothing to do, the one used last at the end. */
  const idle = new Map<string, Connection[]>()
  const all = new Set<Connection>()
  /** By origin: what a TLS handshake may take up again. */
  const sessions = new Map<string, Buffer>()
  /** By origin: the one that was to be ready, and when the next may be. */
  const warming = new Map<string, { readonly connection: Connection; readonly until: number }>()
  let closed = false

  const sweeper = setInterval(() => {
    const now = performance.now()
    for (const connections of idle.values())
      for (const connection of connections.filter((one) => now >= one.keptUntil)) connection.close()
    for (const [name, { connection, until }] of warming) {
      if (now < until) continue
      warming.delete(name)
      // No call's timer is about it: it would wait for a handshake that never ends.
      if (!connection.connected) connection.close()
    }
  }, SWEEP)
  sweeper.unref()

  function connect(origin: Origin, name: string): Connection {
    const session = sessions.get(name)
    const connection = new Connection(
      {
        ...origin,
        lookup: names,
        tls: {
          ...tls,
          ALPNProtocols: ["http/1.1"],
          ...(isIP(origin.host) === 0 ? { servername: origin.host } : {}),
          ...(session === undefined ? {} : { session }),
        },
      },
      {
        free(connection, keptFor) {
          if (closed) return connection.close()
          connection.keptUntil = performance.now() + Math.min(keep, keptFor ?? keep)
          const others = idle.get(name)
          if (others === undefined) idle.set(name, [connection])
          else others.push(connection)
        },
        gone(connection) {
          all.delete(connection)
          const others = idle.get(name)
          const at = others?.indexOf(connection) ?? -1
          if (at >= 0) others?.splice(at, 1)
          if (others?.length === 0) idle.delete(name)
        },
        session: (session) => void sessions.set(name, session),
      },
    )
    all.add(connection)
    return connection
  }

  /** The one used last is the one whose other side is the least likely to have closed it meanwhile. */
  function idleOne(name: string): Connection | undefined {
    const now = performance.now()
    const connections = idle.get(name)
    for (;;) {
      const connection = connections?.pop()
      if (connection === undefined || now < connection.keptUntil) return connection
      connection.close()
    }
  }

  return {
    send(origin, request, answer) {
      if (closed) throw new Error("the pool of connections is closed")
      const text = textOf(request)
      const name = nameOf(origin)
      return (idleOne(name) ?? connect(origin, name)).send(text, answer)
    },
    warm(origin) {
      const name = nameOf(origin)
      if (closed || idle.has(name) || warming.has(name)) return
      try {
        warming.set(name, { connection: connect(origin, name), until: performance.now() + warmingFor })
      } catch {
        // Whoever asks there will be told; the call that only thought of it goes on.
      }
    },
    close() {
      closed = true
      clearInterval(sweeper)
      for (const connection of [...all]) connection.close()
    },
  }
}

function nameOf({ secure, authority }: Origin): string {
  return `${secure ? "https" : "http"}://${authority}`
}

/** `path`: with its query, as `URL` writes it. */
export function headOf(
  method: "GET" | "POST",
  { authority }: Origin,
  path: string,
  headers: Readonly<Record<string, string>>,
): string {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n`
  for (const name in headers) {
    const value = headers[name]!
    // A value with a line end in it would be two headers, or two requests.
    if (!/^[\t\x20-\x7e]*$/.test(value)) throw new Error(`the value of the header '${name}' cannot be sent`)
    head += `${name}: ${value}\r\n`
  }
  return head
}

/** Head and body in one: they are one write. */
function textOf({ head, body }: HttpRequest): string {
  return body === undefined
    ? `${head}\r\n`
    : `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
