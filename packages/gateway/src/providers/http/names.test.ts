import assert from "node:assert/strict"
import type { LookupAddress } from "node:dns"
import { createServer } from "node:net"
import { test } from "node:test"
import { createNames, type NamesOptions } from "./names.ts"
import { createHttpPool, originOf } from "./pool.ts"
import { headOf } from "./request.ts"

const ONE: readonly LookupAddress[] = [{ address: "192.0.2.1", family: 4 }]

/** A resolver whose answers are given by hand, on a clock that stands still until it is set. */
function handNames(options: Omit<NamesOptions, "resolve" | "now"> = {}) {
  const asked: {
    host: string
    answer(addresses: readonly LookupAddress[]): void
    fail(error: Error): void
  }[] = []
  const clock = { now: 0 }
  const lookup = createNames({
    keep: 1_000,
    ...options,
    resolve(host) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>()
      asked.push({ host, answer: resolve, fail: reject })
      return promise
    },
    now: () => clock.now,
  })
  const all = (host: string): Promise<string[]> =>
    new Promise((resolve, reject) => {
      lookup(host, { all: true }, (error, addresses) =>
        error === null
          ? resolve((addresses as LookupAddress[]).map(({ address }) => address))
          : reject(error),
      )
    })
  return { lookup, asked, clock, all }
}

test("who asks while an answer is on its way, or has it fresh, asks the system nothing", async () => {
  const { asked, clock, all } = handNames()
  const burst = [all("a.example"), all("a.example"), all("a.example"), all("b.example")]
  assert.deepEqual(
    asked.map(({ host }) => host),
    ["a.example", "b.example"],
  )
  for (const { answer } of asked) answer(ONE)
  assert.deepEqual(await Promise.all(burst), Array(4).fill(["192.0.2.1"]))
  clock.now = 999
  assert.deepEqual(await all("a.example"), ["192.0.2.1"])
  assert.equal(asked.length, 2)
  clock.now = 1_000
  const again = all("a.example")
  assert.equal(asked.length, 3)
  asked[2]!.answer([{ address: "192.0.2.9", family: 4 }])
  assert.deepEqual(await again, ["192.0.2.9"])
})

test("a resolver that fails leaves the last answer standing, for as long as it may, and nothing where there was none", async () => {
  const { asked, clock, all } = handNames({ keepStale: 5_000 })
  const nothing = all("a.example")
  const failed = new Error("no resolver")
  asked[0]!.fail(failed)
  await assert.rejects(nothing, failed)
  const first = all("a.example")
  asked[1]!.answer(ONE)
  await first
  clock.now = 1_000
  const stale = all("a.example")
  asked[2]!.fail(failed)
  assert.deepEqual(await stale, ["192.0.2.1"])
  clock.now = 1_999
  assert.deepEqual(await all("a.example"), ["192.0.2.1"])
  assert.equal(asked.length, 3, "it is not asked again with each call")
  clock.now = 6_000
  const over = all("a.example")
  asked[3]!.fail(failed)
  await assert.rejects(over, failed)
})

test("a resolver that is late leaves the last answer standing, and is heard when it answers", async () => {
  const { asked, clock, all } = handNames({ patience: 1 })
  const first = all("a.example")
  asked[0]!.answer(ONE)
  await first
  clock.now = 1_000
  assert.deepEqual(await all("a.example"), ["192.0.2.1"])
  assert.equal(asked.length, 2)
  asked[1]!.answer([{ address: "192.0.2.9", family: 4 }])
  await new Promise(setImmediate)
  assert.deepEqual(await all("a.example"), ["192.0.2.9"])
})

test("a host's addresses are first in turn, within their family", async () => {
  const { asked, all } = handNames()
  const first = all("a.example")
  asked[0]!.answer([
    { address: "2001:db8::1", family: 6 },
    { address: "2001:db8::2", family: 6 },
    { address: "192.0.2.1", family: 4 },
  ])
  assert.deepEqual(await first, ["2001:db8::1", "2001:db8::2", "192.0.2.1"])
  assert.deepEqual(await all("a.example"), ["2001:db8::2", "2001:db8::1", "192.0.2.1"])
  assert.deepEqual(await all("a.example"), ["2001:db8::1", "2001:db8::2", "192.0.2.1"])
})

test("one address is given to whoever wants one", async () => {
  const { asked, lookup } = handNames()
  const one = new Promise((resolve) => lookup("a.example", {}, (...given) => resolve(given)))
  asked[0]!.answer(ONE)
  assert.deepEqual(await one, [null, "192.0.2.1", 4])
})

test("all connections of a pool ask for a host once", async (t) => {
  const server = createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", () => socket.end("HTTP/1.1 204 \r\nconnection: close\r\n\r\n"))
  })
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const asked: string[] = []
  const pool = createHttpPool({
    names: createNames({
      async resolve(host) {
        asked.push(host)
        return [{ address: "127.0.0.1", family: 4 }]
      },
    }),
  })
  t.after(() => pool.close())
  const origin = originOf(new URL(`http://provider.example:${port}`))
  const statuses = await Promise.all(
    Array.from(
      { length: 20 },
      () =>
        new Promise<number>((resolve, reject) => {
          let status = 0
          pool.send(
            origin,
            { head: headOf("GET", origin.authority, "/", {}) },
            {
              connected() {},
              head: (said) => (status = said),
              body() {},
              end: () => resolve(status),
              failed: ({ code }) => reject(new Error(code)),
            },
          )
        }),
    ),
  )
  assert.deepEqual([asked, statuses], [["provider.example"], Array(20).fill(204)])
})
