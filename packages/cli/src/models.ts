/** `sluice models`: what can be asked for. */
import { Sluice, SluiceError } from "@sluice/sdk"
import { CONNECTION_FLAGS, connectionHelp, readConnection } from "./connection.ts"
import { expectWords, readFlags } from "./flags.ts"
import { toJson } from "./format.ts"
import { harmless, type Terminal } from "./terminal.ts"
import { explainError } from "./trouble.ts"

const FLAGS = {
  ...CONNECTION_FLAGS,
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const

const HELP = `usage: sluice models [options]

The models that the gateway offers by name, one a line. Besides those, a model of any configured provider can be asked
for as provider/model, such as openai/gpt-4o-mini.

  sluice models
  sluice models | grep gpt
  sluice chat --model "$(sluice models | head -n 1)" Hello

  --json             the gateway's own list
${connectionHelp("user")}`

export async function models(args: string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readFlags(args, FLAGS)
  const { out, notes, environment } = terminal
  if (flags.help === true) {
    out.write(HELP)
    return 0
  }
  expectWords(words, [], "sluice models")
  const connection = readConnection(flags, "user", environment)
  try {
    const list = await new Sluice({ baseURL: connection.baseURL, apiKey: connection.key }).models.list()
    if (flags.json === true) out.line(toJson(list))
    else for (const { id } of list) out.line(harmless(id))
    return 0
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    notes.line(`${notes.style.red("sluice models:")} ${harmless(explainError(error, connection))}`)
    return 1
  }
}
