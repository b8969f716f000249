/** A command's way to the books: the admin API with the key that was found, and its troubles said in one line. */
import { createInterface } from "node:readline/promises"
import { type AdminKey, type AdminPage, type AdminProject, SluiceAdmin, SluiceError } from "@sluice/sdk/admin"
import { type Connection, readConnection } from "../connection.ts"
import { Misuse } from "../flags.ts"
import { harmless, type Terminal } from "../terminal.ts"
import { explainError } from "../trouble.ts"

export interface AdminSession {
  readonly admin: SluiceAdmin
  readonly connection: Connection
  readonly terminal: Terminal
}

export async function asAdmin(
  command: string,
  flags: { readonly url?: string; readonly "key-file"?: string },
  terminal: Terminal,
  work: (session: AdminSession) => Promise<number>,
): Promise<number> {
  const connection = readConnection(flags, "admin", terminal.environment)
  const admin = new SluiceAdmin({ baseURL: connection.root, apiKey: connection.key })
  try {
    return await work({ admin, connection, terminal })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { notes } = terminal
    notes.line(`${notes.style.red(`sluice ${command}:`)} ${harmless(explainError(error, connection))}`)
    return 1
  }
}

type Listed<Item> = (query: { limit: number; cursor?: string }) => Promise<AdminPage<Item>>

export async function allOf<Item>(list: Listed<Item>): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const page: AdminPage<Item> = await list({ limit: 200, ...(cursor === undefined ? {} : { cursor }) })
    items.push(...page.data)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return items
}

export const findKey = ({ admin }: AdminSession, word: string): Promise<AdminKey> =>
  findNamed("key", word, /^key_/, admin.keys.get, () => allOf(admin.keys.list))

export const findProject = ({ admin }: AdminSession, word: string): Promise<AdminProject> =>
  findNamed("project", word, /^proj_/, admin.projects.get, () => allOf(admin.projects.list))

/** By its id, or by its name where only one has that. */
async function findNamed<Item extends { id: string; name: string }>(
  what: string,
  word: string,
  isId: RegExp,
  get: (id: string) => Promise<Item>,
  list: () => Promise<Item[]>,
): Promise<Item> {
  if (isId.test(word)) return get(word)
  const named = (await list()).filter(({ name, id }) => name === word || id === word)
  if (named.length === 1) return named[0]!
  if (named.length === 0)
    throw new Misuse(`there is no ${what} '${word}'; 'sluice ${what}s list' shows them.`)
  const ids = named.map(({ id }) => id).join(", ")
  throw new Misuse(`${named.length} ${what}s are named '${word}': choose one by its id (${ids}).`)
}

/** What cannot be undone is asked about once more, where there is somebody to ask. */
export async function confirm(terminal: Terminal, question: string, isSure: boolean): Promise<boolean> {
  if (isSure) return true
  const { input, notes } = terminal
  if (!input.isTTY || !notes.isTerminal)
    throw new Misuse("this cannot be undone: say --yes where nobody can be asked.")
  const reader = createInterface({ input, output: notes.stream })
  // Left by ctrl-C or ctrl-D: that is no yes.
  const gone = new Promise<string>((resolve) => reader.once("close", () => resolve("")))
  const answer = await Promise.race([reader.question(`${harmless(question)} [y/N] `), gone])
  reader.close()
  return /^y(es)?$/i.test(answer.trim())
}
