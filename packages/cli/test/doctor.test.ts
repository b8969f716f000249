/** `sluice doctor`: what it finds, what it says to do, and that it leaves everything as it was. */
import assert from "node:assert/strict"
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import net from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { after, type TestContext, test } from "node:test"
import { testPostgres } from "../../../scripts/postgres.ts"
import { jsonAnswer, startRawProvider } from "../../gateway/test/raw-provider.ts"
import { startTestGateway } from "../../gateway/test/support.ts"
import { runAlone, temporaryFolder } from "./support.ts"

interface Finding {
  readonly subject: string
  readonly state: string
  readonly message: string
  readonly hint?: string
  readonly line?: number
}

after(async () => (await testPostgres()).stop())

test("a good setting is good in every line, and nothing is made", async (t) => {
  const provider = await providerThat(t, 200)
  const place = write(
    t,
    `providers: { local: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: sk-of-theirs } }
models: { fast: { candidates: [{ provider: local, model: one }] } }
prices: { local/one: { input: 1, output: 2 } }\n`,
  )
  const { code, out, findings } = await examine(t, place)
  assert.equal(code, 0, out)
  assert.deepEqual(
    findings.filter(({ state }) => state !== "good"),
    [],
  )
  assert.deepEqual(
    findings.map(({ subject }) => subject),
    ["node", "configuration", "data folder", "database", "keys", "port", "provider local", "prices"],
  )
  assert.match(
    messageOf(findings, "provider local"),
    /^127\.0\.0\.1:\d+ answers, its credential is good \(\d+ ms\)$/,
  )
  assert.match(
    provider.requests[0]!.head,
    /^GET \/v1\/models HTTP\/1\.1[\s\S]*authorization: Bearer sk-of-theirs/i,
  )
  assert.deepEqual(readdirSync(place.folder), ["sluice.yaml"])
})

