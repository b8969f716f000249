import assert from "node:assert/strict"
import { once } from "node:events"
import net from "node:net"
import { before, type TestContext, test } from "node:test"
import tls from "node:tls"
import { Worker } from "node:worker_threads"
import {
  ask,
  type Call,
  createNews,
  type During,
  largeBody,
  makePair,
  openPool,
  PAUSED_AT_EACH_PIECE,
  type Pair,
} from "../../../test/http-support.ts"
import { type HttpPool, type Origin, originOf } from "./pool.ts"

// Two ends of a socket: a server that writes what it is told, and a call that notes what it was told.

interface Asked {
  readonly path: string
  readonly head: string
  /** As latin1: one character for each byte. */
  readonly body: string
  /** Of the connection it came on: 0 is the first. */
  readonly connection: number
}

interface TestServer {
  readonly origin: Origin
  /** In the order in which they were opened; over TLS those whose handshake came to an end. */
  readonly sockets: net.Socket[]
  readonly asked: Asked[]
  until(there: () => boolean): Promise<void>
}

type Behaviour = (socket: net.Socket, asked: Asked) => void

interface ServerOptions {
  readonly tls?: tls.TlsOptions
  /** In place of reading requests. */
  readonly connection?: (socket: net.Socket) => void
}

async function startServer(
  t: TestContext,
  behave: Behaviour,
  options: ServerOptions = {},
): Promise<TestServer> {
  const news = createNews()
  const [sockets, asked]: [net.Socket[], Asked[]] = [[], []]
  const open = new Set<net.Socket>()
  const opened = (socket: net.Socket): void => {
    const connection = sockets.push(socket) - 1
    socket.on("close", news.tell)
    news.tell()
    if (options.connection !== undefined) return options.connection(socket)
    let received = ""
    socket.on("data", (piece: Buffer) => {
      received += piece.toString("latin1")
      for (;;) {
        const end = received.indexOf("\r\n\r\n") + 4
        if (end < 4) return
        const head = received.slice(0, end)
        const length = Number(/^content-length: (\d+)$/m.exec(head)?.[1] ?? 0)
        if (received.length < end + length) return
        const request = {
          path: head.split(" ")[1]!,
          head,
          body: received.slice(end, end + length),
          connection,
        }
        received = received.slice(end + length)
        asked.push(request)
        news.tell()
        behave(socket, request)
      }
    })
  }
  const server = options.tls === undefined ? net.createServer(opened) : tls.createServer(options.tls, opened)
  server.on("connection", (socket: net.Socket) => {
    open.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => {
      open.delete(socket)
      news.tell()
    })
  })
  server.on("secureConnection", (socket: tls.TLSSocket) => socket.on("error", () => {}))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.after(async () => {
    for (const socket of open) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const { port } = server.address() as net.AddressInfo
  const origin = originOf(new URL(`${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`))
  return { origin, sockets, asked, until: news.until }
}

/** Asks once more and gives the connection that it was asked on. */
async function connectionOf(pool: HttpPool, server: TestServer, path = "/"): Promise<number> {
  const call = ask(pool, server.origin, { path })
  assert.equal(await call.over, "end")
  return server.asked.at(-1)!.connection
}

/** As many turns of both ends' loops as bytes on their way need to arrive, if they are not held up. */
async function someRoundTrips(pool: HttpPool, server: TestServer): Promise<void> {
  for (let count = 0; count < 20; count++) await connectionOf(pool, server, "/other")
}

const OK = "HTTP/1.1 200 OK\r\n"
const SHORT = `${OK}content-length: 2\r\n\r\nok`
const IN_CHUNKS = `${OK}transfer-encoding: chunked\r\n\r\n`
const answerShortly: Behaviour = (socket) => void socket.write(SHORT)

function chunkOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")])
}

// Which connection.

test("a call uses the connection of the one before it", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const first = ask(pool, server.origin, {
    path: "/first?a=b",
    headers: { "x-a": "1", accept: "text/plain" },
  })
  assert.equal(await first.over, "end")
  assert.deepEqual(first.told, ["connected", "head 200", "body", "end"])
  assert.deepEqual([...first.headers], [["content-length", "2"]])
  assert.equal(first.body().toString(), "ok")
  const second = ask(pool, server.origin, { path: "/second" })
  assert.deepEqual(second.told, ["connected"], "it stands already")
  assert.equal(await second.over, "end")
  assert.deepEqual(second.told, ["connected", "head 200", "body", "end"])
  assert.deepEqual(server.asked, [
    {
      path: "/first?a=b",
      head: `GET /first?a=b HTTP/1.1\r\nhost: ${server.origin.authority}\r\nx-a: 1\r\naccept: text/plain\r\n\r\n`,
      body: "",
      connection: 0,
    },
    {
      path: "/second",
      head: `GET /second HTTP/1.1\r\nhost: ${server.origin.authority}\r\n\r\n`,
      body: "",
      connection: 0,
    },
  ])
})

test("calls at once have a connection each, and the one used last is taken first", async (t) => {
  const server = await startServer(t, () => {})
  const pool = openPool(t)
  const calls = [0, 1, 2].map((number) => ask(pool, server.origin, { path: `/${number}` }))
  await server.until(() => server.asked.length === 3)
  assert.deepEqual(server.asked.map(({ connection }) => connection).toSorted(), [0, 1, 2])
  const connectionFor = (path: string): number =>
    server.asked.findLast((asked) => asked.path === path)!.connection
  for (const number of [1, 0, 2]) {
    server.sockets[connectionFor(`/${number}`)]!.write(SHORT)
    assert.equal(await calls[number]!.over, "end")
  }
  const [fourth, fifth] = ["/fourth", "/fifth"].map((path) => ask(pool, server.origin, { path }))
  await server.until(() => server.asked.length === 5)
  assert.equal(connectionFor("/fourth"), connectionFor("/2"))
  assert.equal(connectionFor("/fifth"), connectionFor("/0"))
  server.sockets[connectionFor("/fourth")]!.write(SHORT)
  assert.equal(await fourth!.over, "end")
  server.sockets[connectionFor("/fifth")]!.write(SHORT)
  assert.equal(await fifth!.over, "end")
  const sixth = ask(pool, server.origin, { path: "/sixth" })
  await server.until(() => server.asked.length === 6)
  assert.equal(connectionFor("/sixth"), connectionFor("/0"))
  server.sockets[connectionFor("/sixth")]!.write(SHORT)
  assert.equal(await sixth.over, "end")
  assert.equal(server.sockets.length, 3)
})

