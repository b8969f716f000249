/**
 * The vendors' types as their own pages describe them: every member with its mark is held by the compiler and by the
 * schema, in the same cases. Where the pages themselves are at hand (`../shared/seeds`), their examples run verbatim
 * but for the package's name, and their tables must be the ones that these cases are made from.
 */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { after, before, test } from "node:test"
import { toWire } from "@sluice/protocol"
import { compilerOutput, root } from "./compiling.ts"
import { cases } from "./seeds.cases.ts"
import { type Page, pages } from "./seeds.pages.ts"
import { moved, readVendorPages, valueOfExample } from "./seeds.vendor-pages.ts"

const ABSENT = "the vendors' pages are absent (../shared/seeds): only our own versions of them were shown"

const vendorPages = readVendorPages()
const imports = [...new Set(pages.map(({ module }) => module))].map((module) => {
  const names = pages.filter((page) => page.module === module).map(({ name }) => name)
  return `import type { ${names.join(", ")} } from "${module}"`
})
/** Lines count from one; one import and one case a line. */
const FIRST_CASE_LINE = imports.length + 1

let folder: string
let errors: ReadonlyMap<string, string>
before(async () => {
  mkdirSync(join(root, ".cache"), { recursive: true })
  folder = mkdtempSync(join(root, ".cache/seeds-"))
  errors = await compile()
})
after(() => rmSync(folder, { recursive: true, force: true }))

test("each page has cases that fit and cases that do not, for every mark", () => {
  for (const page of pages) {
    const own = cases.filter((one) => one.page === page)
    assert.ok(own.length >= 3 * page.members.length, page.name)
    assert.ok(own.some(({ fits }) => fits) && own.some(({ fits }) => !fits), page.name)
  }
})

test("the compiler accepts what each page's marks allow and nothing else", () => {
  for (const [at, { title, fits }] of cases.entries()) {
    const error = errors.get(`cases.ts:${at + FIRST_CASE_LINE}`)
    assert.equal(error === undefined, fits, `${title}: ${error ?? "no error"}`)
  }
})

test("the schemas accept what each page's marks allow and nothing else", () => {
  for (const { title, page, value, fits } of cases) {
    assert.equal(page.schema.safeParse(value).success, fits, title)
    if (page.wireSchema)
      assert.equal(page.wireSchema.safeParse(toWire(value)).success, fits, `${title}, on the wire`)
  }
})

test("our own version of each page's example compiles and parses", () => {
  for (const { name, schema, wireSchema, example } of pages) {
    assert.deepEqual(errorsOf(`example-${name}.ts`), [])
    assert.deepEqual(schema.parse(example), example)
    if (wireSchema) assert.deepEqual(wireSchema.parse(toWire(example)), toWire(example))
  }
})

test("the pages' own examples compile and parse after changing only the package's name", (t) => {
  if (vendorPages.length === 0) return t.skip(ABSENT)
  const withExample = vendorPages.filter(({ example }) => example !== undefined)
  assert.deepEqual([vendorPages.length, withExample.length], [5, 4])
  for (const { name, example } of withExample) {
    assert.deepEqual(errorsOf(`page-${name}.ts`), [])
    const { schema, wireSchema } = pageOf(name)
    const value = valueOfExample(example!)
    assert.deepEqual(schema.parse(value), value)
    assert.deepEqual(wireSchema?.parse(toWire(value)), toWire(value))
  }
})

test("the tables that the cases are made from are the pages' own", (t) => {
  if (vendorPages.length === 0) return t.skip(ABSENT)
  assert.deepEqual(vendorPages.map(({ name }) => name).toSorted(), pages.map(({ name }) => name).toSorted())
  for (const { name, members } of vendorPages) assert.deepEqual(members, pageOf(name).members, name)
})

/** Once, over all files: what is wrong, by place. */
async function compile(): Promise<ReadonlyMap<string, string>> {
  const write = (name: string, lines: string) => writeFileSync(join(folder, name), lines)
  // As an application's compiler stands by default: the pages import types as if they were values.
  const compilerOptions = { verbatimModuleSyntax: false, isolatedModules: false, types: [], noEmit: true }
  write(
    "tsconfig.json",
    JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }),
  )
  const lines = cases.map(
    ({ page, value }, at) => `export const case${at}: ${page.name} = ${JSON.stringify(value)}`,
  )
  write("cases.ts", [...imports, ...lines].join("\n"))
  for (const { name, module, example } of pages) {
    const code = `import { ${name} } from "${module}"\n\nexport const value: ${name} = ${JSON.stringify(example, null, 2)}\n`
    write(`example-${name}.ts`, code)
  }
  for (const { name, example } of vendorPages) if (example) write(`page-${name}.ts`, moved(example))

  const output = await compilerOutput(folder)
  const errors = new Map<string, string>()
  for (const [, path, line, message] of output.matchAll(/^(\S.*?)\((\d+),\d+\): error (.*)$/gm)) {
    errors.set(`${basename(path!)}:${line}`, message!)
  }
  assert.ok(errors.size > 0, `the compiler found nothing wrong in the wrong cases:\n${output}`)
  return errors
}

function errorsOf(file: string): string[] {
  return [...errors]
    .filter(([place]) => place.startsWith(`${file}:`))
    .map(([place, error]) => `${place} ${error}`)
}

function pageOf(name: string): Page {
  const page = pages.find((one) => one.name === name)
  assert.ok(page, `no page ${name}`)
  return page
}