test("for people it is a line each, aligned, with what to do below what is wrong", async (t) => {
  const place = write(t, "{}\n")
  const { code, out } = await run(t, place, ["--offline"])
  assert.equal(code, 0)
  assert.match(out, /^✓ node {11}Node \d+\.\d+\.\d+\n✓ configuration {2}/)
  assert.match(out, /\n! providers {6}only the simulator can be asked\n {17}Set a provider's key/)
  assert.equal(out.includes("\u001b"), false)
})

test("every mistake in the configuration is named with its line: exit code 2", async (t) => {
  const place = write(t, "providers:\n  one: { kind: opnai }\nserver: { port: 99999 }\nmodls: {}\n")
  const { code, findings } = await examine(t, place)
  assert.equal(code, 2)
  const bad = findings.filter(({ state }) => state === "bad")
  assert.deepEqual(
    bad.map(({ subject, line }) => [subject, line]),
    [
      ["configuration", 2],
      ["configuration", 3],
      ["configuration", 4],
    ],
  )
  assert.match(bad[0]!.message, /did you mean "openai"/)
})

const ANSWERS: readonly (readonly [status: number, state: string, code: number, message: RegExp])[] = [
  [401, "bad", 1, /refuses the credential \(401\)$/],
  [403, "bad", 1, /refuses the credential \(403\)$/],
  [404, "notable", 0, /has no list of models \(404\): the credential could not be tried$/],
  [302, "bad", 1, /answers with a redirect \(302\), which is never followed$/],
  [503, "notable", 0, /answers with 503$/],
]

for (const [status, state, expected, message] of ANSWERS) {
  test(`a provider that answers ${status} is ${state}, and its credential is not shown`, async (t) => {
    const provider = await providerThat(t, status)
    const { code, out, findings } = await examine(t, write(t, yamlOf(provider.baseUrl)))
    assert.equal(code, expected)
    const found = findings.find(({ subject }) => subject === "provider local")
    assert.equal(found?.state, state)
    assert.match(found?.message ?? "", message)
    assert.doesNotMatch(out, /sk-of-theirs/)
  })
}

test("each of several credentials is tried, at the door of its provider's kind", async (t) => {
  const provider = await startRawProvider((socket) => {
    const isGood = /^api-key: sk-good\r?$/im.test(provider.requests.at(-1)!.head)
    socket.end(jsonAnswer(isGood ? 200 : 401, '{"data":[]}'))
  })
  t.after(() => provider.close())
  const credentials = "credential: [sk-good, sk-revoked]"
  const yaml = `providers: { cloud: { kind: azure, base_url: "${provider.baseUrl}", ${credentials} } }\n`
  const { code, findings } = await examine(t, write(t, yaml))
  assert.equal(code, 1)
  assert.match(messageOf(findings, "provider cloud (credential 1)"), /its credential is good/)
  assert.match(messageOf(findings, "provider cloud (credential 2)"), /refuses the credential \(401\)/)
})

test("a provider that is not there is bad, and nobody is asked with --offline", async (t) => {
  const place = write(t, yamlOf("http://127.0.0.1:1/v1"))
  const { code, findings } = await examine(t, place)
  assert.equal(code, 1)
  assert.match(messageOf(findings, "provider local"), /^127\.0\.0\.1:1 cannot be reached: /)
  const offline = await examine(t, place, ["--offline"])
  assert.equal(offline.code, 0)
  assert.equal(messageOf(offline.findings, "provider local"), "")
})

test("a running gateway is recognised by its folder and its port, and not disturbed", async (t) => {
  const folder = temporaryFolder(t)
  const gateway = await startTestGateway("", { SLUICE_DATA: folder })
  t.after(() => gateway.close())
  const { port } = new URL(gateway.url)
  const place = write(t, "{}\n")
  const { code, findings } = await examine(t, place, ["--port", port], { SLUICE_DATA: folder })
  assert.equal(code, 0)
  assert.match(
    messageOf(findings, "data folder"),
    new RegExp(`in use by another sluice \\(process ${process.pid}\\)$`),
  )
  assert.equal(messageOf(findings, "port"), `a gateway is running at 127.0.0.1:${port}`)
  assert.match(messageOf(findings, "database"), /is at 0\d\d-[\w-]+, the newest$/)
})

test("a port that somebody else has is bad", async (t) => {
  const server = net.createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.after(() => server.close())
  const { port } = server.address() as net.AddressInfo
  const { code, findings } = await examine(t, write(t, "{}\n"), ["--port", String(port)])
  assert.equal(code, 1)
  assert.equal(messageOf(findings, "port"), `127.0.0.1:${port} cannot be listened on (EADDRINUSE)`)
})

test("a data folder that is a file is bad", async (t) => {
  const place = write(t, "{}\n")
  const file = join(place.folder, "sluice.yaml")
  const { code, findings } = await examine(t, place, [], { SLUICE_DATA: file })
  assert.equal(code, 1)
  assert.equal(messageOf(findings, "data folder"), `${file} cannot be used: ${file} is no folder`)
})

test("a database from a newer version is told from a broken one, and both stay as they are", async (t) => {
  const place = write(t, "{}\n")
  const data = temporaryFolder(t)
  const file = join(data, "sluice.db")
  const database = new DatabaseSync(file)
  database.exec("CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT")
  database.exec("INSERT INTO migrations VALUES ('001-ledger', 1), ('999-later', 2)")
  database.close()
  const before = [readFileSync(file), statSync(file).mtimeMs, readdirSync(data)] as const
  const newer = await examine(t, place, [], { SLUICE_DATA: data })
  assert.equal(newer.code, 1)
  assert.match(messageOf(newer.findings, "database"), /written by a newer version of Sluice/)
  assert.deepEqual([readFileSync(file), statSync(file).mtimeMs, readdirSync(data)], before)
  writeFileSync(file, "no database at all, but long enough to be read as one")
  chmodSync(file, 0o600)
  const broken = await examine(t, place, [], { SLUICE_DATA: data })
  assert.equal(broken.code, 1)
  assert.match(messageOf(broken.findings, "database"), /sluice\.db cannot be used: file is not a database/)
})

test("Postgres is looked at as well: reachable and empty, used, or away; its password is not shown", async (t) => {
  const url = await (await testPostgres()).createDatabase()
  const place = write(t, "{}\n")
  const empty = await examine(t, place, [], { DATABASE_URL: url })
  assert.match(messageOf(empty.findings, "database"), /^Postgres is empty/)
  const gateway = await startTestGateway("", { DATABASE_URL: url })
  t.after(() => gateway.close())
  const used = await examine(t, place, [], { DATABASE_URL: url })
  assert.match(messageOf(used.findings, "database"), /^Postgres is at 0\d\d-[\w-]+, the newest$/)
  const away = await examine(t, place, [], { DATABASE_URL: "postgres://user:secret-word@127.0.0.1:1/none" })
  assert.equal(away.code, 1)
  assert.match(
    messageOf(away.findings, "database"),
    /^The database at 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/,
  )
  assert.doesNotMatch(away.out, /secret-word/)
})

test("keys: what is set, what is missing for an admin, and what will not start", async (t) => {
  const place = write(t, "{}\n")
  const none = await examine(t, place, [], { SLUICE_API_KEY: "", SLUICE_ADMIN_KEY: "" })
  assert.equal(messageOf(none.findings, "keys"), "none yet: the first start mints one")
  const user = await examine(t, place, [], { SLUICE_API_KEY: "sk-test-one", SLUICE_ADMIN_KEY: "" })
  assert.ok(user.findings.some(({ message }) => message === "no admin key in the environment"))
  const open = ["--host", "0.0.0.0"]
  const exposed = await examine(t, place, open, { SLUICE_API_KEY: "", SLUICE_ADMIN_KEY: "" })
  assert.equal(exposed.code, 1)
  assert.match(messageOf(exposed.findings, "keys"), /others can reach 0\.0\.0\.0: it will not start/)
})

test("a model of a route without a price is worth knowing", async (t) => {
  const provider = await providerThat(t, 200)
  const yaml = `${yamlOf(provider.baseUrl)}models: { fast: { candidates: [{ provider: local, model: odd }] } }\n`
  const { code, findings } = await examine(t, write(t, yaml))
  assert.equal(code, 0)
  assert.match(
    messageOf(findings, "prices"),
    /^none is known for local\/odd: .*a key with a budget may not call it$/,
  )
})

interface Place {
  readonly folder: string
}

function write(t: TestContext, yaml: string): Place {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, "sluice.yaml"), yaml)
  return { folder }
}

