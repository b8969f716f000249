/** `sluice <command>`: a table of commands, each a function of the arguments after its name. */
import { serve } from "./serve.ts"
import { sim } from "./sim.ts"

interface Command {
  readonly about: string
  run(args: string[]): Promise<number>
}

const COMMANDS: Record<string, Command> = {
  serve: { about: "start the gateway", run: serve },
  sim: { about: "run the simulator alone, as an OpenAI-compatible server", run: sim },
}

const HELP = `sluice: a gateway for streamed chat completions

usage: sluice <command> [options]

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join("\n")}

'sluice <command> --help' says more about one.
`

const [name = "--help", ...args] = process.argv.slice(2)
const command = COMMANDS[name]
if (command !== undefined) {
  // What a command has left open (a provider's idle connection, say) is not worth waiting for.
  process.exit(await command.run(args))
} else if (name === "--help" || name === "-h" || name === "help") {
  process.stdout.write(HELP)
} else {
  process.stderr.write(`sluice: there is no command '${name}'.\n\n${HELP}`)
  process.exitCode = 2
}
