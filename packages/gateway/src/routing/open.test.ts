import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import type { ChatRequest, Chunk, Completion, WireError } from "@sluice/protocol"
import { openai } from "@sluice/protocol/dialects"
import type { Attempt, AttemptListener, Provider } from "../providers/provider.ts"
import { createSimProvider } from "../providers/sim.ts"
import { createHealth } from "./health.ts"
import { type Commit, type MissedAttempt, open } from "./open.ts"
import type { Candidate, Plan, Timers } from "./plan.ts"

const DEFAULTS: Timers = { connect: 5_000, firstContent: 600_000, idle: 300_000, total: 1_800_000 }
const REQUEST: ChatRequest = { model: "m", messages: [{ role: "user", content: "hi" }] }

interface Opened {
  missed: MissedAttempt[]
  commits: Commit[]
  chunks: Chunk[]
  completions: Completion[]
  finished: boolean
  failed: { error: WireError; committed: boolean; attempts: number } | undefined
  pause(): void
  resume(): void
  abort(): void
}

function start(
  candidates: Candidate[],
  options: { timers?: Partial<Timers>; retries?: number; stream?: boolean } = {},
): Opened {
  const plan: Plan = {
    candidates,
    timers: { ...DEFAULTS, ...options.timers },
    retries: options.retries ?? 0,
    onDisconnect: { rule: "cancel" },
    commit: "content",
    foundBy: "alias",
  }
  const seen: Opened = {
    missed: [],
    commits: [],
    chunks: [],
    completions: [],
    finished: false,
    failed: undefined,
    pause: () => opening.pause(),
    resume: () => opening.resume(),
    abort: () => opening.abort(),
  }
  const opening = open(
    {
      plan,
      request: REQUEST,
      wanted: { honoured: new Set(), dropped: [] },
      health: createHealth(),
      stream: options.stream ?? true,
      random: () => 0.5,
      now: () => Date.now(),
      log() {},
    },
    {
      missed: (attempt) => seen.missed.push(attempt),
      committed: (commit) => seen.commits.push(commit),
      shortcut: { taken: 0, heardAt: 0, take: (_, start) => start },
      chunk: (chunk) => seen.chunks.push(chunk),
      flagged() {},
      completion: (completion) => seen.completions.push(completion),
      finished: () => {
        seen.finished = true
      },
      failed: (error, committed, attempts) => {
        seen.failed = { error, committed, attempts }
      },
    },
  )
  return seen
}

/** A provider in the test's hands: it does what it is told, when it is told. */
function puppet(name: string): {
  provider: Provider
  candidate: Candidate
  asked: AttemptListener[]
  closed: boolean[]
  /** How often it was told that it may be asked soon. */
  warmed(): number
} {
  const asked: AttemptListener[] = []
  const closed: boolean[] = []
  let warmed = 0
  const provider: Provider = {
    name,
    dialect: openai,
    vendor: "test",
    prefill: false,
    credentials: ["none"],
    policy: { dataCollection: undefined, zdr: false },
    open(_, listener): Attempt {
      const index = asked.push(listener) - 1
      closed.push(false)
      return {
        pause() {},
        resume() {},
        abort() {
          closed[index] = true
        },
      }
    },
    warm: () => void warmed++,
  }
  return { provider, candidate: { provider, model: "x" }, asked, closed, warmed: () => warmed }
}

const data = (delta: object, finish: string | null = null): string =>
  JSON.stringify({
    id: "1",
    object: "chat.completion.chunk",
    created: 1,
    model: "x",
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
const answered = { contentType: "text/event-stream", retryAfter: undefined }

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Virtual time, in steps small enough that what a timer starts can run before the next one is due. */
async function pass(t: TestContext, milliseconds: number, step = 1_000): Promise<void> {
  for (let gone = 0; gone < milliseconds; gone += step) {
    t.mock.timers.tick(Math.min(step, milliseconds - gone))
    await turn()
  }
}

function virtual(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] })
}

test("whoever would be asked next is told so, while the one before is being asked", async () => {
  const [first, second, third] = [puppet("first"), puppet("second"), puppet("third")]
  const warmed = (): number[] => [first.warmed(), second.warmed(), third.warmed()]
  const seen = start([first.candidate, second.candidate, third.candidate])
  await turn()
  assert.deepEqual(warmed(), [0, 1, 0])
  first.asked[0]!.failed({ reason: "connect", message: "refused" })
  assert.deepEqual(warmed(), [0, 1, 1])
  seen.abort()
})

