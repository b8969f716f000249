/** OpenRouter's accounting endpoints as its own SDK calls them: what its schemas refuse, it throws. */
import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { OpenRouter } from "@openrouter/sdk"
import { ADMIN_SECRET, startTestAdmin, type TestAdmin, USER_SECRET } from "./admin-support.ts"
import { anOpenCall, aSettledCall } from "./store-support.ts"

const MOUNT = "/openrouter/api/v1"

test("apiKeys: a key is created, got, listed, updated and deleted", async (t) => {
  const { admin, client } = await start(t)
  const keys = client(ADMIN_SECRET).apiKeys
  const { body: project } = await admin.ask("POST", "/admin/projects", { body: { name: "Team" } })
  const expiresAt = new Date("2099-01-01T00:00:00Z")
  const { data: made, key: secret } = await keys.create({
    requestBody: { name: "Ann", limit: 12.5, limitReset: "monthly", workspaceId: project.id, expiresAt },
  })
  assert.equal(made.name, "Ann")
  assert.equal(made.limit, 12.5)
  assert.equal(made.limitRemaining, 12.5)
  assert.equal(made.limitReset, "monthly")
  assert.equal(made.workspaceId, project.id)
  assert.deepEqual(made.expiresAt, expiresAt)
  assert.equal(admin.keys.authenticate({ authorization: `Bearer ${secret}` }).id, made.hash)

  assert.deepEqual((await keys.get({ hash: made.hash })).data, made)
  assert.deepEqual((await keys.list({ workspaceId: project.id })).data, [made])
  assert.deepEqual((await keys.list({ offset: 1 })).data, [])

  const { data: named } = await keys.update({ hash: made.hash, requestBody: { name: "Bob", disabled: true } })
  assert.deepEqual(named, { ...made, name: "Bob", disabled: true })
  assert.deepEqual((await keys.list()).data, [])
  assert.deepEqual((await keys.list({ includeDisabled: true })).data, [named])
  const { data: forEver } = await keys.update({ hash: made.hash, requestBody: { limitReset: null } })
  assert.deepEqual([forEver.limit, forEver.limitReset], [12.5, null])
  const { data: unlimited } = await keys.update({ hash: made.hash, requestBody: { limit: null } })
  assert.deepEqual([unlimited.limit, unlimited.limitRemaining], [null, null])

  assert.deepEqual(await keys.delete({ hash: made.hash }), { deleted: true })
  await assert.rejects(keys.get({ hash: made.hash }), { name: "NotFoundResponseError" })
  assert.deepEqual(admin.faults, [])
})

test("apiKeys: what a gateway cannot keep is refused by its name", async (t) => {
  const { admin, client } = await start(t)
  const external = { user: "u" }
  const creating = client(ADMIN_SECRET).apiKeys.create({ requestBody: { name: "Ann", external } })
  await assert.rejects(creating, /external is not supported/)
  assert.deepEqual(await admin.store.keys.list(), [])
})

test("apiKeys: a key says of itself what it is, may spend and has spent", async (t) => {
  const { admin, client } = await start(t)
  const body = {
    name: "Ann",
    budget: { amount_usd: "1", period: "daily" },
    limits: { requests_per_minute: 60 },
  }
  const { key, secret } = (await admin.ask("POST", "/admin/keys", { body })).body
  await spend(admin, key.id, 250_000_000n)
  const { data } = await client(secret).apiKeys.getCurrentKeyMetadata()
  assert.equal(data.label, `${key.prefix}...`)
  assert.deepEqual([data.limit, data.limitRemaining, data.limitReset], [1, 0.75, "daily"])
  assert.deepEqual(
    [data.usage, data.usageDaily, data.usageWeekly, data.usageMonthly],
    [0.25, 0.25, 0.25, 0.25],
  )
  assert.equal(data.rateLimit.requests, 60)
  assert.equal(data.isManagementKey, false)

  const ofEnvironment = (await client(ADMIN_SECRET).apiKeys.getCurrentKeyMetadata()).data
  assert.deepEqual([ofEnvironment.limit, ofEnvironment.isManagementKey], [null, true])
})

test("credits: what is left is what the tighter of both budgets leaves", async (t) => {
  const { admin, client } = await start(t)
  const team = { name: "Team", budget: { amount_usd: "2", period: "total" } }
  const { body: project } = await admin.ask("POST", "/admin/projects", { body: team })
  const budget = { amount_usd: "5", period: "daily" }
  const ann = { name: "Ann", project: project.id, budget }
  const { key, secret } = (await admin.ask("POST", "/admin/keys", { body: ann })).body
  await spend(admin, key.id, 500_000_000n)
  assert.deepEqual((await client(secret).credits.getCredits()).data, { totalCredits: 2, totalUsage: 0.5 })
  await admin.ask("PATCH", `/admin/projects/${project.id}`, { body: { budget: null } })
  assert.deepEqual((await client(secret).credits.getCredits()).data, { totalCredits: 5, totalUsage: 0.5 })

  const { data } = await client(USER_SECRET).credits.getCredits()
  assert.ok(data.totalCredits - data.totalUsage > 1e6, "nothing limits the environment's key")
})

test("generations: a call is found by its id, by its key and by admins", async (t) => {
  const { admin, client } = await start(t)
  await spend(admin, "env", 1_500n, "gen-one")
  for (const secret of [USER_SECRET, ADMIN_SECRET]) {
    const { data } = await client(secret).generations.getGeneration({ id: "gen-one" })
    assert.equal(data.id, "gen-one")
    assert.equal(data.totalCost, 0.0000015)
    assert.equal(data.usage, 0.0000015)
    assert.deepEqual([data.tokensPrompt, data.tokensCompletion], [3, 5])
    assert.deepEqual([data.model, data.providerName], ["acme/large", "acme"])
    assert.deepEqual([data.latency, data.generationTime], [1_000, 900])
    assert.deepEqual(
      data.providerResponses?.map(({ status, latency }) => [status, latency]),
      [[429, 10]],
    )
    assert.equal(data.cancelled, false)
  }
  await admin.store.openCall(anOpenCall("gen-open", { key: "env", keyIsStored: false }))
  const running = client(USER_SECRET).generations.getGeneration({ id: "gen-open" })
  await assert.rejects(running, { name: "NotFoundResponseError" })
})

test("a user's key may not manage keys, and an unknown one nothing", async (t) => {
  const { client } = await start(t)
  await assert.rejects(client(USER_SECRET).apiKeys.list(), /Only an admin key/)
  await assert.rejects(client("sk-unknown").credits.getCredits(), { name: "UnauthorizedResponseError" })
})

async function start(t: TestContext) {
  const admin = await startTestAdmin(t)
  const client = (apiKey: string) =>
    new OpenRouter({ apiKey, serverURL: admin.url + MOUNT, retryConfig: { strategy: "none" } })
  return { admin, client }
}

async function spend(admin: TestAdmin, key: string, cost: bigint, id = "spent"): Promise<void> {
  const startedAt = Date.now()
  const keyIsStored = key !== "env"
  await admin.store.openCall(anOpenCall(id, { key, keyIsStored, startedAt, hold: { amount: cost } }))
  await admin.store.settleCall(
    aSettledCall(id, {
      cost,
      endedAt: startedAt + 1_000,
      firstContentAt: startedAt + 100,
      attempts: [
        {
          provider: "acme",
          model: "large",
          startedAt,
          endedAt: startedAt + 10,
          usage: null,
          cost: null,
          estimated: false,
          status: 429,
        },
      ],
    }),
  )
}