test("whoever may be asked next has a connection ready, plain and over TLS, and is connected to once", async (t) => {
  for (const options of [{}, { tls: trusted }]) {
    const server = await startServer(t, answerShortly, options)
    const pool = openPool(t, { tls: { ca: trusted.cert } })
    pool.warm(server.origin)
    pool.warm(server.origin)
    await server.until(() => server.sockets.length > 0)
    // Both ends of it are here: the client's is told in this turn of the loop, if it has not been.
    await new Promise(setImmediate)
    assert.equal(await ask(pool, server.origin).over, "end")
    pool.warm(server.origin)
    assert.deepEqual([server.sockets.length, server.asked[0]?.connection], [1, 0])
  }
})

test("a place that is not there is not knocked at with each call", async (t) => {
  const pool = openPool(t)
  let knocks = 0
  const server = net.createServer((socket) => {
    knocks++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.after(() => server.close())
  const origin = originOf(new URL(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`))
  for (let call = 0; call < 5; call++) pool.warm(origin)
  await new Promise<void>((resolve) => server.once("connection", () => setImmediate(resolve)))
  for (let call = 0; call < 5; call++) pool.warm(origin)
  assert.equal(knocks, 1)
})

test("a connection that was to be ready and never is has a limit, and the next try comes after it", async (t) => {
  // It takes connections and says nothing: no handshake ends.
  const server = await startServer(t, () => {}, { connection: (socket) => void socket.resume() })
  const pool = openPool(t, { warming: 1, tls: { ca: trusted.cert } })
  const silent = { ...server.origin, secure: true }
  pool.warm(silent)
  await server.until(() => server.sockets[0]?.destroyed === true)
  pool.warm(silent)
  await server.until(() => server.sockets[1]?.destroyed === true)
})

test("each origin has connections of its own", async (t) => {
  const [one, other] = [await startServer(t, answerShortly), await startServer(t, answerShortly)]
  const pool = openPool(t)
  for (const server of [one, other, one, other]) assert.equal(await connectionOf(pool, server), 0)
  assert.deepEqual([one.asked.length, other.asked.length], [2, 2])
})

test("a connection that its answer does not leave open is closed, and not used again", async (t) => {
  const answers: [string, string][] = [
    ["connection: close", `${OK}connection: close\r\ncontent-length: 2\r\n\r\nok`],
    ["connection: close among others", `${OK}Connection: x, Close\r\ncontent-length: 2\r\n\r\nok`],
    [
      "connection: close, in chunks",
      `${IN_CHUNKS.slice(0, -2)}connection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    ],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"],
    ["bytes behind the answer", `${SHORT}\r\n`],
    ["another answer behind the answer", `${SHORT}${SHORT}`],
    ["bytes behind chunks", `${IN_CHUNKS}2\r\nok\r\n0\r\n\r\nx`],
    ["a timeout of a second", `${OK}keep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok`],
    ["a timeout of nothing", `${OK}keep-alive: max=5, timeout=0\r\ncontent-length: 2\r\n\r\nok`],
  ]
  // It is closed at once, and not when somebody next looks for those whose time is over.
  t.mock.timers.enable({ apis: ["setInterval"] })
  for (const [why, answer] of answers) {
    const server = await startServer(t, (socket) => void socket.write(answer))
    const pool = openPool(t)
    for (const number of [0, 1]) {
      const call = ask(pool, server.origin)
      assert.equal(await call.over, "end", why)
      assert.equal(call.body().toString(), "ok", why)
      assert.equal(server.asked.at(-1)!.connection, number, why)
      await server.until(() => server.sockets[number]!.closed)
    }
  }
})

test("a connection that its answer leaves open is used again", async (t) => {
  const answers: [string, string][] = [
    ["no body", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["an empty body", `${OK}content-length: 0\r\n\r\n`],
    ["chunks", `${IN_CHUNKS}2;a=b\r\nok\r\n0\r\nx: y\r\n\r\n`],
    ["a timeout that is long enough", `${OK}keep-alive: timeout=60, max=9\r\ncontent-length: 2\r\n\r\nok`],
    ["a status that is no success", "HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\nok"],
    ["an answer before the answer", `HTTP/1.1 103 Early Hints\r\nconnection: close\r\n\r\n${SHORT}`],
  ]
  for (const [why, answer] of answers) {
    const server = await startServer(t, (socket) => void socket.write(answer))
    const pool = openPool(t)
    for (let count = 0; count < 3; count++) assert.equal(await connectionOf(pool, server), 0, why)
    assert.equal(server.sockets.length, 1, why)
  }
})

test("a body that ends with its connection is whole, and the next call has another connection", async (t) => {
  const server = await startServer(t, (socket) => void socket.end(`${OK}\r\nall of it`))
  const pool = openPool(t)
  for (const number of [0, 1]) {
    const call = ask(pool, server.origin)
    assert.equal(await call.over, "end")
    assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
    assert.equal(call.body().toString(), "all of it")
    assert.equal(server.asked.at(-1)!.connection, number)
    await server.until(() => server.sockets[number]!.closed)
  }
})

test("a connection that was kept for long enough is closed", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t, { keep: 1 })
  assert.equal(await connectionOf(pool, server), 0)
  await server.until(() => server.sockets[0]!.closed)
  assert.equal(await connectionOf(pool, server), 1)
})

test("a connection is not kept for longer than its other side says", async (t) => {
  const server = await startServer(
    t,
    (socket) => void socket.write(`${OK}keep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok`),
  )
  const pool = openPool(t)
  assert.equal(await connectionOf(pool, server), 0)
  await server.until(() => server.sockets[0]!.closed)
  assert.equal(await connectionOf(pool, server), 1)
})

test("a connection whose time is over is not used, though it is open still", async (t) => {
  const server = await startServer(t, answerShortly)
  // Nobody looks for such connections until the clock is told to go on.
  t.mock.timers.enable({ apis: ["setInterval"] })
  const pool = openPool(t, { keep: 0 })
  assert.equal(await connectionOf(pool, server), 0)
  assert.equal(server.sockets[0]!.closed, false)
  assert.equal(await connectionOf(pool, server), 1)
  await server.until(() => server.sockets[0]!.closed)
  assert.equal(server.sockets[1]!.closed, false)
  t.mock.timers.tick(1_000)
  await server.until(() => server.sockets[1]!.closed)
})

test("a connection that the other side closed meanwhile is not used again", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  assert.equal(await connectionOf(pool, server), 0)
  server.sockets[0]!.end()
  await server.until(() => server.sockets[0]!.closed)
  assert.equal(await connectionOf(pool, server), 1)
  // A reset shows on this side alone: what goes to and fro on other connections after it is later.
  server.sockets[1]!.resetAndDestroy()
  const other = await startServer(t, answerShortly)
  await someRoundTrips(pool, other)
  assert.equal(await connectionOf(pool, server), 2)
})

