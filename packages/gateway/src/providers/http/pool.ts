/**
 * Connections to providers. In HTTP/1.1 there are as many as calls, each kept open after its answer for whoever asks next;
 * over TLS, where the provider speaks HTTP/2, there are few, and calls share them. Which of the two it speaks shows when
 * a connection stands, so over TLS a call waits for that.
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
  /** Over TLS: connections that do not stand yet, and who waits for each. */
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
  const [plain, secure] = [new Map<string, Place>(), new Map<string, Place>()]
  const all = new Set<Connection>()
  let closed = false

  const sweeper = setInterval(() => {
    const now = performance.now()
    for (const place of places()) sweep(place, now)
  }, SWEEP)
  sweeper.unref()

  function places(): Place[] {
    return [...plain.values(), ...secure.values()]
  }

  function placeOf(origin: Origin): Place {
    const known = (origin.secure ? secure : plain).get(origin.authority)
    return known ?? addPlace(origin)
  }

  function addPlace(origin: Origin): Place {
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
    ;(origin.secure ? secure : plain).set(origin.authority, place)
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
          ALPNProtocols: place.refusesHttp2 ? ["http/1.1"] : ["h2", "http/1.1"],
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
          for (const { answer } of waiting) answer.failed({ reason: "connect", code })
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
    if (first !== undefined) return first.sentAs(connection.send(first.request, first.answer))
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
    const dials = [...place.dials].sort(([one], [other]) => Number(other === come) - Number(one === come))
    place.dials.delete(come)
    for (const [connection, waiting] of dials) {
      for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
        const shared = sharedOne(place)
        if (shared !== undefined) call.sentAs(shared.send(call.request, call.answer))
        else if (connection === come) wait(place, call)
        else {
          waiting.unshift(call)
          break
        }
      }
      if (connection !== come && waiting.length === 0) connection.close()
    }
  }

  return {
    send(origin, request, answer) {
      if (closed) throw new Error("the pool of connections is closed")
      const place = placeOf(origin)
      const one = (origin.secure ? sharedOne(place) : undefined) ?? idleOne(place)
      if (one !== undefined) return one.send(request, answer)
      if (!origin.secure) return connect(place).send(request, answer)
      const call = new WaitingCall(request, answer, (left) => leave(place, left))
      wait(place, call)
      return call
    },
    warm(origin) {
      const place = placeOf(origin)
      if (closed || place.idle.length > 0 || place.warming !== undefined || sharedOne(place) !== undefined)
        return
      try {
        const connection = origin.secure ? dial(place) : connect(place)
        place.warming = { connection, until: performance.now() + warmingFor }
      } catch {
        // Whoever asks there will be told; the call that only thought of it goes on.
      }
    },
    close() {
      closed = true
      clearInterval(sweeper)
      for (const connection of [...all]) connection.close()
      for (const { shared } of places()) for (const one of [...shared]) one.close()
    },
  }
}

function remove<Item>(items: Item[], item: Item): void {
  const at = items.indexOf(item)
  if (at >= 0) items.splice(at, 1)
}
