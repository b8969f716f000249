/** A command that is a table of actions: `sluice keys create …`, `sluice projects list …`. */
import { type Asked, type FlagTable, Misuse, readFlags } from "../flags.ts"
import { nearest } from "../nearest.ts"
import type { Terminal } from "../terminal.ts"
import { type AdminSession, asAdmin } from "./session.ts"

export interface Action<Table extends FlagTable> {
  /** Of the command's flags those that mean something to it; those of every action are not named. */
  readonly takes: readonly (keyof Table & string)[]
  readonly perform: (
    session: AdminSession,
    words: readonly string[],
    flags: Asked<Table>["flags"],
  ) => Promise<number>
}

export interface ActionCommand<Table extends FlagTable> {
  readonly name: string
  readonly help: string
  readonly flags: Table
  readonly actions: Readonly<Record<string, Action<Table>>>
}

const OF_EVERY_ACTION = ["url", "key-file", "json", "help"]

export async function perform<const Table extends FlagTable>(
  { name: command, help, flags: table, actions }: ActionCommand<Table>,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { flags, words } = readFlags(args, table)
  const given = Object.keys(flags)
  if (given.includes("help")) {
    terminal.out.write(help)
    return 0
  }
  const [name, ...rest] = words
  if (name === undefined) throw new Misuse(`what is to be done? One of ${Object.keys(actions).join(", ")}.`)
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (action === undefined) {
    const near = nearest(name, Object.keys(actions))
    const meant = near === undefined ? "" : ` Did you mean 'sluice ${command} ${near}'?`
    throw new Misuse(`there is no action '${name}'.${meant}`)
  }
  const idle = given.find((flag) => !OF_EVERY_ACTION.includes(flag) && !action.takes.includes(flag))
  if (idle !== undefined) throw new Misuse(`'${name}' has no use for --${idle}.`)
  return asAdmin(command, flags as Parameters<typeof asAdmin>[1], terminal, (session) =>
    action.perform(session, rest, flags),
  )
}
