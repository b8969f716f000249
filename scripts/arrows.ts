/**
 * Which part of the house may know which: the rules as a table, each with its reason, and the check that walks the
 * tree. What an import may cost later decides, not what it costs today, so types count like values.
 */
import { globSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { root } from "./house.ts"

export interface SourceFile {
  /** From the repository's root. */
  readonly path: string
  readonly source: string
}

interface Module {
  readonly path: string
  readonly source: string
  /** What it imports: a path from the root where it is ours and relative, else the name as written. */
  readonly imports: readonly string[]
}

interface Rule {
  readonly name: string
  readonly reason: string
  /** What this module does against it: "imports …". */
  readonly broken: (module: Module) => readonly string[]
}

export interface Violation {
  readonly rule: string
  readonly message: string
}

const TEST = /\.(test|suite)\.ts$|\/test\//
const GATEWAY = "packages/gateway/src/"

/** From the door down to the ground; a room may import its own floor and those below. */
const FLOORS: readonly RegExp[] = [
  /^(main|index|doctor)\.ts$|^(start|doctor)\//,
  /^server\.ts$|^config(\.ts$|\/)/,
  /^app\.ts$/,
  /^(chat|answer|whole|sight|keep-content|pump|splice|interrupt|request|resume|models)\.ts$|^(admin|first-look)\//,
  /^(gateway|call)\.ts$|^auth\/|^http\//,
  /^(routing|limits|streams|ledger)\//,
  /^(providers|store)\//,
  /^(gateway-error|ids|data-lock|node-http|spare-memory)\.ts$|^(tokens|telemetry)\//,
]

/** What the spine brings together, and nothing else may. */
const SPINE_PARTS = ["routing", "limits", "streams", "ledger"]
const KNOW_ALL_PARTS = /^packages\/gateway\/src\/(main|gateway|chat)\.ts$/

export const RULES: readonly Rule[] = [
  {
    name: "protocol stands alone",
    reason: "it is the words on the wire: whoever takes them must not take a client or a server with them",
    broken: never(/^packages\/protocol\//, /^@sluice\/(?!protocol)|^packages\/(?!protocol\/)/),
  },
  {
    name: "sdk knows protocol only",
    reason: "it is shipped to browsers: a gateway in its bundle would cost every caller",
    broken: never(/^packages\/sdk\//, /^@sluice\/(?!protocol|sdk)|^packages\/(?!sdk\/)/),
  },
  {
    name: "gateway knows protocol only",
    reason: "the gateway must serve clients that have never heard of our SDK, so it may not lean on it",
    broken: never(/^packages\/gateway\//, /^@sluice\/(?!protocol|gateway)|^packages\/(?!gateway\/)/, TEST),
  },
  {
    name: "dashboard goes through the sdk",
    reason: "what the dashboard can do, any user can do: it gets no door of its own",
    broken: never(/^packages\/dashboard\//, /^@sluice\/(gateway|cli)|^packages\/(?!dashboard\/)/),
  },
  {
    name: "only serve, doctor and sim start the gateway",
    reason:
      "every other command works against a gateway elsewhere, over HTTP, and must not load a server to do so",
    broken: never(
      /^packages\/cli\//,
      /^@sluice\/gateway/,
      /^packages\/cli\/src\/(serve|doctor|sim)\.ts$|\.test\.ts$/,
    ),
  },
  {
    name: "conformance and bench stay outside",
    reason: "they judge what a client sees; a look inside would let the gateway mark its own work",
    broken: never(/^(conformance|bench)\//, /^@sluice\/gateway|^packages\/gateway\//),
  },
  {
    name: "packages meet at their public names",
    reason:
      "a packed package has its exports and nothing else: a path into its folders breaks when installed",
    broken: ({ path, imports }) => {
      const own = packageOf(path)
      if (own === undefined || TEST.test(path)) return []
      return imports
        .filter((target) => /^@sluice\/\w+\/src\//.test(target) || leaves(own, target))
        .map(importing)
    },
  },
  {
    name: "protocol and sdk run anywhere",
    reason: "browsers and edge runtimes have no node: modules",
    broken: never(/^packages\/(protocol|sdk)\/src\//, /^node:/, TEST),
  },
  {
    name: "zod in schema files only",
    reason: "whoever imports a type or reads a stream must not get a validator into the bundle",
    broken: never(
      /^packages\/(protocol|sdk)\/src\//,
      /^zod(\/|$)/,
      /^packages\/protocol\/src\/(.*\.schema|schema)\.ts$|\.test\.ts$/,
    ),
  },
  {
    name: "schemas are reached from outside only",
    reason: "one import of a schema from a file that has none would bring zod to all who import that file",
    broken: never(
      /^packages\/(protocol|sdk)\/src\//,
      /(\.schema|\/schema)\.ts$|^@sluice\/protocol\/schema(\/request)?$/,
      /(\.schema|\/schema)\.ts$|\.test\.ts$/,
    ),
  },
  {
    name: "no inner barrels",
    reason: "a name is imported from the file that has it; only a package's entry points gather names",
    broken: ({ path, source }) =>
      /\/index\.ts$/.test(path) && /^export .*\bfrom "/m.test(source) && !entryPoints().has(path)
        ? ["gathers other files' names"]
        : [],
  },
  {
    name: "the gateway's arrows point down",
    reason:
      "main → app → chat | resume | admin → routing, limits, streams, ledger → providers, store: whoever reads downwards meets everything once",
    broken: ({ path, imports }) => {
      const floor = floorOf(path)
      if (floor === undefined || TEST.test(path)) return []
      return imports.filter((target) => (floorOf(target) ?? floor) < floor).map(importing)
    },
  },
  {
    name: "every room of the gateway has a floor",
    reason: "a file that the table of floors does not know is a file whose imports nobody has thought about",
    broken: ({ path }) =>
      path.startsWith(GATEWAY) && !TEST.test(path) && floorOf(path) === undefined
        ? ["is not in the table of floors"]
        : [],
  },
  {
    name: "a provider never learns about keys or money",
    reason: "a client's key must not be able to reach a provider, nor a price to change what is sent there",
    broken: never(/gateway\/src\/providers\//, /gateway\/src\/(auth|limits|ledger|store|admin)\//),
  },
  {
    name: "the ledger never learns about providers",
    reason: "the books are settled from usage and price alone, whoever answered",
    broken: never(/gateway\/src\/ledger\//, /gateway\/src\/(providers|routing)\//),
  },
  {
    name: "the log sees bytes",
    reason:
      "what is replayed must be what was written; a log that reads tokens would be tempted to write them again",
    broken: never(
      /gateway\/src\/streams\/(log|memory|tail|disk(-\w+)?|redis)\.ts$/,
      /^@sluice\/|gateway\/src\/(?!streams\/|gateway-error\.ts)/,
    ),
  },
  {
    name: "only the spine knows all parts",
    reason:
      "a call's order is told in chat.ts; a second file that joins three of routing, limits, streams and ledger tells it twice",
    broken: ({ path, imports }) => {
      if (!path.startsWith(GATEWAY) || KNOW_ALL_PARTS.test(path) || TEST.test(path)) return []
      const parts = SPINE_PARTS.filter((part) =>
        [path, ...imports].some((at) => at.startsWith(`${GATEWAY}${part}/`)),
      )
      return parts.length > 2
        ? imports
            .filter((target) => parts.some((part) => target.startsWith(`${GATEWAY}${part}/`)))
            .map(importing)
        : []
    },
  },
]

/** Every broken arrow among these files. */
export function brokenArrows(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const module: Module = { ...file, imports: importsOf(file) }
    return RULES.flatMap(({ name, reason, broken }) =>
      broken(module).map((deed) => ({
        rule: name,
        message: `${file.path} ${deed}: ${name}, because ${reason}.`,
      })),
    )
  })
}

/** The house's own source files. */
export function sourceFiles(): SourceFile[] {
  return globSync("{packages/*/{src,test},conformance,bench,examples,scripts}/**/*.{ts,tsx}", {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist|\.cache|build)(\/|$)/.test(path),
  })
    .sort()
    .map((path) => ({ path, source: readFileSync(`${root}/${path}`, "utf8") }))
}

function never(from: RegExp, to: RegExp, except?: RegExp): Rule["broken"] {
  return ({ path, imports }) =>
    from.test(path) && !except?.test(path) ? imports.filter((target) => to.test(target)).map(importing) : []
}

function importing(target: string): string {
  return `imports ${target}`
}

/**
 * The formatter puts every import at the start of a line, and what a doc comment quotes never stands there.
 * `import(…)` may stand anywhere but in a comment.
 */
function importsOf({ path, source }: SourceFile): string[] {
  const statements = source.matchAll(
    /^(?:import|export)\s(?:[^"'`;=()]*?\bfrom\s+)?"([^"]+)"|^(?!\s*(?:\*|\/\/)).*?\bimport\("([^"]+)"\)/gm,
  )
  const names = [...statements].map(([, plain, dynamic]) => plain ?? dynamic ?? "")
  return [...new Set(names)].map((name) =>
    name.startsWith(".") ? posix.join(posix.dirname(path), name) : name,
  )
}

function floorOf(path: string): number | undefined {
  if (!path.startsWith(GATEWAY)) return undefined
  const floor = FLOORS.findIndex((rooms) => rooms.test(path.slice(GATEWAY.length)))
  return floor < 0 ? undefined : floor
}

function packageOf(path: string): string | undefined {
  return path.match(/^packages\/[^/]+\//)?.[0]
}

function leaves(own: string, target: string): boolean {
  return /^(packages|bench|conformance|examples|scripts)\//.test(target) && !target.startsWith(own)
}

let entries: Set<string> | undefined

/** The files that the packages' `exports` name. */
function entryPoints(): Set<string> {
  entries ??= new Set(
    globSync("packages/*/package.json", { cwd: root }).flatMap((file) => {
      const { exports = {} } = JSON.parse(readFileSync(`${root}/${file}`, "utf8")) as {
        exports?: Record<string, string>
      }
      return Object.values(exports).map((target) => posix.join(posix.dirname(file), target))
    }),
  )
  return entries
}
