/**
 * Schemas of the admin API. What is asked is strict: an unknown member is refused by its name, because one that is
 * quietly ignored is a limit that somebody believes in. What is answered may grow.
 */
import * as z from "zod"
import { boolean, must } from "./values.schema.ts"

// ── values ──

const name = words(1, 200)
const id = z.string({ error: must("be an id") }).regex(/^[\w-]{1,128}$/, { error: must("be an id") })
const time = z.iso.datetime({ offset: true, error: must("be a time such as 2026-01-31T00:00:00Z") })
const from = z.union([time, z.iso.date()], {
  error: must("be a date or a time such as 2026-01-31T00:00:00Z"),
})
/** Up to a billion: a sum of a thousand such budgets is still exact in 64 bits. */
const dollars = z
  .string({ error: must('be dollars as a decimal string such as "12.50"') })
  .regex(/^(?:\d{1,9}(?:\.\d{1,9})?|1000000000(?:\.0{1,9})?)$/, {
    error: must('be dollars as a decimal string such as "12.50", at most a billion'),
  })
const period = choice("daily", "weekly", "monthly", "total")
const dialect = choice("openai", "openrouter", "r9s", "atoma", "orq")
const ending = choice("finished", "failed", "cancelled", "interrupted")
const bound = whole(0, 1_000_000_000).nullable()
/** `*` may stand at the end. */
const pattern = z.string({ error: must("be a name") }).regex(/^(?:[^*\p{Cc}]{1,200}\*?|\*)$/u, {
  error: must("be a name of 1 to 200 characters, with '*' at its end at most"),
})

function words(least: number, most: number) {
  const what = `be a text of ${least} to ${most} characters, none of them a control character`
  return z
    .string({ error: must(what) })
    .regex(new RegExp(`^[^\\p{Cc}]{${least},${most}}$`, "u"), { error: must(what) })
}

function whole(least: number, most: number) {
  const what = `be a whole number from ${least} to ${most}`
  return z
    .int({ error: must(what) })
    .min(least, { error: must(what) })
    .max(most, { error: must(what) })
}

/** In a query everything is a text. */
function wholeText(least: number, most: number) {
  const what = `be a whole number from ${least} to ${most}`
  return z
    .string({ error: must(what) })
    .regex(/^\d{1,15}$/, { error: must(what) })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error: must(what) })
}

function choice<const Values extends readonly [string, ...string[]]>(...values: Values) {
  const spoken = values.map((value) => JSON.stringify(value)).join(", ")
  return z.enum(values, { error: must(`be one of ${spoken}`) })
}

function few<Item extends z.ZodType>(item: Item, most: number) {
  const what = `be a list of at most ${most}`
  return z.array(item, { error: must(what) }).max(most, { error: `must ${what}` })
}

function asked<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? "is not known here" : must("be an object")(issue),
  })
}

// ── asked ──

export const adminBudgetSchema = asked({ amount_usd: dollars, period })

const someLimits = asked({
  requests_per_minute: bound.optional(),
  tokens_per_minute: bound.optional(),
  parallel: bound.optional(),
})

const keySettings = {
  name: name.optional(),
  project: id.nullable().optional(),
  tags: few(words(1, 64), 50).optional(),
  models: few(pattern, 1_000).nullable().optional(),
  providers: few(pattern, 1_000).nullable().optional(),
  budget: adminBudgetSchema.nullable().optional(),
  limits: someLimits.optional(),
  on_disconnect: z
    .string({ error: must("be cancel, drain:<seconds> or detach") })
    .regex(/^(?:cancel|detach|drain:\d{1,6})$/, { error: must("be cancel, drain:<seconds> or detach") })
    .nullable()
    .optional(),
  dialect: dialect.nullable().optional(),
  forbid_detach: boolean.optional(),
  log_content: boolean.optional(),
  expires_at: time.nullable().optional(),
}

export const adminKeyCreateSchema = asked({ ...keySettings, name, admin: boolean.optional() })
export const adminKeyPatchSchema = asked({ ...keySettings, disabled: boolean.optional() })
export const adminKeyRotateSchema = asked({ grace_seconds: whole(0, 30 * 86_400).optional() })

export const adminProjectCreateSchema = asked({ name, budget: adminBudgetSchema.nullable().optional() })
export const adminProjectPatchSchema = asked({
  name: name.optional(),
  budget: adminBudgetSchema.nullable().optional(),
})

const page = { limit: wholeText(1, 200).optional(), cursor: words(1, 200).optional() }

const filter = {
  key: words(1, 128).optional(),
  project: words(1, 128).optional(),
  model: words(1, 500).optional(),
  provider: words(1, 200).optional(),
  tag: words(1, 64).optional(),
  from: from.optional(),
  to: from.optional(),
}

const call = {
  ...filter,
  ending: choice("finished", "failed", "cancelled", "interrupted", "open").optional(),
}

