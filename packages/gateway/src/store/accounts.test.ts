import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  type Held,
  moveOn,
  NO_TERMS,
  newAccount,
  overBudget,
  pay,
  periodStart,
  ratesOf,
  refusalOf,
  releaseHold,
  spendOf,
  takeHold,
  undoHold,
} from "./accounts.ts"

const MINUTE = 60_000
const DAY = 86_400_000
const AT = Date.UTC(2026, 2, 12, 10, 20)

test("periods begin at midnight UTC, weeks on Mondays, months on the first", () => {
  const date = (at: number) => new Date(at).toISOString().slice(0, 10)
  for (const [at, daily, weekly, monthly] of [
    ["2026-03-12T10:20:00Z", "2026-03-12", "2026-03-09", "2026-03-01"],
    ["2026-03-09T00:00:00Z", "2026-03-09", "2026-03-09", "2026-03-01"],
    ["2026-03-08T23:59:59.999Z", "2026-03-08", "2026-03-02", "2026-03-01"],
    ["2028-02-29T12:00:00Z", "2028-02-29", "2028-02-28", "2028-02-01"],
    ["2027-01-01T00:00:00Z", "2027-01-01", "2026-12-28", "2027-01-01"],
  ] as const) {
    const time = Date.parse(at)
    assert.equal(date(periodStart("daily", time)), daily)
    assert.equal(date(periodStart("weekly", time)), weekly)
    assert.equal(date(periodStart("monthly", time)), monthly)
    assert.equal(periodStart("total", time), 0)
  }
})

test("what is spent stays in its periods, and a clock that is behind takes nothing back", () => {
  const account = newAccount("key:a")
  const held = (startedAt: number): Held => ({ amount: 0n, tokens: 0, holding: false, startedAt })
  moveOn(account, AT)
  pay(account, held(AT), 5n, 0)
  moveOn(account, AT + DAY)
  pay(account, held(AT + DAY), 7n, 0)
  moveOn(account, AT)
  assert.deepEqual(spendOf(account), {
    daily: 7n,
    weekly: 12n,
    monthly: 12n,
    total: 12n,
    held: 0n,
    running: 0,
  })
  // It began yesterday: today has not paid for it.
  pay(account, held(AT), 100n, 0)
  assert.deepEqual(spendOf(account), {
    daily: 7n,
    weekly: 112n,
    monthly: 112n,
    total: 112n,
    held: 0n,
    running: 0,
  })
  moveOn(account, Date.UTC(2026, 3, 1))
  assert.deepEqual(spendOf(account), {
    daily: 0n,
    weekly: 0n,
    monthly: 0n,
    total: 112n,
    held: 0n,
    running: 0,
  })
})

test("a budget is used to the last nano-dollar and not one further", () => {
  const account = newAccount("project:a")
  moveOn(account, AT)
  takeHold(account, { amount: 60n, tokens: 0, unpriced: "refuse" })
  const budget = { amount: 100n, period: "daily" } as const
  assert.equal(overBudget("project", account, budget, 40n, AT), undefined)
  assert.deepEqual(overBudget("project", account, budget, 41n, AT), {
    reason: "budget",
    scope: "project",
    amount: 100n,
    spent: 0n,
    held: 60n,
    resetAt: Date.UTC(2026, 2, 13),
  })
  const monthly = overBudget("project", account, { amount: 0n, period: "monthly" }, 1n, AT)
  assert.equal(monthly?.reason === "budget" && monthly.resetAt, Date.UTC(2026, 3, 1))
})

test("a limit of nothing lets nothing through, and a call larger than a whole minute's worth waits for an empty one", () => {
  const account = newAccount("key:a")
  moveOn(account, AT)
  const hold = { amount: 0n, tokens: 5_000, unpriced: "allow" } as const
  const limited = (tokensPerMinute: number) => ({
    ...NO_TERMS,
    limits: { ...NO_TERMS.limits, tokensPerMinute },
  })
  assert.equal(refusalOf("key", account, limited(0), hold, AT)?.reason, "tokens")
  assert.equal(refusalOf("key", account, limited(100), hold, AT), undefined)
  takeHold(account, hold)
  const refused = refusalOf("key", account, limited(100), hold, AT)
  assert.equal(refused?.reason === "tokens" && refused.retryAt, AT + 2 * MINUTE)
})

test("over any minute no more requests pass than the limit and what a steady caller would add, and retryAt is the first moment that works", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 150 }),
      (limit, gaps) => {
        const account = newAccount("key:a")
        const terms = { ...NO_TERMS, limits: { ...NO_TERMS.limits, requestsPerMinute: limit } }
        const hold = { amount: 0n, tokens: 0, unpriced: "allow" } as const
        const passed: number[] = []
        let at = AT
        for (const gap of gaps) {
          at += gap
          moveOn(account, at)
          const refusal = refusalOf("key", account, terms, hold, at)
          if (refusal === undefined) {
            takeHold(account, hold)
            passed.push(at)
            assert.ok((ratesOf(account, terms, at).requests?.remaining ?? -1) >= 0)
          } else {
            assert.ok(refusal.reason === "requests")
            const early = { ...account }
            moveOn(early, refusal.retryAt - 1)
            assert.notEqual(refusalOf("key", early, terms, hold, refusal.retryAt - 1), undefined)
            const due = { ...account }
            moveOn(due, refusal.retryAt)
            assert.equal(refusalOf("key", due, terms, hold, refusal.retryAt), undefined)
          }
        }
        for (const begin of passed) {
          const sameMinute = passed.filter((time) => Math.floor(time / MINUTE) === Math.floor(begin / MINUTE))
          assert.ok(sameMinute.length <= limit)
        }
      },
    ),
  )
})

test("whatever is taken is given back: after every release nothing is held and nobody runs", () => {
  const holds = fc.array(
    fc.record({
      amount: fc.bigInt({ min: 0n, max: 10n ** 18n }),
      tokens: fc.integer({ min: 0, max: 10_000 }),
      undone: fc.boolean(),
      after: fc.integer({ min: 0, max: 3 * MINUTE }),
      cost: fc.bigInt({ min: 0n, max: 10n ** 18n }),
    }),
  )
  fc.assert(
    fc.property(holds, (calls) => {
      const account = newAccount("key:a")
      moveOn(account, AT)
      for (const { amount, tokens } of calls) takeHold(account, { amount, tokens, unpriced: "allow" })
      let spent = 0n
      for (const { amount, tokens, undone, after, cost } of calls) {
        const held: Held = { amount, tokens, holding: true, startedAt: AT }
        moveOn(account, AT + after)
        if (undone) undoHold(account, held)
        else {
          releaseHold(account, held)
          pay(account, held, cost, tokens + 1)
          spent += cost
        }
      }
      assert.deepEqual([account.held, account.running, account.totalSpent], [0n, 0, spent])
      assert.ok(account.requests >= 0 && account.tokens >= 0 && account.lastTokens >= 0)
    }),
  )
})
