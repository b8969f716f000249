/** `sluice doctor`: what a start would meet, without starting. */
import { examine, type Finding } from "@sluice/gateway"
import { expectWords, readFlags, readWhole } from "./flags.ts"
import { widthOf } from "./table.ts"
import { harmless, type Terminal } from "./terminal.ts"

const FLAGS = {
  config: { type: "string" },
  port: { type: "string" },
  host: { type: "string" },
  offline: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const

const HELP = `usage: sluice doctor [options]

Looks at all that a start needs, without starting: the configuration with every mistake and its line, Node, the data
folder and who has it, the database, keys, the port, each provider with its credential, prices. It changes nothing and
shows no credential. With the same --config, --port and --host as 'sluice serve'.

  sluice doctor
  sluice doctor --config sluice.yaml --offline     without asking providers
  sluice doctor --json | jq '.findings[] | select(.state == "bad")'

  --config FILE    the configuration (default $SLUICE_CONFIG, then ./sluice.yaml if it is there)
  --port N         the port it would listen on
  --host HOST      the address it would listen on
  --offline        ask nobody beyond this machine
  --json           { "findings": [ { subject, state, message, hint, line } ], "exit_code" }

each line
  ✓  good    !  worth knowing    ✗  it would not start, or calls would fail

exit codes
  0 nothing is wrong    1 something is    2 the configuration is wrong, or the command
`

export async function doctor(args: string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readFlags(args, FLAGS)
  const { out, environment } = terminal
  if (flags.help === true) {
    out.write(HELP)
    return 0
  }
  expectWords(words, [], "sluice doctor --config sluice.yaml")
  const findings = await examine({
    flags: { config: flags.config, host: flags.host, port: readWhole("--port", flags.port, 0, 65_535) },
    environment,
    offline: flags.offline === true,
  })
  const exitCode = exitCodeOf(findings)
  if (flags.json === true) out.line(JSON.stringify({ findings, exit_code: exitCode }))
  else print(terminal, findings)
  return exitCode
}

function exitCodeOf(findings: readonly Finding[]): number {
  const bad = findings.filter(({ state }) => state === "bad")
  if (bad.some(({ subject }) => subject === "configuration")) return 2
  return bad.length > 0 ? 1 : 0
}

function print({ out, notes }: Terminal, findings: readonly Finding[]): void {
  const { style } = out
  const marks = { good: style.green("✓"), notable: style.yellow("!"), bad: style.red("✗") }
  const width = Math.max(...findings.map(({ subject }) => widthOf(subject)))
  for (const { subject, state, message, hint, line } of findings) {
    const place = line === undefined ? "" : `line ${line}: `
    const blanks = " ".repeat(width - widthOf(subject))
    out.line(`${marks[state]} ${harmless(subject)}${blanks}  ${harmless(place + message)}`)
    if (hint !== undefined) out.line(`  ${" ".repeat(width)}  ${style.dim(harmless(hint))}`)
  }
  const bad = findings.filter(({ state }) => state === "bad").length
  const sum = bad === 0 ? "Nothing is wrong." : `${bad === 1 ? "One thing is" : `${bad} things are`} wrong.`
  if (notes.isTerminal) notes.line(sum)
}