/** The port is one that is free, whatever else runs here. */
async function run(
  t: TestContext,
  { folder }: Place,
  args: string[],
  environment: Record<string, string> = {},
) {
  const port = args.includes("--port") ? [] : ["--port", "0"]
  return runAlone(t, ["doctor", ...port, ...args], {
    cwd: folder,
    environment: {
      SLUICE_DATA: join(folder, "data"),
      SLUICE_API_KEY: "sk-test-one",
      SLUICE_ADMIN_KEY: "sk-test-two",
      DATABASE_URL: "",
      ...environment,
    },
  })
}

async function examine(
  t: TestContext,
  place: Place,
  args: string[] = [],
  environment?: Record<string, string>,
) {
  const finished = await run(t, place, ["--json", ...args], environment)
  const { findings, exit_code } = JSON.parse(finished.out) as { findings: Finding[]; exit_code: number }
  assert.equal(finished.code, exit_code)
  return { ...finished, findings }
}

function messageOf(findings: readonly Finding[], asked: string): string {
  return findings.find(({ subject }) => subject === asked)?.message ?? ""
}

async function providerThat(t: TestContext, status: number) {
  const more = status === 302 ? "location: http://127.0.0.1:1/\r\n" : ""
  const provider = await startRawProvider(
    (socket) => void socket.end(jsonAnswer(status, '{"data":[]}', more)),
  )
  t.after(() => provider.close())
  return provider
}

function yamlOf(baseUrl: string): string {
  return `providers: { local: { kind: openai-compatible, base_url: "${baseUrl}", credential: sk-of-theirs } }\n`
}
