import assert from "node:assert/strict"
import { test } from "node:test"
import { openai } from "@sluice/protocol/dialects"
import type { Provider } from "../providers/provider.ts"
import { createHealth, type Health } from "./health.ts"
import { inOrder } from "./order.ts"
import type { WeightedCandidate } from "./plan.ts"

const NONE: ReadonlySet<number> = new Set()

function candidate(
  name: string,
  model = "m",
  credentials: [string, ...string[]] = ["one"],
): WeightedCandidate {
  const provider: Provider = {
    name,
    dialect: openai,
    vendor: "test",
    prefill: false,
    credentials,
    policy: { dataCollection: undefined, zdr: false },
    open() {
      throw new Error("health opens nothing")
    },
  }
  return { provider, model, weight: 1 }
}

interface Clock {
  now: number
}

function started(): { health: Health; clock: Clock } {
  const clock: Clock = { now: 1_000 }
  return { health: createHealth(() => clock.now), clock }
}

/** One call that answers after so many milliseconds. */
function answer(health: Health, clock: Clock, candidate: WeightedCandidate, after: number): void {
  const asking = health.ask(candidate, NONE)!
  clock.now += after
  asking.firstContent()
  asking.finished(10)
}

function order(
  health: Health,
  candidates: readonly WeightedCandidate[],
  strategy: "latency" | "least-busy",
): string[] {
  const view = { figuresOf: health.figuresOf, priceOf: () => undefined, random: () => 0 }
  return inOrder(candidates, strategy, view).map(({ provider }) => provider.name)
}

test("latency finds the fast one of three and notices when it turns slow, each within 20 calls", () => {
  const { health, clock } = started()
  const three = ["slow", "fast", "middling"].map((name) => candidate(name))
  const takes: Record<string, number> = { slow: 300, fast: 20, middling: 90 }
  const asked = (calls: number): string[] =>
    Array.from({ length: calls }, () => {
      const [first] = order(health, three, "latency")
      answer(health, clock, three.find(({ provider }) => provider.name === first)!, takes[first!]!)
      return first!
    })
  assert.deepEqual(asked(20).slice(3), Array(17).fill("fast"))
  takes["fast"] = 900
  assert.equal(asked(20).filter((name) => name === "middling").length, 19)
})

test("one that was slow is tried again some day, and keeps its place if it is slow still", () => {
  const { health, clock } = started()
  const [slow, fast] = [candidate("slow"), candidate("fast")]
  answer(health, clock, slow, 300)
  answer(health, clock, fast, 20)
  assert.equal(order(health, [slow, fast], "latency")[0], "fast")
  let minutes = 0
  while (order(health, [slow, fast], "latency")[0] === "fast") {
    clock.now += 60_000
    answer(health, clock, fast, 20)
    minutes++
  }
  assert.ok(minutes > 1 && minutes < 10, String(minutes))
  answer(health, clock, slow, 300)
  assert.equal(order(health, [slow, fast], "latency")[0], "fast")
})

test("while an unknown one is being asked the known ones are asked", () => {
  const { health, clock } = started()
  const [known, unknown] = [candidate("known"), candidate("unknown")]
  answer(health, clock, known, 50)
  assert.equal(order(health, [known, unknown], "latency")[0], "unknown")
  health.ask(unknown, NONE)
  assert.equal(order(health, [known, unknown], "latency")[0], "known")
})

test("least-busy goes by attempts under way, and an attempt ends once", () => {
  const { health } = started()
  const [a, b] = [candidate("a"), candidate("b")]
  const first = health.ask(a, NONE)!
  assert.deepEqual(order(health, [a, b], "least-busy"), ["b", "a"])
  first.left()
  first.finished(1)
  assert.equal(health.figuresOf(a).busy, 0)
  assert.deepEqual(order(health, [a, b], "least-busy"), ["a", "b"])
})

test("a provider that cannot be reached is spared with all its models, one whose model fails with that model alone", () => {
  const { health } = started()
  for (let call = 0; call < 5; call++) {
    health.ask(candidate("gone"), NONE)!.failed({ blame: "provider", stalled: false })
    health.ask(candidate("there", "bad"), NONE)!.failed({ blame: "model", stalled: false })
  }
  assert.ok(health.figuresOf(candidate("gone", "another")).dueAt > 0)
  assert.ok(health.figuresOf(candidate("there", "bad")).dueAt > 0)
  assert.equal(health.figuresOf(candidate("there", "good")).dueAt, 0)
})

test("credentials take turns, a refused one is passed over, and all refused are asked all the same", () => {
  const { health, clock } = started()
  const one = candidate("p", "m", ["x", "y", "z"])
  const turns = (count: number): number[] =>
    Array.from({ length: count }, () => {
      const asking = health.ask(one, NONE)!
      asking.finished(1)
      return asking.credential
    })
  assert.deepEqual(turns(6), [0, 1, 2, 0, 1, 2])
  health.ask(one, new Set([1, 2]))!.failed({ blame: "credential", stalled: false })
  assert.ok(!turns(6).includes(0))
  assert.equal(health.figuresOf(one).dueAt, 0)
  health.ask(one, new Set([0, 2]))!.failed({ blame: "credential", stalled: false })
  clock.now += 1
  health.ask(one, new Set([0, 1]))!.failed({ blame: "credential", stalled: false })
  assert.ok(health.figuresOf(one).dueAt > 0)
  assert.equal(health.ask(one, NONE)!.credential, 0, "the one that is due first")
  assert.equal(health.ask(one, new Set([0, 1, 2])), undefined)
})

test("only one call probes", () => {
  const { health, clock } = started()
  const one = candidate("p")
  health.ask(one, NONE)!.failed({ blame: "model", stalled: false, retryAfter: 50 })
  clock.now += 50
  assert.equal(health.figuresOf(one).dueAt, 0)
  const probe = health.ask(one, NONE)!
  assert.ok(health.figuresOf(one).dueAt > clock.now)
  probe.finished(1)
  assert.equal(health.figuresOf(one).dueAt, 0)
})

test("a request's own fault is nobody's failure", () => {
  const { health } = started()
  for (let call = 0; call < 20; call++)
    health.ask(candidate("p"), NONE)!.failed({ blame: "nobody", stalled: false })
  assert.deepEqual([...health.breakers()], [])
})

test("breakers are read by provider, credential and model, and no name of a credential is shown", () => {
  const { health } = started()
  health.ask(candidate("p", "m", ["secret-name"]), NONE)!.failed({ blame: "model", stalled: true })
  assert.deepEqual([...health.breakers()], [{ provider: "p", credential: 1, model: "m", state: "closed" }])
})

test("models that clients make up are forgotten again", () => {
  const { health } = started()
  for (let name = 0; name < 5_000; name++) {
    health.ask(candidate("p", String(name)), NONE)!.failed({ blame: "model", stalled: false })
  }
  assert.ok([...health.breakers()].length <= 2_000)
  assert.equal(health.figuresOf(candidate("p", "0")).firstContent, undefined)
})
