/** Records of the store as the admin API shows them. */
import type {
  AdminAttempt,
  AdminBudget,
  AdminCall,
  AdminDialect,
  AdminKey,
  AdminProject,
  AdminSpend,
  AdminTokens,
} from "@sluice/protocol"
import type { AttemptRecord, CallRecord, CallUsage } from "../store/call-record.ts"
import type { Budget, KeyRecord, ProjectRecord, Spend } from "../store/key-record.ts"
import { nanoToUsd } from "./money.ts"

export function keyOnWire(key: KeyRecord, spend: Spend, now: number): AdminKey {
  const { requestsPerMinute, tokensPerMinute, parallel } = key.limits
  const isExpired = key.expiresAt !== null && now >= key.expiresAt
  const hasPrevious = key.previousUntil !== null && now < key.previousUntil
  return {
    id: key.id,
    name: key.name,
    project: key.project,
    tags: [...key.tags],
    admin: key.admin,
    prefix: key.prefix,
    status: key.disabled ? "disabled" : isExpired ? "expired" : "active",
    disabled: key.disabled,
    models: key.models === null ? null : [...key.models],
    providers: key.providers === null ? null : [...key.providers],
    budget: budgetOnWire(key.budget),
    limits: {
      requests_per_minute: requestsPerMinute,
      tokens_per_minute: tokensPerMinute,
      parallel,
    },
    on_disconnect: key.onDisconnect,
    dialect: key.dialect as AdminDialect | null, // written by our schema alone
    forbid_detach: key.forbidDetach,
    log_content: key.logContent,
    expires_at: timeOrNull(key.expiresAt),
    created_at: time(key.createdAt),
    previous_secret_until: hasPrevious ? timeOrNull(key.previousUntil) : null,
    spend: spendOnWire(spend),
  }
}

export function projectOnWire(project: ProjectRecord, spend: Spend): AdminProject {
  return {
    id: project.id,
    name: project.name,
    budget: budgetOnWire(project.budget),
    created_at: time(project.createdAt),
    spend: spendOnWire(spend),
  }
}

export function callOnWire(call: CallRecord): AdminCall {
  return {
    id: call.id,
    key: call.key,
    project: call.project,
    dialect: call.dialect,
    dialect_rule: call.dialectRule,
    model_asked: call.modelAsked,
    model: call.model,
    provider: call.provider,
    streamed: call.streamed,
    client: call.client,
    client_request_id: call.clientRequestId,
    tags: [...call.tags],
    started_at: time(call.startedAt),
    ended_at: timeOrNull(call.endedAt),
    ending: call.ending,
    reason: call.reason,
    attempts: call.attempts.map(attemptOnWire),
    usage: tokensOnWire(call.usage),
    ...costOnWire(call.cost),
    held_usd: nanoToUsd(call.held),
    estimated: call.estimated,
    flags: [...call.flags],
    first_content_at: timeOrNull(call.firstContentAt),
    time_to_first_content_ms: call.timeToFirstContent,
    tokens_per_second: call.tokensPerSecond,
    gap_p50_ms: call.gapP50,
    gap_p99_ms: call.gapP99,
    longest_stall_ms: call.longestStall,
    resumed: call.resumed,
  }
}

function attemptOnWire(attempt: AttemptRecord): AdminAttempt {
  return {
    provider: attempt.provider,
    model: attempt.model,
    started_at: time(attempt.startedAt),
    ended_at: time(attempt.endedAt),
    usage: attempt.usage === null ? null : tokensOnWire(attempt.usage),
    ...costOnWire(attempt.cost),
    estimated: attempt.estimated,
    status: attempt.status ?? null,
    error: attempt.error ?? null,
  }
}

export function tokensOnWire(usage: CallUsage): AdminTokens {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    reasoning_tokens: usage.reasoningTokens,
    cached_tokens: usage.cachedTokens,
    audio_tokens: usage.audioTokens,
  }
}

function costOnWire(cost: bigint | null): { cost_usd: string | null; cost_nano: string | null } {
  if (cost === null) return { cost_usd: null, cost_nano: null }
  return { cost_usd: nanoToUsd(cost), cost_nano: cost.toString() }
}

function budgetOnWire(budget: Budget | null): AdminBudget | null {
  return budget === null ? null : { amount_usd: nanoToUsd(budget.amount), period: budget.period }
}

function spendOnWire(spend: Spend): AdminSpend {
  return {
    daily_usd: nanoToUsd(spend.daily),
    weekly_usd: nanoToUsd(spend.weekly),
    monthly_usd: nanoToUsd(spend.monthly),
    total_usd: nanoToUsd(spend.total),
    held_usd: nanoToUsd(spend.held),
    running: spend.running,
  }
}

export function time(at: number): string {
  return new Date(at).toISOString()
}

function timeOrNull(at: number | null): string | null {
  return at === null ? null : time(at)
}
