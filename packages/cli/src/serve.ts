/** `sluice serve`: start the gateway and stay until a signal comes. */
import { flushCompileCache } from "node:module"
import {
  ConfigError,
  DataFolderError,
  JournalError,
  StoreError,
  spareMemorySoon,
  startGateway,
} from "@sluice/gateway"
import { expectWords, readFlags, readWhole } from "./flags.ts"

const FLAGS = {
  port: { type: "string" },
  host: { type: "string" },
  config: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const

const HELP = `usage: sluice serve [options]

  --port N         the port to listen on (default 4000; 0 takes a free one)
  --host HOST      the address to listen on (default 127.0.0.1)
  --config FILE    the configuration (default $SLUICE_CONFIG, then ./sluice.yaml if it is there)

environment
  SLUICE_API_KEY      the key that clients send
  SLUICE_ADMIN_KEY    a key that may see every stream
  SLUICE_DATA         the folder for what is kept
  OPENAI_API_KEY, OPENROUTER_API_KEY, …   without a configuration file: switch their provider on

It is ready when it prints 'sluice listening on <url>'. SIGTERM lets running streams finish; a second one does not.
`

/** What keeps a gateway from starting, in one sentence for whoever started it. */
const FOR_PEOPLE = [ConfigError, DataFolderError, JournalError, StoreError]

export async function serve(args: string[]): Promise<number> {
  const { flags, words } = readFlags(args, FLAGS)
  if (flags.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  expectWords(words, [], "sluice serve --config sluice.yaml")
  const port = readWhole("--port", flags.port, 0, 65_535)
  try {
    const running = await startGateway({
      flags: { port, host: flags.host, config: flags.config },
      environment: process.env,
      say: (line) => process.stdout.write(`${line}\n`),
      warn: (line) => process.stderr.write(`${line}\n`),
      terminal: process.stdout.isTTY === true,
    })
    // Whoever read what it prints may go, `sluice serve | head` say: the calls go on.
    process.stdout.on("error", () => {})
    process.stderr.on("error", () => {})
    const stopped = running.untilSignal()
    // Not before it listens to signals too: whoever reads this line may send one.
    process.stdout.write(`sluice listening on ${running.url}\n`)
    // For the next start, whatever ends this one.
    flushCompileCache()
    spareMemorySoon(running.isBusy)
    return await stopped
  } catch (error) {
    if (FOR_PEOPLE.some((known) => error instanceof known)) return misuse((error as Error).message)
    const code = error instanceof Error && "code" in error ? error.code : undefined
    if (code === "EADDRINUSE")
      return misuse("the port is taken by another process. Choose one with --port, or --port 0.")
    if (code === "EACCES")
      return misuse("this user may not listen on that port. Choose one above 1023 with --port.")
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
      return misuse("this machine has no such address (--host).")
    throw error
  }
}

function misuse(message: string): number {
  process.stderr.write(`sluice: ${message}\n`)
  return 2
}
