/** What OpenRouter's key endpoints are asked, by its own names. What we cannot keep is refused by its name, not dropped. */
import * as z from "zod"

const limit = z
  .number({ error: "must be dollars as a number, or null" })
  .min(0, { error: "must not be negative" })
  .max(1_000_000_000, { error: "must be at most a billion" })
  .nullable()
  .optional()
const reset = z
  .enum(["daily", "weekly", "monthly"], { error: "must be daily, weekly, monthly or null" })
  .nullable()
  .optional()
const name = z
  .string({ error: "must be a string" })
  .regex(/^[^\p{Cc}]{1,200}$/u, { error: "must be a text of 1 to 200 characters" })
const id = z.string({ error: "must be an id" }).regex(/^[\w-]{1,128}$/, { error: "must be an id" })
const boolean = z.boolean({ error: "must be true or false" })

function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: () => "is not supported by this gateway" })
}

const settings = {
  limit,
  limit_reset: reset,
  /** There are no provider keys of users here that could be left out of it. */
  include_byok_in_limit: boolean.optional(),
}

export const createKeysSchema = strict({
  ...settings,
  name,
  expires_at: z.iso.datetime({ offset: true, error: "must be an ISO 8601 time" }).nullable().optional(),
  /** A project here. */
  workspace_id: id.optional(),
})

export const updateKeysSchema = strict({ ...settings, name: name.optional(), disabled: boolean.optional() })

export const listKeysSchema = strict({
  include_disabled: z
    .enum(["true", "false"], { error: "must be true or false" })
    .transform((text) => text === "true")
    .optional(),
  offset: z
    .string()
    .regex(/^\d{1,9}$/, { error: "must be a whole number" })
    .transform(Number)
    .optional(),
  workspace_id: id.optional(),
})

export const generationSchema = strict({
  id: z
    .string({ error: "must be a generation's id" })
    .regex(/^[\w-]{1,128}$/, { error: "must be a generation's id" }),
})

export const nothingSchema = strict({})
