import assert from "node:assert/strict"
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { test } from "node:test"
import { root } from "./house.ts"

const PAGES = globSync("{*.md,docs/**/*.md,packages/*/README.md,{conformance,bench,examples}/**/*.md}", {
  cwd: root,
  exclude: (path) => path.includes("node_modules"),
})

/** Pages that are linked to before they are there. */
const COMING: readonly string[] = []

test("every link between the repository's pages leads somewhere", (t) => {
  const links = PAGES.flatMap((page) => linksOf(page, read(page)))
  assert.ok(links.length > 40, `only ${links.length} links were found`)
  t.diagnostic(`${links.length} links on ${PAGES.length} pages`)
  const faults = links.flatMap(faultOf)
  assert.deepEqual(
    faults.filter(
      (fault) => !COMING.some((page) => fault.endsWith(`${relative("docs", page)}, which is not there`)),
    ),
    [],
  )
})

test("no page is still coming that is there", (t) => {
  for (const page of COMING) t.diagnostic(`absent: ${page}, which other pages link to`)
  assert.deepEqual(
    COMING.filter((page) => existsSync(join(root, page))),
    [],
    "take it out of COMING",
  )
})

test("every page of the docs stands in their index", () => {
  const index = linksOf("docs/README.md", read("docs/README.md")).map(({ target }) => target)
  const pages = globSync("docs/*.md", { cwd: root }).map((path) => relative("docs", path))
  assert.deepEqual(
    pages.filter((page) => page !== "README.md" && !index.includes(page)),
    [],
  )
})

test("every file that ARCHITECTURE.md names is there", () => {
  const named = [...read("ARCHITECTURE.md").matchAll(/[\w-]+(?:\/[\w-]+)*\.ts\b/g)].map(([path]) => path)
  assert.ok(named.length > 20)
  const sources = globSync("{packages/*/{src,test},bench,conformance,scripts,examples}/**/*.ts", {
    cwd: root,
  })
  assert.deepEqual(
    named.filter((path) => !sources.some((source) => source.endsWith(`/${path}`) || source === path)),
    [],
  )
})

test("a link to a missing page or heading is named with its line", () => {
  const text =
    "# One\n\n[a](docs/none.md) [b](README.md#none) [c](#one) [d](https://example.com)\n```sh\n[x](y)\n```\n"
  const links = linksOf("ARCHITECTURE.md", text)
  assert.deepEqual(
    links.map(({ line, target }) => `${line} ${target}`),
    ["3 docs/none.md", "3 README.md#none", "3 #one"],
  )
  assert.equal(links.flatMap((link) => faultOf({ ...link, text })).length, 2)
})

interface Link {
  readonly page: string
  readonly line: number
  readonly target: string
  /** The page's. */
  readonly text: string
}

/** To other pages of this repository, or to a heading of its own; code is no link. */
function linksOf(page: string, text: string): Link[] {
  const prose = text
    .replace(/^```.*?^```$/gms, (block) => block.replace(/[^\n]/g, " "))
    .replace(/`[^`\n]*`/g, (code) => " ".repeat(code.length))
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(({ 1: target = "", index }) => ({
      page,
      line: prose.slice(0, index).split("\n").length,
      target,
      text,
    }))
    .filter(({ target }) => !/^[a-z]+:/.test(target))
}

function faultOf({ page, line, target, text }: Link): string[] {
  const [path = "", heading] = target.split("#", 2)
  const file = path === "" ? page : join(dirname(page), path)
  const place = `${page}:${line} links to ${target}`
  if (!existsSync(join(root, file))) return [`${place}, which is not there`]
  if (heading === undefined || statSync(join(root, file)).isDirectory()) return []
  const headings = headingsOf(path === "" ? text : read(file))
  return headings.includes(heading) ? [] : [`${place}, but ${file} has no such heading`]
}

/** As GitHub names them. */
function headingsOf(text: string): string[] {
  const prose = text.replace(/^```.*?^```$/gms, "")
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  )
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8")
}
