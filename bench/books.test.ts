import assert from "node:assert/strict"
import { after, test } from "node:test"
import { testPostgres } from "../scripts/postgres.ts"
import { runRush } from "./books/budget.ts"
import { compare, type Evidence } from "./books/compare.ts"
import { addedUp, answeredStreams, lostOf, lostPerTenThousand } from "./books/lost.ts"
import { type PlannedCall, planCalls } from "./books/plan.ts"
import { runBooks } from "./books.ts"

after(async () => (await testPostgres()).stop())

for (const database of ["sqlite", "postgres"] as const) {
  test(`${database}: 200 calls with a fault each, a kill and a drain: no row missing, double or wrong, and nothing held`, async (t) => {
    const result = await runBooks(200, 7, database)
    assert.deepEqual([...result.missing, ...result.double, ...result.wrong], [])
    for (const ending of ["finished", "failed"]) assert.equal(result.lost[ending]?.lost, 0, ending)
    assert.equal(Number(result.held), 0)
    assert.equal(result.running, 0)
    assert.ok(result.rows > 100, `${result.rows} rows`)
    for (const ending of ["finished", "failed", "cancelled", "interrupted"])
      assert.ok((result.endings[ending] ?? 0) > 0, `none is ${ending}: ${JSON.stringify(result.endings)}`)
    t.diagnostic(
      `${result.rows} rows in ${result.seconds.toFixed(0)} s, released after ${result.releasedAfter.toFixed(1)} s`,
    )
  })
}

for (const processes of [1, 3]) {
  const calls = processes === 1 ? 1_000 : 150
  test(`${calls} calls at once against a budget for a tenth of them, ${processes} process(es): no more is spent, all is released`, async () => {
    const result = await runRush({ processes, calls, paid: calls / 10, uncapped: false })
    assert.deepEqual(result.faults, [])
    assert.ok(result.spent > 0 && result.spent <= result.budget, `${result.spent} of ${result.budget}`)
    assert.equal(result.released, true)
    assert.deepEqual(Object.keys(result.statuses), ["200", "402"])
    assert.equal(result.done, result.statuses["200"])
  })
}

test("streams that outgrow their holds overdraw the budget by one extension each at most", async () => {
  const result = await runRush({ processes: 3, calls: 30, paid: 4, uncapped: true })
  assert.deepEqual(result.faults, [])
  assert.ok(result.spent > 0 && result.spent <= result.budget + result.bound)
  assert.equal(result.released, true)
  assert.equal(result.done + result.outOfBudget, result.statuses["200"])
  assert.ok(result.outOfBudget > 0)
})

/** What a comparison must find, planted: one that finds nothing says nothing. */
const [call] = planCalls(50, 3).filter(({ fate }) => fate === "read to its end")
const { model = "", input = 0, output = 0 } = call?.candidates[0] ?? {}
const tokens = { prompt_tokens: 7, completion_tokens: 9 }
const cost_nano = String(Math.round((7 * input + 9 * output) / 1_000))
const attempt = { model, usage: tokens, cost_nano }
const row = {
  id: "a",
  model_asked: call?.model ?? "",
  model,
  ending: "finished",
  reason: null,
  attempts: [attempt],
  usage: tokens,
  cost_nano,
  estimated: false,
}
const line = { model, prompt_tokens: 7, tokens: 9, completion_tokens: 9 }
const whole: Evidence = {
  calls: call === undefined ? [] : [call],
  seen: [],
  killed: new Set(),
  rows: [row],
  lines: [line],
  relayed: new Map(),
}

const PLANTED: Readonly<Record<string, Partial<Evidence>>> = {
  "a row that is missing": { rows: [] },
  "a row that is there twice": { rows: [row, { ...row, id: "b" }] },
  "a row that nobody asked for": { rows: [row, { ...row, model_asked: "another" }] },
  "a row that is open": { rows: [{ ...row, ending: null }] },
  "an interruption where nobody killed": { rows: [{ ...row, ending: "interrupted", estimated: true }] },
  "a token too many": { rows: [{ ...row, usage: { ...tokens, completion_tokens: 10 } }] },
  "a prompt that is not paid": { rows: [{ ...row, usage: { ...tokens, prompt_tokens: 0 } }] },
  "a nano-dollar too few": { rows: [{ ...row, cost_nano: String(Number(cost_nano) - 1) }] },
  "an estimate where there was a report": { rows: [{ ...row, estimated: true }] },
  "a provider that was asked twice": { lines: [line, line] },
  "an attempt that nobody wrote down": { rows: [{ ...row, attempts: [] }] },
  "tokens that were never sent": { lines: [{ ...line, tokens: 8 }] },
  "an answer that cost something and is not there": {
    rows: [{ ...row, model: null, attempts: [{ ...attempt, model: "other" }] }],
  },
}

test("the comparison finds nothing where nothing is wrong", () => {
  assert.ok(call !== undefined)
  assert.deepEqual(compare(whole), { missing: [], double: [], wrong: [] })
})

for (const [what, change] of Object.entries(PLANTED)) {
  test(`the comparison finds ${what}`, () => {
    const { missing, double, wrong } = compare({ ...whole, ...change })
    assert.ok(missing.length + double.length + wrong.length > 0)
  })
}

const stream = { ...call, streamed: true, model: "asked" } as PlannedCall
const answered = { ...row, model_asked: "asked" }

test("a token that was sent and that no replay gives is lost, whatever its stream's ending", () => {
  for (const ending of ["finished", "failed", "interrupted", "cancelled"]) {
    const lost = answeredStreams({
      calls: [stream],
      rows: [{ ...answered, ending }],
      lines: [line],
      replayed: new Map([["a", line.tokens - 2]]),
    })
    assert.deepEqual(lostOf(lost), { [ending]: { streams: 1, sent: line.tokens, lost: 2 } })
  }
})

test("a stream that a drain has cut is told apart from one that failed", () => {
  const rows = [{ ...answered, ending: "failed", reason: "gateway_shutdown" }]
  const lost = answeredStreams({ calls: [stream], rows, lines: [line], replayed: new Map() })
  assert.deepEqual(lostOf(lost), { stopped: { streams: 1, sent: line.tokens, lost: line.tokens } })
})

test("what a candidate sent that did not answer is not lost, nor is an answer in one piece", () => {
  const evidence = {
    rows: [answered],
    lines: [line, { ...line, model: "another" }],
    replayed: new Map([["a", 9]]),
  }
  assert.deepEqual(lostOf(answeredStreams({ ...evidence, calls: [stream] })), {
    finished: { streams: 1, sent: line.tokens, lost: 0 },
  })
  assert.deepEqual(lostOf(answeredStreams({ ...evidence, calls: [{ ...stream, streamed: false }] })), {})
})

test("losses are told by 10,000 streams, with and without those that a kill interrupted", () => {
  const one = { finished: { streams: 60, sent: 600, lost: 0 }, cancelled: { streams: 9, sent: 90, lost: 50 } }
  const other = {
    finished: { streams: 20, sent: 200, lost: 0 },
    interrupted: { streams: 20, sent: 100, lost: 4 },
  }
  const lost = addedUp([one, other])
  assert.deepEqual(lost["finished"], { streams: 80, sent: 800, lost: 0 })
  assert.equal(lostPerTenThousand(lost, "went on"), 0)
  assert.equal(lostPerTenThousand(lost, "stopped too"), 400)
})
