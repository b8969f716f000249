/** The relay bench itself: what it measures of a gateway, and that its validation finds what is wrong with an answer. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { after, before, test } from "node:test"
import { type Child, start } from "./children.ts"
import { checkOut } from "./relay/commit.ts"
import { type Measured, measure } from "./relay/measure.ts"
import { accepts, freePort } from "./relay/ports.ts"
import { buildPrograms } from "./relay/programs.ts"
import type { LoadScenario } from "./relay/scenarios.ts"
import { measureStart } from "./relay/starts.ts"
import { sluice, type Target } from "./relay/targets.ts"

const noCompiler = process.platform !== "linux" || spawnSync("gcc", ["--version"]).error !== undefined
const skip = noCompiler && "Linux or gcc is absent: the relay bench was not tried"

/** So many answers, however long they take. */
const WHOLE = tiny(0, "-s 0 -c 4 -w 0 -t 20 -a 40")
const STREAMS = tiny(4, "-c 4 -n 10 -d 2 -w 0 -t 20 -a 12")

let folder: string
let loadgen: string
let upstream: Child
let upstreamPort: number

before(async () => {
  if (skip !== false) return
  folder = mkdtempSync(join(tmpdir(), "sluice-relay-test-"))
  const programs = buildPrograms()
  loadgen = programs.loadgen
  upstreamPort = await freePort()
  upstream = await start([programs.mock, String(upstreamPort)])
  while (!(await accepts(upstreamPort))) assert.ok(upstream.running, upstream.output())
})

