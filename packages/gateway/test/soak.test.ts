/** The short form of the soak: every fate of a stream at once, round after round, and then nothing may be left of it. */
import assert from "node:assert/strict"
import { createHook } from "node:async_hooks"
import type { IncomingHttpHeaders } from "node:http"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { type SimServer, startSimServer } from "../src/providers/sim-server.ts"
import { letGo } from "../src/tokens/count.ts"
import { call, eventFrames, idOf, startTestGateway, streamBody } from "./support.ts"

const WARM_UP_ROUNDS = 3
const ROUNDS = 10
const AT_ONCE = 40
const TOKENS = 20
const EVENTS = TOKENS + 3 // role, finish, usage
/** How long a state may take to come about. */
const DEADLINE = 20_000
/** Compiled code goes on growing for a while; the logs of these streams, were they left behind, are twice as much. */
const GROWTH = 2 << 20

const USAGE = { stream_options: { include_usage: true } }
const ENDLESS = "far/sim/a:tokens=100000,gap=5"

/** What may happen to a stream; each makes sure that it did, and gives the stream's id. */
const FATES: Readonly<Record<string, (chat: string) => Promise<string>>> = {
  async finished(chat) {
    const answer = await call(chat, { body: streamBody(`sim/a:tokens=${TOKENS},gap=2`, USAGE) })
    assertWhole((await answer.whole()).text)
    return idFrom(answer.headers)
  },
  async "finished, from a provider behind HTTP"(chat) {
    const answer = await call(chat, { body: streamBody(`far/sim/a:tokens=${TOKENS},gap=2`, USAGE) })
    assertWhole((await answer.whole()).text)
    return idFrom(answer.headers)
  },
  async "answered in one piece"(chat) {
    const answer = await call(chat, { body: { ...streamBody("far/sim/a"), stream: false } })
    assert.equal(answer.status, 200)
    await answer.whole()
    return idFrom(answer.headers)
  },
  async "left by its client"(chat) {
    const answer = await call(chat, { body: streamBody(ENDLESS) })
    await answer.frames(3)
    answer.leave()
    const id = idFrom(answer.headers)
    await until(async () => /"state":"cancelled"/.test((await stateOf(chat, id)).text))
    return id
  },
  async cancelled(chat) {
    const answer = await call(chat, { body: streamBody(ENDLESS) })
    await answer.frames(3)
    const id = idFrom(answer.headers)
    const said = await call(`${chat}/${id}/cancel`, { method: "POST" })
    assert.equal(said.status, 200)
    await said.whole()
    assert.match((await answer.whole()).text, /"error_type":"cancelled"/)
    return id
  },
  async resumed(chat) {
    const headers = { "sluice-on-disconnect": "drain:60" }
    const body = streamBody(`far/sim/a:tokens=${TOKENS},gap=5`, USAGE)
    const first = await call(chat, { body, headers })
    const seen = await first.frames(4)
    first.leave()
    const id = idFrom(first.headers)
    const again = await call(`${chat}/${id}`, { headers: { "last-event-id": "4" } })
    assertWhole(seen.join("") + (await again.whole()).text)
    return id
  },
  async "cut by its provider"(chat) {
    const answer = await call(chat, { body: streamBody("far/sim/a:cut=5,gap=2") })
    assert.match((await answer.whole()).text, /"error_type":"provider_error"/)
    return idFrom(answer.headers)
  },
  async "left waiting by its provider"(chat) {
    const answer = await call(chat, { body: streamBody("stalling") })
    assert.match((await answer.whole()).text, /"error_type":"timeout"/)
    return idFrom(answer.headers)
  },
  async "served by the next candidate"(chat) {
    const answer = await call(chat, { body: streamBody("second", USAGE) })
    // Whether the first was asked or is spared by then is up to its breaker.
    assert.equal(answer.headers["sluice-model"], `far/sim/a:tokens=${TOKENS}`)
    assertWhole((await answer.whole()).text)
    return idFrom(answer.headers)
  },
  async refused(chat) {
    const answer = await call(chat, { body: streamBody("far/sim/a:error=400") })
    assert.equal(answer.status, 400)
    await answer.whole()
    return idFrom(answer.headers)
  },
}

