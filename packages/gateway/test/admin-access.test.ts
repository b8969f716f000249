/** Who may do what: every route of the table with every kind of key, and every column of the database in every body. */
import assert from "node:assert/strict"
import { globSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type TestContext, test } from "node:test"
import type * as z from "zod"
import { ADMIN_ROUTES } from "../src/admin/routes.ts"
import { openKeys } from "../src/auth/stored-keys.ts"
import { ADMIN_SECRET, startTestAdmin, type TestAdmin, testDatabase, USER_SECRET } from "./admin-support.ts"
import { anOpenCall, aSettledCall } from "./store-support.ts"

interface Case {
  readonly body?: object
  /** What an admin gets. */
  readonly status: number
}

/** `{id}` becomes an id that fits its path. A route that is not here fails the test. */
const CASES: Readonly<Record<string, Case>> = {
  "GET /admin/openapi.json": { status: 200 },
  "GET /admin/keys": { status: 200 },
  "POST /admin/keys": { body: { name: "x" }, status: 201 },
  "GET /admin/keys/{id}": { status: 200 },
  "PATCH /admin/keys/{id}": { body: { name: "y" }, status: 200 },
  "POST /admin/keys/{id}/rotate": { body: {}, status: 200 },
  "DELETE /admin/keys/{id}": { status: 200 },
  "GET /admin/projects": { status: 200 },
  "POST /admin/projects": { body: { name: "x" }, status: 201 },
  "GET /admin/projects/{id}": { status: 200 },
  "PATCH /admin/projects/{id}": { body: { name: "y" }, status: 200 },
  "DELETE /admin/projects/{id}": { status: 200 },
  "GET /admin/usage": { status: 200 },
  "GET /admin/calls": { status: 200 },
  "GET /admin/calls.csv": { status: 200 },
  "GET /admin/calls.jsonl": { status: 200 },
  "GET /admin/calls/{id}": { status: 200 },
  "GET /admin/calls/{id}/events": { status: 200 },
  "GET /admin/calls/{id}/content": { status: 200 },
}

/** OpenRouter's accounting: what a user's key gets, and an admin's. */
const OPENROUTER_CASES: Readonly<Record<string, Case & { readonly user: number }>> = {
  "GET /openrouter/api/v1/key": { user: 200, status: 200 },
  "GET /openrouter/api/v1/credits": { user: 200, status: 200 },
  "GET /openrouter/api/v1/generation?id=call": { user: 404, status: 200 },
  "GET /openrouter/api/v1/keys": { user: 403, status: 200 },
  "POST /openrouter/api/v1/keys": { body: { name: "x" }, user: 403, status: 201 },
  "GET /openrouter/api/v1/keys/{id}": { user: 403, status: 200 },
  "PATCH /openrouter/api/v1/keys/{id}": { body: { name: "y" }, user: 403, status: 200 },
  "DELETE /openrouter/api/v1/keys/{id}": { user: 403, status: 200 },
}

const routesServed = ADMIN_ROUTES.map(({ method, path }) => `${method} /admin${path}`)

test("the table of expectations has every route that is served, and no other", () => {
  assert.deepEqual(Object.keys(CASES).sort(), [...routesServed, "GET /admin/openapi.json"].sort())
})

test("every route answers every kind of key as the table says", async (t) => {
  const admin = await startTestAdmin(t, "sqlite", {
    readEvents: async (id) => ({ id, ending: null, first: 1, last: 0, data: [], next: null }),
  })
  const secrets = await secretsOfEveryKind(admin)
  await writeCall(admin)
  const all = { ...OPENROUTER_CASES, ...withUser(CASES) }
  let requests = 0
  for (const [name, { body, user, status }] of Object.entries(all)) {
    const expected = {
      none: 401,
      garbage: 401,
      revoked: 401,
      expired: 401,
      deleted: 401,
      user,
      tenant: user,
      admin: status,
    }
    for (const [kind, wanted] of Object.entries(expected)) {
      const [method = "", path = ""] = name.split(" ")
      const id = await idFor(admin, path)
      const asked = { secret: secrets[kind as keyof typeof secrets], body }
      const answer = await admin.ask(method, path.replace("{id}", id), asked)
      assert.equal(answer.status, wanted, `${name} with ${kind}: ${answer.text}`)
      if (wanted >= 400) assert.equal(typeof answer.body.error.message, "string")
      requests += 1
    }
  }
  assert.deepEqual(admin.faults, [])
  t.diagnostic(`${requests} requests`)
})

test("what is not there is told to admins only; what is there under another method is 405", async (t) => {
  const admin = await startTestAdmin(t)
  for (const path of [
    "/admin/nothing",
    "/admin/keys/",
    "/admin/keys/a/b",
    "/admin/keys/..%2f",
    "/admin/%6beys",
  ]) {
    assert.equal((await admin.ask("GET", path)).status, 404, path)
    assert.equal((await admin.ask("GET", path, { secret: USER_SECRET })).status, 403, path)
  }
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    const { status, body } = await admin.ask(method, "/admin/keys")
    assert.equal(status, 405)
    assert.match(body.error.message, /takes GET or POST/)
  }
  const longest = await admin.ask("GET", "/openrouter/api/v1/constructor")
  assert.equal(longest.status, 404)
})

