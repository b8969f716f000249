/** The admin API's types and the schemas that requests are checked with say the same: the compiler compares them. */
import assert from "node:assert/strict"
import test from "node:test"
import type * as z from "zod"
import type {
  adminBudgetSchema,
  adminCallContentSchema,
  adminCallEventsSchema,
  adminCallFilterSchema,
  adminCallPageSchema,
  adminDeletedSchema,
  adminKeyCreateSchema,
  adminKeyPageSchema,
  adminKeyPatchSchema,
  adminKeyRotateSchema,
  adminKeyWithSecretSchema,
  adminProjectCreateSchema,
  adminProjectPageSchema,
  adminProjectPatchSchema,
  adminUsageSchema,
} from "../src/admin.schema.ts"
import type {
  AdminBudget,
  AdminCall,
  AdminCallContent,
  AdminCallEvents,
  AdminCallFilter,
  AdminDeleted,
  AdminKey,
  AdminKeyCreate,
  AdminKeyPatch,
  AdminKeyRotate,
  AdminKeyWithSecret,
  AdminPage,
  AdminProject,
  AdminProjectCreate,
  AdminProjectPatch,
  AdminUsage,
} from "../src/admin.ts"

/** With every member required, in a tuple that keeps `undefined` where it was not, so that a missing one shows. */
type Whole<T> = T extends readonly (infer Item)[]
  ? Whole<Item>[]
  : T extends object
    ? { [K in keyof T]-?: [Whole<T[K]>] }
    : T

type Agrees<Type, Schema extends z.ZodType> = [Whole<Type>, Whole<z.input<Schema>>] extends [
  Whole<z.input<Schema>>,
  Whole<Type>,
]
  ? true
  : false

const agreements: [
  Agrees<AdminBudget, typeof adminBudgetSchema>,
  Agrees<AdminKeyCreate, typeof adminKeyCreateSchema>,
  Agrees<AdminKeyPatch, typeof adminKeyPatchSchema>,
  Agrees<AdminKeyRotate, typeof adminKeyRotateSchema>,
  Agrees<AdminPage<AdminKey>, typeof adminKeyPageSchema>,
  Agrees<AdminKeyWithSecret, typeof adminKeyWithSecretSchema>,
  Agrees<AdminProjectCreate, typeof adminProjectCreateSchema>,
  Agrees<AdminProjectPatch, typeof adminProjectPatchSchema>,
  Agrees<AdminPage<AdminProject>, typeof adminProjectPageSchema>,
  Agrees<AdminDeleted, typeof adminDeletedSchema>,
  Agrees<AdminUsage, typeof adminUsageSchema>,
  Agrees<AdminPage<AdminCall>, typeof adminCallPageSchema>,
  Agrees<AdminCallFilter, typeof adminCallFilterSchema>,
  Agrees<AdminCallEvents, typeof adminCallEventsSchema>,
  Agrees<AdminCallContent, typeof adminCallContentSchema>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true]

test("every type of the admin API agrees with its schema", () => {
  assert.deepEqual(new Set(agreements), new Set([true]))
})

test("a comparison that should fail does", () => {
  const otherType: Agrees<Omit<AdminBudget, "period"> & { period: string }, typeof adminBudgetSchema> = false
  const oneLess: Agrees<Omit<AdminKeyPatch, "tags">, typeof adminKeyPatchSchema> = false
  const oneMore: Agrees<AdminKeyPatch & { admin?: boolean }, typeof adminKeyPatchSchema> = false
  assert.deepEqual([otherType, oneLess, oneMore], [false, false, false])
})
