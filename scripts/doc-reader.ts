/**
 * Reads a page of the docs as its user does: top to bottom, each block done as it stands, in a checkout of its own.
 *
 *   sh      run; what it sets is there in the page's next blocks. Its last line may start a gateway, which then stays
 *   ts, js  run by Node       py   run by Python, where it has the packages of python-sdks.txt; else only compiled
 *   yaml    loaded as a configuration, and kept as the checkout's own where its first line is `# sluice.yaml`
 *   text    what the block before it prints, line by line; `…` stands for anything, alone in its line for any lines
 *
 * Three things are not as they stand there: port 4000 is the gateway's own, the Postgres is the tests' own, and curl is
 * told to fail where the answer is an error that the page does not show.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadConfig } from "../packages/gateway/src/config.ts"
import type { Block } from "./doc-examples.ts"
import { mustRun, node24, root } from "./house.ts"
import { testPostgres } from "./postgres.ts"
import { type StartedGateway, startGateway } from "./started-gateway.ts"

export interface DocReader {
  /**
   * Does what the block says and gives what it printed; undefined where it was only compiled. Throws where it fails, or
   * prints something else than the `text` block behind it.
   */
  read(block: Block, expected?: string): Promise<string | undefined>
  close(): Promise<void>
}

/** What can be done with a block. Every other language needs a reason why its blocks are not run. */
export const READ_LANGUAGES = ["sh", "ts", "js", "py", "yaml"] as const

export const PYTHON = join(root, ".cache/python/bin/python")

const KEYS = { SLUICE_API_KEY: "sk-docs", SLUICE_ADMIN_KEY: "sk-docs-admin" }
/** Not part of a checkout: what a gateway or a user puts there. */
const NOT_LINKED = new Set([".git", "sluice-data", "sluice.yaml"])
const STARTS = /(?:^|\s)(?:npm start|\S*sluice serve)\b/
/** Unless the page asks to see the answer's head. */
const STRICT_CURL = `curl() {
  case " $* " in
    *" -i "*) command curl --silent --show-error "$@" ;;
    *) command curl --silent --show-error --fail-with-body "$@" ;;
  esac
}`
const DATABASE = "postgres://sluice@127.0.0.1:5432/sluice"
const ADDRESS = "http://127.0.0.1:4000"

/** Where the page starts no gateway of its own, one runs already, with both keys in the environment. */
export async function openDocs(page: readonly Block[]): Promise<DocReader> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-docs-"))
  for (const name of readdirSync(root))
    if (!NOT_LINKED.has(name)) symlinkSync(join(root, name), join(folder, name))
  const programs = join(root, ".cache", folder.slice(folder.lastIndexOf("sluice-docs-")))
  mkdirSync(programs, { recursive: true })
  const state = join(folder, ".shell-state")
  writeFileSync(state, "")
  let environment = ownEnvironment()
  let gateway: StartedGateway | undefined
  let programCount = 0
  let database: Promise<string> | undefined

  if (!page.some(({ language, code, notRun }) => notRun === undefined && startOf(language, code))) {
    environment = { ...environment, ...KEYS }
    gateway = await start("npm start --silent")
  }

  async function start(command: string): Promise<StartedGateway> {
    await gateway?.stop()
    if (command.includes(DATABASE)) {
      database ??= testPostgres().then((postgres) => postgres.createDatabase())
      command = command.replaceAll(DATABASE, await database)
    }
    const separated = /npm start/.test(command) && !/ -- /.test(command) ? `${command} --` : command
    const script = `set -a; . ${state}; ${separated.replace(/ --port \d+/, "")} "$@"`
    // Its data stays where the page expects it: in the checkout.
    const unset = { SLUICE_API_KEY: undefined, SLUICE_DATA: undefined }
    return startGateway(["sh", "-euc", script, "sh"], {
      cwd: folder,
      environment: { ...unset, ...environment },
    })
  }

  const here = (code: string): string =>
    gateway === undefined ? code : code.replaceAll(ADDRESS, gateway.url)

  async function readShell(code: string): Promise<string> {
    const starting = startOf("sh", code)
    const commands = starting === undefined ? code : code.slice(0, code.lastIndexOf(starting))
    const script = `${STRICT_CURL}\nset -a; . ${state}\n${here(commands)}\nexport -p > ${state}\n`
    const printed = await mustRun("sh", ["-euc", script], { cwd: folder, env: environment })
    if (starting === undefined) return printed
    gateway = await start(starting)
    return gateway.output()
  }

  async function readProgram(language: "ts" | "mjs" | "py", code: string): Promise<string> {
    const file = join(programs, `program-${programCount++}.${language}`)
    writeFileSync(file, `${here(code)}\n`)
    const values = { ...environment, ...(await shellEnvironment()) }
    if (language !== "py")
      return mustRun(node24, ["--import", join(root, "scripts/without-blake2.ts"), file], { env: values })
    if (existsSync(PYTHON)) return mustRun(PYTHON, [file], { env: values })
    return mustRun("python3", ["-m", "py_compile", file])
  }

  /** What the page's shell has set. */
  async function shellEnvironment(): Promise<Record<string, string>> {
    const printed = await mustRun("sh", ["-euc", `. ${state}; env -0`], { env: environment })
    return Object.fromEntries(
      printed
        .split("\0")
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    )
  }

  function readConfiguration(code: string): string {
    loadFragment(code)
    if (code.startsWith("# sluice.yaml\n")) writeFileSync(join(folder, "sluice.yaml"), code)
    return ""
  }

  const run: Readonly<Record<(typeof READ_LANGUAGES)[number], (code: string) => string | Promise<string>>> = {
    sh: readShell,
    yaml: readConfiguration,
    ts: (code) => readProgram("ts", code),
    js: (code) => readProgram("mjs", code),
    py: (code) => readProgram("py", code),
  }

  return {
    async read({ language, code }, expected) {
      if (!isReadable(language)) throw new Error(`a block of the language '${language}' cannot be run`)
      const printed = await run[language](code.trimEnd())
      if (language === "py" && !existsSync(PYTHON)) return undefined
      const difference = expected === undefined ? undefined : differenceTo(here(expected), printed)
      if (difference !== undefined) throw new Error(difference)
      return printed
    },
    async close() {
      await gateway?.stop()
      if (database !== undefined) await (await testPostgres()).stop()
      for (const left of [folder, programs]) rmSync(left, { recursive: true, force: true })
    },
  }
}

