/** What the command says of itself, and to those who ask it wrongly. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { runAlone } from "./support.ts"

const COMMANDS = ["serve", "doctor", "sim", "chat", "models", "keys", "projects", "usage", "tail"]

test("the help names every command with an example, and so does the package's README", async (t) => {
  const { code, out } = await runAlone(t, ["--help"])
  assert.equal(code, 0)
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
  for (const command of COMMANDS) {
    assert.match(out, new RegExp(`^  ${command} +\\S.*\n +sluice ${command}`, "m"))
    assert.match(readme, new RegExp(`\`sluice ${command}`))
  }
  assert.deepEqual(
    [...out.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name).sort(),
    COMMANDS.toSorted(),
  )
})

for (const command of COMMANDS) {
  test(`'sluice ${command} --help' teaches each of its flags on standard output`, async (t) => {
    const { code, out, err } = await runAlone(t, [command, "--help"])
    assert.deepEqual([code, err], [0, ""])
    assert.match(out, new RegExp(`^usage: sluice ${command}`))
    const source = readFileSync(new URL(`../src/${command}.ts`, import.meta.url), "utf8")
    const table = /const FLAGS = \{([\s\S]*?)\n\} as const/.exec(source)?.[1] ?? ""
    const names = [...table.matchAll(/^ {2}"?([\w-]+)"?: \{/gm)].map(([, name]) => name)
    assert.ok(names.length > 0)
    for (const name of names.filter((name) => name !== "help"))
      assert.ok(out.includes(`--${name}`), `no --${name}`)
    const wide = out.split("\n").filter((line) => line.length > 120)
    assert.deepEqual(wide, [])
  })
}

test("'sluice help chat' is 'sluice chat --help'", async (t) => {
  assert.deepEqual(await runAlone(t, ["help", "chat"]), await runAlone(t, ["chat", "--help"]))
})

test("without a word it shows its help", async (t) => {
  assert.match((await runAlone(t, [])).out, /^sluice: a gateway/)
})

test("an unknown command is told with the one that was meant", async (t) => {
  const { code, out, err } = await runAlone(t, ["chta"])
  assert.deepEqual([code, out], [2, ""])
  assert.equal(
    err,
    "sluice: there is no command 'chta'. Did you mean 'sluice chat'? 'sluice --help' lists them all.\n",
  )
})

test("an unknown flag, action or choice is told with the one that was meant, before anything is asked", async (t) => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["chat", "--modle", "x", "Hello"], /no flag '--modle' here; did you mean '--model'\?/],
    [["keys", "crate", "Ann"], /no action 'crate'\. Did you mean 'sluice keys create'\?/],
    [["keys"], /what is to be done\? One of list, create, show/],
    [["keys", "list", "--budget", "5"], /'list' has no use for --budget/],
    [["usage", "--by", "modle"], /--by must be one of .*not 'modle' \(did you mean 'model'\?\)/],
    [["usage", "--from", "yesterday"], /--from must be 7d \(so long ago\), 2026-01-31/],
    [["usage", "--bucket", "day"], /--bucket is for --by time/],
    [["tail", "--last", "500"], /--last must be a whole number from 0 to 200, not '500'/],
    [["chat", "--temperature", "hot", "x"], /--temperature must be a number from 0 to 2, not 'hot'/],
    [["chat", "--model"], /--model needs a value/],
    [["chat", "--model", "--json", "x"], /--model needs a value/],
    [["chat", "--json=yes", "x"], /--json takes no value/],
    [["models", "all"], /'all' is one word too many/],
    [["models", "--url", "localhost:4000"], /--url must be an address such as http:/],
    [["serve", "--confg", "x"], /no flag '--confg' here; did you mean '--config'\?/],
    [["sim", "--port", "70000"], /--port must be a whole number from 0 to 65535, not '70000'/],
    [["doctor", "--port", "x"], /--port must be a whole number/],
  ]
  for (const [args, expected] of cases) {
    const { code, out, err } = await runAlone(t, args, {
      environment: { SLUICE_ADMIN_KEY: "a", SLUICE_API_KEY: "b" },
    })
    assert.deepEqual([code, out], [2, ""], args.join(" "))
    assert.match(err, expected)
    assert.match(err, new RegExp(`^sluice ${args[0]}: .* 'sluice ${args[0]} --help' says more\\.\n$`))
  }
})

test("a key is never taken from an argument, nor shown", async (t) => {
  const withUser = await runAlone(t, ["models", "--url", "http://user:sk-hidden@127.0.0.1:1"])
  assert.equal(withUser.code, 2)
  assert.doesNotMatch(withUser.err, /hidden/)
  const unreadable = await runAlone(t, ["models"], { environment: { SLUICE_API_KEY: "sk hidden" } })
  assert.match(unreadable.err, /SLUICE_API_KEY holds no key/)
  assert.doesNotMatch(unreadable.err, /hidden/)
  const missing = await runAlone(t, ["models", "--key-file", "nowhere"])
  assert.match(missing.err, /--key-file nowhere: there is no such file/)
})

test("the version is the package's", async (t) => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  assert.equal((await runAlone(t, ["--version"])).out, `${version}\n`)
})