test("bytes that nobody has asked for close the connection they come on", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const call = ask(pool, server.origin)
  assert.equal(await call.over, "end")
  server.sockets[0]!.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
  await server.until(() => server.sockets[0]!.closed)
  assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
  assert.equal(await connectionOf(pool, server), 1)
})

test("an answer that came before its request was read whole is heard, and its connection closed", async (t) => {
  const early = "HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"
  const server = await startServer(t, answerShortly, {
    connection(socket) {
      socket.once("data", () => {
        socket.pause()
        socket.write(early)
      })
    },
  })
  const pool = openPool(t)
  const call = ask(pool, server.origin, { method: "POST", body: "x".repeat(32 << 20) })
  assert.equal(await call.over, "end")
  assert.deepEqual(call.told, ["connected", "head 413", "body", "end"])
  server.sockets[0]!.resume()
  await server.until(() => server.sockets[0]!.closed)
  const next = ask(pool, server.origin)
  assert.equal(await next.over, "end")
  assert.equal(server.sockets.length, 2)
})

// What fails.

test("a connection that is refused, or whose host is unknown, has failed before anything was sent", async (t) => {
  const pool = openPool(t)
  const gone = net.createServer()
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve))
  const { port } = gone.address() as net.AddressInfo
  await new Promise<void>((resolve) => gone.close(() => resolve()))
  const nobody = ask(pool, originOf(new URL(`http://127.0.0.1:${port}`)))
  assert.deepEqual(nobody.told, [])
  assert.equal(await nobody.over, "failed connect: ECONNREFUSED")
  assert.deepEqual(nobody.told, ["failed connect: ECONNREFUSED"])
  const nowhere = ask(pool, originOf(new URL("http://nowhere.invalid")))
  // The code depends on who is asked for names.
  assert.match(await nowhere.over, /^failed connect: E[A-Z_]+$/)
  assert.equal(nowhere.told.length, 1)
})

test("an answer that breaks off is broken, and is told to be so once", async (t) => {
  interface Case {
    readonly why: string
    readonly sent: string
    /** What is told of it before it breaks off. */
    readonly told: readonly string[]
    readonly body: string
  }
  const cases: Case[] = [
    { why: "before the head", sent: "", told: [], body: "" },
    { why: "in the head", sent: "HTTP/1.1 200 OK\r\nconte", told: [], body: "" },
    { why: "behind a 100", sent: "HTTP/1.1 100 Continue\r\n\r\n", told: [], body: "" },
    { why: "behind the head", sent: `${OK}content-length: 5\r\n\r\n`, told: ["head 200"], body: "" },
    {
      why: "in a body",
      sent: `${OK}content-length: 5\r\n\r\nhell`,
      told: ["head 200", "body"],
      body: "hell",
    },
    { why: "before the first chunk", sent: IN_CHUNKS, told: ["head 200"], body: "" },
    { why: "in a chunk", sent: `${IN_CHUNKS}5\r\nhell`, told: ["head 200", "body"], body: "hell" },
    { why: "behind a chunk's data", sent: `${IN_CHUNKS}2\r\nok`, told: ["head 200", "body"], body: "ok" },
    { why: "between chunks", sent: `${IN_CHUNKS}2\r\nok\r\n`, told: ["head 200", "body"], body: "ok" },
    { why: "in a size", sent: `${IN_CHUNKS}2\r\nok\r\n1`, told: ["head 200", "body"], body: "ok" },
    { why: "in the last size", sent: `${IN_CHUNKS}2\r\nok\r\n0`, told: ["head 200", "body"], body: "ok" },
    { why: "before the end", sent: `${IN_CHUNKS}2\r\nok\r\n0\r\n`, told: ["head 200", "body"], body: "ok" },
    { why: "in a trailer", sent: `${IN_CHUNKS}2\r\nok\r\n0\r\nx`, told: ["head 200", "body"], body: "ok" },
  ]
  for (const [how, breakOff, code] of [
    ["end", (socket) => void socket.end(), undefined],
    ["reset", (socket) => void socket.resetAndDestroy(), "ECONNRESET"],
  ] satisfies [string, (socket: net.Socket) => void, string | undefined][])
    for (const { why, sent, told, body } of cases) {
      const server = await startServer(t, (socket) => void socket.write(sent))
      const pool = openPool(t)
      const call = ask(pool, server.origin)
      await server.until(() => server.asked.length === 1)
      // A reset overtakes what was not read yet.
      await call.until(() => call.told.length === 1 + told.length && call.count === body.length)
      breakOff(server.sockets[0]!)
      assert.equal(await call.over, `failed broken: ${code}`, `${how} ${why}`)
      await server.until(() => server.sockets[0]!.closed)
      await someRoundTrips(pool, await startServer(t, answerShortly))
      assert.deepEqual(call.told, ["connected", ...told, `failed broken: ${code}`], `${how} ${why}`)
      assert.equal(call.body().toString(), body)
    }
})

test("a body that was to end with its connection is broken by a reset", async (t) => {
  const server = await startServer(t, (socket) => void socket.write(`${OK}\r\nso far`))
  const pool = openPool(t)
  const call = ask(pool, server.origin)
  await call.until(() => call.count === "so far".length)
  server.sockets[0]!.resetAndDestroy()
  assert.equal(await call.over, "failed broken: ECONNRESET")
  assert.deepEqual(call.told, ["connected", "head 200", "body", "failed broken: ECONNRESET"])
})

