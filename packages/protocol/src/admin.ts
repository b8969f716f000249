/**
 * The admin API's words: what stands on the wire under `/admin`. Money is a decimal string of US dollars, exact to the
 * nano-dollar; where a cost is meant for adding up, the whole nano-dollars stand beside it. Times are ISO 8601, UTC.
 */

/** Pages are followed by `cursor=<next>`; on the last one `next` is null. */
export interface AdminPage<Item> {
  data: Item[]
  next: string | null
}

export interface AdminBudget {
  amount_usd: string
  /** Begins anew at 00:00 UTC: each day, each Monday, each first of the month, never. */
  period: "daily" | "weekly" | "monthly" | "total"
}

/** Null: no limit. */
export interface AdminLimits {
  requests_per_minute: number | null
  tokens_per_minute: number | null
  /** Calls that run at the same time. */
  parallel: number | null
}

/** What was spent in the running day, week and month and ever, and what running calls hold besides. */
export interface AdminSpend {
  daily_usd: string
  weekly_usd: string
  monthly_usd: string
  total_usd: string
  held_usd: string
  running: number
}

export type AdminDialect = "openai" | "openrouter" | "r9s" | "atoma" | "orq"

/** What is chosen for a key. */
export interface AdminKeySettings {
  name: string
  /** A project's id. Its budget and the key's must both allow a call. */
  project: string | null
  tags: string[]
  /** Models that may be asked for; a name may end in `*`. Null: all. */
  models: string[] | null
  /** Providers that may answer; a name may end in `*`. Null: all. */
  providers: string[] | null
  budget: AdminBudget | null
  limits: AdminLimits
  /** What becomes of a call whose client is gone: `cancel`, `drain:<seconds>` or `detach`. */
  on_disconnect: string | null
  /** The language that the key's calls at `/v1` are answered in. */
  dialect: AdminDialect | null
  forbid_detach: boolean
  /** Whether what its calls ask and answer is kept. */
  log_content: boolean
  expires_at: string | null
}

export interface AdminKey extends AdminKeySettings {
  /** The identity: it stays when the secret is rotated. */
  id: string
  admin: boolean
  /** The beginning of the secret. */
  prefix: string
  status: "active" | "disabled" | "expired"
  disabled: boolean
  created_at: string
  /** Until when the secret before the last rotation is good as well. */
  previous_secret_until: string | null
  spend: AdminSpend
}

/** The only answers that show a secret: of a key's creation, and of its rotation. */
export interface AdminKeyWithSecret {
  key: AdminKey
  secret: string
}

export interface AdminKeyCreate extends Partial<Omit<AdminKeySettings, "name" | "limits">> {
  name: string
  limits?: Partial<AdminLimits>
  /** May use the admin API. It cannot be changed later. */
  admin?: boolean
}

/** What is left out stays as it is. */
export interface AdminKeyPatch extends Partial<Omit<AdminKeySettings, "limits">> {
  limits?: Partial<AdminLimits>
  disabled?: boolean
}

export interface AdminKeyRotate {
  /** How long the old secret stays good. Default 0. */
  grace_seconds?: number
}

export interface AdminProject {
  id: string
  name: string
  budget: AdminBudget | null
  created_at: string
  spend: AdminSpend
}

export interface AdminProjectCreate {
  name: string
  budget?: AdminBudget | null
}

export interface AdminProjectPatch {
  name?: string
  budget?: AdminBudget | null
}

export interface AdminDeleted {
  id: string
  deleted: true
}

export type AdminEnding = "finished" | "failed" | "cancelled" | "interrupted"

export interface AdminTokens {
  prompt_tokens: number
  completion_tokens: number
  reasoning_tokens: number
  cached_tokens: number
  audio_tokens: number
}

/** One try at a candidate. */
export interface AdminAttempt {
  provider: string
  model: string
  started_at: string
  ended_at: string
  usage: AdminTokens | null
  /** Null: its model has no price. */
  cost_usd: string | null
  cost_nano: string | null
  estimated: boolean
  status: number | null
  error: { type: string; message: string } | null
}

/** A call's row in the ledger. */
export interface AdminCall {
  id: string
  key: string
  project: string | null
  dialect: string
  /** Which rule chose the dialect. */
  dialect_rule: string
  model_asked: string
  /** Who answered; null when nobody has. */
  model: string | null
  provider: string | null
  streamed: boolean
  /** The user agent. */
  client: string | null
  /** The caller's own name for the call. */
  client_request_id: string | null
  tags: string[]
  started_at: string
  ended_at: string | null
  /** Null: it runs. */
  ending: AdminEnding | null
  reason: string | null
  attempts: AdminAttempt[]
  usage: AdminTokens
  cost_usd: string | null
  cost_nano: string | null
  /** Of the budget, before the call was settled. */
  held_usd: string
  /** The usage was counted here, or cut short. */
  estimated: boolean
  flags: string[]
  first_content_at: string | null
  time_to_first_content_ms: number | null
  tokens_per_second: number | null
  gap_p50_ms: number | null
  gap_p99_ms: number | null
  longest_stall_ms: number | null
  resumed: number
}

/** A call's events as they were sent, for as long as its stream is kept. */
export interface AdminCallEvents {
  id: string
  /** Null: it runs. */
  ending: AdminEnding | null
  /** The oldest event that is left, and the newest. */
  first: number
  last: number
  data: { seq: number; frame: string }[]
  /** Where to read on: `after=<next>`; null at the newest. */
  next: number | null
}

/** What a call was about, where its key asks for keeping that. */
export interface AdminCallContent {
  id: string
  request: string
  answer: string | null
}

export interface AdminCallFilter {
  key?: string
  project?: string
  /** That answered, or that was asked where none did. */
  model?: string
  provider?: string
  ending?: AdminEnding | "open"
  tag?: string
  /** Began at or after this time. */
  from?: string
  /** Began before this time. */
  to?: string
}

export interface AdminPageQuery {
  /** Default 50. */
  limit?: number
  cursor?: string
}

export type AdminCallsQuery = AdminCallFilter & AdminPageQuery

export interface AdminEventsQuery {
  /** Events behind this number. Default 0. */
  after?: number
}

export type AdminUsageGroup = "time" | "key" | "project" | "model" | "provider" | "ending" | "tag"

/** Settled calls that began in `[from, to)`, which are moved outwards to full hours. Default: the last 30 days. */
export interface AdminUsageQuery extends Omit<AdminCallFilter, "ending"> {
  /** A call with two tags is in two groups of tags, one without in none. */
  by?: AdminUsageGroup[]
  /** For `time`. Default `day`. */
  bucket?: "hour" | "day" | "week" | "month"
  ending?: AdminEnding
}

/** Only the members that were grouped by. */
export interface AdminUsageRow extends AdminTokens {
  group: {
    time?: string
    key?: string
    project?: string | null
    model?: string
    /** Null: nobody answered. */
    provider?: string | null
    ending?: AdminEnding
    tag?: string
  }
  calls: number
  /** Of the calls that have a cost. */
  cost_usd: string
  cost_nano: string
  /** Calls that have none. */
  unpriced: number
  estimated: number
  /** How often the calls were resumed. */
  resumed: number
}

export interface AdminUsage {
  from: string
  to: string
  data: AdminUsageRow[]
}
