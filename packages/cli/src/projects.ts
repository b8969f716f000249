/** `sluice projects`: keys under one budget. */
import type { AdminProject, AdminProjectPatch } from "@sluice/sdk/admin"
import { type ActionCommand, perform } from "./admin/actions.ts"
import { formatBudget, readBudget } from "./admin/budget.ts"
import { type AdminSession, allOf, confirm, findProject } from "./admin/session.ts"
import { CONNECTION_FLAGS, connectionHelp } from "./connection.ts"
import { type Asked, expectWords, Misuse } from "./flags.ts"
import { formatAge, formatCount, formatUsd, toJson } from "./format.ts"
import { printTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

const FLAGS = {
  ...CONNECTION_FLAGS,
  name: { type: "string" },
  budget: { type: "string" },
  yes: { type: "boolean", short: "y" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const

const HELP = `usage: sluice projects <action> [project] [options]

A project's budget is shared by its keys: a call must fit into the key's budget and into the project's.

  sluice projects list
  sluice projects create Search --budget 500/monthly
  sluice projects show Search
  sluice projects edit Search --budget 800/monthly --name Finding
  sluice projects delete Search                      only one that has no keys

  --name NAME            a new name (edit)
  --budget USD/PERIOD    daily, weekly, monthly or total; or none
  -y, --yes              for delete: do not ask
  --json                 the admin API's own answer
${connectionHelp("admin")}`

type Flags = Asked<typeof FLAGS>["flags"]

const COMMAND: ActionCommand<typeof FLAGS> = {
  name: "projects",
  help: HELP,
  flags: FLAGS,
  actions: {
    list: { perform: list, takes: [] },
    create: { perform: create, takes: ["budget"] },
    show: { perform: show, takes: [] },
    edit: { perform: edit, takes: ["name", "budget"] },
    delete: { perform: remove, takes: ["yes"] },
  },
}

export function projects(args: string[], terminal: Terminal): Promise<number> {
  return perform(COMMAND, args, terminal)
}

async function list(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  expectWords(words, [], "sluice projects list")
  const { terminal } = session
  const found = await allOf(session.admin.projects.list)
  if (flags.json === true) terminal.out.line(toJson(found))
  else if (found.length === 0)
    terminal.notes.line("There are no projects yet. Make one: sluice projects create NAME")
  else print(terminal, found)
  return 0
}

async function create(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [name] = expectWords(words, ["the name"], "sluice projects create NAME")
  const budget = readBudget(flags.budget)
  return tell(session, flags, await session.admin.projects.create({ name: name!, ...(budget && { budget }) }))
}

async function show(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [word] = expectWords(words, ["the project"], "sluice projects show PROJECT")
  return tell(session, flags, await findProject(session, word!))
}

async function edit(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [word] = expectWords(words, ["the project"], "sluice projects edit PROJECT --budget 20/monthly")
  const budget = readBudget(flags.budget)
  const patch: AdminProjectPatch = {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(budget === undefined ? {} : { budget }),
  }
  if (Object.keys(patch).length === 0) throw new Misuse("what is to change? Name --name or --budget.")
  const { id } = await findProject(session, word!)
  return tell(session, flags, await session.admin.projects.patch(id, patch))
}

async function remove(session: AdminSession, words: readonly string[], flags: Flags): Promise<number> {
  const [word] = expectWords(words, ["the project"], "sluice projects delete PROJECT")
  const { admin, terminal } = session
  const { id, name } = await findProject(session, word!)
  if (!(await confirm(terminal, `Delete the project '${name}' (${id}) for good?`, flags.yes === true))) {
    terminal.notes.line("It stays.")
    return 1
  }
  const deleted = await admin.projects.delete(id)
  if (flags.json === true) terminal.out.line(toJson(deleted))
  else terminal.notes.line(`'${name}' (${id}) is deleted.`)
  return 0
}

function tell({ terminal }: AdminSession, flags: Flags, project: AdminProject): number {
  if (flags.json === true) terminal.out.line(toJson(project))
  else print(terminal, [project])
  return 0
}

function print({ out }: Terminal, found: readonly AdminProject[]): void {
  printTable(
    out,
    [
      { head: "id", cell: ({ id }) => id },
      { head: "name", cell: ({ name }) => name },
      {
        head: "spent",
        align: "right",
        cell: ({ budget, spend }) => formatUsd(spend[`${budget?.period ?? "total"}Usd`]),
      },
      { head: "budget", cell: ({ budget }) => formatBudget(budget) },
      { head: "running", align: "right", cell: ({ spend }) => formatCount(spend.running) },
      { head: "made", cell: ({ createdAt }) => formatAge(createdAt) },
    ],
    found,
  )
}
