/** The admin API over both databases: what it does, and what it says of it. */
import assert from "node:assert/strict"
import { after, test } from "node:test"
import { adminCallPageSchema, adminKeySchema, adminProjectSchema } from "@sluice/protocol/schema"
import { testPostgres } from "../../../scripts/postgres.ts"
import { DATABASES, startTestAdmin, type TestAdmin } from "./admin-support.ts"
import { anOpenCall, aSettledCall, NOON } from "./store-support.ts"

after(async () => (await testPostgres()).stop())

const DAY = 86_400_000

for (const kind of DATABASES) {
  test(`${kind}: a key is made, shown once, used, changed, rotated and deleted`, async (t) => {
    const admin = await startTestAdmin(t, kind)
    const project = await admin.ask("POST", "/admin/projects", { body: { name: "Team" } })
    assert.equal(project.status, 201)
    const made = await admin.ask("POST", "/admin/keys", {
      body: {
        name: "Ann's laptop",
        project: project.body.id,
        tags: ["a", "b", "a"],
        models: ["fast", "sim/*"],
        budget: { amount_usd: "12.000000001", period: "monthly" },
        limits: { parallel: 3 },
        on_disconnect: "drain:30",
        dialect: "orq",
        expires_at: "2099-01-01T00:00:00+02:00",
      },
    })
    assert.equal(made.status, 201)
    const { key, secret } = made.body
    assert.deepEqual(adminKeySchema.parse(key), key)
    assert.deepEqual(key.tags, ["a", "b"])
    assert.deepEqual(key.budget, { amount_usd: "12.000000001", period: "monthly" })
    assert.deepEqual(key.limits, { requests_per_minute: null, tokens_per_minute: null, parallel: 3 })
    assert.equal(key.expires_at, "2098-12-31T22:00:00.000Z")
    assert.equal(key.status, "active")
    assert.ok(secret.startsWith(key.prefix))

    const known = admin.keys.authenticate({ authorization: `Bearer ${secret}` })
    assert.equal(known.id, key.id)
    assert.equal(known.project, project.body.id)

    const shown = await admin.ask("GET", `/admin/keys/${key.id}`)
    const listed = await admin.ask("GET", "/admin/keys")
    assert.deepEqual(shown.body, key)
    assert.deepEqual(listed.body, { data: [key], next: null })
    const hidden = secret.slice(key.prefix.length)
    const { hash } = (await admin.store.keys.get(key.id))!
    for (const { text } of [shown, listed]) assert.ok(!text.includes(hidden) && !text.includes(hash))

    const path = `/admin/keys/${key.id}`
    const limits = { requests_per_minute: 60 }
    const changed = await admin.ask("PATCH", path, { body: { name: "Ann", limits, budget: null } })
    assert.deepEqual(changed.body, {
      ...key,
      name: "Ann",
      budget: null,
      limits: { ...key.limits, ...limits },
    })

    const rotated = await admin.ask("POST", `${path}/rotate`, { body: { grace_seconds: 60 } })
    assert.equal(rotated.status, 200)
    assert.equal(rotated.body.key.id, key.id)
    assert.ok(Date.parse(rotated.body.key.previous_secret_until) > Date.now())
    for (const good of [secret, rotated.body.secret]) assert.equal(idOf(admin, good), key.id)
    const again = await admin.ask("POST", `${path}/rotate`)
    assert.equal(again.body.key.previous_secret_until, null)
    assert.match(idOf(admin, rotated.body.secret), /was rotated/)
    assert.equal(idOf(admin, again.body.secret), key.id)

    await admin.ask("PATCH", path, { body: { disabled: true } })
    assert.match(idOf(admin, again.body.secret), /is disabled/)
    const deleted = await admin.ask("DELETE", path)
    assert.deepEqual(deleted.body, { id: key.id, deleted: true })
    assert.match(idOf(admin, again.body.secret), /was deleted/)
    for (const [method, body] of [["GET"], ["DELETE"], ["PATCH", { name: "x" }]] as const) {
      assert.equal((await admin.ask(method, path, { body })).status, 404, method)
    }
    assert.deepEqual(admin.faults, [])
  })

  test(`${kind}: a project is made, changed, and not deleted while it has keys`, async (t) => {
    const admin = await startTestAdmin(t, kind)
    const budget = { amount_usd: "0.5", period: "daily" }
    const { body: project } = await admin.ask("POST", "/admin/projects", { body: { name: "Team", budget } })
    assert.deepEqual(adminProjectSchema.parse(project), project)
    const path = `/admin/projects/${project.id}`
    const changed = await admin.ask("PATCH", path, { body: { name: "The team" } })
    assert.deepEqual(changed.body, { ...project, name: "The team" })
    assert.deepEqual((await admin.ask("GET", "/admin/projects")).body.data, [changed.body])

    const body = { name: "one", project: project.id }
    const { key } = (await admin.ask("POST", "/admin/keys", { body })).body
    const refused = await admin.ask("DELETE", path)
    assert.equal(refused.status, 409)
    assert.match(refused.body.error.message, /has keys/)
    await admin.ask("PATCH", `/admin/keys/${key.id}`, { body: { project: null } })
    assert.equal((await admin.ask("DELETE", path)).status, 200)
    assert.equal((await admin.ask("GET", path)).status, 404)
    const orphan = await admin.ask("POST", "/admin/keys", { body })
    assert.equal(orphan.status, 400)
    assert.equal(orphan.body.error.param, "project")
    assert.deepEqual(admin.faults, [])
  })

  test(`${kind}: calls are paged without a gap or a double, and filtered`, async (t) => {
    const admin = await startTestAdmin(t, kind)
    await writeCalls(admin, 23)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`
      const { body } = await admin.ask("GET", `/admin/calls?limit=5${query}`)
      assert.deepEqual(adminCallPageSchema.parse(body), body)
      seen.push(...body.data.map(({ id }: { id: string }) => id))
      // What is written meanwhile is newer, and moves nothing.
      await writeCalls(admin, 1, `later-${seen.length}`)
      cursor = body.next
    } while (cursor !== null)
    assert.deepEqual(
      seen,
      Array.from({ length: 23 }, (_, n) => `call-${22 - n}`),
    )

    const count = async (query: string) =>
      (await admin.ask("GET", `/admin/calls?${query}&limit=200`)).body.data.length
    assert.equal(await count("ending=failed&key=env&to=2026-03-13"), 11)
    assert.equal(await count("tag=odd&to=2026-03-13"), 11)
    assert.equal(await count(`from=${new Date(NOON + 20_000).toISOString()}&to=2026-03-13`), 3)
    assert.equal(await count("model=acme/large&provider=acme&ending=cancelled"), 0)
    assert.deepEqual(admin.faults, [])
  })

  test(`${kind}: one call shows its attempts, its money and its measures`, async (t) => {
    const admin = await startTestAdmin(t, kind)
    await writeCalls(admin, 2)
    const { body: call } = await admin.ask("GET", "/admin/calls/call-1")
    assert.equal(call.ending, "failed")
    assert.equal(call.cost_usd, "0.000001001")
    assert.equal(call.cost_nano, "1001")
    assert.equal(call.started_at, new Date(NOON + 1_000).toISOString())
    assert.deepEqual(call.attempts, [
      {
        provider: "acme",
        model: "large",
        started_at: new Date(NOON).toISOString(),
        ended_at: new Date(NOON + 10).toISOString(),
        usage: null,
        cost_usd: null,
        cost_nano: null,
        estimated: false,
        status: 429,
        error: { type: "rate_limit_exceeded", message: "too many" },
      },
    ])
    await admin.store.openCall(anOpenCall("running", { key: "env", keyIsStored: false }))
    assert.equal((await admin.ask("GET", "/admin/calls/running")).body.ending, null)
    assert.equal((await admin.ask("GET", "/admin/calls?ending=open")).body.data[0].id, "running")
    assert.equal((await admin.ask("GET", "/admin/calls/nobody")).status, 404)
  })

  test(`${kind}: usage adds up, in groups and over time`, async (t) => {
    const admin = await startTestAdmin(t, kind)
    await writeCalls(admin, 10)
    const span = "from=2026-03-01&to=2026-04-01"
    const { body: all } = await admin.ask("GET", `/admin/usage?${span}`)
    assert.equal(all.data.length, 1)
    assert.deepEqual(all.data[0].group, {})
    assert.equal(all.data[0].calls, 10)
    assert.equal(all.data[0].cost_nano, String(10 * 1_000 + 45))
    assert.equal(all.data[0].cost_usd, "0.000010045")
    const { body: groups } = await admin.ask(
      "GET",
      `/admin/usage?${span}&by=time,key,project,provider,ending&bucket=day`,
    )
    const time = new Date(NOON - (NOON % DAY)).toISOString()
    const shared = { time, key: "env", project: null, provider: "acme" }
    assert.deepEqual(
      groups.data.map(({ group, calls }: { group: object; calls: number }) => ({ group, calls })),
      [
        { group: { ...shared, ending: "failed" }, calls: 5 },
        { group: { ...shared, ending: "finished" }, calls: 5 },
      ],
    )
    const { body: tagged } = await admin.ask("GET", `/admin/usage?${span}&by=tag&ending=failed`)
    assert.deepEqual(
      tagged.data.map(({ group }: { group: object }) => group),
      [{ tag: "odd" }],
    )
    const long = await admin.ask("GET", "/admin/usage?from=2026-01-01&to=2026-12-31&by=time&bucket=hour")
    assert.equal(long.status, 400)
    assert.deepEqual(admin.faults, [])
  })

  test(`${kind}: an export has every call of its filter, in CSV and in JSON lines`, async (t) => {
    const admin = await startTestAdmin(t, kind)
    await writeCalls(admin, 1_050)
    const csv = await admin.ask("GET", "/admin/calls.csv")
    assert.equal(csv.status, 200)
    assert.match(csv.headers.get("content-type") ?? "", /^text\/csv/)
    const rows = csv.text.split("\r\n")
    assert.equal(rows.length, 1 + 1_050 + 1)
    assert.match(rows[0]!, /^id,started_at,/)
    assert.equal(new Set(rows.slice(1, -1).map((row) => row.split(",")[0])).size, 1_050)
    const lines = (await admin.ask("GET", "/admin/calls.jsonl?ending=failed")).text.trim().split("\n")
    assert.equal(lines.length, 525)
    const page = (await admin.ask("GET", "/admin/calls?ending=failed&limit=3")).body.data
    assert.deepEqual(
      lines.slice(0, 3).map((line) => JSON.parse(line)),
      page,
    )
    assert.equal((await admin.ask("GET", "/admin/calls.jsonl?key=nobody")).text, "")
  })
}

test("a spreadsheet runs nothing that a client has named itself", async (t) => {
  const admin = await startTestAdmin(t)
  const client = '=HYPERLINK("http://evil"),\n"x"'
  await admin.store.openCall(anOpenCall("a", { key: "env", keyIsStored: false, client, tags: ["+1", "b"] }))
  const { text } = await admin.ask("GET", "/admin/calls.csv")
  assert.ok(text.includes(`"'=HYPERLINK(""http://evil""),\n""x"""`), text)
  assert.ok(text.includes(`"'+1, b"`), text)
})

test("who stops reading an export stops its reading of the database", async (t) => {
  const admin = await startTestAdmin(t)
  await writeCalls(admin, 300)
  let stopped = () => {}
  const reading = new Promise<void>((resolve) => {
    stopped = resolve
  })
  const { all } = admin.store.calls
  Object.assign(admin.store.calls, {
    async *all(filter: Parameters<typeof all>[0]) {
      try {
        // For ever: only back-pressure and the reader's leaving end it.
        for (;;) yield* all(filter)
      } finally {
        stopped()
      }
    },
  })
  const leaving = new AbortController()
  const headers = { authorization: "Bearer sk-test-admin" }
  const response = await fetch(`${admin.url}/admin/calls.jsonl`, { headers, signal: leaving.signal })
  const reader = response.body!.getReader()
  await reader.read()
  leaving.abort()
  await reading
  assert.deepEqual(admin.faults, [])
})

test("an export that the database fails in the middle does not look complete", async (t) => {
  const admin = await startTestAdmin(t)
  await writeCalls(admin, 300)
  const { all } = admin.store.calls
  Object.assign(admin.store.calls, {
    async *all(filter: Parameters<typeof all>[0]) {
      yield* all(filter)
      throw new Error("the disk is gone")
    },
  })
  await assert.rejects(admin.ask("GET", "/admin/calls.csv"))
  assert.equal(admin.faults.length, 1)
})

test("keys are paged newest first, whatever is deleted meanwhile", async (t) => {
  let now = NOON
  const admin = await startTestAdmin(t, "sqlite", { now: () => now })
  const ids: string[] = []
  for (let n = 0; n < 7; n++) {
    // Two of a kind share their time.
    now += n % 2
    ids.push((await admin.ask("POST", "/admin/keys", { body: { name: `key ${n}` } })).body.key.id)
  }
  const first = (await admin.ask("GET", "/admin/keys?limit=3")).body
  await admin.ask("DELETE", `/admin/keys/${first.data[2].id}`)
  const second = (await admin.ask("GET", `/admin/keys?limit=3&cursor=${first.next}`)).body
  const third = (await admin.ask("GET", `/admin/keys?limit=3&cursor=${second.next}`)).body
  const seen = [first, second, third].flatMap(({ data }) => data.map(({ id }: { id: string }) => id))
  assert.deepEqual([...seen].sort(), [...ids].sort())
  assert.equal(third.next, null)
  assert.equal((await admin.ask("GET", "/admin/keys?cursor=nonsense")).status, 400)
})

test("a call's events are shown while they are kept, and said to be gone afterwards", async (t) => {
  const kept = {
    id: "a",
    ending: null,
    first: 1,
    last: 2,
    data: [{ seq: 2, frame: "id: 2\ndata: {}\n\n" }],
    next: null,
  }
  const admin = await startTestAdmin(t, "sqlite", {
    readEvents: async (id, after) => (id === "a" && after === 1 ? kept : undefined),
  })
  await writeCalls(admin, 1)
  assert.deepEqual((await admin.ask("GET", "/admin/calls/a/events?after=1")).body, kept)
  assert.equal((await admin.ask("GET", "/admin/calls/call-0/events")).status, 410)
  assert.equal((await admin.ask("GET", "/admin/calls/nobody/events")).status, 404)
})

test("what a call was about is shown where it was kept", async (t) => {
  const admin = await startTestAdmin(t)
  await writeCalls(admin, 2)
  await admin.store.contents.save("call-0", { request: "Hello?", answer: "Hello." }, Date.now() + DAY)
  assert.deepEqual((await admin.ask("GET", "/admin/calls/call-0/content")).body, {
    id: "call-0",
    request: "Hello?",
    answer: "Hello.",
  })
  const none = await admin.ask("GET", "/admin/calls/call-1/content")
  assert.equal(none.status, 404)
  assert.match(none.body.error.message, /not kept/)
})

test("what does not fit is refused by its name", async (t) => {
  const admin = await startTestAdmin(t)
  const bodies: readonly [param: string, body: object][] = [
    ["name", {}],
    ["name", { name: "" }],
    ["name", { name: "a\nb" }],
    ["budget.amount_usd", { name: "x", budget: { amount_usd: 5, period: "daily" } }],
    ["budget.amount_usd", { name: "x", budget: { amount_usd: "-5", period: "daily" } }],
    ["budget.amount_usd", { name: "x", budget: { amount_usd: "1e3", period: "daily" } }],
    ["budget.amount_usd", { name: "x", budget: { amount_usd: "0.0000000001", period: "daily" } }],
    ["budget.amount_usd", { name: "x", budget: { amount_usd: "1000000000.1", period: "daily" } }],
    ["budget.period", { name: "x", budget: { amount_usd: "5", period: "yearly" } }],
    ["budget.currency", { name: "x", budget: { amount_usd: "5", period: "daily", currency: "EUR" } }],
    ["limits.parallel", { name: "x", limits: { parallel: -1 } }],
    ["limits.parallel", { name: "x", limits: { parallel: 1.5 } }],
    ["limits.per_day", { name: "x", limits: { per_day: 1 } }],
    ["models[1]", { name: "x", models: ["a", "b*c"] }],
    ["on_disconnect", { name: "x", on_disconnect: "drain" }],
    ["dialect", { name: "x", dialect: "anthropic" }],
    ["expires_at", { name: "x", expires_at: "tomorrow" }],
    ["project", { name: "x", project: "proj_unknown" }],
    ["admin", { name: "x", admin: 1 }],
  ]
  for (const [param, body] of bodies) {
    const { status, body: answer } = await admin.ask("POST", "/admin/keys", { body })
    assert.equal(status, 400, JSON.stringify(body))
    assert.equal(answer.error.param, param)
    assert.ok(answer.error.message.startsWith(param), answer.error.message)
  }
  const queries: readonly [param: string, query: string][] = [
    ["limit", "calls?limit=0"],
    ["limit", "calls?limit=201"],
    ["limit", "calls?limit=ten"],
    ["colour", "calls?colour=red"],
    ["key", "calls?key=a&key=b"],
    ["from", "calls?from=yesterday"],
    ["from", "calls?from=2026-02-02&to=2026-02-01"],
    ["ending", "usage?ending=open"],
    ["by", "usage?by=time,time"],
    ["by[0]", "usage?by=colour"],
    ["after", "calls/a/events?after=-1"],
    ["x", "keys/a?x=1"],
  ]
  for (const [param, query] of queries) {
    const { status, body } = await admin.ask("GET", `/admin/${query}`)
    assert.equal(status, 400, query)
    assert.equal(body.error.param, param, query)
  }
  assert.equal((await admin.ask("GET", "/admin/calls?cursor=nonsense")).status, 400)
  assert.equal((await admin.store.keys.list()).length, 0)
  assert.deepEqual(admin.faults, [])
})

test("when the database cannot be reached, that is said, and nothing of why", async (t) => {
  const admin = await startTestAdmin(t)
  await admin.store.close()
  const { status, body } = await admin.ask("GET", "/admin/keys")
  assert.equal(status, 503)
  assert.equal(body.error.message, "The database cannot be reached at the moment.")
})

function idOf(admin: TestAdmin, secret: string): string {
  try {
    return admin.keys.authenticate({ authorization: `Bearer ${secret}` }).id
  } catch (error) {
    return String(error)
  }
}

/** `call-0`, `call-1`, … a second apart, every second one failed, all of the environment's key. */
async function writeCalls(admin: TestAdmin, count: number, name?: string): Promise<void> {
  const calls = Array.from({ length: count }, (_, n) => n)
  const id = (n: number) => name ?? `call-${n}`
  const begin = name === undefined ? NOON : NOON + DAY
  const common = { key: "env", keyIsStored: false }
  await Promise.all(
    calls.map(async (n) => {
      const startedAt = begin + n * 1_000
      const tags = n % 2 ? ["odd"] : []
      await admin.store.openCall(anOpenCall(id(n), { ...common, startedAt, tags }))
      await admin.store.settleCall(
        aSettledCall(id(n), {
          ending: n % 2 ? "failed" : "finished",
          cost: BigInt(1_000 + n),
          attempts: [
            {
              provider: "acme",
              model: "large",
              startedAt: NOON,
              endedAt: NOON + 10,
              usage: null,
              cost: null,
              estimated: false,
              status: 429,
              error: { type: "rate_limit_exceeded", message: "too many" },
            },
          ],
        }),
      )
    }),
  )
}