test("an answer that is not HTTP is broken, and is told why", async (t) => {
  const answers: [string, string[], string][] = [
    ["SSH-2.0-OpenSSH_9.2\r\n\r\n", [], "a head that is not HTTP/1.1"],
    ["HTTP/2.0 200 OK\r\n\r\n", [], "a head that is not HTTP/1.1"],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", [], "a switch of protocols"],
    ["x".repeat(100_000), [], "a head of more than 65536 bytes"],
    [
      `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok`,
      [],
      "a transfer encoding that is not chunked alone",
    ],
    [`${IN_CHUNKS}ok\r\n`, ["head 200"], "a chunk without a size"],
    [`${IN_CHUNKS}2\r\nokay`, ["head 200", "body"], "a chunk that does not end where it said"],
  ]
  for (const [answer, told, why] of answers) {
    const server = await startServer(t, (socket) => void socket.write(answer))
    const pool = openPool(t)
    const call = ask(pool, server.origin)
    assert.equal(await call.over, `failed broken: ${why}`)
    await server.until(() => server.sockets[0]!.closed)
    assert.deepEqual(call.told, ["connected", ...told, `failed broken: ${why}`])
  }
})

test("a sink that throws fails its own call, and no other", async (t) => {
  const server = await startServer(t, (socket, { path }) => {
    if (path !== "/other") socket.write(SHORT)
  })
  const pool = openPool(t)
  const other = ask(pool, server.origin, { path: "/other" })
  await server.until(() => server.asked.length === 1)
  for (const place of ["head", "body"] as const) {
    const call = ask(pool, server.origin, {}, { [place]: () => assert.fail("a mistake") })
    assert.match(await call.over, /^failed broken: .*a mistake/)
    await server.until(() => server.sockets.at(-1)!.closed)
    assert.equal(call.told.filter((what) => /^(?:end|failed)/.test(what)).length, 1)
  }
  server.sockets[0]!.write(SHORT)
  assert.equal(await other.over, "end")
})

// Who reads too slowly.

test("a paused answer is told nothing until it is resumed, and then all of it", async (t) => {
  const body = largeBody(32 << 20)
  const server = await startServer(t, (socket, { path }) => {
    if (path === "/other") return answerShortly(socket, server.asked.at(-1)!)
    socket.write(`${OK}content-length: ${body.length}\r\n\r\n`)
    socket.write(body)
  })
  const pool = openPool(t)
  const call = ask(
    pool,
    server.origin,
    {},
    {
      body({ pieces, exchange }) {
        if (pieces.length === 3) exchange.pause()
      },
    },
  )
  await call.until(() => call.pieces.length === 3)
  const { count } = call
  await someRoundTrips(pool, server)
  assert.equal(call.count, count)
  assert.equal(call.pieces.length, 3)
  assert.ok(server.sockets[0]!.writableLength > 0, "the server has not got rid of it either")
  call.exchange.resume()
  assert.equal(await call.over, "end")
  assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
  assert.ok(call.body().equals(body))
  assert.equal(await connectionOf(pool, server, "/other"), 0, "its connection is used again like any other")
})

test("an answer paused while nothing comes is told nothing of what comes then", async (t) => {
  const server = await startServer(t, (socket, { path }) => {
    socket.write(path === "/other" ? SHORT : `${OK}content-length: 10\r\n\r\nfirst`)
  })
  const pool = openPool(t)
  const call = ask(pool, server.origin)
  await call.until(() => call.count === 5)
  call.exchange.pause()
  server.sockets[0]!.end("other")
  await someRoundTrips(pool, server)
  assert.equal(call.count, 5)
  assert.deepEqual(call.told, ["connected", "head 200", "body"])
  call.exchange.resume()
  assert.equal(await call.over, "end")
  assert.equal(call.body().toString(), "firstother")
})

test("a pause in the middle of a read leaves the rest of it for later", async (t) => {
  const words = ["one", "two", "three", "four"]
  const chunks = words.map((word) => chunkOf(Buffer.from(word)).toString()).join("")
  // Longer than what is left, which would be written over if it still lay where it was read.
  const long = `${OK}content-length: 1000\r\n\r\n${"x".repeat(1_000)}`
  const server = await startServer(t, (socket, { path }) => {
    socket.write(path === "/other" ? long : `${IN_CHUNKS}${chunks}0\r\n\r\n`)
  })
  const pool = openPool(t)
  const call = ask(
    pool,
    server.origin,
    {},
    { head: ({ exchange }) => exchange.pause(), body: ({ exchange }) => exchange.pause() },
  )
  await call.until(() => call.told.includes("head 200"))
  for (let heard = 0; heard < words.length; heard++) {
    await someRoundTrips(pool, server)
    assert.deepEqual(call.pieces.map(String), words.slice(0, heard))
    call.exchange.resume()
  }
  await someRoundTrips(pool, server)
  assert.deepEqual(call.pieces.map(String), words)
  assert.deepEqual(call.told, ["connected", "head 200", "body"])
  call.exchange.resume()
  assert.equal(await call.over, "end")
  assert.deepEqual(call.pieces.map(String), words)
  const used = server.asked.findIndex(({ path }) => path === "/")
  assert.equal(server.asked[used]!.connection, 0)
  assert.equal(server.sockets.length, 2, "the connection is used again like any other")
  assert.equal(await connectionOf(pool, server), 0)
})

test("a body paused at each of its pieces arrives byte for byte, plain and over TLS", async (t) => {
  const body = largeBody(1 << 20)
  for (const tls of [undefined, trusted]) {
    const server = await startServer(
      t,
      (socket) => {
        socket.write(IN_CHUNKS)
        for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7 + 11) % 9_973)
          socket.write(chunkOf(body.subarray(at, at + size)))
        socket.write("0\r\n\r\n")
      },
      tls === undefined ? {} : { tls },
    )
    const pool = openPool(t, tls === undefined ? {} : { tls: { ca: tls.cert } })
    let paused = false
    const call = ask(
      pool,
      server.origin,
      {},
      {
        body({ exchange }) {
          assert.equal(paused, false, "nothing comes between a pause and what ends it")
          paused = true
          exchange.pause()
          setImmediate(() => {
            paused = false
            exchange.resume()
          })
        },
      },
    )
    assert.equal(await call.over, "end")
    assert.ok(call.pieces.length > 100)
    assert.ok(call.body().equals(body))
  }
})

