/**
 * An account is what a key or a project has spent in the current day, week, month and ever, what its running calls
 * hold, and how far its limits a minute are used. Pure arithmetic; reading and writing accounts is `batch.ts`'s.
 *
 * Invariants:
 *   1. `held` is the sum of what the open calls hold, `running` their number; both change in the transaction that
 *      opens, extends, settles or releases a call.
 *   2. A call is paid from the periods in which it began. One that is settled when its day is over changes the day no more.
 *   3. Periods begin at 00:00 UTC, weeks on Mondays, and never go back, whatever a process's clock says.
 *   4. A minute's use is this minute's plus the rest of the last minute's: limits hold over any 60 seconds, not only
 *      over those that begin with a full minute.
 */
import type { Rate, Rates, Refusal } from "./admission.ts"
import type { HoldWanted } from "./call-record.ts"
import type { Budget, BudgetPeriod, KeyLimits, Spend } from "./key-record.ts"

export interface Account {
  /** `key:<id>` or `project:<id>`. */
  readonly subject: string
  held: bigint
  running: number
  dayStart: number
  daySpent: bigint
  weekStart: number
  weekSpent: bigint
  monthStart: number
  monthSpent: bigint
  totalSpent: bigint
  minuteStart: number
  requests: number
  tokens: number
  lastRequests: number
  lastTokens: number
}

/** What a key or a project may do; `limits` are a key's only. */
export interface Terms {
  readonly budget: Budget | null
  readonly limits: KeyLimits
}

export const NO_TERMS: Terms = {
  budget: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, parallel: null },
}

const MINUTE = 60_000
const DAY = 86_400_000

export function newAccount(subject: string): Account {
  return {
    subject,
    held: 0n,
    running: 0,
    dayStart: 0,
    daySpent: 0n,
    weekStart: 0,
    weekSpent: 0n,
    monthStart: 0,
    monthSpent: 0n,
    totalSpent: 0n,
    minuteStart: 0,
    requests: 0,
    tokens: 0,
    lastRequests: 0,
    lastTokens: 0,
  }
}

export function periodStart(period: BudgetPeriod, at: number): number {
  const day = at - (at % DAY)
  const date = new Date(day)
  switch (period) {
    case "daily":
      return day
    case "weekly":
      return day - ((date.getUTCDay() + 6) % 7) * DAY
    case "monthly":
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
    case "total":
      return 0
  }
}

/** Null: a total never begins anew. */
function periodEnd(period: BudgetPeriod, at: number): number | null {
  const start = periodStart(period, at)
  if (period === "daily") return start + DAY
  if (period === "weekly") return start + 7 * DAY
  const date = new Date(start)
  return period === "monthly" ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) : null
}

/** Moves the account on to the day, week, month and minute of this time. */
export function moveOn(account: Account, at: number): void {
  const day = periodStart("daily", at)
  if (day > account.dayStart) {
    account.dayStart = day
    account.daySpent = 0n
    const week = periodStart("weekly", at)
    if (week > account.weekStart) {
      account.weekStart = week
      account.weekSpent = 0n
    }
    const month = periodStart("monthly", at)
    if (month > account.monthStart) {
      account.monthStart = month
      account.monthSpent = 0n
    }
  }
  const minute = at - (at % MINUTE)
  if (minute <= account.minuteStart) return
  const follows = minute === account.minuteStart + MINUTE
  account.lastRequests = follows ? account.requests : 0
  account.lastTokens = follows ? account.tokens : 0
  account.minuteStart = minute
  account.requests = 0
  account.tokens = 0
}

export function spendOf(account: Account): Spend {
  return {
    daily: account.daySpent,
    weekly: account.weekSpent,
    monthly: account.monthSpent,
    total: account.totalSpent,
    held: account.held,
    running: account.running,
  }
}

/** Why this hold may not be taken; undefined: it may. The account has been moved on to `at`. */
export function refusalOf(
  scope: "key" | "project",
  account: Account,
  { budget, limits }: Terms,
  hold: HoldWanted,
  at: number,
): Refusal | undefined {
  if (limits.parallel !== null && account.running >= limits.parallel) {
    return { reason: "parallel", limit: limits.parallel }
  }
  if (limits.requestsPerMinute !== null) {
    const retryAt = freeAt(requestsOf(account), 1, limits.requestsPerMinute, at)
    if (retryAt > at) return { reason: "requests", limit: limits.requestsPerMinute, retryAt }
  }
  if (limits.tokensPerMinute !== null) {
    const retryAt = freeAt(tokensOf(account), hold.tokens, limits.tokensPerMinute, at)
    if (retryAt > at) return { reason: "tokens", limit: limits.tokensPerMinute, retryAt }
  }
  if (budget === null) return undefined
  if (hold.amount === null) return hold.unpriced === "allow" ? undefined : { reason: "unpriced", scope }
  return overBudget(scope, account, budget, hold.amount, at)
}

