/** The README's commands, run as they stand there; only the port is another, and the data goes to a folder of its own. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { blocksInMarkdown } from "./doc-examples.ts"
import { mustRun, node24, root } from "./house.ts"
import { type StartedGateway, startGateway } from "./started-gateway.ts"

const readme = readFileSync(join(root, "README.md"), "utf8")
const commands = blocksInMarkdown("README.md", readme, "sh", "bash").map(({ code }) => code.trim())
const programs = blocksInMarkdown("README.md", readme, "ts", "typescript")

let data: string
let gateway: StartedGateway

before(async () => {
  data = mkdtempSync(join(tmpdir(), "sluice-readme-"))
  // No key of ours: the README lets the gateway mint one.
  gateway = await startGateway(["npm", "start", "--silent", "--"], {
    cwd: root,
    environment: { SLUICE_API_KEY: "", SLUICE_ADMIN_KEY: "", SLUICE_DATA: data },
  })
})

after(async () => {
  await gateway?.stop()
  rmSync(data, { recursive: true, force: true })
})

test("the README's commands are the ones that this test knows", () => {
  assert.equal(commands[0], "npm start")
  assert.ok(commands.length >= 2)
  for (const command of commands.slice(1)) assert.match(command, /^curl -N http:\/\/127\.0\.0\.1:4000\//)
})

for (const command of commands.slice(1)) {
  test(`the README's curl line streams: ${command.slice(0, 60)}…`, async () => {
    const asked = here(command).replace(/^curl /, "curl --silent --show-error --fail-with-body ")
    const body = await mustRun("sh", ["-euc", asked])
    const data = [...body.matchAll(/^data: (.*)$/gm)].map(([, text = ""]) => text)
    assert.equal(data.at(-1), "[DONE]", body)
    const text = data.slice(0, -1).map((line) => JSON.parse(line).choices[0]?.delta.content ?? "")
    assert.ok(text.filter((delta) => delta !== "").length > 1, body)
  })
}

test("the README's first program prints a story and its usage", async () => {
  const first = programs[0]
  assert.ok(first, "the README has no program")
  mkdirSync(join(root, ".cache"), { recursive: true })
  const folder = mkdtempSync(join(root, ".cache/readme-"))
  try {
    writeFileSync(join(folder, "first.ts"), here(first.code))
    const key = readFileSync(join(data, "dev-key"), "utf8").trim()
    const printed = await mustRun(node24, [join(folder, "first.ts")], {
      env: { ...process.env, SLUICE_API_KEY: key },
    })
    assert.match(printed, /\w+ \w+ \w+/)
    assert.match(printed, /completionTokens: \d+/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test("the README's first example uses a type of one of the vendors' pages", () => {
  assert.match(programs[0]?.code ?? "", /import type \{ \w+ \} from "@sluice\/sdk\/models/)
})

function here(text: string): string {
  return text.replaceAll("http://127.0.0.1:4000", gateway.url).replaceAll("sluice-data/", `${data}/`)
}