test("answers under way at once, each paused now and then, are not mixed up", async (t) => {
  const bodies = [0, 1, 2, 3].map((number) => largeBody((1 << 20) + number).reverse())
  const server = await startServer(t, (socket, { path }) => {
    const body = bodies[Number(path.slice(1))]!
    socket.write(`${OK}content-length: ${body.length}\r\n\r\n`)
    socket.write(body)
  })
  const pool = openPool(t)
  const calls = bodies.map((_, number) =>
    ask(
      pool,
      server.origin,
      { path: `/${number}` },
      {
        body({ exchange, pieces }) {
          if (pieces.length % (number + 2) !== 0) return
          exchange.pause()
          setImmediate(() => exchange.resume())
        },
      },
    ),
  )
  for (const [number, call] of calls.entries()) {
    assert.equal(await call.over, "end")
    assert.ok(call.body().equals(bodies[number]!))
  }
})

test("a pause that came with the last of an answer does not hold back the call behind it", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const call = ask(pool, server.origin, {}, PAUSED_AT_EACH_PIECE)
  assert.equal(await call.over, "end")
  for (let count = 0; count < 3; count++) assert.equal(await connectionOf(pool, server), 0)
})

test("an answer may be paused before its connection stands", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const call = ask(pool, server.origin)
  call.exchange.pause()
  await someRoundTrips(pool, server)
  assert.deepEqual(call.told, ["connected"])
  call.exchange.resume()
  assert.equal(await call.over, "end")
  assert.equal(call.body().toString(), "ok")
})

// Who does not want it any more.

test("a call given up before its connection stands hears nothing, and connects to nobody", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const call = ask(pool, server.origin, { path: "/given-up" })
  call.exchange.abort()
  await someRoundTrips(pool, server)
  assert.deepEqual(call.told, [])
  assert.equal(server.sockets.length, 1)
  assert.equal(
    server.asked.some(({ path }) => path === "/given-up"),
    false,
  )
})

test("a call given up while it connects hears nothing, and the server sees the connection close", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const call = ask(pool, server.origin, { path: "/given-up" })
  // The system has been asked for the connection by then, and has not yet said that it stands.
  await new Promise<void>((resolve) => process.nextTick(resolve))
  assert.deepEqual(call.told, [])
  call.exchange.abort()
  await server.until(() => server.sockets[0]?.closed === true)
  assert.deepEqual(call.told, [])
  assert.deepEqual(server.asked, [])
  assert.equal(await connectionOf(pool, server), 1)
})

test("a call given up before its answer or within it hears nothing more, and its connection closes", async (t) => {
  const server = await startServer(t, (socket, { path }) => {
    if (path === "/other") socket.write(SHORT)
    else if (path !== "/silent") socket.write(`${IN_CHUNKS}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`)
  })
  const pool = openPool(t)
  const cases: [string, During, string[]][] = [
    ["/silent", {}, ["connected"]],
    ["/in-head", { head: ({ exchange }) => exchange.abort() }, ["connected", "head 200"]],
    ["/in-body", { body: ({ exchange }) => exchange.abort() }, ["connected", "head 200", "body"]],
    [
      "/paused",
      {
        body({ exchange }) {
          exchange.pause()
          setImmediate(() => exchange.abort())
        },
      },
      ["connected", "head 200", "body"],
    ],
    [
      "/paused-and-given-up",
      {
        body({ exchange }) {
          exchange.pause()
          exchange.abort()
        },
      },
      ["connected", "head 200", "body"],
    ],
  ]
  for (const [path, during, told] of cases) {
    const asked = server.asked.length
    const call = ask(pool, server.origin, { path }, during)
    await server.until(() => server.asked.length > asked)
    const socket = server.sockets[server.asked.at(-1)!.connection]!
    if (path === "/silent") call.exchange.abort()
    await server.until(() => socket.closed)
    assert.deepEqual(call.told, told, path)
    assert.ok(call.count <= 1, path)
    // Nor has anything that is done to it any effect.
    call.exchange.resume()
    call.exchange.pause()
    call.exchange.abort()
    await someRoundTrips(pool, server)
    assert.deepEqual(call.told, told, path)
  }
})

test("a call given up between two parts of its body hears nothing more, and its connection closes", async (t) => {
  const server = await startServer(t, (socket) => void socket.write(`${OK}content-length: 10\r\n\r\nfirst`))
  const pool = openPool(t)
  const call = ask(pool, server.origin)
  await call.until(() => call.count === 5)
  server.sockets[0]!.write("other")
  call.exchange.abort()
  await server.until(() => server.sockets[0]!.closed)
  assert.deepEqual(call.told, ["connected", "head 200", "body"])
  assert.equal(call.count, 5)
})

test("a call that is over has no effect on the one that has its connection now", async (t) => {
  const server = await startServer(t, (socket, { path }) => {
    socket.write(path === "/short" ? SHORT : `${OK}content-length: 10\r\n\r\nfirst`)
  })
  const pool = openPool(t)
  const first = ask(pool, server.origin, { path: "/short" })
  assert.equal(await first.over, "end")
  first.exchange.abort()
  const second = ask(pool, server.origin)
  first.exchange.pause()
  await second.until(() => second.count === 5)
  first.exchange.abort()
  server.sockets[0]!.write("other")
  assert.equal(await second.over, "end")
  assert.equal(second.body().toString(), "firstother")
  assert.equal(server.sockets.length, 1)
})

// What is sent.

test("a header that would be two is refused, and nothing is sent", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  for (const value of [
    "a\r\nx: b",
    "a\nb",
    "a\rb",
    "a\r\n\r\nGET / HTTP/1.1\r\n",
    "a\n",
    "a\0b",
    "\x7f",
    "é",
    "€",
  ])
    assert.throws(
      () => ask(pool, server.origin, { path: "/refused", headers: { fine: "yes", authorization: value } }),
      /the value of the header 'authorization' cannot be sent/,
    )
  await someRoundTrips(pool, server)
  assert.equal(server.sockets.length, 1)
  assert.equal(
    server.asked.every(({ path }) => path === "/other"),
    true,
  )
})

