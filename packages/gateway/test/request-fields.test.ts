/** docs/request-fields.md, line by line: the example is sent, and what becomes of it is what the page says. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { call, KEY, startTestGateway, type TestGateway } from "./support.ts"

const PAGE = new URL("../../../docs/request-fields.md", import.meta.url)

const MOUNTS: Readonly<Record<string, string>> = {
  OpenRouter: "/openrouter/api/v1",
  Orq: "/orq/v2/router",
  r9s: "/r9s/v1",
  Atoma: "/atoma/v1",
}

const YAML = `
models:
  fast: { candidates: [{ provider: sim, model: "fast:tokens=3" }] }
  other: { candidates: [{ provider: sim, model: "other:tokens=3" }] }
prices:
  sim/fast: { input: 1, output: 2 }
`

interface Row {
  readonly system: string
  readonly field: string
  readonly example: string
  readonly outcome: string
}

const rows = readRows(readFileSync(PAGE, "utf8"))
let gateway: TestGateway
before(async () => {
  gateway = await startTestGateway(YAML)
})
after(() => gateway.close())

test("the page has lines of all four systems, and each outcome is one that it explains", () => {
  assert.deepEqual([...new Set(rows.map(({ system }) => system))], Object.keys(MOUNTS))
  for (const { outcome } of rows) assert.match(outcome, /^(done|dropped|refused)$/)
  assert.ok(rows.length > 55, String(rows.length))
})

for (const { system, field, example, outcome } of rows) {
  test(`${system}: ${field} is ${outcome}`, async () => {
    const { body, headers } = readExample(example)
    for (const stream of [true, false]) {
      const answer = await call(`${gateway.url}${MOUNTS[system]}/chat/completions`, {
        key: headers["authorization"] === undefined ? KEY : undefined,
        headers,
        body: { model: "fast", messages: [{ role: "user", content: "Hello." }], stream, ...body },
      })
      const { text } = await answer.whole()
      const dropped = String(answer.headers["sluice-dropped-params"] ?? "")
      if (outcome === "refused") {
        assert.equal(answer.status, 400, text)
        const members = Object.keys(body)
        assert.ok(members.length === 0 || members.some((member) => text.includes(member)), text)
        continue
      }
      assert.equal(answer.status, 200, text)
      const named = dropped === "" ? [] : dropped.split(", ").map((path) => path.split(/[.[]/, 1)[0])
      for (const member of Object.keys(body))
        assert.equal(named.includes(member), outcome === "dropped", `dropped: ${dropped}`)
    }
  })
}

function readRows(page: string): Row[] {
  return page
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const system = section.slice(0, section.indexOf("\n"))
      return [...section.matchAll(/^\| (.+?) \| `(.+?)` \| (\w+) \| .*\|$/gm)].map(
        ([, field = "", example = "", outcome = ""]) => ({
          system,
          field: field.replaceAll("`", ""),
          example,
          outcome,
        }),
      )
    })
}

/** JSON is the body's, all else a header. */
function readExample(example: string): { body: Record<string, unknown>; headers: Record<string, string> } {
  if (example.startsWith("{")) return { body: JSON.parse(example), headers: {} }
  const [name = "", value = ""] = example.split(/: (.*)/s)
  const key64 = Buffer.from(KEY).toString("base64url")
  return { body: {}, headers: { [name]: value.replaceAll("$KEY64", key64).replaceAll("$KEY", KEY) } }
}
