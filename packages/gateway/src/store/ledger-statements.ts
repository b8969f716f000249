/** The statements that every call costs. Prepared once per connection; `batch.ts` says when each is run. */
import type { Account, Terms } from "./accounts.ts"
import { OPEN_COLUMNS, SETTLED_COLUMNS, WHOLE_COLUMNS } from "./call-row.ts"
import type { Row, Value } from "./engine.ts"
import type { Budget } from "./key-record.ts"
import { type Columns, deleteFrom, insertInto, select, update } from "./row-statement.ts"
import { TOTALS_COLUMNS, TOTALS_KEY } from "./totals.ts"
import { money } from "./values.ts"

/** What must be known of a row to release its hold and to add it up. */
const HOLDING = ["id", "key_id", "project_id", "held", "held_tokens", "holding", "started_at"]

export const FIND_CALL = select("calls", ["id", "ended_at"], "id")
export const FIND_OPEN_CALL = select("calls", HOLDING, "id", { where: "ending IS NULL" })
export const INSERT_CALL = insertInto("calls", OPEN_COLUMNS)
export const INSERT_WHOLE_CALL = insertInto("calls", WHOLE_COLUMNS)
export const EXTEND_CALL = update("calls", { held: "integer" }, "id", { where: "calls.ending IS NULL" })
export const RESUME_CALL = update("calls", { resumed: "integer" }, "id", {
  added: ["resumed"],
  returning: ["id"],
})
export const ABANDON_CALL = deleteFrom("calls", "id", "ending IS NULL", HOLDING)
export const RELEASE_CALL = update("calls", { holding: "integer" }, "id", {
  where: "calls.ending IS NULL AND calls.holding = 1",
  returning: HOLDING,
})
export const SETTLE_CALL = update("calls", SETTLED_COLUMNS, "id", {
  added: ["resumed"],
  where: "calls.ending IS NULL",
  returning: [...HOLDING, "tags", "model_asked"],
})

const TERMS = ["id", "budget_amount", "budget_period"]
export const FIND_PROJECT = select("projects", TERMS, "id", { where: "deleted_at IS NULL" })
export const FIND_KEY = select(
  "keys",
  [...TERMS, "project_id", "limit_requests", "limit_tokens", "limit_parallel", "disabled", "expires_at"],
  "id",
  { where: "deleted_at IS NULL" },
)

/** Beside each column the account's member. */
const ACCOUNT = {
  subject: "subject",
  held: "held",
  running: "running",
  day_start: "dayStart",
  day_spent: "daySpent",
  week_start: "weekStart",
  week_spent: "weekSpent",
  month_start: "monthStart",
  month_spent: "monthSpent",
  total_spent: "totalSpent",
  minute_start: "minuteStart",
  requests: "requests",
  tokens: "tokens",
  last_requests: "lastRequests",
  last_tokens: "lastTokens",
} as const satisfies Record<string, keyof Account>

const ACCOUNT_COLUMNS: Columns = Object.fromEntries(
  Object.keys(ACCOUNT).map((name) => [name, name === "subject" ? "text" : "integer"]),
)

export const LOCK_ACCOUNT = select("accounts", Object.keys(ACCOUNT), "subject", { lock: true })
export const BEGIN_ACCOUNT = insertInto("accounts", ACCOUNT_COLUMNS, { key: ["subject"], existing: "keep" })
export const WRITE_ACCOUNT = insertInto("accounts", ACCOUNT_COLUMNS, {
  key: ["subject"],
  existing: "replace",
})
export const ADD_TOTALS = insertInto("usage_totals", TOTALS_COLUMNS, { key: TOTALS_KEY, existing: "add" })

export function accountValues(account: Account): Value[] {
  return Object.values(ACCOUNT).map((member) => account[member])
}

export function readAccount(row: Row): Account {
  return {
    subject: String(row["subject"]),
    held: money(row["held"]),
    running: Number(row["running"]),
    dayStart: Number(row["day_start"]),
    daySpent: money(row["day_spent"]),
    weekStart: Number(row["week_start"]),
    weekSpent: money(row["week_spent"]),
    monthStart: Number(row["month_start"]),
    monthSpent: money(row["month_spent"]),
    totalSpent: money(row["total_spent"]),
    minuteStart: Number(row["minute_start"]),
    requests: Number(row["requests"]),
    tokens: Number(row["tokens"]),
    lastRequests: Number(row["last_requests"]),
    lastTokens: Number(row["last_tokens"]),
  }
}

/** Of a key's row or of a project's. */
export function readTerms(row: Row): Terms {
  return {
    budget: readBudget(row),
    limits: {
      requestsPerMinute: numberOrNull(row["limit_requests"]),
      tokensPerMinute: numberOrNull(row["limit_tokens"]),
      parallel: numberOrNull(row["limit_parallel"]),
    },
  }
}

export function readBudget(row: Row): Budget | null {
  const { budget_amount: amount, budget_period: period } = row
  if (amount == null) return null
  if (period === "daily" || period === "weekly" || period === "monthly")
    return { amount: money(amount), period }
  return { amount: money(amount), period: "total" }
}

function numberOrNull(value: Value | undefined): number | null {
  return value == null ? null : Number(value)
}
