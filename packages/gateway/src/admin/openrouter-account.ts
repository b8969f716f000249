/** `GET /key` and `GET /credits` as OpenRouter answers them. */
import type { JsonObject } from "@sluice/protocol"
import type { Key } from "../auth/keys.ts"
import type { AuthedCall } from "../call.ts"
import type { Budget, Spend } from "../store/key-record.ts"
import { dollars } from "./money.ts"
import { nothingSchema } from "./openrouter.schema.ts"
import { parseQuery } from "./parse.ts"
import type { AdminPart } from "./part.ts"
import { time } from "./wire.ts"

/** OpenRouter's type has a number and no word for "as much as you like": what nothing limits reads as a billion more. */
const UNLIMITED = 1_000_000_000

export async function currentKey(call: AuthedCall, { store, now }: AdminPart): Promise<JsonObject> {
  parseQuery(call, nothingSchema)
  const { key } = call
  const spend = await store.spend("key", key.id, now())
  const { requestsPerMinute } = key.limits
  return {
    data: {
      label: labelOf(key),
      ...spending(key.budget, spend),
      is_free_tier: false,
      is_management_key: key.admin,
      is_provisioning_key: key.admin,
      rate_limit: {
        requests: requestsPerMinute ?? -1,
        interval: "1m",
        note: "-1: no limit of requests",
      },
      free_model_daily_requests: { limit: 0, used: 0, remaining: 0 },
      expires_at: key.expiresAt === null ? null : time(key.expiresAt),
      workspace_id: key.project,
      allowed_data_regions: ["global"],
      creator_user_id: null,
      organization_id: null,
    },
  }
}

/** Of the key's budget and its project's the one that has less left: that is what a next call must fit into. */
export async function credits(call: AuthedCall, { store, now }: AdminPart): Promise<JsonObject> {
  parseQuery(call, nothingSchema)
  const { key } = call
  const at = now()
  const ofKey = await store.spend("key", key.id, at)
  const project = key.project === null ? undefined : await store.projects.get(key.project)
  const purses = [
    ...(key.budget === null ? [] : [purse(key.budget, ofKey)]),
    ...(project?.budget == null ? [] : [purse(project.budget, await store.spend("project", project.id, at))]),
  ]
  const tightest = purses.sort((one, other) => (one.left < other.left ? -1 : 1))[0]
  if (tightest === undefined) {
    const used = dollars(ofKey.total)
    return { data: { total_credits: used + UNLIMITED, total_usage: used } }
  }
  return { data: { total_credits: dollars(tightest.amount), total_usage: dollars(tightest.used) } }
}

interface Purse {
  readonly amount: bigint
  readonly used: bigint
  readonly left: bigint
}

function purse({ amount, period }: Budget, spend: Spend): Purse {
  const used = spend[period]
  return { amount, used, left: amount - used }
}

/** The members that `/key` and `/keys` share. What is held by running calls is not spent yet, but not left either. */
export function spending(budget: Budget | null, spend: Spend): JsonObject {
  const left = budget === null ? null : budget.amount - spend[budget.period] - spend.held
  return {
    limit: budget === null ? null : dollars(budget.amount),
    limit_remaining: left === null ? null : dollars(left < 0n ? 0n : left),
    limit_reset: budget === null || budget.period === "total" ? null : budget.period,
    include_byok_in_limit: false,
    usage: dollars(spend.total),
    usage_daily: dollars(spend.daily),
    usage_weekly: dollars(spend.weekly),
    usage_monthly: dollars(spend.monthly),
    byok_usage: 0,
    byok_usage_daily: 0,
    byok_usage_weekly: 0,
    byok_usage_monthly: 0,
  }
}

function labelOf({ prefix, name }: Pick<Key, "prefix" | "name">): string {
  return prefix === "" ? name : `${prefix}...`
}
