/** A call's record and its row: the columns in one order, the values in the same. */
import type {
  AttemptRecord,
  CallEnding,
  CallRecord,
  CallUsage,
  OpenCall,
  SettledCall,
} from "./call-record.ts"
import type { Row, Value } from "./engine.ts"
import { clampCount, clampMoney, flag, fromJson, json, measure, money, text, textOrNull } from "./values.ts"

export const OPEN_COLUMNS = {
  id: "text",
  process: "text",
  key_id: "text",
  project_id: "text",
  dialect: "text",
  dialect_rule: "text",
  model_asked: "text",
  streamed: "integer",
  client: "text",
  client_request_id: "text",
  tags: "text",
  started_at: "integer",
  held: "integer",
  held_tokens: "integer",
} as const

export function openValues(call: OpenCall, process: string, project: Value): Value[] {
  return [
    call.id,
    process,
    call.key,
    project,
    call.dialect,
    call.dialectRule,
    text(call.modelAsked),
    flag(call.streamed),
    textOrNull(call.client),
    textOrNull(call.clientRequestId),
    json(call.tags),
    call.startedAt,
    call.hold.amount ?? 0n,
    call.hold.tokens,
  ]
}

export const SETTLED_COLUMNS = {
  ending: "text",
  reason: "text",
  ended_at: "integer",
  model: "text",
  provider: "text",
  attempts: "text",
  prompt_tokens: "integer",
  completion_tokens: "integer",
  reasoning_tokens: "integer",
  cached_tokens: "integer",
  audio_tokens: "integer",
  cost: "integer",
  estimated: "integer",
  flags: "text",
  first_content_at: "integer",
  time_to_first_content: "real",
  tokens_per_second: "real",
  gap_p50: "real",
  gap_p99: "real",
  longest_stall: "real",
  resumed: "integer",
} as const

/** The settlement's columns, then the row's key. */
export function settledValues(call: SettledCall): Value[] {
  const { usage } = call
  return [
    call.ending,
    textOrNull(call.reason),
    call.endedAt,
    textOrNull(call.model),
    textOrNull(call.provider),
    json(call.attempts.map((attempt) => ({ ...attempt, cost: attempt.cost?.toString() ?? null }))),
    usage.promptTokens,
    usage.completionTokens,
    usage.reasoningTokens,
    usage.cachedTokens,
    usage.audioTokens,
    call.cost,
    flag(call.estimated),
    json(call.flags),
    call.firstContentAt ?? null,
    measure(call.timeToFirstContent),
    measure(call.tokensPerSecond),
    measure(call.gapP50),
    measure(call.gapP99),
    measure(call.longestStall),
    call.resumed,
    call.id,
  ]
}

export const WHOLE_COLUMNS = { ...OPEN_COLUMNS, ...SETTLED_COLUMNS } as const

export function wholeValues(call: OpenCall, process: string, project: Value, settled: SettledCall): Value[] {
  return [...openValues(call, process, project), ...settledValues(settled).slice(0, -1)]
}

/** What an open row says, as far as it is added up. */
export function rowOf(call: OpenCall, project: Value): Row {
  return {
    key_id: call.key,
    project_id: project,
    model_asked: text(call.modelAsked),
    tags: json(call.tags),
    started_at: call.startedAt,
  }
}

export function readCall(row: Row): CallRecord {
  const string = (name: string) => String(row[name])
  const number = (name: string) => Number(row[name])
  const stringOrNull = (name: string) => (row[name] == null ? null : String(row[name]))
  const numberOrNull = (name: string) => (row[name] == null ? null : Number(row[name]))
  return {
    id: string("id"),
    seq: number("seq"),
    process: string("process"),
    key: string("key_id"),
    project: stringOrNull("project_id"),
    dialect: string("dialect"),
    dialectRule: string("dialect_rule"),
    modelAsked: string("model_asked"),
    streamed: row["streamed"] === 1,
    client: stringOrNull("client"),
    clientRequestId: stringOrNull("client_request_id"),
    tags: fromJson<string[]>(row["tags"]),
    startedAt: number("started_at"),
    held: money(row["held"]),
    ending: stringOrNull("ending") as CallEnding | null,
    reason: stringOrNull("reason"),
    endedAt: numberOrNull("ended_at"),
    model: stringOrNull("model"),
    provider: stringOrNull("provider"),
    attempts: fromJson<WrittenAttempt[]>(row["attempts"]).map((attempt) => ({
      ...attempt,
      cost: attempt.cost === null ? null : BigInt(attempt.cost),
    })),
    usage: {
      promptTokens: number("prompt_tokens"),
      completionTokens: number("completion_tokens"),
      reasoningTokens: number("reasoning_tokens"),
      cachedTokens: number("cached_tokens"),
      audioTokens: number("audio_tokens"),
    },
    cost: row["cost"] == null ? null : money(row["cost"]),
    estimated: row["estimated"] === 1,
    flags: fromJson<string[]>(row["flags"]),
    firstContentAt: numberOrNull("first_content_at"),
    timeToFirstContent: numberOrNull("time_to_first_content"),
    tokensPerSecond: numberOrNull("tokens_per_second"),
    gapP50: numberOrNull("gap_p50"),
    gapP99: numberOrNull("gap_p99"),
    longestStall: numberOrNull("longest_stall"),
    resumed: number("resumed"),
  }
}

type WrittenAttempt = Omit<AttemptRecord, "cost"> & { readonly cost: string | null }

/** 70,000 USD, and tokens that no model takes: whatever a client asks for, a hundred thousand holds add up to what fits. */
const MOST_HELD = 2n ** 46n
const MOST_HELD_TOKENS = 2 ** 36

export function fittingHold(amount: bigint): bigint {
  const clamped = clampMoney(amount)
  return clamped < MOST_HELD ? clamped : MOST_HELD
}

/** JSON has no integers of 64 bits, so an attempt's cost is a string there. Everything else is made to fit its column. */
export function fittingOpen(call: OpenCall): OpenCall {
  const { amount, tokens, unpriced } = call.hold
  return {
    ...call,
    startedAt: clampCount(call.startedAt),
    tags: call.tags.length === 0 ? call.tags : [...new Set(call.tags.map(text))].filter((tag) => tag !== ""),
    hold: {
      amount: amount === null ? null : fittingHold(amount),
      tokens: Math.min(clampCount(tokens), MOST_HELD_TOKENS),
      unpriced,
    },
  }
}

/** A settlement is never refused for what it says: what cannot be is set right and flagged. */
export function fittingSettled(call: SettledCall): SettledCall {
  const usage: CallUsage = {
    promptTokens: clampCount(call.usage.promptTokens),
    completionTokens: clampCount(call.usage.completionTokens),
    reasoningTokens: clampCount(call.usage.reasoningTokens),
    cachedTokens: clampCount(call.usage.cachedTokens),
    audioTokens: clampCount(call.usage.audioTokens),
  }
  const cost = call.cost === null ? null : clampMoney(call.cost)
  const clamped =
    cost !== call.cost ||
    (Object.keys(usage) as (keyof CallUsage)[]).some((name) => call.usage[name] !== usage[name])
  return {
    ...call,
    usage,
    cost,
    endedAt: clampCount(call.endedAt),
    ...(call.firstContentAt === undefined ? {} : { firstContentAt: clampCount(call.firstContentAt) }),
    resumed: clampCount(call.resumed),
    flags: clamped && !call.flags.includes("clamped") ? [...call.flags, "clamped"] : call.flags,
  }
}