test("a column of the database is no member of a body, unless it is one by its name in the API", async (t) => {
  const admin = await startTestAdmin(t)
  const columns = await columnNames(t)
  assert.ok(columns.has("deleted_at") && columns.has("hash") && columns.has("budget_amount"))
  let refused = 0
  for (const { method, path, body } of ADMIN_ROUTES) {
    if (body === undefined) continue
    const members = new Set(Object.keys(body.schema.shape))
    for (const column of [...columns, "__proto__", "constructor", "prefix_", "keyHash"]) {
      if (members.has(column)) continue
      const id = await idFor(admin, path)
      const target = `/admin${path.replace("{id}", id)}`
      const before = await stateOf(admin)
      // `JSON.stringify` would lose `__proto__` if it were set by name.
      const sent = JSON.parse(members.has("name") ? `{"name":"x","${column}":1}` : `{"${column}":1}`)
      const answer = await admin.ask(method, target, { body: sent })
      assert.equal(answer.status, 400, `${method} ${path} took '${column}'`)
      assert.equal(answer.body.error.param, column, answer.text)
      assert.deepEqual(await stateOf(admin), before)
      refused += 1
    }
  }
  assert.deepEqual(admin.faults, [])
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined)
  t.diagnostic(`${refused} refused`)
})

test("a key cannot be made an admin's later", async (t) => {
  const admin = await startTestAdmin(t)
  const id = await idFor(admin, "/keys/{id}")
  const { status, body } = await admin.ask("PATCH", `/admin/keys/${id}`, { body: { admin: true } })
  assert.equal(status, 400)
  assert.equal(body.error.param, "admin")
})

test("a stored admin key may what the environment's may", async (t) => {
  const admin = await startTestAdmin(t)
  const { secret } = (await admin.ask("POST", "/admin/keys", { body: { name: "ops", admin: true } })).body
  assert.equal((await admin.ask("GET", "/admin/keys", { secret })).status, 200)
})

test("a tenant sees its own calls and nobody else's", async (t) => {
  const admin = await startTestAdmin(t)
  await writeCall(admin)
  const path = "/openrouter/api/v1/generation?id="
  const foreign = await admin.ask("GET", `${path}call`, { secret: USER_SECRET })
  const unknown = await admin.ask("GET", `${path}nobody`, { secret: USER_SECRET })
  assert.equal(foreign.status, 404)
  assert.equal(foreign.text.replaceAll("call'", "nobody'"), unknown.text)
})

test("the OpenAPI document has every route, with the schemas that it is checked by", async (t) => {
  const admin = await startTestAdmin(t)
  const { body: document } = await admin.ask("GET", "/admin/openapi.json")
  assert.equal(document.openapi, "3.1.0")
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(documented.sort(), [...routesServed].sort())
  const create = document.paths["/admin/keys"].post
  const schema = create.requestBody.content["application/json"].schema
  assert.equal(schema.additionalProperties, false)
  assert.deepEqual(schema.required, ["name"])
  const usage = document.paths["/admin/usage"].get.parameters.map(({ name }: { name: string }) => name)
  assert.deepEqual(usage.sort(), Object.keys(shapeOf("GET", "/usage")).sort())
  const ids = documented.map((name) => {
    const [method = "", path = ""] = name.split(" ")
    return document.paths[path][method.toLowerCase()].operationId
  })
  assert.equal(new Set(ids).size, ids.length)
})

function shapeOf(method: string, path: string): z.ZodRawShape {
  return ADMIN_ROUTES.find((route) => route.method === method && route.path === path)!.query.shape
}

function withUser(cases: Readonly<Record<string, Case>>): Record<string, Case & { user: number }> {
  return Object.fromEntries(Object.entries(cases).map(([name, one]) => [name, { ...one, user: 403 }]))
}

async function secretsOfEveryKind(admin: TestAdmin) {
  const make = async (body: object) => (await admin.ask("POST", "/admin/keys", { body })).body
  const revoked = await make({ name: "revoked" })
  const deleted = await make({ name: "deleted" })
  await admin.ask("PATCH", `/admin/keys/${revoked.key.id}`, { body: { disabled: true } })
  await admin.ask("DELETE", `/admin/keys/${deleted.key.id}`)
  return {
    none: null,
    garbage: "sk-sluice-garbage",
    revoked: revoked.secret,
    deleted: deleted.secret,
    expired: (await make({ name: "expired", expires_at: "2020-01-01T00:00:00Z" })).secret,
    user: USER_SECRET,
    tenant: (await make({ name: "tenant" })).secret,
    admin: ADMIN_SECRET,
  }
}

/** A new one each time: what is deleted for one kind of key is there for the next. */
async function idFor(admin: TestAdmin, path: string): Promise<string> {
  if (!path.includes("{id}")) return ""
  if (path.includes("/calls/")) return "call"
  const list = path.includes("/projects/") ? "projects" : "keys"
  const { body } = await admin.ask("POST", `/admin/${list}`, { body: { name: "one of many" } })
  return list === "keys" ? body.key.id : body.id
}

async function writeCall(admin: TestAdmin): Promise<void> {
  await admin.store.openCall(anOpenCall("call", { key: "somebody", keyIsStored: false }))
  await admin.store.settleCall(aSettledCall("call"))
  await admin.store.contents.save("call", { request: "?", answer: "!" }, Date.now() + 60_000)
}

async function stateOf({ store }: TestAdmin): Promise<unknown> {
  return [await store.keys.list(), await store.projects.list()]
}

/** As they are in the database itself. */
async function columnNames(t: TestContext): Promise<Set<string>> {
  const { open, folder } = await testDatabase(t, "sqlite")
  await openKeys(await open(), { log: () => {} })
  const [file = ""] = globSync("*.{db,sqlite,sqlite3}", { cwd: folder })
  const database = new DatabaseSync(join(folder, file), { readOnly: true })
  t.after(() => database.close())
  const rows = database
    .prepare("SELECT c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'")
    .all()
  return new Set(rows.map(({ name }) => String(name)))
}