/** The refusal when this amount more would exceed the budget. */
export function overBudget(
  scope: "key" | "project",
  account: Account,
  budget: Budget | null,
  amount: bigint,
  at: number,
): Refusal | undefined {
  if (budget === null) return undefined
  const spent = spendOf(account)[budget.period]
  if (spent + account.held + amount <= budget.amount) return undefined
  const { held } = account
  const resetAt = periodEnd(budget.period, Math.max(at, account.dayStart))
  return { reason: "budget", scope, amount: budget.amount, spent, held, resetAt }
}

export function takeHold(account: Account, hold: HoldWanted): void {
  account.held += hold.amount ?? 0n
  account.running += 1
  account.requests += 1
  account.tokens += hold.tokens
}

/** What an open call has of its account. */
export interface Held {
  readonly amount: bigint
  readonly tokens: number
  /** False when it was released before, because its process was taken for dead. */
  readonly holding: boolean
  readonly startedAt: number
}

export function releaseHold(account: Account, held: Held): void {
  if (!held.holding) return
  account.held -= held.amount
  account.running -= 1
}

/** The call never began: nothing of it counts. */
export function undoHold(account: Account, held: Held): void {
  releaseHold(account, held)
  useMinute(account, held.startedAt, -1, -held.tokens)
}

/** What the call came to, into the periods in which it began. The account has been moved on, at least to its beginning. */
export function pay(account: Account, held: Held, cost: bigint, tokens: number): void {
  const { startedAt } = held
  if (startedAt >= account.dayStart) account.daySpent += cost
  if (startedAt >= account.weekStart) account.weekSpent += cost
  if (startedAt >= account.monthStart) account.monthSpent += cost
  account.totalSpent += cost
  useMinute(account, startedAt, 0, tokens - held.tokens)
}

export function ratesOf(account: Account, { limits }: Terms, at: number): Rates {
  const { requestsPerMinute, tokensPerMinute } = limits
  return {
    ...(requestsPerMinute === null ? {} : { requests: rateOf(requestsOf(account), requestsPerMinute, at) }),
    ...(tokensPerMinute === null ? {} : { tokens: rateOf(tokensOf(account), tokensPerMinute, at) }),
  }
}

function useMinute(account: Account, at: number, requests: number, tokens: number): void {
  const minute = at - (at % MINUTE)
  if (minute === account.minuteStart) {
    account.requests = Math.max(0, account.requests + requests)
    account.tokens = Math.max(0, account.tokens + tokens)
  } else if (minute === account.minuteStart - MINUTE) {
    account.lastRequests = Math.max(0, account.lastRequests + requests)
    account.lastTokens = Math.max(0, account.lastTokens + tokens)
  }
}

interface Minute {
  readonly start: number
  readonly used: number
  readonly last: number
}

function requestsOf(account: Account): Minute {
  return { start: account.minuteStart, used: account.requests, last: account.lastRequests }
}

function tokensOf(account: Account): Minute {
  return { start: account.minuteStart, used: account.tokens, last: account.lastTokens }
}

function usedAt(minute: Minute, at: number): number {
  const left = Math.min(MINUTE, Math.max(0, minute.start + MINUTE - at))
  return minute.used + Math.ceil((minute.last * left) / MINUTE)
}

/** The first time at which this much more is within the limit, if nobody else asks. */
function freeAt(minute: Minute, wanted: number, limit: number, at: number): number {
  if (limit < 1) return at + MINUTE
  // One call that alone is more than a minute's worth must be let through some time: when nothing else counts.
  const room = limit - Math.min(wanted, limit)
  if (usedAt(minute, at) <= room) return at
  if (minute.used <= room) return whenFaded(minute.start, minute.last, room - minute.used)
  return whenFaded(minute.start + MINUTE, minute.used, room)
}

/** When what the last minute left has shrunk to `room`, in the minute that begins at `start`. */
function whenFaded(start: number, last: number, room: number): number {
  return start + MINUTE - Math.floor((MINUTE * room) / last)
}

function rateOf(minute: Minute, limit: number, at: number): Rate {
  const used = usedAt(minute, at)
  const empty = minute.used > 0 ? minute.start + 2 * MINUTE : minute.last > 0 ? minute.start + MINUTE : at
  return { limit, remaining: Math.max(0, limit - used), resetAt: Math.max(at, empty) }
}