test("connect: no connection in time means the next candidate, and the late one is closed", async (t) => {
  virtual(t)
  const slow = puppet("slow")
  const spare = puppet("spare")
  const seen = start([slow.candidate, spare.candidate], { timers: { connect: 2_000 } })
  await turn()
  await pass(t, 1_999, 1_999)
  assert.equal(spare.asked.length, 0)
  await pass(t, 1, 1)
  assert.equal(spare.asked.length, 1)
  assert.equal(slow.closed[0], true)
  seen.abort()
})

test("first_content: comments and roles do not count; the next candidate is asked", async (t) => {
  virtual(t)
  const slow = puppet("slow")
  const spare = puppet("spare")
  const seen = start([slow.candidate, spare.candidate], { timers: { firstContent: 10_000 } })
  await turn()
  slow.asked[0]!.connected()
  slow.asked[0]!.answered(200, answered)
  slow.asked[0]!.event(data({ role: "assistant", content: "" }))
  for (let second = 0; second < 9; second++) {
    await pass(t, 1_000)
    slow.asked[0]!.alive()
  }
  assert.equal(spare.asked.length, 0)
  await pass(t, 1_000)
  assert.equal(spare.asked.length, 1)
  assert.deepEqual(seen.chunks, [], "nothing of the first candidate was shown")
  seen.abort()
})

test("idle: comments reset it; silence after the commit point is a timeout of the stream itself", async (t) => {
  virtual(t)
  const one = puppet("one")
  const spare = puppet("spare")
  const seen = start([one.candidate, spare.candidate], { timers: { idle: 30_000 } })
  await turn()
  one.asked[0]!.connected()
  one.asked[0]!.answered(200, answered)
  one.asked[0]!.event(data({ content: "a" }))
  for (let minute = 0; minute < 5; minute++) {
    await pass(t, 29_000)
    one.asked[0]!.alive()
  }
  assert.equal(failureOf(seen), undefined)
  await pass(t, 30_000)
  assert.equal(seen.failed?.error.status, 504)
  assert.equal(seen.failed?.committed, true)
  assert.equal(spare.asked.length, 0)
})

test("idle does not run while we pause the provider", async (t) => {
  virtual(t)
  const one = puppet("one")
  const seen = start([one.candidate], { timers: { idle: 30_000 } })
  await turn()
  one.asked[0]!.connected()
  one.asked[0]!.answered(200, answered)
  one.asked[0]!.event(data({ content: "a" }))
  seen.pause()
  await pass(t, 600_000, 10_000)
  assert.equal(failureOf(seen), undefined)
  seen.resume()
  await pass(t, 29_999, 29_999)
  assert.equal(failureOf(seen), undefined)
  await pass(t, 1)
  assert.equal(seen.failed?.error.status, 504)
})

test("total: before the commit point the next candidate, after it a timeout", async (t) => {
  virtual(t)
  const one = puppet("one")
  const two = puppet("two")
  const seen = start([one.candidate, two.candidate], { timers: { total: 60_000 } })
  await turn()
  one.asked[0]!.connected()
  await pass(t, 60_000)
  assert.equal(two.asked.length, 1)
  two.asked[0]!.connected()
  two.asked[0]!.answered(200, answered)
  for (let second = 0; second < 59; second++) {
    two.asked[0]!.event(data({ content: "a" }))
    await pass(t, 1_000)
  }
  assert.equal(failureOf(seen), undefined)
  await pass(t, 1_000)
  assert.equal(seen.failed?.error.status, 504)
  assert.equal(seen.chunks.length, 59)
})

test("under the defaults a model that thinks in hiding for 90 s answers, streamed and whole", async (t) => {
  virtual(t)
  const sim: Candidate = { provider: createSimProvider(), model: "story:ttft=90s,tokens=3" }
  const streamed = start([sim])
  await turn()
  await pass(t, 89_000)
  assert.equal(streamed.commits.length, 0)
  await pass(t, 5_000)
  assert.equal(failureOf(streamed), undefined)
  assert.equal(streamed.commits.length, 1)

  const whole = start([sim], { stream: false })
  await turn()
  await pass(t, 95_000)
  assert.equal(failureOf(whole), undefined)
  seenText(streamed)
})

/** Through a function, so that the compiler does not take one look for all later ones. */
function failureOf(seen: Opened): Opened["failed"] {
  return seen.failed
}

function seenText(seen: Opened): void {
  assert.equal(
    seen.chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.delta.content).length,
    3,
  )
}

