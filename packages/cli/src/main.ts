/** `sluice <command>`: a table of commands, each loaded when it is asked for and given the words behind its name. */
import { readFileSync } from "node:fs"
import { Misuse } from "./flags.ts"
import { nearest } from "./nearest.ts"
import { createTerminal, type Terminal } from "./terminal.ts"

interface Command {
  readonly about: string
  readonly example: string
  /** Loaded late: whoever asks a gateway elsewhere does not wait for a server to be read. */
  load(): Promise<(args: string[], terminal: Terminal) => Promise<number>>
}

const GROUPS: Record<string, Record<string, Command>> = {
  "run a gateway": {
    serve: {
      about: "start the gateway",
      example: "sluice serve --config sluice.yaml",
      load: async () => (await import("./serve.ts")).serve,
    },
    doctor: {
      about: "look whether it could start, and what is wrong, without starting it",
      example: "sluice doctor --config sluice.yaml",
      load: async () => (await import("./doctor.ts")).doctor,
    },
    sim: {
      about: "run the simulator alone, as an OpenAI-compatible server",
      example: "sluice sim --port 4100",
      load: async () => (await import("./sim.ts")).sim,
    },
  },
  "ask it": {
    chat: {
      about: "ask a model, once or in a conversation; resume what broke off",
      example: 'sluice chat "Tell me a story."',
      load: async () => (await import("./chat.ts")).chat,
    },
    models: {
      about: "what can be asked for",
      example: "sluice models",
      load: async () => (await import("./models.ts")).models,
    },
  },
  "look after it": {
    keys: {
      about: "hand out keys with budgets and limits, change them, take them back",
      example: "sluice keys create Ann --budget 20/monthly",
      load: async () => (await import("./keys.ts")).keys,
    },
    projects: {
      about: "put keys under one budget",
      example: "sluice projects create Search --budget 500/monthly",
      load: async () => (await import("./projects.ts")).projects,
    },
    usage: {
      about: "calls, tokens and cost, in groups",
      example: "sluice usage --by model --from 7d",
      load: async () => (await import("./usage.ts")).usage,
    },
    tail: {
      about: "watch calls as they open and settle",
      example: "sluice tail --ending failed",
      load: async () => (await import("./tail.ts")).tail,
    },
  },
}

const COMMANDS = new Map(Object.values(GROUPS).flatMap((group) => Object.entries(group)))

const HELP = `sluice: a gateway for streamed chat completions

usage: sluice <command> [options]
${Object.entries(GROUPS).map(helpOfGroup).join("")}
'sluice <command> --help' teaches one of them.

exit codes
  0 done    1 it failed    2 it was not asked rightly, or the configuration is wrong    130 interrupted (ctrl-C)
`

const terminal = createTerminal(process, process.env)
// What a command has left open (a provider's idle connection, say) is not worth waiting for.
process.exit(await run(process.argv.slice(2)))

async function run([name = "--help", ...args]: string[]): Promise<number> {
  if (name === "--version" || name === "-v") {
    terminal.out.line(versionOf())
    return 0
  }
  if (name === "--help" || name === "-h" || name === "help") {
    const [asked] = args
    if (name !== "help" || asked === undefined) {
      terminal.out.write(HELP)
      return 0
    }
    return run([asked, "--help"])
  }
  const command = COMMANDS.get(name)
  if (command === undefined) {
    const near = nearest(name, [...COMMANDS.keys()])
    const meant = near === undefined ? "" : ` Did you mean 'sluice ${near}'?`
    return misused("sluice", `there is no command '${name}'.${meant} 'sluice --help' lists them all.`)
  }
  try {
    const perform = await command.load()
    const code = await perform(args, terminal)
    const { aborted, reason } = terminal.out.gone
    // A reader that has left (`| head`) has what it wanted; a full disk is a failure.
    if (!aborted || reason?.code === "EPIPE") return code
    terminal.notes.line(`sluice ${name}: standard output cannot be written: ${reason?.message}.`)
    return 1
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    const help = ` 'sluice ${name} --help' says more.`
    return misused(`sluice ${name}`, error.message + help)
  }
}

function misused(who: string, message: string): number {
  terminal.notes.line(`${terminal.notes.style.red(`${who}:`)} ${message}`)
  return 2
}

function helpOfGroup([title, commands]: [string, Record<string, Command>]): string {
  const lines = Object.entries(commands).map(
    ([name, { about, example }]) => `  ${name.padEnd(9)} ${about}\n${" ".repeat(12)}${example}`,
  )
  return `\n${title}\n${lines.join("\n")}\n`
}

function versionOf(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8")
  return (JSON.parse(manifest) as { version: string }).version
}