function isReadable(language: string): language is (typeof READ_LANGUAGES)[number] {
  return READ_LANGUAGES.some((readable) => readable === language)
}

/** The last line, with what it continues, where it starts a gateway. */
function startOf(language: string, code: string): string | undefined {
  const last = /(?:^|\n)((?:[^\n]*\\\n)*[^\n]*)$/.exec(code.trimEnd())?.[1] ?? ""
  return language === "sh" && STARTS.test(last) ? last : undefined
}

/** No credential of whoever runs the tests is used, and none of theirs changes what a gateway offers. */
function ownEnvironment(): Record<string, string | undefined> {
  const theirs = /_API_KEY$|_BEARER_AUTH$|^SLUICE_(?!CACHE$|NODE$)|^DATABASE_URL$|^REDIS_URL$/
  const values = Object.entries(process.env)
  return Object.fromEntries(values.map(([name, value]) => [name, theirs.test(name) ? undefined : value]))
}

/** Loads as it stands, with a value for every variable that has none of its own; the providers that a fragment only mentions are made up. */
export function loadFragment(text: string): void {
  const environment = Object.fromEntries(
    [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => [name, "sk-of-the-docs"]),
  )
  const mentioned = [...text.matchAll(/\bprovider: ([\w-]+)|^ {2}([\w-]+)\/\S+: \{ input/gm)].map(
    ([, candidate, priced]) => candidate ?? priced,
  )
  const providers = [...new Set(mentioned)]
    .filter((name) => name !== "sim")
    .map((name) => `  ${name}: { kind: openai-compatible, base_url: http://127.0.0.1:1/v1 }\n`)
  const prelude =
    /^providers:/m.test(text) || providers.length === 0 ? "" : `providers:\n${providers.join("")}`
  loadConfig({ file: "sluice.yaml", text: `${prelude}${text}`, environment, flags: {} })
}

/** What is wrong with what a block printed, by the `text` block behind it; undefined: nothing. */
export function differenceTo(expected: string, printed: string): string | undefined {
  const lines = expected.trimEnd().split("\n")
  const pattern = lines
    .map((line) => (line.trim() === "…" ? "(?:.*\\n)*?" : `${line.split("…").map(literal).join(".*?")}\\n`))
    .join("")
  const text = `${printed.replaceAll("\r", "").trimEnd()}\n`
  return new RegExp(`(?:^|\\n)${pattern}`).test(text)
    ? undefined
    : `expected\n${expected}\nbut it printed\n${printed}`
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
}
