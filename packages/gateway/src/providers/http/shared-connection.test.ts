import assert from "node:assert/strict"
import { once } from "node:events"
import http2 from "node:http2"
import type { AddressInfo } from "node:net"
import { before, type TestContext, test } from "node:test"
import tls from "node:tls"
import {
  ask,
  type Call,
  createNews,
  largeBody,
  makePair,
  openPool,
  PAUSED_AT_EACH_PIECE,
  type Pair,
} from "../../../test/http-support.ts"
import { type HttpPool, type Origin, originOf, type PoolOptions } from "./pool.ts"
import { MOST_CALLS } from "./shared-connection.ts"

let trusted: Pair
before(() => {
  trusted = makePair("trusted", "IP:127.0.0.1")
})

// A server of node:http2, and one that writes frames by hand: what no library would send.

interface Asked {
  readonly stream: http2.ServerHttp2Stream
  readonly headers: http2.IncomingHttpHeaders
  /** Of the connection it came on: 0 is the first. */
  readonly connection: number
  body: string
}

interface TestServer {
  readonly origin: Origin
  readonly sessions: http2.ServerHttp2Session[]
  readonly asked: Asked[]
  until(there: () => boolean): Promise<void>
}

type Behaviour = (asked: Asked) => void

async function startServer(
  t: TestContext,
  behave: Behaviour,
  options: http2.SecureServerOptions = {},
): Promise<TestServer> {
  const news = createNews()
  const [sessions, asked]: [http2.ServerHttp2Session[], Asked[]] = [[], []]
  const server = http2.createSecureServer({ ...trusted, maxSessionMemory: 1_000, ...options })
  server.on("session", (session) => {
    const connection = sessions.push(session) - 1
    session.on("error", () => {})
    session.on("close", news.tell)
    session.on("stream", (stream, headers) => {
      const one: Asked = { stream, headers, connection, body: "" }
      stream.on("error", () => {})
      stream.on("close", news.tell)
      stream.on("data", (piece: Buffer) => (one.body += piece.toString("latin1")))
      stream.on("end", () => {
        asked.push(one)
        behave(one)
        news.tell()
      })
    })
    news.tell()
  })
  const origin = await listen(t, server, () => {
    for (const session of sessions) session.destroy()
  })
  return { origin, sessions, asked, until: news.until }
}

