/** `sluice keys`: hand out keys, change them, take them back. */
import type { AdminKeyPatch, AdminKeyWithSecret } from "@sluice/sdk/admin"
import { type ActionCommand, perform } from "./admin/actions.ts"
import { SETTING_FLAGS, SETTINGS_HELP, settingsOf } from "./admin/key-settings.ts"
import { type AdminSession, allOf, confirm, findKey, findProject } from "./admin/session.ts"
import { printKey, printKeys } from "./admin/show-keys.ts"
import { CONNECTION_FLAGS, connectionHelp } from "./connection.ts"
import { type Asked, expectWords, Misuse, readSpan } from "./flags.ts"
import { toJson } from "./format.ts"
import type { Terminal } from "./terminal.ts"

const FLAGS = {
  ...CONNECTION_FLAGS,
  ...SETTING_FLAGS,
  admin: { type: "boolean" },
  grace: { type: "string" },
  yes: { type: "boolean", short: "y" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const

const HELP = `usage: sluice keys <action> [key] [options]

A key's identity (key_…) stays when its secret is rotated, with its budget, its streams and its calls. Wherever a key is
named, its id or its name will do.

  sluice keys list                                        all of them, newest first
  sluice keys create Ann --budget 20/monthly              the secret is printed alone, and never again
  sluice keys create CI --models 'openai/gpt-4o*,sim/*' --requests-per-minute 60 --expires 90d
  sluice keys show Ann                                    its settings, and what it has spent
  sluice keys edit Ann --budget none --parallel 4         what is not named stays as it is
  sluice keys rotate Ann --grace 1d                       a new secret; the old one stays good for a day
  sluice keys disable Ann                                 refused until 'sluice keys enable Ann'
  sluice keys delete Ann                                  for good; its calls stay in the books

${SETTINGS_HELP}  --admin                      it may use the admin API (create; it cannot be changed later)

other
  --grace SPAN                 for rotate: 90s, 30m, 12h, 7d
  -y, --yes                    for delete: do not ask
  --json                       the admin API's own answer
${connectionHelp("admin")}`

type Flags = Asked<typeof FLAGS>["flags"]

const SETTINGS = Object.keys(SETTING_FLAGS) as (keyof typeof SETTING_FLAGS)[]

const COMMAND: ActionCommand<typeof FLAGS> = {
  name: "keys",
  help: HELP,
  flags: FLAGS,
  actions: {
    list: { perform: list, takes: ["project"] },
    create: { perform: create, takes: [...SETTINGS, "admin"] },
    show: { perform: show, takes: [] },
    edit: { perform: edit, takes: SETTINGS },
    rotate: { perform: rotate, takes: ["grace"] },
    disable: { perform: (...asked) => setDisabled(true, ...asked), takes: [] },
    enable: { perform: (...asked) => setDisabled(false, ...asked), takes: [] },
    delete: { perform: remove, takes: ["yes"] },
  },
}

export function keys(args: string[], terminal: Terminal): Promise<number> {
  return perform(COMMAND, args, terminal)
}

async function list(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  expectWords(words, [], "sluice keys list")
  const { admin, terminal } = session
  const project = flags.project === undefined ? undefined : (await findProject(session, flags.project)).id
  const found = await allOf((page) =>
    admin.keys.list({ ...page, ...(project === undefined ? {} : { project }) }),
  )
  if (flags.json === true) terminal.out.line(toJson(found))
  else if (found.length === 0) terminal.notes.line("There are no keys yet. Make one: sluice keys create NAME")
  else printKeys(terminal.out, found)
  return 0
}

async function create(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  if (flags.name !== undefined && words.length > 0) throw new Misuse("the name stands there twice.")
  const [name] = expectWords(
    flags.name === undefined ? words : [flags.name],
    ["the name"],
    "sluice keys create NAME",
  )
  const settings = await settingsOf(session, flags)
  const admin = flags.admin === true ? { admin: true } : {}
  const made = await session.admin.keys.create({ ...settings, ...admin, name: name! })
  return tellSecret(session, flags, made, "is made")
}

async function show(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [word] = expectWords(words, ["the key"], "sluice keys show KEY")
  const key = await findKey(session, word!)
  if (flags.json === true) session.terminal.out.line(toJson(key))
  else printKey(session.terminal.out, key)
  return 0
}

async function edit(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [word] = expectWords(words, ["the key"], "sluice keys edit KEY --budget 20/monthly")
  const settings = await settingsOf(session, flags)
  if (Object.keys(settings).length === 0) throw new Misuse("what is to change? No setting was named.")
  return change(session, word!, flags, settings)
}

async function setDisabled(
  disabled: boolean,
  session: AdminSession,
  words: readonly string[],
  flags: Flags,
): Promise<number> {
  const [word] = expectWords(words, ["the key"], `sluice keys ${disabled ? "disable" : "enable"} KEY`)
  return change(session, word!, flags, { disabled })
}

async function change(
  session: AdminSession,
  word: string,
  flags: Flags,
  patch: AdminKeyPatch,
): Promise<number> {
  const key = await session.admin.keys.patch((await findKey(session, word)).id, patch)
  if (flags.json === true) session.terminal.out.line(toJson(key))
  else printKey(session.terminal.out, key)
  return 0
}

async function rotate(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [word] = expectWords(words, ["the key"], "sluice keys rotate KEY --grace 1d")
  const grace = flags.grace === undefined ? 0 : readSpan(flags.grace)
  if (grace === undefined)
    throw new Misuse(`--grace must be a span such as 90s, 12h or 7d, not '${flags.grace}'.`)
  const { id } = await findKey(session, word!)
  return tellSecret(
    session,
    flags,
    await session.admin.keys.rotate(id, { graceSeconds: grace / 1_000 }),
    "has a new secret",
  )
}

async function remove(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [word] = expectWords(words, ["the key"], "sluice keys delete KEY")
  const { admin, terminal } = session
  const { id, name } = await findKey(session, word!)
  const question = `Take back the key '${name}' (${id}) for good?`
  if (!(await confirm(terminal, question, flags.yes === true))) {
    terminal.notes.line("It stays.")
    return 1
  }
  const deleted = await admin.keys.delete(id)
  if (flags.json === true) terminal.out.line(toJson(deleted))
  else terminal.notes.line(`'${name}' (${id}) is taken back. Its calls stay in the books.`)
  return 0
}

/** Alone on standard output, so that it can go straight to where it is needed. */
function tellSecret(
  { terminal: { out, notes } }: AdminSession,
  flags: Flags,
  made: AdminKeyWithSecret,
  what: string,
): number {
  const { key, secret } = made
  out.line(flags.json === true ? toJson(made) : secret)
  const until = key.previousSecretUntil
  const grace = until === null ? "" : ` The old one is good until ${until}.`
  notes.line(`'${key.name}' (${key.id}) ${what}. It is shown this once: keep it now.${grace}`)
  return 0
}