after(async () => {
  await upstream?.stop()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

test("a small round against the gateway: every answer is whole, and every figure is there", {
  skip,
}, async () => {
  const target = await sluice({ upstreamPort, folder, profiles: undefined })
  const whole = await of(target, WHOLE)
  assert.deepEqual(wrongIn(whole), { errors: 0, warmUpErrors: 0, unanswered: 0, firstError: null })
  for (const figure of ["answersPerSecond", "answerP50", "cpuUsPerAnswer", "peakMegabytes"] as const)
    assert.ok((whole[figure] ?? 0) > 0, `${figure} is ${whole[figure]}`)
  const streams = await of(target, STREAMS)
  assert.deepEqual(wrongIn(streams), { errors: 0, warmUpErrors: 0, unanswered: 0, firstError: null })
  for (const figure of [
    "chunksPerSecond",
    "firstContentP50",
    "chunkP50",
    "cpuMsPerThousandChunks",
    "kilobytesPerStream",
  ] as const)
    assert.ok((streams[figure] ?? 0) > 0, `${figure} is ${streams[figure]}`)
})

test("the commit that is compared with runs its own sources, and is gone afterwards", { skip }, async () => {
  const checkout = await checkOut("HEAD", join(folder, "compared"))
  try {
    const gateway = realpathSync(join(checkout.tree, "node_modules/@sluice/gateway"))
    assert.equal(gateway, join(realpathSync(checkout.tree), "packages/gateway"))
    const target = await sluice({ upstreamPort, folder, profiles: undefined }, checkout)
    const { listeningMilliseconds, settledMegabytes } = await measureStart(target)
    assert.ok(listeningMilliseconds > 0 && settledMegabytes > 0)
    assert.equal((await of(target, STREAMS)).errors, 0)
  } finally {
    checkout.remove()
  }
  assert.equal(existsSync(checkout.tree), false)
})

test("a commit that does not exist is named", async () => {
  await assert.rejects(checkOut("no-such-commit", "unused"), /no commit called no-such-commit/)
})

/** What stands between the upstream and the load generator. */
type Spoil = (events: string[]) => readonly string[]

test("through a proxy that changes nothing, nothing is wrong", { skip }, async () => {
  const { errors, chunksPerSecond } = await through(relayed((events) => events))
  assert.equal(errors, 0)
  assert.ok(chunksPerSecond > 0)
})

const SPOILT: Readonly<Record<string, { readonly spoil: Spoil; readonly says: RegExp }>> = {
  "an event that is left out": { spoil: (events) => events.toSpliced(3, 1), says: /out of order/ },
  "the last content that is left out": {
    spoil: (events) => events.toSpliced(9, 1),
    says: /bad stream: 9 of 10/,
  },
  "an event that comes twice": {
    spoil: (events) => events.toSpliced(3, 0, events[3]!),
    says: /out of order/,
  },
  "two events in the wrong order": {
    spoil: (events) => events.with(3, events[4]!).with(4, events[3]!),
    says: /out of order/,
  },
  "an event of another stream": {
    spoil: (events) => events.with(3, events[3]!.replace(/SEQ:(\d+)/, "SEQ:9$1")),
    says: /out of order/,
  },
  "two events in one": {
    spoil: (events) => events.toSpliced(3, 2, `${events[3]}\n${events[4]}`),
    says: /two data lines/,
  },
  "an error within the stream": {
    spoil: (events) => events.toSpliced(5, 0, `data: {"error":{"message":"no"}}`),
    says: /unexpected event/,
  },
  "a finish that is left out": {
    spoil: (events) => events.map((event) => event.replace(/"finish_reason":"\w+"/, `"finish_reason":null`)),
    says: /0 finish_reason/,
  },
  "usage that comes twice": {
    spoil: (events) => events.flatMap((event) => (event.includes(`"usage":{`) ? [event, event] : [event])),
    says: /2 usage/,
  },
  "a stream without its end": {
    spoil: (events) => events.filter((event) => !event.includes("[DONE]")),
    says: /no \[DONE\]/,
  },
  "an event behind the end": { spoil: (events) => [...events, events[0]!], says: /event after \[DONE\]/ },
  "a line that is no event": {
    spoil: (events) => events.toSpliced(3, 0, "what: 1"),
    says: /not an SSE line/,
  },
}

for (const [what, { spoil, says }] of Object.entries(SPOILT)) {
  test(`validation finds ${what}`, { skip }, async () => {
    const { contentErrors, firstError } = await through(relayed(spoil))
    assert.ok(contentErrors > 0)
    assert.match(firstError ?? "", says)
  })
}

test("validation finds a last event that is not closed", { skip }, async () => {
  const { contentErrors, firstError } = await through(async (request, response) => {
    const { body } = await asked(request)
    response.end(body.trimEnd())
  })
  assert.ok(contentErrors > 0)
  assert.match(firstError ?? "", /last event not closed/)
})

test("validation finds an answer that is cut", { skip }, async () => {
  const { connectionErrors, firstError } = await through(async (request, response) => {
    const { body } = await asked(request)
    response.write(body.slice(0, body.length / 2), () => response.destroy())
  })
  assert.ok(connectionErrors > 0)
  assert.match(firstError ?? "", /closed within the answer/)
})

test("validation finds a status that is no success", { skip }, async () => {
  const { statusErrors, firstError } = await through((_, response) => {
    response.writeHead(502).end("no provider is left")
  })
  assert.ok(statusErrors > 0)
  assert.match(firstError ?? "", /HTTP status 502: no provider is left/)
})

test("validation finds an answer that falls silent, and counts apart one that has not begun", {
  skip,
}, async () => {
  const silent = { ...STREAMS, load: "-c 2 -n 10 -d 1 -w 0 -t 1" }
  let requests = 0
  const { stalledErrors, unanswered } = await through(async (request, response) => {
    const { body } = await asked(request)
    if (requests++ === 0) response.write(body.slice(0, body.length / 2))
  }, silent)
  assert.equal(stalledErrors, 1)
  assert.equal(unanswered, 1)
})

for (const [what, spoil] of Object.entries({
  "that is cut": (body: string) => body.slice(0, -10),
  "without its content": (body: string) => body.replace("SEQ:", ""),
  "without a finish_reason": (body: string) => body.replace(/"finish_reason":"\w+"/, `"finish_reason":null`),
})) {
  test(`validation finds a whole answer ${what}`, { skip }, async () => {
    const { contentErrors, firstError } = await through(async (request, response) => {
      response.end(spoil((await asked(request)).body))
    }, WHOLE)
    assert.ok(contentErrors > 0)
    assert.match(firstError ?? "", /bad JSON answer/)
  })
}

function relayed(spoil: Spoil): Handler {
  return async (request, response) => {
    const { body } = await asked(request)
    const events = spoil(body.split("\n\n").slice(0, -1))
    response.setHeader("content-type", "text/event-stream")
    response.end(events.map((event) => `${event}\n\n`).join(""))
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** Measures what a proxy of ours answers. */
async function through(handle: Handler, scenario = STREAMS): Promise<Measured> {
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    const { port } = server.address() as AddressInfo
    const target: Target = {
      name: "proxy",
      command: undefined,
      environment: {},
      port,
      model: "mock",
      key: "none",
    }
    return await of(target, scenario)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** The upstream's answer to a request, whole. */
async function asked(request: IncomingMessage): Promise<{ body: string }> {
  const sent = httpRequest({
    port: upstreamPort,
    host: "127.0.0.1",
    method: "POST",
    path: request.url ?? "/",
  })
  sent.end(await text(request))
  const [response] = (await once(sent, "response")) as [IncomingMessage]
  return { body: await text(response) }
}

function of(target: Target, scenario: LoadScenario): Promise<Measured> {
  return measure({ loadgen, upstream, pinned: false }, target, scenario)
}

function wrongIn({ errors, warmUpErrors, unanswered, firstError }: Measured): object {
  return { errors, warmUpErrors, unanswered, firstError }
}

function tiny(streams: number, load: string): LoadScenario {
  return { name: "tiny", title: "tiny", streams, warmUp: load, load, seconds: 1 }
}