const configuration = (far: SimServer): string => `
providers:
  far: { kind: openai-compatible, base_url: "${far.url}/v1", credential: none }
models:
  stalling: { candidates: [{ provider: far, model: "sim/a:stall=3" }], timers: { idle: 200ms } }
  second:
    candidates:
      - { provider: far, model: "sim/a:error=401" }
      - { provider: far, model: "sim/a:tokens=${TOKENS}" }
# What is kept on purpose is soon over, and does not look like a leak.
streams: { keep: 2s }
server: { heartbeat: 5s }
`

test(`after ${ROUNDS} rounds of ${AT_ONCE} streams of every fate nothing is left of them`, async (context) => {
  const watch = watchProcess()
  let far = await startSimServer({ port: 0 })
  const { port } = far
  const gateway = await startTestGateway(configuration(far))
  const chat = `${gateway.url}/v1/chat/completions`
  try {
    const before = { ...watch.open(), TCPServerWrap: 1 }
    // What is made at the first need and then stays, compiled code above all, is no leak.
    await playRounds(WARM_UP_ROUNDS, chat)
    await far.close()
    const memoryBefore = usedMemory()

    far = await startSimServer({ port })
    await playRounds(ROUNDS, chat)
    // Its end closes the idle connections between the two.
    await far.close()
    // What is garbage by now may be given back in another thread, a while after the collection.
    await until(() => usedMemory() - memoryBefore < GROWTH).catch(() => {})
    const memoryAfter = usedMemory()
    context.diagnostic(`${megabytes(memoryBefore)} before, ${megabytes(memoryAfter)} after`)

    // Streams that were left are counted in a thread that would go only after a minute.
    await letGo()
    await until(() => surplus(before, watch.open()).length === 0).catch(() => {})
    assert.deepEqual(surplus(before, watch.open()), [])
    assert.ok(
      memoryAfter - memoryBefore < GROWTH,
      `${megabytes(memoryAfter - memoryBefore)} more than before`,
    )
    assert.deepEqual(watch.warnings, [])
  } finally {
    watch.stop()
    await gateway.close()
    await far.close().catch(() => {})
  }
})

/** Resolves when the gateway has forgotten the streams, too. */
async function playRounds(count: number, chat: string): Promise<void> {
  for (let round = 1; round <= count; round++) {
    const ids = await playRound(chat)
    if (round === count)
      for (const id of ids) await until(async () => (await stateOf(chat, id)).status === 404)
  }
}

async function playRound(chat: string): Promise<string[]> {
  const fates = Object.entries(FATES)
  return Promise.all(
    Array.from({ length: AT_ONCE }, async (_, index) => {
      const [name, fate] = fates[index % fates.length]!
      return fate(chat).catch((error: unknown) => {
        throw new Error(`a stream that was to be ${name}: ${error}`, { cause: error })
      })
    }),
  )
}

interface Watch {
  /** How many of what is open in this process: sockets, servers, pipes, and timers whether they hold it or not. */
  open(): Readonly<Record<string, number>>
  /** A listener too many, above all. */
  readonly warnings: readonly string[]
  stop(): void
}

function watchProcess(): Watch {
  const timers = new Set<number>()
  const hook = createHook({
    init(id, type) {
      if (type === "Timeout") timers.add(id)
    },
    destroy: (id) => void timers.delete(id),
    trackPromises: false,
  }).enable()
  const warnings: string[] = []
  const warned = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`)
  process.on("warning", warned)
  return {
    open() {
      const open: Record<string, number> = { timers: timers.size }
      for (const name of process.getActiveResourcesInfo())
        if (name !== "Timeout" && name !== "Immediate") open[name] = (open[name] ?? 0) + 1
      return open
    },
    warnings,
    stop() {
      hook.disable()
      process.off("warning", warned)
    },
  }
}

function surplus(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): string[] {
  return Object.entries(now)
    .map(([name, count]) => ({ name, more: count - (before[name] ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ name, more }) => `${more} ${name}`)
}

async function stateOf(chat: string, id: string): Promise<{ status: number; text: string }> {
  const answer = await call(`${chat}/${id}`)
  return { status: answer.status, text: (await answer.whole()).text }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come about: ${holds}`)
    await sleep(20)
  }
}

function assertWhole(text: string): void {
  const frames = eventFrames(text)
  assert.deepEqual(
    frames.map(idOf),
    Array.from({ length: EVENTS }, (_, index) => index + 1),
  )
  assert.ok(text.endsWith("data: [DONE]\n\n"))
}

function idFrom(headers: IncomingHttpHeaders): string {
  return String(headers["sluice-stream-id"])
}

/** Events are held as bytes, which are not on the heap. */
function usedMemory(): number {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}
