import assert from "node:assert/strict"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { test } from "node:test"
import { blocksInMarkdown, type Example, examplesInSource, withoutExample } from "./doc-examples.ts"
import { root, runCommand } from "./house.ts"

const SDK = join(root, "packages/sdk")

test("every example of the doc comments and of the READMEs compiles", async (context) => {
  const sources = globSync("packages/{sdk,protocol}/src/**/*.ts", { cwd: root })
  const documents = globSync("{README.md,packages/*/README.md,docs/*.md}", { cwd: root })
  const examples = [
    ...sources.flatMap((path) => examplesInSource(path, read(path))),
    ...documents.flatMap((path) => blocksInMarkdown(path, read(path), "ts", "typescript")),
  ]
  assert.ok(
    examples.some(({ place }) => place.startsWith("packages/sdk/")),
    "no example was found in the sdk",
  )
  assert.ok(
    examples.some(({ place }) => place.startsWith("README.md")),
    "no example was found in the README",
  )
  context.diagnostic(`${examples.length} examples`)
  assert.equal(await compile(examples), "")
})

test("an example that is wrong does not compile, and is named by its place", async () => {
  const wrong = {
    place: "a.ts:7",
    code: 'import { Sluice } from "@sluice/sdk"\nnew Sluice({ baseUrl: "" })\n',
  }
  assert.match(await compile([wrong]), /^a\.ts:7.*baseUrl/m)
})

test("every public value of the sdk has a doc comment with an example", async () => {
  const { exports } = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")) as {
    exports: Record<string, string>
  }
  const entries = await Promise.all(
    Object.values(exports).map((path) => import(join(SDK, path)) as Promise<object>),
  )
  const names = new Set(entries.flatMap((entry) => Object.keys(entry)))
  assert.ok(names.has("Sluice"))

  const sources = globSync("src/**/*.ts", { cwd: SDK, exclude: ["**/*.test.ts"] })
  const lacking = sources.flatMap((path) => withoutExample(readFileSync(join(SDK, path), "utf8")))
  assert.deepEqual(
    lacking.filter((name) => names.has(name)),
    [],
  )
})

test("an example belongs to the declaration that follows its comment", () => {
  const source = [
    "/** Says one.\n *\n * @example\n * ```ts\n * one()\n * ```\n */\nexport function one() {}",
    "/** Says two. */\nexport const two = 2",
    "export class Three {}",
  ].join("\n\n")
  assert.deepEqual(withoutExample(source), ["two", "Three"])
  assert.deepEqual(examplesInSource("x.ts", source), [{ place: "x.ts:1", code: "one()\n" }])
})

/** What the compiler says of all examples at once, each named by where it stands. */
async function compile(examples: readonly Example[]): Promise<string> {
  mkdirSync(join(root, ".cache"), { recursive: true })
  const folder = mkdtempSync(join(root, ".cache/examples-"))
  try {
    for (const [index, { code }] of examples.entries()) {
      // A module, so that examples do not see each other's names.
      writeFileSync(join(folder, `example-${index}.ts`), `${code}\nexport {}\n`)
    }
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"] }),
    )
    const { code, output } = await runCommand(join(root, "node_modules/.bin/tsc"), [
      "-p",
      folder,
      "--pretty",
      "false",
    ])
    if (code === 0) return ""
    const named = output.replace(
      new RegExp(`${relative(root, folder)}/example-(\\d+)\\.ts`, "g"),
      (whole, index) => {
        return examples[Number(index)]?.place ?? whole
      },
    )
    return named || `tsc ended with ${code}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8")
}
