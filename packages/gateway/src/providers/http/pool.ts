/**
 * Connections to providers. There are as many as calls, each kept open after its answer for whoever asks next; where HTTP/2
 * is wanted and the provider speaks it there are few, and calls share them. Whether it does shows when a connection stands,
 * so there a call waits for that.
 *
 * A client for one purpose, in place of a general one: a stream's bytes are handed on where they stand.
 * docs/decisions/2026-11-28-own-http-client.md says what that is worth, 2026-11-29-http-2-to-providers.md what sharing is.
 */
import { isIP, type LookupFunction } from "node:net"
import type { ConnectionOptions } from "node:tls"
import { type Answer, Connection, type Exchange } from "./connection.ts"
import { createNames } from "./names.ts"
import type { HttpRequest } from "./request.ts"
import { MOST_CALLS, SharedConnection } from "./shared-connection.ts"
import { WaitingCall } from "./waiting.ts"

export interface HttpPool {
  /** Sends a request; what comes of it is told to `answer`, from within this call or later. */
  send(origin: Origin, request: HttpRequest, answer: Answer): Exchange
  /** Sees to it that a connection stands for whoever asks next, if it can be had; tries so now and then only. */
  warm(origin: Origin): void
  /** Closes all connections: exchanges under way are told that theirs broke. */
  close(): void
}

