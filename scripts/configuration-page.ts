/** `docs/configuration.md`: every setting of `sluice.yaml`, from the schema that reads it. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have
import type { Setting } from "../packages/gateway/src/config/settings.ts"
import type { Variable } from "../packages/gateway/src/config/variables.ts"
import type { KnownProvider } from "../packages/gateway/src/providers/known-provider.ts"

export interface ConfigurationSource {
  readonly settings: readonly Setting[]
  readonly variables: readonly Variable[]
  readonly providers: readonly KnownProvider[]
  /** A whole file. */
  readonly example: string
}

/** A table of settings, under what the file has above them. */
interface Section {
  readonly title: string
  readonly path: readonly string[]
  readonly more?: string
}

const SECTIONS: readonly Section[] = [
  {
    title: "providers",
    path: ["providers", "<name>"],
    more: "A provider's name has letters, digits, `-`, `_` and `.`, 64 at most. `sim`, the simulator, is always there.",
  },
  {
    title: "models",
    path: ["models", "<name>"],
    more: "Beside its candidates a route may set all that [defaults](#defaults) has.",
  },
  { title: "defaults", path: ["defaults"] },
  {
    title: "prices",
    path: ["prices", "<name>"],
    more: "The name is the provider's, a `/`, and the model's as the provider has it. How a price is found: [prices.md](prices.md).",
  },
  { title: "unpriced", path: [] },
  { title: "streams", path: ["streams"] },
  { title: "server", path: ["server"] },
]

export function configurationPage(source: ConfigurationSource): string {
  const { settings, variables, providers, example } = source
  return [
    introduction(example),
    ...SECTIONS.map((section) => sectionOf(section, settings)),
    environment(variables, providers),
  ].join("\n")
}

function sectionOf({ title, path, more }: Section, settings: readonly Setting[]): string {
  const about = settings.find((setting) => setting.inside && nameOf(setting.path) === title)?.about
  const rows = settings.filter((setting) =>
    path.length === 0 ? nameOf(setting.path) === title : isIn(setting, path, title),
  )
  return [
    `### ${title}`,
    "",
    ...[about, more].flatMap((text) => (text === undefined ? [] : [text, ""])),
    "| setting | what it does | written as | default | example | a change |",
    "|---|---|---|---|---|---|",
    ...rows.map((setting) => row(setting, path)),
    "",
  ].join("\n")
}

/** Below the section; of a route its candidates alone, since the rest stands in `defaults`. */
function isIn({ path }: Setting, section: readonly string[], title: string): boolean {
  if (path.length <= section.length || !section.every((step, index) => step === path[index])) return false
  return title !== "models" || path[section.length] === "candidates"
}

function row(setting: Setting, section: readonly string[]): string {
  const { path, about, expected, required, example, restart } = setting
  const cells = [
    `\`${nameOf(path.slice(section.length))}\``,
    about,
    expected.replaceAll("<", "\\<"),
    required ? "required" : setting.default === undefined ? "" : code(setting.default),
    example === undefined ? "" : code(example),
    restart === true ? "at the next start" : "at once",
  ]
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
}

/** `candidates[].weight`. */
function nameOf(path: readonly string[]): string {
  return path.join(".").replaceAll(".[]", "[]")
}

function code(value: unknown): string {
  return `\`${inOneLine(value)}\``
}

/** As people write it, in YAML. */
function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(", ")}]`
  if (typeof value !== "object" || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([name, inside]) => `${name}: ${inOneLine(inside)}`)
    .join(", ")} }`
}

function environment(variables: readonly Variable[], providers: readonly KnownProvider[]): string {
  return [
    ENVIRONMENT,
    "| variable | what it does |",
    "|---|---|",
    ...variables.map(({ name, about }) => `| \`${name}\` | ${about} |`),
    "",
    WITHOUT_A_FILE,
    "| variable | provider | address |",
    "|---|---|---|",
    ...providers.flatMap(({ name, variables, baseUrl }) =>
      baseUrl === undefined || variables.length === 0
        ? []
        : [`| ${variables.map(code).join(" or ")} | \`${name}\` | \`${baseUrl}\` |`],
    ),
    "",
  ].join("\n")
}

