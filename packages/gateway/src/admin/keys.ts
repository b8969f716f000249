/** Keys: handed out, changed, rotated and taken back. What is changed holds here before it is answered. */
import type {
  AdminBudget,
  AdminDeleted,
  AdminKey,
  AdminKeyCreate,
  AdminKeyPatch,
  AdminKeyRotate,
  AdminKeyWithSecret,
  AdminLimits,
  AdminPage,
} from "@sluice/protocol"
import { newSecret, prefixOf } from "../auth/secret.ts"
import { GatewayError } from "../gateway-error.ts"
import { newId } from "../ids.ts"
import type { Budget, KeyLimits, KeyPatch, KeyRecord } from "../store/key-record.ts"
import { usdToNano } from "./money.ts"
import { type PageAsked, pageOf } from "./page.ts"
import { wrong } from "./parse.ts"
import type { AdminPart } from "./part.ts"
import { keyOnWire } from "./wire.ts"

export async function listKeys(
  part: AdminPart,
  { project, ...asked }: PageAsked & { project?: string | undefined },
): Promise<AdminPage<AdminKey>> {
  const keys = await part.store.keys.list()
  const { items, next } = pageOf(
    keys.filter((key) => project === undefined || key.project === project),
    asked,
  )
  return { data: await Promise.all(items.map((key) => shown(part, key))), next }
}

export async function createKey(part: AdminPart, wanted: AdminKeyCreate): Promise<AdminKeyWithSecret> {
  const secret = newSecret()
  await checkProject(part, wanted.project)
  const key = await part.store.keys.create({
    ...DEFAULTS,
    ...settingsOf(wanted, NO_LIMITS),
    name: wanted.name,
    admin: wanted.admin ?? false,
    id: newId("key_"),
    prefix: prefixOf(secret),
    hash: part.keys.hash(secret),
    createdAt: part.now(),
  })
  await known(part)
  return { key: await shown(part, key), secret }
}

export async function getKey(part: AdminPart, id: string): Promise<AdminKey> {
  return shown(part, existing(id, await part.store.keys.get(id)))
}

export async function patchKey(part: AdminPart, id: string, patch: AdminKeyPatch): Promise<AdminKey> {
  const before = existing(id, await part.store.keys.get(id))
  await checkProject(part, patch.project)
  const settings = settingsOf(patch, before.limits)
  const after = await part.store.keys.patch(id, {
    ...settings,
    ...(patch.disabled === undefined ? {} : { disabled: patch.disabled }),
  })
  await known(part)
  return shown(part, existing(id, after))
}

/** The identity stays, with its streams, its budget and its books; the secret is a new one. */
export async function rotateKey(
  part: AdminPart,
  id: string,
  { grace_seconds = 0 }: AdminKeyRotate,
): Promise<AdminKeyWithSecret> {
  const before = existing(id, await part.store.keys.get(id))
  const secret = newSecret()
  const after = await part.store.keys.patch(id, {
    prefix: prefixOf(secret),
    hash: part.keys.hash(secret),
    // It is kept even without a grace: whoever still sends it is told that it was rotated, not that it is unknown.
    previousHash: before.hash,
    previousUntil: grace_seconds === 0 ? 0 : part.now() + grace_seconds * 1_000,
  })
  await known(part)
  return { key: await shown(part, existing(id, after)), secret }
}

export async function deleteKey(part: AdminPart, id: string): Promise<AdminDeleted> {
  if (!(await part.store.keys.delete(id))) throw unknownKey(id)
  await known(part)
  return { id, deleted: true }
}

export function existing(id: string, key: KeyRecord | undefined): KeyRecord {
  if (key === undefined) throw unknownKey(id)
  return key
}

export async function checkProject(
  { store }: AdminPart,
  id: string | null | undefined,
  param = "project",
): Promise<void> {
  if (id == null || (await store.projects.get(id)) !== undefined) return
  throw wrong(param, `${param} must be the id of a project; there is none '${id}'.`)
}

/** The change is made: if this process cannot read it back at once, it goes on trying by itself. */
export async function known({ keys }: AdminPart): Promise<void> {
  await keys.refresh().catch(() => {})
}

export function budgetFrom(budget: AdminBudget | null): Budget | null {
  return budget === null ? null : { amount: usdToNano(budget.amount_usd), period: budget.period }
}

export const NO_LIMITS: KeyLimits = { requestsPerMinute: null, tokensPerMinute: null, parallel: null }

export const DEFAULTS = {
  project: null,
  tags: [],
  models: null,
  providers: null,
  budget: null,
  limits: NO_LIMITS,
  onDisconnect: null,
  dialect: null,
  forbidDetach: false,
  logContent: false,
  disabled: false,
  expiresAt: null,
} as const

async function shown({ store, now }: AdminPart, key: KeyRecord): Promise<AdminKey> {
  const at = now()
  return keyOnWire(key, await store.spend("key", key.id, at), at)
}

/** What a body names, and nothing else: written out member by member, so that no other can be set through it. */
function settingsOf(asked: Omit<AdminKeyPatch, "disabled">, limits: KeyLimits): KeyPatch {
  const { expires_at } = asked
  return defined({
    name: asked.name,
    project: asked.project,
    tags: asked.tags === undefined ? undefined : [...new Set(asked.tags)],
    models: asked.models,
    providers: asked.providers,
    budget: asked.budget === undefined ? undefined : budgetFrom(asked.budget),
    limits: asked.limits === undefined ? undefined : limitsFrom(asked.limits, limits),
    onDisconnect: asked.on_disconnect,
    dialect: asked.dialect,
    forbidDetach: asked.forbid_detach,
    logContent: asked.log_content,
    expiresAt: expires_at == null ? expires_at : Date.parse(expires_at),
  })
}

function limitsFrom(asked: Partial<AdminLimits>, before: KeyLimits): KeyLimits {
  const { requests_per_minute, tokens_per_minute, parallel } = asked
  return {
    requestsPerMinute: requests_per_minute === undefined ? before.requestsPerMinute : requests_per_minute,
    tokensPerMinute: tokens_per_minute === undefined ? before.tokensPerMinute : tokens_per_minute,
    parallel: parallel === undefined ? before.parallel : parallel,
  }
}

function defined(patch: KeyPatch): KeyPatch {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
}

function unknownKey(id: string): GatewayError {
  return new GatewayError("not_found", `There is no key '${id}'.`)
}
