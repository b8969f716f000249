/** `sluice keys`, `projects`, `usage` and `models` against a gateway. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { call, KEY, streamBody } from "../../gateway/test/support.ts"
import { plain, type Sluice, startSluice, temporaryFolder } from "./support.ts"

test("a key is made with every setting, and its secret alone stands on standard output", async (t) => {
  const sluice = await startSluice(t)
  await must(sluice, ["projects", "create", "Search", "--budget", "500/monthly"])
  const settings = [
    ["--project", "Search"],
    ["--tags", "team,night"],
    ["--models", "openai/gpt-4o*,sim/*"],
    ["--providers", "openai,sim"],
    ["--budget", "20.50/weekly"],
    ["--requests-per-minute", "60"],
    ["--tokens-per-minute", "90000"],
    ["--parallel", "4"],
    ["--on-disconnect", "drain:30"],
    ["--dialect", "openrouter"],
    ["--forbid-detach"],
    ["--log-content"],
    ["--expires", "2099-12-31"],
    ["--admin"],
  ].flat()
  const { out, err } = await must(sluice, ["keys", "create", "Ann's laptop", ...settings])
  assert.match(out, /^sk-sluice-\w+\n$/)
  assert.match(err, /^'Ann's laptop' \(key_\w+\) is made\. It is shown this once: keep it now\.\n$/)
  const key = JSON.parse((await must(sluice, ["keys", "show", "Ann's laptop", "--json"])).out)
  const [project] = JSON.parse((await must(sluice, ["projects", "list", "--json"])).out)
  assert.partialDeepStrictEqual(key, {
    name: "Ann's laptop",
    project: project.id,
    tags: ["team", "night"],
    models: ["openai/gpt-4o*", "sim/*"],
    providers: ["openai", "sim"],
    budget: { amount_usd: "20.5", period: "weekly" },
    limits: { requests_per_minute: 60, tokens_per_minute: 90_000, parallel: 4 },
    on_disconnect: "drain:30",
    dialect: "openrouter",
    forbid_detach: true,
    log_content: true,
    expires_at: "2099-12-31T00:00:00.000Z",
    admin: true,
  })
  const asHer = await sluice.run(["models"], { environment: { SLUICE_API_KEY: out.trim() } })
  assert.deepEqual([asHer.code, asHer.err], [0, ""])
})

test("what is edited changes, what is not named stays, and everything can be taken away again", async (t) => {
  const sluice = await startSluice(t)
  const { out: secret } = await must(sluice, [
    "keys",
    "create",
    "Ann",
    "--budget",
    "5",
    "--parallel",
    "2",
    "--tags",
    "a",
  ])
  await must(sluice, ["keys", "edit", "Ann", "--name", "Bob", "--models", "sim/*"])
  const show = async (word: string) => JSON.parse((await must(sluice, ["keys", "show", word, "--json"])).out)
  assert.partialDeepStrictEqual(await show("Bob"), {
    models: ["sim/*"],
    budget: { amount_usd: "5", period: "total" },
    limits: { parallel: 2 },
    tags: ["a"],
  })
  const none = [
    "--budget",
    "none",
    "--parallel",
    "none",
    "--models",
    "all",
    "--tags",
    "none",
    "--expires",
    "never",
  ]
  await must(sluice, ["keys", "edit", "Bob", ...none])
  assert.partialDeepStrictEqual(await show("Bob"), {
    models: null,
    budget: null,
    limits: { parallel: null },
    tags: [],
    expires_at: null,
  })
  const nothing = await sluice.run(["keys", "edit", "Bob"])
  assert.match(nothing.err, /what is to change\?/)
  assert.equal(nothing.code, 2)

  const asBob = () => sluice.run(["models"], { environment: { SLUICE_API_KEY: secret.trim() } })
  assert.equal((await asBob()).code, 0)
  await must(sluice, ["keys", "disable", "Bob"])
  assert.equal((await asBob()).code, 1)
  await must(sluice, ["keys", "enable", "Bob"])
  assert.equal((await asBob()).code, 0)
})

test("a rotated key has a new secret, and the old one its grace", async (t) => {
  const sluice = await startSluice(t)
  const before = (await must(sluice, ["keys", "create", "Ann"])).out
  const { out: after, err } = await must(sluice, ["keys", "rotate", "Ann", "--grace", "1h"])
  assert.notEqual(after, before)
  assert.match(err, /has a new secret\. It is shown this once: keep it now\. The old one is good until 20/)
  for (const secret of [before, after])
    assert.equal((await sluice.run(["models"], { environment: { SLUICE_API_KEY: secret.trim() } })).code, 0)
})

test("what cannot be undone is asked about: at a terminal by a question, elsewhere by --yes", async (t) => {
  const sluice = await startSluice(t)
  await must(sluice, ["keys", "create", "Ann"])
  const piped = await sluice.run(["keys", "delete", "Ann"])
  assert.deepEqual([piped.code, piped.out], [2, ""])
  assert.match(piped.err, /say --yes/)
  const refused = sluice.startAtTerminal(["keys", "delete", "Ann"])
  await refused.until(/Take back the key 'Ann' \(key_\w+\) for good\? \[y\/N\]/)
  refused.type("n\r")
  assert.equal((await refused.finished).code, 1)
  const agreed = sluice.startAtTerminal(["keys", "delete", "Ann"])
  await agreed.until(/\[y\/N\]/)
  agreed.type("y\r")
  const { code, out } = await agreed.finished
  assert.equal(code, 0)
  assert.match(plain(out), /'Ann' \(key_\w+\) is taken back/)
  assert.match(
    (await sluice.run(["keys", "show", "Ann"])).err,
    /there is no key 'Ann'; 'sluice keys list' shows them/,
  )
})

test("keys are listed in an aligned table, whole in a pipe and as wide as a terminal", async (t) => {
  const sluice = await startSluice(t)
  assert.match((await sluice.run(["keys", "list"])).err, /There are no keys yet/)
  await must(sluice, ["keys", "create", "Ann", "--budget", "1234.5/monthly"])
  await must(sluice, ["keys", "create", "名前", "--admin"])
  const { out } = await must(sluice, ["keys", "list"])
  const [head, ...rows] = out.trimEnd().split("\n")
  assert.match(head!, /^id +name +status +secret +spent +budget +running +made$/)
  assert.match(
    rows[0]!,
    /^key_\w{40} {2}名前 {2}active, admin +sk-sluice-\w{4}… +\$0 {2}none +0 {2}just now$/,
  )
  assert.match(
    rows[1]!,
    /^key_\w{40} {2}Ann {3}active +sk-sluice-\w{4}… +\$0 {2}\$1,234\.50 monthly +0 {2}just now$/,
  )
  assert.equal(out.includes("\u001b"), false)
})

test("two keys of one name are told apart by their ids", async (t) => {
  const sluice = await startSluice(t)
  await must(sluice, ["keys", "create", "CI"])
  await must(sluice, ["keys", "create", "CI"])
  const { code, err } = await sluice.run(["keys", "show", "CI"])
  assert.equal(code, 2)
  const [, id] = /choose one by its id \((key_\w+), key_\w+\)/.exec(err) ?? []
  assert.equal(JSON.parse((await must(sluice, ["keys", "show", id!, "--json"])).out).id, id)
})

test("projects are made, changed and deleted; one that has keys stays", async (t) => {
  const sluice = await startSluice(t)
  await must(sluice, ["projects", "create", "Search", "--budget", "500/monthly"])
  await must(sluice, ["projects", "edit", "Search", "--name", "Finding", "--budget", "800/weekly"])
  assert.match((await must(sluice, ["projects", "list"])).out, /Finding +\$0 {2}\$800\.00 weekly/)
  await must(sluice, ["keys", "create", "Ann", "--project", "Finding"])
  const full = await sluice.run(["projects", "delete", "Finding", "--yes"])
  assert.equal(full.code, 1)
  assert.match(full.err, /^sluice projects: \d+: .+\n$/)
  await must(sluice, ["keys", "edit", "Ann", "--project", "none"])
  await must(sluice, ["projects", "delete", "Finding", "--yes"])
  assert.match((await sluice.run(["projects", "list"])).err, /There are no projects yet/)
})

test("a user's key is told that it is none for the books, and none at all what is missing", async (t) => {
  const sluice = await startSluice(t)
  const user = await sluice.run(["keys", "list"], { environment: { SLUICE_ADMIN_KEY: KEY } })
  assert.equal(user.code, 1)
  assert.match(user.err, /does not let the key from SLUICE_ADMIN_KEY do this: 403: .*admin/)
  const none = await sluice.run(["usage"], {
    environment: { SLUICE_ADMIN_KEY: "", SLUICE_DATA: temporaryFolder(t) },
  })
  assert.equal(none.code, 2)
  assert.match(none.err, /SLUICE_ADMIN_KEY is not set/)
})

test("a key comes from a file, or from where the gateway has minted it", async (t) => {
  const sluice = await startSluice(t)
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, "dev-key"), `${KEY}\n`)
  const environment = { SLUICE_API_KEY: "", SLUICE_DATA: folder }
  assert.equal((await sluice.run(["models"], { environment })).code, 0)
  const named = ["models", "--key-file", join(folder, "dev-key")]
  assert.equal((await sluice.run(named, { environment: { SLUICE_DATA: "/nowhere" } })).code, 0)
})

test("usage adds up: by model and key with totals, as JSON and as CSV", async (t) => {
  const sluice = await startSluice(t, "prices: { sim/paid: { input: 1000, output: 2000 } }\n")
  const secret = (await must(sluice, ["keys", "create", "Ann"])).out.trim()
  assert.match((await sluice.run(["usage"])).err, /^No call was settled from .* UTC\.\n$/)
  await ask(sluice, "sim/paid:tokens=10", secret)
  await ask(sluice, "sim/paid:tokens=20", KEY)
  await ask(sluice, "sim/free:tokens=30", KEY)
  const { out } = await must(sluice, ["usage", "--by", "key,ending"])
  const [head, ...rows] = out.trimEnd().split("\n")
  assert.match(head!, /^key +ending +calls +prompt +completion +cost +without price$/)
  assert.equal(rows.length, 3)
  assert.match(out, /^Ann +finished +1 +\d+ +10 +\$0\.02\d? +0$/m)
  assert.match(rows[2]!, /^ +3 +\d+ +60 +\$0\.0\d+ +1$/)
  assert.match((await must(sluice, ["usage", "--by", "model"])).out, /^free:tokens=30 .* unknown +1$/m)

  const answer = JSON.parse((await must(sluice, ["usage", "--by", "model", "--key", "env", "--json"])).out)
  assert.deepEqual(
    answer.data.map((row: { completion_tokens: number }) => row.completion_tokens).sort(),
    [20, 30],
  )
  const csv = (await must(sluice, ["usage", "--by", "ending,model", "--csv"])).out.split("\r\n")
  assert.equal(csv[0]!.split(",").slice(0, 4).join(), "ending,model,calls,prompt_tokens")
  assert.equal(csv.length, 5)
  assert.match(
    (await must(sluice, ["usage", "--by", "time", "--bucket", "hour"])).out,
    /^\d{4}-\d\d-\d\d \d\d:00Z +3 /m,
  )
})

test("models are one a line, and as JSON what the gateway lists", async (t) => {
  const sluice = await startSluice(t, "models: { fast: { candidates: [{ provider: sim, model: story }] } }\n")
  const ids = (await must(sluice, ["models"])).out.trimEnd().split("\n")
  assert.ok(ids.includes("fast"))
  const listed = JSON.parse((await must(sluice, ["models", "--json"])).out)
  assert.deepEqual(
    listed.map(({ id }: { id: string }) => id),
    ids,
  )
})

async function must(sluice: Sluice, args: readonly string[]) {
  const finished = await sluice.run(args)
  assert.equal(finished.code, 0, `${args.join(" ")}: ${finished.err}`)
  return finished
}

async function ask({ gateway }: Sluice, model: string, key: string): Promise<void> {
  const answer = await call(`${gateway.url}/v1/chat/completions`, { body: streamBody(model), key })
  const { text } = await answer.whole()
  assert.match(text, /\[DONE\]/)
}