export const adminNoQuerySchema = asked({})
export const adminPageQuerySchema = asked(page)
export const adminKeysQuerySchema = asked({ ...page, project: id.optional() })
export const adminCallFilterSchema = asked(call)
export const adminCallsQuerySchema = asked({ ...call, ...page })
export const adminEventsQuerySchema = asked({ after: wholeText(0, Number.MAX_SAFE_INTEGER).optional() })

const group = choice("time", "key", "project", "model", "provider", "ending", "tag")

export const adminUsageQuerySchema = asked({
  ...filter,
  ending: ending.optional(),
  /** In the query a list stands with commas. */
  by: z
    .string({ error: must("be a list such as time,model") })
    .transform((text) => text.split(","))
    .pipe(few(group, 7).refine(isDistinct, { error: "must not name a group twice" }))
    .optional(),
  bucket: choice("hour", "day", "week", "month").optional(),
})

function isDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length
}

// ── answered ──

const count = z.int()
const money = z.string()
const moneyOrNull = money.nullable()
const number = z.number().nullable()
const textOrNull = z.string().nullable()
const timeOrNull = time.nullable()

const limits = z.object({ requests_per_minute: bound, tokens_per_minute: bound, parallel: bound })
const budget = z.object({ amount_usd: money, period })

export const adminSpendSchema = z.object({
  daily_usd: money,
  weekly_usd: money,
  monthly_usd: money,
  total_usd: money,
  held_usd: money,
  running: count,
})

export const adminKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  project: textOrNull,
  tags: z.array(z.string()),
  models: z.array(z.string()).nullable(),
  providers: z.array(z.string()).nullable(),
  budget: budget.nullable(),
  limits,
  on_disconnect: textOrNull,
  dialect: dialect.nullable(),
  forbid_detach: boolean,
  log_content: boolean,
  expires_at: timeOrNull,
  admin: boolean,
  prefix: z.string(),
  status: choice("active", "disabled", "expired"),
  disabled: boolean,
  created_at: time,
  previous_secret_until: timeOrNull,
  spend: adminSpendSchema,
})

export const adminKeyPageSchema = z.object({ data: z.array(adminKeySchema), next: textOrNull })
export const adminKeyWithSecretSchema = z.object({ key: adminKeySchema, secret: z.string() })

export const adminProjectSchema = z.object({
  id: z.string(),
  name: z.string(),
  budget: budget.nullable(),
  created_at: time,
  spend: adminSpendSchema,
})

export const adminProjectPageSchema = z.object({ data: z.array(adminProjectSchema), next: textOrNull })
export const adminDeletedSchema = z.object({ id: z.string(), deleted: z.literal(true) })

const tokens = {
  prompt_tokens: count,
  completion_tokens: count,
  reasoning_tokens: count,
  cached_tokens: count,
  audio_tokens: count,
}

export const adminAttemptSchema = z.object({
  provider: z.string(),
  model: z.string(),
  started_at: time,
  ended_at: time,
  usage: z.object(tokens).nullable(),
  cost_usd: moneyOrNull,
  cost_nano: moneyOrNull,
  estimated: boolean,
  status: number,
  error: z.object({ type: z.string(), message: z.string() }).nullable(),
})

export const adminCallSchema = z.object({
  id: z.string(),
  key: z.string(),
  project: textOrNull,
  dialect: z.string(),
  dialect_rule: z.string(),
  model_asked: z.string(),
  model: textOrNull,
  provider: textOrNull,
  streamed: boolean,
  client: textOrNull,
  client_request_id: textOrNull,
  tags: z.array(z.string()),
  started_at: time,
  ended_at: timeOrNull,
  ending: ending.nullable(),
  reason: textOrNull,
  attempts: z.array(adminAttemptSchema),
  usage: z.object(tokens),
  cost_usd: moneyOrNull,
  cost_nano: moneyOrNull,
  held_usd: money,
  estimated: boolean,
  flags: z.array(z.string()),
  first_content_at: timeOrNull,
  time_to_first_content_ms: number,
  tokens_per_second: number,
  gap_p50_ms: number,
  gap_p99_ms: number,
  longest_stall_ms: number,
  resumed: count,
})

export const adminCallPageSchema = z.object({ data: z.array(adminCallSchema), next: textOrNull })

export const adminCallEventsSchema = z.object({
  id: z.string(),
  ending: ending.nullable(),
  first: count,
  last: count,
  data: z.array(z.object({ seq: count, frame: z.string() })),
  next: count.nullable(),
})

export const adminCallContentSchema = z.object({ id: z.string(), request: z.string(), answer: textOrNull })

export const adminUsageRowSchema = z.object({
  group: z.object({
    time: time.optional(),
    key: z.string().optional(),
    project: textOrNull.optional(),
    model: z.string().optional(),
    provider: textOrNull.optional(),
    ending: ending.optional(),
    tag: z.string().optional(),
  }),
  calls: count,
  ...tokens,
  cost_usd: money,
  cost_nano: money,
  unpriced: count,
  estimated: count,
  resumed: count,
})

export const adminUsageSchema = z.object({ from: time, to: time, data: z.array(adminUsageRowSchema) })
