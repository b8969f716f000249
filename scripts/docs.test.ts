/** Every block of the README and of the docs' pages, done as it stands there (doc-reader.ts says how). */
import assert from "node:assert/strict"
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { storyTokens } from "../packages/gateway/src/providers/sim-text.ts"
import { type Block, blocksInMarkdown } from "./doc-examples.ts"
import { differenceTo, openDocs, PYTHON, READ_LANGUAGES } from "./doc-reader.ts"
import { root } from "./house.ts"

const LIMIT = { timeout: 60_000 }
/** What a block prints stands in `text`; docs-nginx.test.ts and metrics-page.test.ts have the others. */
const ELSEWHERE = ["text", "nginx", "promql"]
const PROGRAMS = ["ts", "js", "py"]
/** As `sim/story` tells it where its script says nothing. */
const story = storyTokens("story", 1)
const STORY = Array.from({ length: 64 }, () => story.next().value)
  .join("")
  .trim()
const PAGES = ["README.md", ...globSync("docs/*.md", { cwd: root })].sort()

const blocksOf = (path: string): Block[] => blocksInMarkdown(path, readFileSync(join(root, path), "utf8"))

test("every block is run, or says why it is not", (t) => {
  const known: readonly string[] = [...READ_LANGUAGES, ...ELSEWHERE]
  const blocks = PAGES.flatMap(blocksOf)
  const unknown = blocks.filter(({ language, notRun }) => !known.includes(language) && notRun === undefined)
  assert.deepEqual(
    unknown.map(({ place, language }) => `${place} '${language}'`),
    [],
  )
  const left = blocks.filter(({ notRun }) => notRun !== undefined)
  for (const { place, notRun } of left) t.diagnostic(`not run: ${place}: ${notRun}`)
  t.diagnostic(`${blocks.length - left.length} blocks are run, ${left.length} are not`)
  if (!existsSync(PYTHON))
    t.diagnostic("absent: the Python packages of scripts/python-sdks.txt; their blocks are only compiled")
})

for (const path of PAGES) {
  const page = blocksOf(path)
  const run = page.filter((block) => block.notRun === undefined && !isElsewhere(block))
  if (run.length === 0) continue
  test(`${path} does what it says`, { timeout: 200_000 }, async (t) => {
    const reader = await openDocs(page)
    try {
      for (const block of run) {
        const next = page[page.indexOf(block) + 1]
        const expected = block.language !== "yaml" && next?.language === "text" ? next.code : undefined
        await t.test(`${block.place}: ${titleOf(block)}`, LIMIT, async () => {
          const printed = await reader.read(block, expected)
          if (expected === undefined && PROGRAMS.includes(block.language)) assertStory(printed)
        })
      }
    } finally {
      await reader.close()
    }
  })
}

test("the README's first command is npm start, and its first program uses a type of a vendor's page", () => {
  const page = blocksOf("README.md")
  assert.equal(page[0]?.code, "npm start\n")
  const program = page.find(({ language }) => language === "ts")
  assert.match(program?.code ?? "", /import type \{ \w+ \} from "@sluice\/sdk\/models/)
})

test("a block that fails, or prints something else than the page shows, is told", async () => {
  const block = (code: string): Block => ({ place: "a.md:1", language: "sh", notRun: undefined, code })
  const page = [block("true\n")]
  const reader = await openDocs(page)
  try {
    await reader.read(block('kept="one two"\n'))
    await reader.read(block('echo "$kept"\n'), "one …\n")
    await assert.rejects(reader.read(block("echo one\n"), "two\n"), /expected\ntwo/)
    await assert.rejects(reader.read(block("false\ntrue\n")), /ended with 1/)
    await assert.rejects(reader.read(block("curl http://127.0.0.1:4000/v1/models\n")), /401/)
    await reader.read(block("curl -i http://127.0.0.1:4000/v1/models\n"), "HTTP/1.1 401 Unauthorized\n")
  } finally {
    await reader.close()
  }
})

test("in what is shown `…` stands for anything within a line, and alone for any lines", () => {
  const printed = "one 1\ntwo 2\nthree 3\n"
  for (const same of [
    "one 1\n",
    "two …\nthree 3\n",
    "one 1\n…\nthree …\n",
    "…\nthree 3\n",
    "one …\n…\ntwo 2\n",
  ])
    assert.equal(differenceTo(same, printed), undefined, same)
  for (const other of ["one\n", "one 1\nthree 3\n", "three 3\n…\none 1\n", "o.e 1\n", "one …\n…\nfour\n"])
    assert.notEqual(differenceTo(other, printed), undefined, other)
})

/** Another program's configuration says so in its first line. */
function isElsewhere({ language, code }: Block): boolean {
  return ELSEWHERE.includes(language) || (language === "yaml" && /^# (?!sluice\.)[\w-]+\.yml\n/.test(code))
}

/** A program whose output the page does not show asks the simulator for its story: nothing of it may be missing. */
function assertStory(printed: string | undefined): void {
  if (printed !== undefined) assert.ok(printed.includes(STORY), `printed\n${printed}\ninstead of\n${STORY}`)
}

function titleOf({ code }: Block): string {
  const line = code.split("\n").find((text) => text.trim() !== "" && !text.startsWith("import ")) ?? ""
  return line.length > 70 ? `${line.slice(0, 69)}…` : line
}
