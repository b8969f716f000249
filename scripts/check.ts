/** `npm run check`: everything about the house that is not a test, one line per step, faults in full at the end. */
import { globSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { styleText } from "node:util"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { brokenArrows, sourceFiles } from "./arrows.ts"
import { dependencyFaults, type Manifest } from "./dependency-lines.ts"
import { inParallel, root, runCommand, seconds } from "./house.ts"
import { lockFaults } from "./lock.ts"
import { forbiddenWords } from "./words.ts"

/** For the client with resume, tools and errors. */
const SDK_GOAL_KB = 12

interface Step {
  readonly name: string
  /** What is wrong, a line each; nothing is good. `goals` are printed whatever they say. */
  readonly run: () => Promise<{ readonly faults: readonly string[]; readonly goals?: readonly string[] }>
}

const STEPS: readonly Step[] = [
  { name: "types", run: () => command("tsc", "-p", "tsconfig.json", "--pretty", "false") },
  {
    name: "format and lint",
    run: () => command("biome", "ci", "--colors=off", "--diagnostic-level=warn", "--error-on-warnings"),
  },
  { name: "unused exports", run: () => command("knip", "--no-progress", "--no-config-hints") },
  { name: "import arrows", run: arrows },
  { name: "sizes", run: sizes },
  { name: "dependency lines", run: dependencyLines },
  { name: "lock file", run: lock },
  { name: "forbidden words", run: words },
]

const width = Math.max(...STEPS.map(({ name }) => name.length))
const results = await inParallel(STEPS, 2, async ({ name, run }) => {
  const begun = performance.now()
  const { faults, goals = [] } = await run().catch((error: unknown) => ({
    faults: [String(error)],
    goals: [],
  }))
  const mark = faults.length > 0 ? styleText("red", "fail") : styleText("green", "ok  ")
  console.log(`${mark} ${name.padEnd(width)} ${seconds(performance.now() - begun).padStart(8)}`)
  return { name, faults, goals }
})

for (const { name, faults } of results) {
  if (faults.length > 0) console.log(`\n${styleText("red", name)}\n${faults.join("\n").replace(/^/gm, "  ")}`)
}
console.log("")
for (const goal of results.flatMap(({ goals }) => goals)) console.log(goal)
const failed = results.filter(({ faults }) => faults.length > 0).length
console.log(`${results.length - failed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1

async function command(name: string, ...args: readonly string[]): Promise<{ faults: string[] }> {
  const { code, output } = await runCommand(resolve(root, "node_modules/.bin", name), args)
  return { faults: code === 0 ? [] : [output.trim() || `${name} ended with ${code} and said nothing`] }
}

async function arrows(): Promise<{ faults: string[] }> {
  return { faults: brokenArrows(sourceFiles()).map(({ message }) => message) }
}

/**
 * The SDK as applications bundle it: every name that it exports. The goal is for the client with resume, tools and all
 * errors; `resumingFetch` is for those who keep another client, and its cost is shown beside it.
 */
async function sizes(): Promise<{ faults: string[]; goals: string[] }> {
  const whole = await bundleOf(`export * from "./index.ts"`)
  const names = whole.names.filter((name) => name !== "resumingFetch")
  const client = await bundleOf(`export { ${names.join(", ")} } from "./index.ts"`)
  const met = client.kilobytes <= SDK_GOAL_KB
  const strangers = whole.modules.filter(({ path }) => !/^packages\/(sdk|protocol)\//.test(path))
  return {
    faults: [
      ...(met
        ? []
        : [`the SDK's bundle has ${client.kilobytes.toFixed(2)} KB gzipped; its largest modules:`]),
      ...(met ? [] : client.modules.slice(0, 8).map(({ path, bytes }) => `${path} ${bytes} bytes minified`)),
      ...strangers.map(({ path }) => `the SDK's bundle holds ${path}`),
    ],
    goals: [
      `goal sdk bundle: ${client.kilobytes.toFixed(2)} KB gzip, all exports but resumingFetch, with it ${whole.kilobytes.toFixed(2)} KB (client with resume, tools and errors at most ${SDK_GOAL_KB} KB) ${met ? "met" : "short"}`,
    ],
  }
}

/** Modules by their size, the largest first. */
async function bundleOf(contents: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: resolve(root, "packages/sdk/src"), loader: "ts", sourcefile: "stdin.ts" },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    logLevel: "silent",
  })
  const [output] = Object.values(metafile.outputs)
  const modules = Object.entries(output!.inputs)
    .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
  const kilobytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).length / 1024
  return { kilobytes, names: output!.exports, modules }
}

async function dependencyLines(): Promise<{ faults: string[] }> {
  const manifests = globSync("{package.json,packages/*/package.json}", { cwd: root }).map(
    (path): Manifest => JSON.parse(read(path)),
  )
  return { faults: dependencyFaults(manifests, read("docs/dependencies.md")) }
}

async function lock(): Promise<{ faults: string[] }> {
  return { faults: lockFaults(JSON.parse(read("package-lock.json"))) }
}

async function words(): Promise<{ faults: string[] }> {
  const { code, output } = await runCommand("git", [
    "ls-files",
    "--cached",
    "--others",
    "--exclude-standard",
    "-z",
  ])
  if (code !== 0) return { faults: [output] }
  const paths = globSync(output.split("\0").filter(Boolean), { cwd: root })
  return {
    faults: paths
      .filter((path) => !/\.(png|gz|ico|woff2)$/.test(path))
      .flatMap((path) => forbiddenWords(path, read(path))),
  }
}

function read(path: string): string {
  return readFileSync(resolve(root, path), "utf8")
}