/** Where to: from `originOf`. */
export interface Origin {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** For the `host` header. */
  readonly authority: string
  /** Calls may share connections, over TLS. */
  readonly http2: boolean
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

/** What is known of an origin, and the connections to it. */
interface Place {
  readonly origin: Origin
  /** Connections that have nothing to do, the one used last at the end. */
  readonly idle: Connection[]
  /** Those that speak HTTP/2. */
  readonly shared: SharedConnection[]
  /** Where they may be shared: connections that do not stand yet, and who waits for each. */
  readonly dials: Map<Connection, WaitingCall[]>
  /** The connection that was to be ready, and when the next may be. */
  warming: { readonly connection: Connection; readonly until: number } | undefined
  /** What a TLS handshake may take up again. */
  session: Buffer | undefined
  /** The connection that came last does: so will the next, and whoever waits may wait together. */
  speaksHttp2: boolean
  /** It has said, in HTTP/2, that it wants to be asked in HTTP/1.1. */
  refusesHttp2: boolean
}

const KEEP = 30_000
/** A place that is down is not knocked at with each call. */
const WARMING = 10_000
/** How often is looked for those whose time is over. */
const SWEEP = 1_000

export function originOf({ protocol, hostname, port, host }: URL, http2 = false): Origin {
  const secure = protocol === "https:"
  if (!secure && protocol !== "http:") throw new Error(`'${protocol}//${host}' is neither http nor https`)
  return {
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    secure,
    authority: host,
    http2: secure && http2,
  }
}

export function createHttpPool({
  keep = KEEP,
  tls = {},
  names = createNames(),
  warming: warmingFor = WARMING,
}: PoolOptions = {}): HttpPool {
  const places = new Map<string, Place>()
  const all = new Set<Connection>()
  let closed = false

  const sweeper = setInterval(() => {
    const now = performance.now()
    for (const place of places.values()) sweep(place, now)
  }, SWEEP)
  sweeper.unref()

  function placeOf(origin: Origin): Place {
    const name = nameOf(origin)
    const known = places.get(name)
    if (known !== undefined) return known
    const place: Place = {
      origin,
      idle: [],
      shared: [],
      dials: new Map(),
      warming: undefined,
      session: undefined,
      speaksHttp2: false,
      refusesHttp2: false,
    }
    places.set(name, place)
    return place
  }

  function sweep(place: Place, now: number): void {
    for (const connection of place.idle.filter((one) => now >= one.keptUntil)) connection.close()
    for (const shared of [...place.shared]) shared.look(now)
    if (place.warming === undefined || now < place.warming.until) return
    const { connection } = place.warming
    place.warming = undefined
    // No call's timer is about it: it would wait for a handshake that never ends.
    if (!connection.connected && !isAwaited(place, connection)) connection.close()
  }

  function connect(place: Place): Connection {
    const { origin, session } = place
    const connection = new Connection(
      {
        ...origin,
        lookup: names,
        tls: {
          ...tls,
          ALPNProtocols: origin.http2 && !place.refusesHttp2 ? ["h2", "http/1.1"] : ["http/1.1"],
          ...(isIP(origin.host) === 0 ? { servername: origin.host } : {}),
          ...(session === undefined ? {} : { session }),
        },
      },
      {
        free: (connection, keptFor) => free(place, connection, keptFor),
        shared(connection, socket) {
          all.delete(connection)
          if (closed) return void socket.destroy()
          place.speaksHttp2 = true
          const shared = new SharedConnection(socket, origin.authority, keep, {
            gone: (gone) => remove(place.shared, gone),
            refused: () => (place.refusesHttp2 = true),
          })
          place.shared.push(shared)
          share(place, connection)
        },
        gone(connection, code) {
          all.delete(connection)
          remove(place.idle, connection)
          const waiting = place.dials.get(connection) ?? []
          place.dials.delete(connection)
          for (const call of waiting) call.failed(code)
        },
        session: (session) => (place.session = session),
      },
    )
    all.add(connection)
    return connection
  }

  function free(place: Place, connection: Connection, keptFor: number | undefined): void {
    if (closed) return connection.close()
    const waiting = place.dials.get(connection)
    place.dials.delete(connection)
    if (waiting !== undefined) place.speaksHttp2 = false
    const [first, ...others] = waiting ?? []
    // They had hoped to share it.
    for (const call of others) wait(place, call)
    if (first !== undefined) return first.sentBy(connection)
    connection.keptUntil = performance.now() + Math.min(keep, keptFor ?? keep)
    place.idle.push(connection)
  }

  /** The one used last is the one whose other side is the least likely to have closed it meanwhile. */
  function idleOne({ idle }: Place): Connection | undefined {
    if (idle.length === 0) return undefined
    const now = performance.now()
    for (;;) {
      const connection = idle.pop()
      if (connection === undefined || now < connection.keptUntil) return connection
      connection.close()
    }
  }

  /** The first that has room, so that the others come to stand idle and are closed. */
  function sharedOne({ shared, refusesHttp2 }: Place): SharedConnection | undefined {
    if (refusesHttp2) return undefined
    for (const one of shared) if (one.hasRoom) return one
    return undefined
  }

  function dial(place: Place): Connection {
    const connection = connect(place)
    place.dials.set(connection, [])
    return connection
  }

  function wait(place: Place, call: WaitingCall): void {
    const most = place.speaksHttp2 ? MOST_CALLS : 1
    for (const waiting of place.dials.values()) {
      if (waiting.length >= most) continue
      waiting.push(call)
      return
    }
    place.dials.get(dial(place))!.push(call)
  }

  function isAwaited(place: Place, connection: Connection): boolean {
    return (place.dials.get(connection) ?? []).length > 0
  }

  function leave(place: Place, call: WaitingCall): void {
    for (const [connection, waiting] of place.dials) {
      if (!waiting.includes(call)) continue
      remove(waiting, call)
      if (waiting.length === 0 && place.warming?.connection !== connection) connection.close()
    }
  }

  /** A connection has come that takes many: whoever waits for another need not. */
  function share(place: Place, come: Connection): void {
    const own = place.dials.get(come) ?? []
    place.dials.delete(come)
    for (const call of own) if (!sendShared(place, call)) wait(place, call)
    for (const [connection, waiting] of [...place.dials]) {
      for (const call of [...waiting]) if (sendShared(place, call)) remove(waiting, call)
      if (waiting.length === 0) connection.close()
    }
  }

  /** False: nobody has room for it. */
  function sendShared(place: Place, call: WaitingCall): boolean {
    const shared = sharedOne(place)
    if (shared === undefined) return false
    call.sentBy(shared)
    return true
  }

  return {
    send(origin, request, answer) {
      if (closed) throw new Error("the pool of connections is closed")
      const place = placeOf(origin)
      const one = (origin.http2 ? sharedOne(place) : undefined) ?? idleOne(place)
      if (one !== undefined) return one.send(request, answer)
      if (!origin.http2) return connect(place).send(request, answer)
      const call = new WaitingCall(request, answer, (left) => leave(place, left))
      wait(place, call)
      return call
    },
    warm(origin) {
      const place = placeOf(origin)
      if (closed || place.idle.length > 0 || place.warming !== undefined || sharedOne(place) !== undefined)
        return
      try {
        const connection = origin.http2 ? dial(place) : connect(place)
        place.warming = { connection, until: performance.now() + warmingFor }
      } catch {
        // Whoever asks there will be told; the call that only thought of it goes on.
      }
    },
    close() {
      closed = true
      clearInterval(sweeper)
      for (const connection of [...all]) connection.close()
      for (const { shared } of places.values()) for (const one of [...shared]) one.close()
    },
  }
}

function nameOf({ secure, authority, http2 }: Origin): string {
  return `${http2 ? "h2" : secure ? "https" : "http"}://${authority}`
}

function remove<Item>(items: Item[], item: Item): void {
  const at = items.indexOf(item)
  if (at >= 0) items.splice(at, 1)
}
