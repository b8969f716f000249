/** `@sluice/sdk/admin` against the admin API itself. */
import assert from "node:assert/strict"
import { text } from "node:stream/consumers"
import { type TestContext, test } from "node:test"
import { SluiceAdmin, SluiceError } from "../../sdk/src/admin.ts"
import { ADMIN_SECRET, startTestAdmin, USER_SECRET } from "./admin-support.ts"
import { anOpenCall, aSettledCall, NOON } from "./store-support.ts"

test("keys: everything that can be done to one, in the SDK's own names", async (t) => {
  const { admin, client } = await start(t)
  const project = await client.projects.create({ name: "Team", budget: { amountUsd: "1", period: "daily" } })
  const { key, secret } = await client.keys.create({
    name: "Ann",
    project: project.id,
    limits: { requestsPerMinute: 60 },
    onDisconnect: "drain:30",
    expiresAt: "2099-01-01T00:00:00Z",
  })
  assert.equal(admin.keys.authenticate({ "x-api-key": secret }).id, key.id)
  assert.deepEqual(key.limits, { requestsPerMinute: 60, tokensPerMinute: null, parallel: null })
  assert.equal(key.expiresAt, "2099-01-01T00:00:00.000Z")
  assert.deepEqual(await client.keys.get(key.id), key)
  assert.deepEqual(await client.keys.list({ project: project.id }), { data: [key], next: null })
  const patched = await client.keys.patch(key.id, { logContent: true, budget: null })
  assert.deepEqual(patched, { ...key, logContent: true })
  const rotated = await client.keys.rotate(key.id, { graceSeconds: 60 })
  assert.equal(typeof rotated.key.previousSecretUntil, "string")
  assert.equal((await client.keys.rotate(key.id)).key.previousSecretUntil, null)
  await assert.rejects(client.projects.delete(project.id), { status: 409, code: "conflict" })
  assert.deepEqual(await client.keys.delete(key.id), { id: key.id, deleted: true })
  await assert.rejects(client.keys.get(key.id), { name: "NotFoundError" })
})

test("projects: everything that can be done to one", async (t) => {
  const { client } = await start(t)
  const project = await client.projects.create({ name: "Team" })
  assert.deepEqual(await client.projects.get(project.id), project)
  const patch = { budget: { amountUsd: "2.5", period: "weekly" } } as const
  assert.deepEqual(await client.projects.patch(project.id, patch), { ...project, ...patch })
  assert.equal((await client.projects.list({ limit: 1 })).data[0]?.id, project.id)
  assert.deepEqual(await client.projects.delete(project.id), { id: project.id, deleted: true })
})

test("calls and usage: pages, one, all, a file and the sums", async (t) => {
  const { admin, client } = await start(t)
  const count = 203
  for (let n = 0; n < count; n++) {
    const call = anOpenCall(`call-${n}`, { key: "env", keyIsStored: false, startedAt: NOON + n })
    await admin.store.openCall(call)
    await admin.store.settleCall(aSettledCall(call.id))
  }
  const page = await client.calls.list({ limit: 2, key: "env" })
  assert.deepEqual(
    page.data.map(({ id }) => id),
    ["call-202", "call-201"],
  )
  const next = await client.calls.list({ limit: 2, key: "env", cursor: page.next ?? "" })
  assert.deepEqual(
    next.data.map(({ id }) => id),
    ["call-200", "call-199"],
  )
  assert.deepEqual(await client.calls.get("call-202"), page.data[0])
  assert.equal(page.data[0]?.usage.promptTokens, 3)

  const ids: string[] = []
  for await (const { id } of client.calls.all({ ending: "finished" })) ids.push(id)
  assert.equal(new Set(ids).size, count)

  const file = await text(await client.calls.export("jsonl", { key: "env" }))
  assert.equal(file.trim().split("\n").length, count)

  const usage = await client.usage({ by: ["key", "provider"], from: "2026-03-01", to: "2026-04-01" })
  assert.deepEqual(
    usage.data.map(({ group, calls, costNano }) => ({ group, calls, costNano })),
    [{ group: { key: "env", provider: "acme" }, calls: count, costNano: String(100 * count) }],
  )
  await assert.rejects(client.calls.events("call-0"), { status: 410 })
  await assert.rejects(client.calls.content("call-0"), { status: 404 })
  assert.equal((await client.openApi())["openapi"], "3.1.0")
})

test("what is refused is a typed error that names the member", async (t) => {
  const { admin, client } = await start(t)
  const wrong = client.keys.create({ name: "x", limits: { parallel: -1 } })
  await assert.rejects(wrong, { name: "InvalidRequestError", param: "limits.parallel" })
  const user = new SluiceAdmin({ baseURL: admin.url, apiKey: USER_SECRET })
  await assert.rejects(user.usage(), { name: "PermissionDeniedError" })
  const nobody = new SluiceAdmin({ baseURL: admin.url, apiKey: "sk-unknown" })
  await assert.rejects(nobody.usage(), (error) => error instanceof SluiceError && error.status === 401)
})

test("an abort ends the wait", async (t) => {
  const { client } = await start(t)
  await assert.rejects(client.usage({}, { signal: AbortSignal.abort() }), { name: "AbortError" })
})

async function start(t: TestContext) {
  const admin = await startTestAdmin(t)
  return { admin, client: new SluiceAdmin({ baseURL: `${admin.url}/v1/`, apiKey: ADMIN_SECRET }) }
}