test("a refused header costs no connection that is kept", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  assert.equal(await connectionOf(pool, server), 0)
  assert.throws(() => ask(pool, server.origin, { headers: { x: "a\nb" } }))
  assert.equal(await connectionOf(pool, server), 0)
  assert.equal(server.asked.length, 2)
})

test("a body has the length of its bytes, whatever they are", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const bodies = ["", "plain", "zürich 🦔 東京\r\n\r\n", "\0\x7f\u0080\u{10ffff}", "é".repeat(300_000)]
  for (const body of bodies) {
    const call = ask(pool, server.origin, {
      method: "POST",
      path: "/body",
      headers: { "x-a": "\t b~" },
      body,
    })
    assert.equal(await call.over, "end")
    const asked = server.asked.at(-1)!
    const { authority } = server.origin
    const length = Buffer.byteLength(body)
    assert.equal(
      asked.head,
      `POST /body HTTP/1.1\r\nhost: ${authority}\r\nx-a: \t b~\r\ncontent-length: ${length}\r\n\r\n`,
    )
    assert.equal(Buffer.from(asked.body, "latin1").toString(), body)
  }
  assert.equal(server.sockets.length, 1)
})

test("an origin is where an address of http or https points to", () => {
  const of = (address: string): Origin => originOf(new URL(address))
  assert.deepEqual(of("http://a.example/v1?x"), {
    host: "a.example",
    port: 80,
    secure: false,
    authority: "a.example",
    http2: false,
  })
  assert.deepEqual(of("https://a.example"), {
    host: "a.example",
    port: 443,
    secure: true,
    authority: "a.example",
    http2: false,
  })
  assert.deepEqual(of("https://a.example:80"), {
    host: "a.example",
    port: 80,
    secure: true,
    authority: "a.example:80",
    http2: false,
  })
  assert.deepEqual(of("http://[::1]:8080/"), {
    host: "::1",
    port: 8080,
    secure: false,
    authority: "[::1]:8080",
    http2: false,
  })
  assert.throws(() => of("ftp://a.example"), /neither http nor https/)
})

// Over TLS.

let trusted: Pair
/** Of somebody else, for another name. */
let other: Pair

before(() => {
  trusted = makePair("trusted", "IP:127.0.0.1")
  other = makePair("other", "DNS:elsewhere.invalid")
})

test("calls over TLS use a connection again, and bodies of any size come whole", async (t) => {
  const body = largeBody(1 << 20)
  const server = await startServer(
    t,
    (socket, { path }) => {
      if (path === "/counted") {
        socket.write(`${OK}content-length: ${body.length}\r\n\r\n`)
        socket.write(body)
      } else if (path === "/chunks") {
        socket.write(IN_CHUNKS)
        for (let at = 0; at < body.length; at += 5_000) socket.write(chunkOf(body.subarray(at, at + 5_000)))
        socket.write("0\r\n\r\n")
      } else {
        socket.write(`${OK}\r\n`)
        socket.end(body)
      }
    },
    { tls: trusted },
  )
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  for (const path of ["/counted", "/chunks", "/to-the-end"]) {
    const call = ask(pool, server.origin, { method: "POST", path, body: "zürich" })
    assert.equal(await call.over, "end", path)
    assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
    assert.ok(call.body().equals(body), path)
    assert.equal(Buffer.from(server.asked.at(-1)!.body, "latin1").toString(), "zürich")
    assert.equal(server.asked.at(-1)!.connection, 0)
  }
  await server.until(() => server.sockets[0]!.closed)
  const next = ask(pool, server.origin, { path: "/counted" })
  assert.equal(await next.over, "end")
  assert.equal(server.asked.at(-1)!.connection, 1)
  assert.equal((server.sockets[0] as tls.TLSSocket).alpnProtocol, false, "the server speaks of none")
})

test("a connection over TLS whose answer is there before the loop has come round is used again", async (t) => {
  // In a thread of its own it answers while this one is busy.
  const server = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads")
     let connections = 0
     const server = require("node:tls").createServer(workerData, (socket) => {
       connections++
       socket.on("error", () => {})
       socket.on("data", () => socket.write("HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok"))
     })
     server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port))
     parentPort.on("message", () => parentPort.postMessage(connections))`,
    { eval: true, workerData: trusted },
  )
  t.after(() => server.terminate())
  const [port] = await once(server, "message")
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  for (let count = 0; count < 20; count++) {
    // Where the loop looks at its sockets next: what is written here is said to have been written only after that.
    await new Promise(setImmediate)
    const call = ask(pool, originOf(new URL(`https://127.0.0.1:${port}`)))
    for (const until = performance.now() + 10; performance.now() < until; );
    assert.equal(await call.over, "end")
  }
  server.postMessage("how many?")
  assert.deepEqual(await once(server, "message"), [1])
})

test("a server is offered HTTP/1.1 and nothing else, unless HTTP/2 is wanted", async (t) => {
  const offered: string[][] = []
  const server = await startServer(t, answerShortly, {
    tls: {
      ...trusted,
      ALPNCallback({ protocols }) {
        offered.push(protocols)
        return "http/1.1"
      },
    },
  })
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  assert.equal(await ask(pool, server.origin).over, "end")
  assert.equal(await ask(pool, { ...server.origin, http2: true }).over, "end")
  assert.deepEqual(offered, [["http/1.1"], ["h2", "http/1.1"]])
})

test("an answer over TLS that was paused is told nothing until it is resumed, and then all of it", async (t) => {
  const body = largeBody(1 << 20)
  const half = body.length / 2
  const server = await startServer(
    t,
    (socket, { path }) => {
      if (path === "/other") return void socket.write(SHORT)
      socket.write(`${OK}content-length: ${body.length}\r\n\r\n`)
      socket.write(body.subarray(0, half))
    },
    { tls: trusted },
  )
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  const call = ask(pool, server.origin)
  await call.until(() => call.count === half)
  call.exchange.pause()
  server.sockets[0]!.write(body.subarray(half))
  await someRoundTrips(pool, server)
  assert.equal(call.count, half)
  call.exchange.resume()
  assert.equal(await call.over, "end")
  assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
  assert.ok(call.body().equals(body))
})

