/** `docs/providers.md`: the table of known providers for people. */
import type { KnownProvider, Supports } from "../packages/gateway/src/providers/known-provider.ts"

const SUPPORTS: Readonly<Record<keyof Supports, string>> = {
  streamingUsage: "usage in streams",
  tools: "tools",
  structuredOutput: "schemas",
  reasoning: "reasoning",
  logprobs: "logprobs",
  prefill: "prefill",
}

export function providersPage(table: readonly KnownProvider[]): string {
  const known = table.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  return [INTRODUCTION, overview(known), SUPPORT, support(known), ...known.map(section)].join("\n")
}

function overview(table: readonly KnownProvider[]): string {
  return grid(
    ["kind", "switched on by", "address"],
    table.map(({ name, variables, baseUrl, example, local, compat }) => [
      `\`${name}\`${compat === undefined ? "" : " (compat)"}`,
      local ? "being found" : baseUrl === undefined ? "a file alone" : variables.map(code).join(" or "),
      baseUrl === undefined ? `your own, such as \`${example}\`` : `\`${baseUrl}\``,
    ]),
  )
}

function support(table: readonly KnownProvider[]): string {
  const features = Object.keys(SUPPORTS) as (keyof Supports)[]
  return grid(
    ["kind", ...Object.values(SUPPORTS)],
    table.map(({ name, supports }) => [`\`${name}\``, ...features.map((feature) => supports[feature] ?? "")]),
  )
}

function section(known: KnownProvider): string {
  const { name, dialect, compat = [], notes = [], usage, unverified, asOf, sources } = known
  const limits = compat.map((limit) => `- ${limit}`)
  const lines = [
    ...(dialect === "openai" ? [] : [`It is spoken to in its own dialect, \`${dialect}\`.`]),
    ...doorLines(known),
    ...quirkLines(known),
    ...(usage === "unknown" ? [] : [`A stream's usage comes in ${usage}.`]),
    ...notes,
  ]
  return [
    `## ${name}\n`,
    ...(lines.length === 0 ? [] : [...lines.map((line) => `- ${line}`), ""]),
    ...(limits.length === 0
      ? []
      : [`It is reached through its OpenAI-compatible endpoint; what is lost there:\n`, ...limits, ""]),
    ...(unverified === undefined ? [] : [`Not verified: ${unverified}.\n`]),
    `As of ${asOf}: ${sources.map((source) => `<${source}>`).join(", ")}\n`,
  ].join("\n")
}

function doorLines({ door }: KnownProvider): string[] {
  if (door === undefined) return []
  const { header, query } = door
  return [
    ...(header === undefined ? [] : [`Its credential goes in the header \`${header}\`.`]),
    ...(query === undefined
      ? []
      : [`An address with \`${query.under}\` in it is given \`?${query.name}=${query.value}\`.`]),
  ]
}

function quirkLines({ quirks = {} }: KnownProvider): string[] {
  const { refuses = [], refusesInMessages = [], names = {}, prefill } = quirks
  const renamed = Object.entries(names).map(([ours, its]) => `\`${ours}\` as \`${its}\``)
  return [
    ...(refuses.length === 0 ? [] : [`Left out: ${refuses.map(code).join(", ")}.`]),
    ...(refusesInMessages.length === 0
      ? []
      : [`Left out of messages: ${refusesInMessages.map(code).join(", ")}.`]),
    ...(renamed.length === 0 ? [] : [`Sent under its own name: ${renamed.join(", ")}.`]),
    ...(quirks.developerRole === false ? ["The role `developer` is sent as `system`."] : []),
    ...(quirks.strict === false ? ["`strict` is left out of functions and schemas."] : []),
    ...(quirks.streamOptions === false ? ["It is not sent `stream_options`."] : []),
    ...(prefill === undefined
      ? []
      : [
          `An assistant's turn to go on with is marked \`${JSON.stringify(prefill.members)}\` on the ${prefill.on}.`,
        ]),
  ]
}

function code(name: string): string {
  return `\`${name}\``
}

function grid(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`
  return [line(header), `|${header.map(() => "---").join("|")}|`, ...rows.map(line), ""].join("\n")
}

const INTRODUCTION = `<!-- Made by \`npm run generate\` from packages/gateway/src/providers/known/: change it there. -->
# Providers

Without a configuration file, a key in the environment switches its provider on under the name of its kind
(\`groq/openai/gpt-oss-120b\`), and engines on this machine are found: once the gateway listens, each is asked for its
models for 300 ms at most. With a file, only what it names is there:

\`\`\`yaml
providers:
  groq:    { kind: groq, credential: \${GROQ_API_KEY} }
  work:    { kind: azure, base_url: https://my-company.openai.azure.com/openai/v1, credential: \${AZURE_OPENAI_API_KEY} }
  laptop:  { kind: ollama }
  shared:  { kind: openai, credential: [ "\${OPENAI_KEY_ONE}", "\${OPENAI_KEY_TWO}" ] }
  careful: { kind: openrouter, credential: \${OPENROUTER_API_KEY}, data_collection: deny, zdr: true }
  other:   { kind: openai-compatible, base_url: http://127.0.0.1:9000/v1, credential: none, prefill: true }
\`\`\`

| setting | |
|---|---|
| \`kind\` | one of the table below, or \`openai-compatible\` for any other server that speaks as OpenAI does |
| \`base_url\` | what stands before \`/chat/completions\`; needed where the table below has no address |
| \`credential\` | its key, a list of its keys, or \`none\`. A text may hold several with commas between them, and so may a variable of the environment |
| \`prefill\` | whether it goes on with an assistant's turn that it is given; where the table below says \`yes\` it is on already |
| \`data_collection\` | \`allow\` or \`deny\`: what you know of what it does with what it is sent. Calls that ask for \`deny\` go where you have said so |
| \`zdr\` | \`true\`: you have agreed with it that nothing is kept |

What a provider would refuse, or take and do nothing about, is left out of what it is sent and listed in the answer's
\`sluice-dropped-params\`. What would change the form of an answer (\`n\`, a schema) is left for the provider to refuse, but
where it is known to be ignored.
`

const SUPPORT = `## What each supports

\`some\` depends on the model; where nothing stands, no source was found. The columns are for people, but for prefill.
`