test("what is held back is bounded: after 64 empty events the candidate is taken", async () => {
  const one = puppet("one")
  const seen = start([one.candidate])
  await turn()
  one.asked[0]!.connected()
  one.asked[0]!.answered(200, answered)
  for (let count = 0; count < 63; count++) one.asked[0]!.event(data({ role: "assistant" }))
  assert.equal(seen.commits.length, 0)
  one.asked[0]!.event(data({ role: "assistant" }))
  assert.equal(seen.commits.length, 1)
  assert.equal(seen.chunks.length, 64)
  seen.abort()
})

test("retries go round the candidates that may recover, with jitter, and honour Retry-After", async (t) => {
  virtual(t)
  const busy = puppet("busy")
  const denied = puppet("denied")
  const seen = start([busy.candidate, denied.candidate], { retries: 2 })
  await turn()
  const refuse = (asked: AttemptListener, status: number, retryAfter?: number): void => {
    asked.connected()
    asked.answered(status, { contentType: "application/json", retryAfter })
    asked.body('{"error":{"message":"no"}}')
  }
  refuse(busy.asked[0]!, 429, 3)
  refuse(denied.asked[0]!, 401)
  await pass(t, 125, 125)
  assert.equal(busy.asked.length, 2, "half of 250 ms: the last failure asked for nothing more")
  refuse(busy.asked[1]!, 429, 3)
  await pass(t, 2_999, 2_999)
  assert.equal(busy.asked.length, 2)
  await pass(t, 1, 1)
  assert.equal(busy.asked.length, 3)
  assert.equal(denied.asked.length, 1, "a refused credential is not asked again")
  refuse(busy.asked[2]!, 429, 3)
  await turn()
  assert.equal(seen.failed?.error.status, 429)
  assert.equal(seen.failed?.error.retryAfter, 3)
  assert.equal(seen.failed?.attempts, 4)
})

test("a Retry-After that nobody would wait for is passed on at once", async (t) => {
  virtual(t)
  const busy = puppet("busy")
  const seen = start([busy.candidate], { retries: 5 })
  await turn()
  busy.asked[0]!.connected()
  busy.asked[0]!.answered(429, { contentType: "application/json", retryAfter: 60 })
  busy.asked[0]!.body("")
  assert.equal(seen.failed?.error.retryAfter, 60)
  assert.equal(busy.asked.length, 1)
})

test("each status of a provider means what the table says, and the client never sees a 401 that is ours", async () => {
  const cases: [number, number, string, boolean][] = [
    [400, 400, "invalid_request", false],
    [401, 502, "provider_auth", true],
    [402, 502, "provider_auth", true],
    [403, 502, "provider_auth", true],
    [404, 404, "model_not_found", true],
    [408, 504, "timeout", true],
    [409, 502, "provider_error", true],
    [413, 413, "payload_too_large", false],
    [422, 422, "unprocessable", false],
    [425, 502, "provider_error", true],
    [429, 429, "rate_limit_exceeded", true],
    [500, 502, "provider_error", true],
    [502, 502, "provider_error", true],
    [503, 503, "provider_overloaded", true],
    [529, 503, "provider_overloaded", true],
    [301, 502, "provider_error", true],
  ]
  for (const [status, shown, kind, next] of cases) {
    const one = puppet("one")
    const spare = puppet("spare")
    for (const candidates of [[one.candidate], [one.candidate, spare.candidate]]) {
      const seen = start(candidates)
      await turn()
      const asked = one.asked.at(-1)!
      asked.connected()
      asked.answered(status, { contentType: "application/json", retryAfter: undefined })
      asked.body('{"error":{"message":"the words of the provider"}}')
      if (candidates.length === 1 || !next) {
        assert.equal(seen.failed?.error.status, shown, `${status}`)
        assert.equal(seen.failed?.error.kind, kind, `${status}`)
      } else assert.equal(spare.asked.length, 1, `${status}`)
      seen.abort()
      spare.asked.length = 0
    }
  }
})

test("a context that is too long for one candidate may fit another", async () => {
  const small = puppet("small")
  const large = puppet("large")
  const seen = start([small.candidate, large.candidate])
  await turn()
  small.asked[0]!.connected()
  small.asked[0]!.answered(400, { contentType: "application/json", retryAfter: undefined })
  small.asked[0]!.body('{"error":{"message":"too long","code":"context_length_exceeded"}}')
  assert.equal(large.asked.length, 1)
  seen.abort()
})

test("a provider that cannot even be asked, by a mistake of ours, fails the call and nothing else", async () => {
  const { provider } = puppet("a")
  const broken: Candidate = {
    provider: {
      ...provider,
      open() {
        throw new TypeError("not a function")
      },
    },
    model: "x",
  }
  const seen = start([broken])
  await Promise.resolve()
  assert.equal(seen.failed?.error.status, 500)
  assert.ok(!seen.failed?.error.message.includes("not a function"))
})
