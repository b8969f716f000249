/**
 * Programs written for the vendors' own SDKs, in their types (`migrations/`). They compile against the real packages;
 * after a change of their import lines alone they must compile, and run, against ours.
 */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { pathToFileURL } from "node:url"
import { compilerOutput, root } from "./compiling.ts"
import { chunkOf, ENVELOPE, type ScriptedServer, startScriptedServer, USAGE } from "./scripted-server.ts"

interface Migration {
  readonly program: string
  /** The server's address as this vendor's SDK takes it. */
  readonly path: string
  readonly prints: readonly string[]
}

const tokens = `${USAGE.total_tokens} tokens`
const migrations: readonly Migration[] = [
  { program: "openrouter", path: "/api/v1", prints: ["Once [stop]", "Twice", tokens, "null"] },
  { program: "openrouter-0.9", path: "/api/v1", prints: ["Once", "Twice", tokens] },
  { program: "atoma", path: "", prints: ["Once", "Twice", tokens] },
  { program: "orq", path: "", prints: ["Once [stop]", "Twice", tokens] },
]

const MOVES: readonly (readonly [vendors: string, ours: string])[] = [
  ["@openrouter/sdk", "@sluice/sdk/openrouter"],
  ["@openrouter/sdk/models", "@sluice/sdk/models"],
  ["openrouter-sdk-0.9", "@sluice/sdk/openrouter"],
  ["openrouter-sdk-0.9/models", "@sluice/sdk/models"],
  ["openrouter-sdk-0.9/models/operations", "@sluice/sdk/models/operations"],
  ["atoma-sdk", "@sluice/sdk/atoma"],
  ["atoma-sdk/models/components/index.js", "@sluice/sdk/models/components"],
  ["@orq-ai/node", "@sluice/sdk/orq"],
  ["@orq-ai/node/models/operations/index.js", "@sluice/sdk/models/operations"],
]

let folder: string
let server: ScriptedServer
before(async () => {
  mkdirSync(join(root, ".cache"), { recursive: true })
  folder = mkdtempSync(join(root, ".cache/migrations-"))
  server = await startScriptedServer()
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.close()
})

test("every program compiles as it was written for the vendor's own package", async () => {
  assert.equal(await compile("vendors", (program) => program), "")
})

test("every program compiles after a change of its import lines alone", async () => {
  assert.equal(await compile("ours", moved), "")
})

test("a program that takes an event for its chunk does not", async () => {
  const wrong = (program: string) => moved(program).replace("= event.data\n", "= event\n")
  const output = await compile("wrong", wrong)
  for (const program of ["atoma", "orq"]) assert.match(output, new RegExp(`^${program}.ts.*error`, "m"))
})

for (const { program, path, prints } of migrations) {
  test(`${program}: the program runs as it did`, async () => {
    server.reset()
    server.isSluice = false
    server.completion = {
      ...{ ...ENVELOPE, object: "chat.completion", usage: USAGE },
      choices: [{ index: 0, message: { role: "assistant", content: "Twice" }, finish_reason: "stop" }],
    }
    server.events = [
      chunkOf({ role: "assistant", content: "" }),
      chunkOf({ content: "On" }),
      chunkOf({ content: "ce" }, "stop"),
    ]
    write("ours", program, moved)
    const { run }: Migrated = await import(pathToFileURL(join(folder, "ours", `${program}.ts`)).href)
    assert.deepEqual(await run(new URL(server.url).origin + path), prints)
  })
}

interface Migrated {
  run(serverURL: string): Promise<string[]>
}

function compile(into: string, change: (program: string) => string): Promise<string> {
  for (const { program } of migrations) write(into, program, change)
  const settings = { extends: "../../../tsconfig.json", include: ["*.ts"] }
  writeFileSync(join(folder, into, "tsconfig.json"), JSON.stringify(settings))
  return compilerOutput(join(folder, into))
}

function write(into: string, program: string, change: (program: string) => string): void {
  mkdirSync(join(folder, into), { recursive: true })
  const written = readFileSync(join(import.meta.dirname, `migrations/${program}.ts`), "utf8")
  writeFileSync(join(folder, into, `${program}.ts`), change(written))
}

function moved(program: string): string {
  const ours = new Map(MOVES)
  return program.replace(/(?<=\bfrom ")[^"]+/g, (name) => {
    const to = ours.get(name)
    assert.ok(to, `no package of ours stands in for ${name}`)
    return to
  })
}