test("a second connection takes up the TLS session of the first", async (t) => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const server = await startServer(
      t,
      (socket) => void socket.write(`${OK}connection: close\r\ncontent-length: 2\r\n\r\nok`),
      { tls: { ...trusted, maxVersion } },
    )
    const pool = openPool(t, { tls: { ca: trusted.cert } })
    for (const number of [0, 1, 2]) {
      assert.equal(await connectionOf(pool, server), number)
      const socket = server.sockets[number] as tls.TLSSocket
      assert.equal(socket.getProtocol() ?? maxVersion, maxVersion)
      assert.equal(socket.isSessionReused(), number > 0, `${maxVersion}, connection ${number}`)
      await server.until(() => socket.closed)
    }
  }
})

test("a server that cannot be trusted is sent nothing", async (t) => {
  const server = await startServer(t, answerShortly, { tls: other })
  const cases: [Buffer, string][] = [
    [trusted.cert, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    [other.cert, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ]
  for (const [ca, code] of cases) {
    const pool = openPool(t, { tls: { ca } })
    const call = ask(pool, server.origin, { headers: { authorization: "Bearer secret" } })
    assert.equal(await call.over, `failed connect: ${code}`)
    await server.until(() => server.sockets.every((socket) => socket.closed))
    assert.deepEqual(call.told, [`failed connect: ${code}`])
    assert.deepEqual(server.asked, [])
  }
})

test("a server that does not speak TLS, or closes instead, has failed before anything was sent", async (t) => {
  const behaviours: ((socket: net.Socket) => void)[] = [
    (socket) => socket.once("data", () => socket.write(SHORT)),
    (socket) => socket.once("data", () => socket.end()),
    (socket) => void socket.resetAndDestroy(),
  ]
  for (const connection of behaviours) {
    const server = await startServer(t, answerShortly, { connection })
    const pool = openPool(t, { tls: { ca: trusted.cert } })
    const call = ask(pool, { ...server.origin, secure: true })
    assert.match(await call.over, /^failed connect: E[A-Z_]+$/)
    await server.until(() => server.sockets[0]!.closed)
    assert.equal(call.told.length, 1)
  }
})

test("a call given up in the handshake hears nothing, and the server sees the connection close", async (t) => {
  const server = await startServer(t, answerShortly, { connection() {} })
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  const call = ask(pool, { ...server.origin, secure: true })
  await server.until(() => server.sockets.length === 1)
  const [socket] = server.sockets
  await new Promise<void>((resolve) => socket!.once("data", () => resolve()))
  call.exchange.abort()
  await server.until(() => socket!.closed)
  assert.deepEqual(call.told, [])
})

test("an answer over TLS that breaks off is broken", async (t) => {
  const server = await startServer(t, (socket) => void socket.end(`${OK}content-length: 10\r\n\r\nfirst`), {
    tls: trusted,
  })
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  const call = ask(pool, server.origin)
  assert.equal(await call.over, "failed broken: undefined")
  await server.until(() => server.sockets[0]!.closed)
  assert.deepEqual(call.told, ["connected", "head 200", "body", "failed broken: undefined"])
  assert.equal(call.body().toString(), "first")
})

// The end of it all.

test("a pool that is closed breaks what is under way, closes what is kept, and takes no more", async (t) => {
  const server = await startServer(t, (socket, { path }) => {
    if (path === "/idle") socket.write(SHORT)
    if (path === "/body" || path === "/paused") socket.write(`${IN_CHUNKS}1\r\na\r\n1\r\nb\r\n`)
  })
  const pool = openPool(t)
  const idle = ask(pool, server.origin, { path: "/idle" })
  const silent = ask(pool, server.origin, { path: "/silent" })
  const body = ask(pool, server.origin, { path: "/body" })
  const paused = ask(pool, server.origin, { path: "/paused" }, { body: ({ exchange }) => exchange.pause() })
  await server.until(() => server.asked.length === 4)
  assert.equal(await idle.over, "end")
  await body.until(() => body.count === 2)
  await paused.until(() => paused.count === 1)
  const before = server.sockets.length
  // With nobody to connect to it would be told of that instead.
  const connecting = ask(pool, server.origin, { path: "/connecting" })
  assert.equal(connecting.told[0], "connected", "the one that was kept")
  const another = ask(pool, server.origin, { path: "/another" })
  pool.close()
  assert.throws(() => ask(pool, server.origin), /the pool of connections is closed/)
  for (const call of [silent, body, paused, connecting])
    assert.equal(await call.over, "failed broken: undefined")
  assert.equal(await another.over, "failed connect: undefined")
  await server.until(() => server.sockets.every((socket) => socket.closed))
  assert.equal(server.sockets.length, before)
  assert.deepEqual(idle.told, ["connected", "head 200", "body", "end"])
  assert.deepEqual(silent.told, ["connected", "failed broken: undefined"])
  assert.deepEqual(body.told, ["connected", "head 200", "body", "failed broken: undefined"])
  assert.deepEqual(paused.told, ["connected", "head 200", "body", "failed broken: undefined"])
  assert.deepEqual(connecting.told, ["connected", "failed broken: undefined"])
  assert.deepEqual(another.told, ["failed connect: undefined"])
  pool.close()
})

test("a pool closed from within an answer breaks that one too", async (t) => {
  const server = await startServer(
    t,
    (socket) => void socket.write(`${IN_CHUNKS}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`),
  )
  const pool = openPool(t)
  const call = ask(pool, server.origin, {}, { body: () => pool.close() })
  assert.equal(await call.over, "failed broken: undefined")
  await server.until(() => server.sockets[0]!.closed)
  assert.deepEqual(call.told, ["connected", "head 200", "body", "failed broken: undefined"])
  assert.equal(call.body().toString(), "a")
})

test("a pool that is closed leaves no socket open", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  assert.equal(await connectionOf(pool, server), 0)
  pool.close()
  await server.until(() => server.sockets[0]!.closed)
  const open = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap")
  assert.deepEqual(open, [])
})

test("a call given up in the last piece of a counted body, or in the head of an empty one, hears no end", async (t) => {
  for (const [answer, during, told] of [
    [SHORT, { body: ({ exchange }) => exchange.abort() }, ["connected", "head 200", "body"]],
    [
      `${OK}content-length: 0\r\n\r\n`,
      { head: ({ exchange }) => exchange.abort() },
      ["connected", "head 200"],
    ],
    [
      "HTTP/1.1 204 No Content\r\n\r\n",
      { head: ({ exchange }) => exchange.abort() },
      ["connected", "head 204"],
    ],
  ] satisfies [string, During, string[]][]) {
    const server = await startServer(t, (socket) => void socket.write(answer))
    const call = ask(openPool(t), server.origin, {}, during)
    await server.until(() => server.sockets[0]?.closed === true)
    assert.deepEqual(call.told, told)
  }
})

test("a pause that is taken back at once, from within the sink, loses nothing of the read", async (t) => {
  const answer = `${IN_CHUNKS}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`
  const server = await startServer(
    t,
    (socket, { path }) => void socket.write(path === "/other" ? SHORT : answer),
  )
  const pool = openPool(t)
  const call = ask(
    pool,
    server.origin,
    {},
    {
      body({ exchange }) {
        exchange.pause()
        exchange.resume()
      },
    },
  )
  await server.until(() => server.asked.length === 1)
  await someRoundTrips(pool, server)
  assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
  assert.equal(call.body().toString(), "abc")
})

test("a pause that is taken back at once loses nothing while the rest of an earlier pause is being given either", async (t) => {
  const answer = `${IN_CHUNKS}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`
  const server = await startServer(
    t,
    (socket, { path }) => void socket.write(path === "/other" ? SHORT : answer),
  )
  const pool = openPool(t)
  const call = ask(
    pool,
    server.origin,
    {},
    {
      body({ exchange, pieces }) {
        exchange.pause()
        if (pieces.length > 1) exchange.resume()
      },
    },
  )
  await call.until(() => call.count === 1)
  await someRoundTrips(pool, server)
  call.exchange.resume()
  await someRoundTrips(pool, server)
  assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
  assert.equal(call.body().toString(), "abc")
})

test("a pause from within the sink holds back the other records of the same read over TLS", async (t) => {
  const body = largeBody(1 << 20)
  const server = await startServer(
    t,
    (socket, { path }) => {
      if (path === "/other") return void socket.write(SHORT)
      socket.write(`${OK}content-length: ${body.length}\r\n\r\n`)
      socket.write(body)
    },
    { tls: trusted },
  )
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  const call = ask(
    pool,
    server.origin,
    {},
    { body: ({ exchange, pieces }) => pieces.length === 3 && exchange.pause() },
  )
  await call.until(() => call.pieces.length === 3)
  await someRoundTrips(pool, server)
  assert.equal(call.pieces.length, 3)
  call.exchange.resume()
  assert.equal(await call.over, "end")
  assert.ok(call.body().equals(body))
})

test("what is held back by a pause is not lost when the other side has closed over TLS", async (t) => {
  const answers = [
    `${IN_CHUNKS}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`,
    `${OK}content-length: 3\r\n\r\nabc`,
    `${OK}\r\nabc`,
  ]
  for (const answer of answers) {
    const server = await startServer(t, (socket) => void socket.end(answer), { tls: trusted })
    const other = await startServer(t, answerShortly)
    const pool = openPool(t, { tls: { ca: trusted.cert } })
    const call = ask(pool, server.origin, {}, { head: ({ exchange }) => exchange.pause() })
    await call.until(() => call.told.includes("head 200"))
    await someRoundTrips(pool, other)
    assert.deepEqual(call.told, ["connected", "head 200"], answer)
    call.exchange.resume()
    assert.equal(await call.over, "end", answer)
    assert.equal(call.body().toString(), "abc")
  }
})

test("a connection that has just been seen to close is not given to the next call", async (t) => {
  const server = await startServer(t, (socket, { path }) => {
    if (path !== "/held") socket.write(SHORT)
  })
  const pool = openPool(t)
  const both = [ask(pool, server.origin), ask(pool, server.origin)]
  for (const call of both) assert.equal(await call.over, "end")
  let next: Call | undefined
  const held = ask(
    pool,
    server.origin,
    { path: "/held" },
    {
      end() {
        next = ask(pool, server.origin)
      },
    },
  )
  await server.until(() => server.asked.length === 3)
  const { connection } = server.asked[2]!
  // Both arrive in one turn: the end of the idle one is seen first, and its 'close' event comes only after the turn.
  server.sockets[1 - connection]!.end(() => server.sockets[connection]!.write(SHORT))
  assert.equal(await held.over, "end")
  assert.equal(await next!.over, "end")
  assert.equal(server.sockets.length, 3)
})

test("a pause over TLS before the connection stands holds the answer back", async (t) => {
  const server = await startServer(t, answerShortly, { tls: trusted })
  const pool = openPool(t, { tls: { ca: trusted.cert } })
  const call = ask(pool, server.origin)
  call.exchange.pause()
  await call.until(() => call.told.length > 0)
  await someRoundTrips(pool, await startServer(t, answerShortly))
  assert.deepEqual(call.told, ["connected"])
  call.exchange.resume()
  assert.equal(await call.over, "end")
})

test("an answer whose sink throws in end() is told one of end and failed", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const call = ask(pool, server.origin, {}, { end: () => assert.fail("a mistake") })
  await call.until(() => call.told.includes("end"))
  await server.until(() => server.sockets[0]!.closed)
  assert.deepEqual(call.told, ["connected", "head 200", "body", "end"])
})

test("a call paused in the last piece of a counted body is told of the end later", async (t) => {
  const server = await startServer(t, answerShortly)
  const pool = openPool(t)
  const call = ask(pool, server.origin, {}, { body: ({ exchange }) => exchange.pause() })
  await call.until(() => call.count === 2)
  await someRoundTrips(pool, await startServer(t, answerShortly))
  assert.deepEqual(call.told, ["connected", "head 200", "body"])
  call.exchange.resume()
  assert.equal(await call.over, "end")
})
