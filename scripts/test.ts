/**
 * `npm test`: every test of the house, one line per file, and what failed in full at the end.
 * `npm test -- sse log` runs the files whose path holds one of the words.
 */
import { spawnSync } from "node:child_process"
import { globSync } from "node:fs"
import { availableParallelism } from "node:os"
import { relative, resolve } from "node:path"
import { run } from "node:test"
import { inspect, styleText } from "node:util"
import { inParallel, root, seconds } from "./house.ts"

/** A file that takes longer hangs: the whole run has ten minutes. */
const FILE_LIMIT = 240_000

/** What tests use that npm cannot install. */
const TOOLS = ["chromium", "curl"]
/** Where it cannot be had, its test says so. */
const WISHED = ["python-sdks", "promtool", "nginx"]

interface FileResult {
  readonly file: string
  readonly passed: number
  readonly skipped: readonly string[]
  /** What a test said was absent, so that nobody reads its silence as a pass. */
  readonly absent: readonly string[]
  readonly failures: readonly string[]
  readonly output: string
  readonly milliseconds: number
}

const words = process.argv.slice(2).filter((word) => !word.startsWith("-"))
const files = testFiles().filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
if (words.length === 0) installTools()

const started = performance.now()
const results = await inParallel(files, Math.max(2, availableParallelism()), async (file) => {
  const result = await runFile(file)
  console.log(lineOf(result))
  return result
})
report(results)

function testFiles(): string[] {
  const everywhere = globSync("{packages,examples,conformance,bench,scripts}/**/*.test.ts", {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist|\.cache)(\/|$)/.test(path),
  })
  // The scripts' tests pack, install and open browsers: begun first, they do not make the end wait.
  return everywhere.sort(
    (a, b) => Number(b.startsWith("scripts/")) - Number(a.startsWith("scripts/")) || (a < b ? -1 : 1),
  )
}

function installTools(): void {
  const { status } = spawnSync("sh", ["scripts/install-test-tools.sh", ...TOOLS], {
    cwd: root,
    stdio: "inherit",
  })
  if (status !== 0) process.exit(1)
  spawnSync("sh", ["scripts/install-test-tools.sh", ...WISHED], {
    cwd: root,
    stdio: "inherit",
    timeout: 120_000,
  })
}

async function runFile(file: string): Promise<FileResult> {
  const path = resolve(root, file)
  const begun = performance.now()
  const skipped: string[] = []
  const absent: string[] = []
  const failures: string[] = []
  let passed = 0
  let output = ""
  const limit = AbortSignal.timeout(FILE_LIMIT)
  for await (const { type, data } of run({ files: [path], cwd: root, signal: limit })) {
    if (type === "test:stdout" || type === "test:stderr") output += data.message
    if (type === "test:diagnostic" && data.file !== undefined && /\babsent\b/.test(data.message))
      absent.push(data.message)
    if (type === "test:fail") {
      const { error } = data.details
      // The outer test only repeats what the inner one has said, and an aborted file is told below.
      const repeats = "failureType" in error && error.failureType === "subtestsFailed"
      if (!repeats && !limit.aborted)
        failures.push(`${titleOf(data.name, path)}\n${inspect(error.cause ?? error)}`)
    }
    if (type === "test:pass" && data.details.type !== "suite" && data.name !== path) {
      if (data.skip !== undefined) skipped.push(`${data.name}${data.skip === true ? "" : `: ${data.skip}`}`)
      else passed += 1
    }
  }
  if (limit.aborted) failures.push(`stopped after ${seconds(FILE_LIMIT)}: something in it never ends`)
  else if (passed + skipped.length + failures.length === 0) failures.push("no test ran in this file")
  return { file, passed, skipped, absent, failures, output, milliseconds: performance.now() - begun }
}

/** A file that breaks outside of its tests is reported under its path. */
function titleOf(name: string, path: string): string {
  return name === path ? `${relative(root, path)} broke outside of its tests` : name
}

function lineOf({ file, passed, skipped, failures, milliseconds }: FileResult): string {
  const mark = failures.length > 0 ? styleText("red", "fail") : styleText("green", "ok  ")
  const counts = [
    `${passed}`,
    skipped.length > 0 ? `${skipped.length} skipped` : "",
    failures.length > 0 ? `${failures.length} failed` : "",
  ]
  return `${mark} ${seconds(milliseconds).padStart(7)}  ${file}  ${styleText("gray", counts.filter(Boolean).join(", "))}`
}

function report(results: readonly FileResult[]): void {
  for (const { file, failures, output } of results) {
    if (failures.length === 0) continue
    console.log(`\n${styleText("red", file)}`)
    for (const failure of failures) console.log(indent(failure))
    if (output.trim() !== "")
      console.log(`${indent("what it printed:")}\n${indent(indent(output.trimEnd()))}`)
  }
  const notRun = results.flatMap(({ file, skipped, absent }) =>
    [...skipped, ...absent].map((what) => `  ${file}: ${what}`),
  )
  if (notRun.length > 0) console.log(`\nnot shown by this run:\n${notRun.join("\n")}`)
  if (results.length === 0)
    console.log(`no test file has ${words.map((word) => `'${word}'`).join(" or ")} in its path`)

  const passed = sum(results.map((result) => result.passed))
  const failed = sum(results.map((result) => result.failures.length))
  const skipped = sum(results.map((result) => result.skipped.length))
  console.log(`\n${results.length} files in ${seconds(performance.now() - started)}`)
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`)
  if (failed > 0 || passed === 0) process.exitCode = 1
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ")
}