function introduction(example: string): string {
  return `<!-- Made by \`npm run generate\` from packages/gateway/src/config/file.schema.ts: change it there. -->
# Configuration

Everything has a value without a file: a gateway without one has the simulator, and the providers whose key is in the
environment. A file, \`sluice.yaml\`, names providers and routes of your own. This is one in full
([examples/sluice.yaml](../examples/sluice.yaml)); under \`defaults\`, \`streams\` and \`server\` stand the built-in values.

\`\`\`yaml
${example.trimEnd()}
\`\`\`

## Which file, and what wins

The file is the one that \`--config\` names, else \`SLUICE_CONFIG\`, else \`sluice.yaml\` in the working folder. With a file,
only its providers and \`sim\` count; without one, those of the [environment](#the-environment).

- For a route: its own settings, then \`defaults\`, then the built-in values. Timers merge singly.
- For the server: \`--host\` and \`--port\`, then the file, then the built-in values.
- For a call: the header \`sluice-on-disconnect\`, then the key's setting, then the route.
- For a name: \`models\` win over \`provider/model\`.

## From the environment

\`\${NAME}\` inside a text is the variable of that name, and \`\${NAME:-otherwise}\` has a value for when it is not set or empty;
a variable that is not set and has no such value is a mistake. What comes out is a value and nothing else: it is neither
read as YAML nor filled in again. Names of settings, providers and models are not filled in.

\`\`\`yaml
providers:
  local:
    kind: openai-compatible
    base_url: http://\${ENGINE_HOST:-127.0.0.1}:\${ENGINE_PORT:-8080}/v1
    credential: \${ENGINE_KEY:-none}
\`\`\`

Inside \`{ … }\` and \`[ … ]\` an editor wants quotes around it, \`{ credential: "\${OPENAI_API_KEY}" }\`; Sluice does without.

## In an editor

There is a JSON Schema for the file. With this first line, editors that have the YAML language server (VS Code with the
YAML extension, Neovim, Helix and others) complete names, show what a setting does and mark mistakes:

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/@sluice/gateway/sluice.schema.json
\`\`\`

The path is that of the installed package, from the file's folder; in this repository it is
\`packages/gateway/sluice.schema.json\`. A copy of it anywhere will do. An editor sees the shape of the file; whether its
names belong together and what the environment holds, the gateway sees.

## A mistake

All mistakes are told at once, each with its line and what was expected:

\`\`\`text
sluice.yaml:7: models.fast.candidates[0].provider: "opnai" is not a provider of this file (openai, local, sim); did you mean "openai"?
\`\`\`

At the start the gateway then exits with 2. No credential is ever shown: of one it is said only that it is wrong.

## A change while it runs

Saving the file reloads it, whether an editor writes over it, moves a new one in its place, or an orchestrator moves a
link. Calls under way keep the plan they began with, and no stream is dropped. A file with a mistake changes nothing: the
mistake is told on standard error, and the running configuration stays. An empty file is taken for one that is still being
written, and changes nothing either.

In the tables below, what changes "at once" holds for every call that comes after. For what changes "at the next start",
the reload says so:

\`\`\`text
sluice: configuration reloaded; a restart is needed for server.port
\`\`\`

A gateway that was started without a file does not look for one later. The environment is read at the start only: a reload
fills in what it was then.

## Every setting

A duration has its unit: \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`. So has a size: \`B\`, \`KB\`, \`MB\`, \`GB\` or \`TB\`, by powers of 1024. A section
may be empty, and a name that is not known is a mistake.
`
}

const ENVIRONMENT = `## The environment
`

const WITHOUT_A_FILE = `Without a file, a key in one of these switches its provider on, under its own name, and several with commas between
them are used in turn. Engines on this machine are found besides: [providers.md](providers.md).
`
