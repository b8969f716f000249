/** `/keys` as OpenRouter's SDK calls it. */
import type { JsonObject } from "@sluice/protocol"
import type * as z from "zod"
import { newSecret, prefixOf } from "../auth/secret.ts"
import type { AuthedCall } from "../call.ts"
import { newId } from "../ids.ts"
import type { Budget, KeyRecord } from "../store/key-record.ts"
import { checkProject, DEFAULTS, deleteKey, existing, known } from "./keys.ts"
import { nanoFromNumber } from "./money.ts"
import { createKeysSchema, listKeysSchema, nothingSchema, updateKeysSchema } from "./openrouter.schema.ts"
import { spending } from "./openrouter-account.ts"
import { parseBody, parseQuery } from "./parse.ts"
import type { AdminPart } from "./part.ts"
import { time } from "./wire.ts"

/** As many as OpenRouter gives at once; the next are behind `offset`. */
const PAGE = 100

export async function listOpenRouterKeys(call: AuthedCall, part: AdminPart): Promise<JsonObject> {
  const { include_disabled = false, offset = 0, workspace_id } = parseQuery(call, listKeysSchema)
  const keys = (await part.store.keys.list())
    .filter((key) => include_disabled || !key.disabled)
    .filter((key) => workspace_id === undefined || key.project === workspace_id)
    .slice(offset, offset + PAGE)
  return { data: await Promise.all(keys.map((key) => shown(part, key))) }
}

export async function createOpenRouterKey(call: AuthedCall, part: AdminPart): Promise<JsonObject> {
  const asked = await parseBody(call, createKeysSchema)
  await checkProject(part, asked.workspace_id, "workspace_id")
  const secret = newSecret()
  const key = await part.store.keys.create({
    ...DEFAULTS,
    name: asked.name,
    project: asked.workspace_id ?? null,
    budget: budgetFrom(asked, null),
    expiresAt: asked.expires_at == null ? null : Date.parse(asked.expires_at),
    admin: false,
    id: newId("key_"),
    prefix: prefixOf(secret),
    hash: part.keys.hash(secret),
    createdAt: part.now(),
  })
  await known(part)
  return { data: await shown(part, key), key: secret }
}

export async function getOpenRouterKey(call: AuthedCall, part: AdminPart, hash: string): Promise<JsonObject> {
  parseQuery(call, nothingSchema)
  return { data: await shown(part, existing(hash, await part.store.keys.get(hash))) }
}

export async function updateOpenRouterKey(
  call: AuthedCall,
  part: AdminPart,
  hash: string,
): Promise<JsonObject> {
  const asked = await parseBody(call, updateKeysSchema)
  const before = existing(hash, await part.store.keys.get(hash))
  const after = await part.store.keys.patch(hash, {
    ...(asked.name === undefined ? {} : { name: asked.name }),
    ...(asked.disabled === undefined ? {} : { disabled: asked.disabled }),
    ...(asked.limit === undefined && asked.limit_reset === undefined
      ? {}
      : { budget: budgetFrom(asked, before.budget) }),
  })
  await known(part)
  return { data: await shown(part, existing(hash, after)) }
}

export async function deleteOpenRouterKey(
  _call: AuthedCall,
  part: AdminPart,
  hash: string,
): Promise<JsonObject> {
  await deleteKey(part, hash)
  return { deleted: true }
}

/** An amount and a period that are set apart, each left as it was where it is not named; no amount, no budget. */
function budgetFrom(
  { limit, limit_reset }: Pick<z.output<typeof updateKeysSchema>, "limit" | "limit_reset">,
  before: Budget | null,
): Budget | null {
  const amount = limit === undefined ? before?.amount : limit === null ? undefined : nanoFromNumber(limit)
  if (amount === undefined) return null
  const period = limit_reset === undefined ? before?.period : limit_reset
  return { amount, period: period ?? "total" }
}

async function shown({ store, now }: AdminPart, key: KeyRecord): Promise<JsonObject> {
  const spend = await store.spend("key", key.id, now())
  return {
    hash: key.id,
    name: key.name,
    label: `${key.prefix}...`,
    disabled: key.disabled,
    ...spending(key.budget, spend),
    created_at: time(key.createdAt),
    updated_at: null,
    expires_at: key.expiresAt === null ? null : time(key.expiresAt),
    // Its type has a text in every case.
    workspace_id: key.project ?? "default",
    creator_user_id: null,
    external_user: null,
  }
}