async function listen(t: TestContext, server: tls.Server, end: () => void): Promise<Origin> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(async () => {
    end()
    await new Promise((resolve) => server.close(resolve))
  })
  return originOf(new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`), true)
}

interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

interface HandServer {
  readonly origin: Origin
  readonly sockets: tls.TLSSocket[]
  readonly frames: Frame[]
  until(there: () => boolean): Promise<void>
}

const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 }
const END_STREAM = 1
const END_HEADERS = 4
/** ":status: 200", from HPACK's own table. */
const STATUS_200 = Buffer.from([0x88])

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function numbers(...values: number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes
    }),
  )
}

const head = (stream: number): Buffer => frame(TYPE.headers, END_HEADERS, stream, STATUS_200)
const data = (stream: number, text: string, flags = 0): Buffer =>
  frame(TYPE.data, flags, stream, Buffer.from(text))

/** `asked`: the request on that stream is whole. It says SETTINGS, and nothing else by itself. */
async function startByHand(
  t: TestContext,
  asked: (socket: tls.TLSSocket, stream: number) => void,
): Promise<HandServer> {
  const news = createNews()
  const [sockets, frames]: [tls.TLSSocket[], Frame[]] = [[], []]
  const server = tls.createServer({ ...trusted, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => {
    sockets.push(socket)
    socket.on("error", () => {})
    socket.on("close", news.tell)
    if (socket.alpnProtocol !== "h2") {
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
      return news.tell()
    }
    socket.write(frame(TYPE.settings, 0, 0))
    let received = Buffer.alloc(0)
    let begun = false
    socket.on("data", (piece: Buffer) => {
      received = Buffer.concat([received, piece])
      if (!begun && received.length >= PREFACE) {
        begun = true
        received = received.subarray(PREFACE)
      }
      while (begun && received.length >= 9) {
        const end = 9 + received.readUIntBE(0, 3)
        if (received.length < end) break
        const [type, flags, stream] = [received[3]!, received[4]!, received.readUInt32BE(5)]
        frames.push({ type, flags, stream, payload: received.subarray(9, end) })
        received = received.subarray(end)
        if ((type === TYPE.headers || type === TYPE.data) && flags & END_STREAM) asked(socket, stream)
        news.tell()
      }
    })
  })
  const origin = await listen(t, server, () => {
    for (const socket of sockets) socket.destroy()
  })
  return { origin, sockets, frames, until: news.until }
}
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length

const answerShortly: Behaviour = ({ stream }) => {
  stream.respond({ ":status": 200, "x-is": "http2" })
  stream.end("ok")
}

function openSecurePool(t: TestContext, options: PoolOptions = {}): HttpPool {
  return openPool(t, { ...options, tls: { ca: trusted.cert } })
}

/** One answered call, so that the pool knows what the origin speaks and has a connection to it. */
async function acquainted(pool: HttpPool, server: { readonly origin: Origin }): Promise<void> {
  assert.equal(await ask(pool, server.origin, { path: "/first" }).over, "end")
}

// What is sent and what is told.

test("a call is sent and answered in HTTP/2 where the server speaks it", async (t) => {
  const server = await startServer(t, answerShortly, { allowHTTP1: true })
  const pool = openSecurePool(t)
  const call = ask(pool, server.origin, {
    method: "POST",
    path: "/v1?a=b",
    headers: { authorization: "Bearer x", accept: "text/event-stream" },
    body: "zürich",
  })
  assert.deepEqual(call.told, [], "nothing stands yet")
  assert.equal(await call.over, "end")
  assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
  assert.equal(call.body().toString(), "ok")
  assert.equal(call.headers.get("x-is"), "http2")
  assert.deepEqual(
    [...call.headers.keys()].filter((name) => name.startsWith(":")),
    [],
  )
  const [{ headers, body }] = server.asked as [Asked]
  assert.deepEqual(Object.fromEntries(Object.entries(headers)), {
    ":method": "POST",
    ":path": "/v1?a=b",
    ":authority": server.origin.authority,
    ":scheme": "https",
    authorization: "Bearer x",
    accept: "text/event-stream",
  })
  assert.equal(Buffer.from(body, "latin1").toString(), "zürich")
  const second = ask(pool, server.origin)
  assert.deepEqual(second.told, ["connected"], "it stands already")
  assert.equal(await second.over, "end")
  assert.equal(server.sessions.length, 1)
})

test("bodies of any size come whole, both ways", async (t) => {
  const body = largeBody(3 << 20)
  const server = await startServer(t, ({ stream }) => {
    stream.respond({ ":status": 201 })
    stream.end(body)
  })
  const pool = openSecurePool(t)
  const sent = "x".repeat(2 << 20)
  const calls = [0, 1, 2].map(() => ask(pool, server.origin, { method: "POST", body: sent }))
  for (const call of calls) {
    assert.equal(await call.over, "end")
    assert.ok(call.body().equals(body))
    assert.equal(call.told[1], "head 201")
  }
  for (const asked of server.asked) assert.ok(asked.body === sent)
})

test("answers that come at the same time on one connection are not mixed up", async (t) => {
  const server = await startServer(t, async ({ stream, headers }) => {
    stream.respond({ ":status": 200 })
    for (let piece = 0; piece < 20; piece++) {
      stream.write(`${headers[":path"]}:${piece};`)
      await new Promise(setImmediate)
    }
    stream.end()
  })
  const pool = openSecurePool(t)
  await acquainted(pool, server)
  const calls = Array.from({ length: 30 }, (_, number) => ask(pool, server.origin, { path: `/${number}` }))
  for (const [number, call] of calls.entries()) {
    assert.equal(await call.over, "end")
    const wanted = Array.from({ length: 20 }, (_, piece) => `/${number}:${piece};`).join("")
    assert.equal(call.body().toString(), wanted)
  }
  assert.equal(server.sessions.length, 1)
})

// Which connection.

test("a connection takes so many calls, and those behind them wait together for another", async (t) => {
  const server = await startServer(t, ({ stream, headers }) => {
    stream.respond({ ":status": 200 })
    if (headers[":path"] === "/first") stream.end()
  })
  const pool = openSecurePool(t)
  await acquainted(pool, server)
  const full = Array.from({ length: MOST_CALLS }, () => ask(pool, server.origin))
  assert.ok(full.every(({ told }) => told[0] === "connected"))
  const more = Array.from({ length: 10 }, () => ask(pool, server.origin))
  assert.ok(more.every(({ told }) => told.length === 0))
  await server.until(() => server.asked.length === 1 + MOST_CALLS + 10)
  const by = server.asked.slice(1).map(({ connection }) => connection)
  assert.deepEqual(
    [0, 1].map((connection) => by.filter((one) => one === connection).length),
    [MOST_CALLS, 10],
  )
  assert.equal(server.sessions.length, 2)
})

test("of calls that wait together one may be given up, and another paused", async (t) => {
  const server = await startServer(t, ({ stream, headers }) => {
    stream.respond({ ":status": 200 })
    if (headers[":path"] !== "/held") stream.end("ok")
  })
  const pool = openSecurePool(t)
  await acquainted(pool, server)
  const full = Array.from({ length: MOST_CALLS }, () => ask(pool, server.origin, { path: "/held" }))
  const [given, paused, other] = ["/given", "/paused", "/other"].map((path) =>
    ask(pool, server.origin, { path }),
  ) as [Call, Call, Call]
  given.exchange.abort()
  paused.exchange.pause()
  assert.equal(await other.over, "end")
  await server.until(() => server.asked.length === 1 + MOST_CALLS + 2)
  assert.deepEqual(given.told, [])
  assert.ok(!paused.told.includes("body"))
  paused.exchange.resume()
  assert.equal(await paused.over, "end")
  assert.equal(server.sessions.length, 2)
  assert.ok(full.every(({ told }) => !told.some((what) => what === "end" || what.startsWith("failed"))))
})

test("a server that takes fewer calls at once is given no more", async (t) => {
  const server = await startServer(
    t,
    ({ stream, headers }) => {
      stream.respond({ ":status": 200 })
      if (headers[":path"] === "/first") stream.end()
    },
    { settings: { maxConcurrentStreams: 2 } },
  )
  const pool = openSecurePool(t)
  await acquainted(pool, server)
  const calls = [0, 1, 2].map(() => ask(pool, server.origin))
  await Promise.all(calls.map((call) => call.until(() => call.told.includes("head 200"))))
  assert.deepEqual(
    server.asked.slice(1).map(({ connection }) => connection),
    [0, 0, 1],
  )
})

test("calls at once to a server that is not known yet share what comes first, and no connection is left over", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openSecurePool(t, { keep: 1 })
  const calls = Array.from({ length: 20 }, () => ask(pool, server.origin))
  for (const call of calls) assert.equal(await call.over, "end")
  assert.equal(server.asked.length, 20)
  await server.until(() => server.sessions.every(({ destroyed }) => destroyed))
})

test("a connection that is to be ready is one that is shared", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openSecurePool(t)
  pool.warm(server.origin)
  pool.warm(server.origin)
  await server.until(() => server.sessions.length > 0)
  assert.equal(await ask(pool, server.origin).over, "end")
  pool.warm(server.origin)
  assert.deepEqual([server.sessions.length, server.asked[0]?.connection], [1, 0])
})

test("a connection that was kept for long enough without a call is closed, one with a call is not", async (t) => {
  const server = await startServer(t, ({ stream, headers }) => {
    stream.respond({ ":status": 200 })
    if (headers[":path"] === "/first") stream.end()
  })
  const [short, long] = [openSecurePool(t, { keep: 1 }), openSecurePool(t, { keep: 1 })]
  const held = ask(long, server.origin)
  await held.until(() => held.told.includes("head 200"))
  await acquainted(short, server)
  await server.until(() => server.sessions[1]!.destroyed)
  assert.equal(server.sessions[0]!.destroyed, false)
  assert.deepEqual(held.told, ["connected", "head 200"])
})

test("a server that wants HTTP/1.1 after all is asked in it from then on", async (t) => {
  const server = await startByHand(t, (socket, stream) =>
    socket.write(frame(TYPE.reset, 0, stream, numbers(13))),
  )
  const pool = openSecurePool(t)
  assert.equal(await ask(pool, server.origin).over, "failed connect: HTTP/2 HTTP_1_1_REQUIRED")
  assert.equal(await ask(pool, server.origin).over, "end")
  assert.deepEqual(
    server.sockets.map(({ alpnProtocol }) => alpnProtocol),
    ["h2", "http/1.1"],
  )
})

test("calls that wait together for a server that speaks HTTP/1.1 now have a connection each", async (t) => {
  let speaks = "h2"
  const sockets: tls.TLSSocket[] = []
  const server = tls.createServer({ ...trusted, ALPNCallback: () => speaks }, (socket) => {
    sockets.push(socket)
    socket.on("error", () => {})
    if (socket.alpnProtocol === "http/1.1")
      return socket.on("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n"))
    http2.performServerHandshake(socket).on("stream", (stream) => {
      stream.respond({ ":status": 200 })
      stream.end()
    })
  })
  const origin = await listen(t, server, () => {
    for (const socket of sockets) socket.destroy()
  })
  const pool = openSecurePool(t)
  await acquainted(pool, { origin })
  speaks = "http/1.1"
  // It closes when both ends have: the pool knows then.
  sockets[0]!.end()
  await once(sockets[0]!, "close")
  const calls = Array.from({ length: 5 }, () => ask(pool, origin))
  for (const call of calls) assert.equal(await call.over, "end")
  assert.ok(calls.every(({ told }) => told[1] === "head 204"))
  assert.equal(sockets.length, 6)
})

// Pauses.

test("a paused answer is told nothing until it is resumed, and holds up no other on its connection", async (t) => {
  const body = largeBody(8 << 20)
  const server = await startServer(t, ({ stream, headers }) => {
    stream.respond({ ":status": 200 })
    stream.end(headers[":path"] === "/large" ? body : "ok")
  })
  const pool = openSecurePool(t)
  await acquainted(pool, server)
  const slow = Array.from({ length: 10 }, () =>
    ask(pool, server.origin, { path: "/large" }, { head: ({ exchange }) => exchange.pause() }),
  )
  await Promise.all(slow.map((call) => call.until(() => call.told.includes("head 200"))))
  for (let count = 0; count < 20; count++) assert.equal(await ask(pool, server.origin).over, "end")
  assert.ok(slow.every(({ told }) => told.at(-1) === "head 200"))
  assert.ok(
    server.asked.every(({ stream, headers }) => headers[":path"] !== "/large" || !stream.closed),
    "they could not be sent whole",
  )
  for (const { exchange } of slow) exchange.resume()
  for (const call of slow) {
    assert.equal(await call.over, "end")
    assert.ok(call.body().equals(body))
  }
  assert.equal(server.sessions.length, 1)
})

test("a body paused at each of its pieces arrives byte for byte", async (t) => {
  const body = largeBody(1 << 20)
  const server = await startServer(t, ({ stream }) => {
    stream.respond({ ":status": 200 })
    stream.end(body)
  })
  const pool = openSecurePool(t)
  const call = ask(pool, server.origin, {}, PAUSED_AT_EACH_PIECE)
  assert.equal(await call.over, "end")
  assert.ok(call.body().equals(body))
})

test("an answer may be paused before its connection stands, and is told of a failure when it goes on", async (t) => {
  const server = await startByHand(t, (socket, stream) => {
    socket.write(Buffer.concat([head(stream), frame(TYPE.reset, 0, stream, numbers(2))]))
  })
  const pool = openSecurePool(t)
  const call = ask(pool, server.origin)
  call.exchange.pause()
  await server.until(() => server.frames.some(({ type }) => type === TYPE.headers))
  const other = ask(pool, server.origin)
  assert.equal(await other.over, "failed broken: HTTP/2 INTERNAL_ERROR")
  assert.ok(!call.told.some((what) => what.startsWith("failed")))
  call.exchange.resume()
  assert.equal(await call.over, "failed broken: HTTP/2 INTERNAL_ERROR")
})

// Calls that are given up.

test("a call given up hears nothing more, the server is told, and the others on its connection go on", async (t) => {
  const server = await startServer(t, ({ stream, headers }) => {
    stream.respond({ ":status": 200 })
    stream.write("begun")
    if (headers[":path"] === "/first") stream.end()
  })
  const pool = openSecurePool(t)
  await acquainted(pool, server)
  const [given, kept] = ["/given", "/kept"].map((path) => ask(pool, server.origin, { path })) as [Call, Call]
  await Promise.all([given, kept].map((call) => call.until(() => call.told.includes("body"))))
  given.exchange.abort()
  const stream = (path: string): http2.ServerHttp2Stream =>
    server.asked.find(({ headers }) => headers[":path"] === path)!.stream
  await server.until(() => stream("/given").closed)
  assert.equal(stream("/given").rstCode, http2.constants.NGHTTP2_CANCEL)
  stream("/kept").end(" and ended")
  assert.equal(await kept.over, "end")
  assert.equal(kept.body().toString(), "begun and ended")
  assert.deepEqual(given.told, ["connected", "head 200", "body"])
  assert.equal(server.sessions.length, 1)
})

test("a call given up in the handshake hears nothing, and its connection closes when nobody else waits", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openSecurePool(t)
  const call = ask(pool, server.origin)
  call.exchange.abort()
  call.exchange.abort()
  await acquainted(pool, server)
  assert.deepEqual(call.told, [])
  assert.equal(server.asked.length, 1)
})

for (const part of ["head", "body", "end"] as const) {
  test(`a sink that throws in ${part} fails its own call, and no other`, async (t) => {
    const server = await startServer(t, answerShortly)
    const pool = openSecurePool(t)
    await acquainted(pool, server)
    const thrower = ask(
      pool,
      server.origin,
      {},
      {
        [part]() {
          throw new Error("a mistake")
        },
      },
    )
    const other = ask(pool, server.origin)
    assert.equal(await other.over, "end")
    if (part === "end") assert.deepEqual(thrower.told, ["connected", "head 200", "body", "end"])
    else assert.equal(await thrower.over, "failed broken: Error: a mistake")
    assert.equal(await ask(pool, server.origin).over, "end")
    assert.equal(server.sessions.length, 1)
  })
}

// What goes wrong.

for (const [code, name, reason] of [
  [1, "PROTOCOL_ERROR", "broken"],
  [2, "INTERNAL_ERROR", "broken"],
  [7, "REFUSED_STREAM", "connect"],
  [8, "CANCEL", "broken"],
  [11, "ENHANCE_YOUR_CALM", "broken"],
] as const) {
  test(`a stream that the server resets with ${name} has failed, ${reason}`, async (t) => {
    const server = await startByHand(t, (socket, stream) => {
      socket.write(
        Buffer.concat(
          reason === "connect"
            ? [frame(TYPE.reset, 0, stream, numbers(code))]
            : [head(stream), data(stream, "half"), frame(TYPE.reset, 0, stream, numbers(code))],
        ),
      )
    })
    const pool = openSecurePool(t)
    const call = ask(pool, server.origin)
    const told = await call.over
    assert.equal(told.split(":")[0], `failed ${reason}`)
    assert.match(told, new RegExp(name === "CANCEL" ? "CANCEL" : `${name}|ERR_HTTP2_STREAM_ERROR`))
    assert.equal(call.told.filter((what) => what === "end" || what.startsWith("failed")).length, 1)
  })
}

test("a stream that is reset without an error before its end looks ended: whoever reads it must know better", async (t) => {
  const server = await startByHand(t, (socket, stream) => {
    socket.write(
      Buffer.concat([head(stream), data(stream, "half"), frame(TYPE.reset, 0, stream, numbers(0))]),
    )
  })
  const call = ask(openSecurePool(t), server.origin)
  assert.equal(await call.over, "end")
  assert.equal(call.body().toString(), "half")
})

test("a connection that breaks fails all its calls, each once, and the next call has another", async (t) => {
  for (const how of ["destroy", "end"] as const) {
    const server = await startByHand(t, (socket, stream) => {
      socket.write(Buffer.concat([head(stream), data(stream, "half")]))
    })
    const pool = openSecurePool(t)
    const first = ask(pool, server.origin)
    await first.until(() => first.told.includes("body"))
    const calls = [first, ...Array.from({ length: 4 }, () => ask(pool, server.origin))]
    await Promise.all(calls.map((call) => call.until(() => call.told.includes("body"))))
    assert.equal(server.sockets.length, 1)
    server.sockets[0]![how]()
    for (const call of calls) {
      assert.match(await call.over, /^failed broken: /, how)
      assert.deepEqual(call.told.slice(0, -1), ["connected", "head 200", "body"])
    }
    const next = ask(pool, server.origin)
    await next.until(() => next.told.includes("body"))
    assert.equal(server.sockets.length, 2)
  }
})

test("bytes that are not HTTP/2 fail what is under way", async (t) => {
  const server = await startByHand(
    t,
    (socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\nhello, is this on?"),
  )
  const pool = openSecurePool(t)
  assert.match(await ask(pool, server.origin).over, /^failed broken: ERR_HTTP2/)
})

test("a server that goes away ends what it runs, and what it has not begun with is told so", async (t) => {
  const server = await startByHand(t, (socket, stream) => {
    if (stream === 1) socket.write(Buffer.concat([head(stream), data(stream, "half")]))
    // The last that it sees to is stream 1.
    else if (stream === 3) socket.write(frame(TYPE.goaway, 0, 0, numbers(1, 0)))
    else socket.write(Buffer.concat([head(stream), data(stream, "ok", END_STREAM)]))
  })
  const pool = openSecurePool(t)
  const first = ask(pool, server.origin)
  await first.until(() => first.told.includes("body"))
  const unseen = ask(pool, server.origin)
  assert.match(await unseen.over, /^failed connect: /)
  const next = ask(pool, server.origin)
  await server.until(() => server.sockets.length === 2)
  server.sockets[0]!.write(data(1, " and whole", END_STREAM))
  assert.equal(await first.over, "end")
  assert.equal(first.body().toString(), "half and whole")
  await next.until(() => next.told.includes("body"))
  await server.until(() => server.sockets[0]!.destroyed)
})

test("a pool that is closed breaks also what runs at a server that goes away", async (t) => {
  const server = await startByHand(t, (socket, stream) => {
    socket.write(Buffer.concat([head(stream), data(stream, "half"), frame(TYPE.goaway, 0, 0, numbers(1, 0))]))
  })
  const pool = openSecurePool(t)
  const call = ask(pool, server.origin)
  await call.until(() => call.told.includes("body"))
  pool.close()
  assert.equal(await call.over, "failed broken: undefined")
  await server.until(() => server.sockets[0]!.destroyed)
})

test("a connection on which nothing comes is asked whether it lives, and closed when it does not say so", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] })
  const [dead, alive] = [
    await startByHand(t, (socket, stream) => void socket.write(head(stream))),
    await startServer(t, ({ stream }) => stream.respond({ ":status": 200 })),
  ]
  const pool = openSecurePool(t)
  const [silent, waiting] = [ask(pool, dead.origin), ask(pool, alive.origin)]
  await silent.until(() => silent.told.includes("head 200"))
  await waiting.until(() => waiting.told.includes("head 200"))
  const pings = () => dead.frames.filter(({ type }) => type === TYPE.ping).length
  /** A second, and what it has set off. */
  const look = async (): Promise<void> => {
    t.mock.timers.tick(1_000)
    await new Promise(setImmediate)
  }
  while (pings() === 0) await look()
  while (silent.told.length < 3) await look()
  assert.equal(await silent.over, "failed broken: ETIMEDOUT")
  assert.equal(pings(), 1)
  const pongs = once(alive.sessions[0]!, "ping")
  for (let second = 0; second < 15; second++) await look()
  await pongs
  for (let second = 0; second < 24; second++) await look()
  assert.deepEqual(waiting.told, ["connected", "head 200"])
})

test("a pool that is closed breaks what is under way and leaves no connection open", async (t) => {
  const server = await startServer(t, ({ stream }) => stream.respond({ ":status": 200 }))
  const pool = openSecurePool(t)
  const call = ask(pool, server.origin)
  await call.until(() => call.told.includes("head 200"))
  const connecting = Array.from({ length: MOST_CALLS }, () => ask(pool, server.origin))
  pool.close()
  assert.equal(await call.over, "failed broken: undefined")
  assert.equal(await connecting.at(-1)!.over, "failed connect: undefined")
  await server.until(() => server.sessions.every(({ destroyed }) => destroyed))
})
