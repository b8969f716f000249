/** A key's settings as flags. */
import type { AdminKeyPatch } from "@sluice/sdk/admin"
import { type Asked, Misuse, readChoice, readTime, readWhole } from "../flags.ts"
import { readBudget } from "./budget.ts"
import { type AdminSession, findProject } from "./session.ts"

export const SETTING_FLAGS = {
  name: { type: "string" },
  project: { type: "string" },
  tags: { type: "string" },
  models: { type: "string" },
  providers: { type: "string" },
  budget: { type: "string" },
  "requests-per-minute": { type: "string" },
  "tokens-per-minute": { type: "string" },
  parallel: { type: "string" },
  "on-disconnect": { type: "string" },
  dialect: { type: "string" },
  "forbid-detach": { type: "boolean" },
  "allow-detach": { type: "boolean" },
  "log-content": { type: "boolean" },
  "no-log-content": { type: "boolean" },
  expires: { type: "string" },
} as const

export const SETTINGS_HELP = `settings, for create and edit
  --name NAME                  a new name (edit)
  --project PROJECT            its project's id or name, or none: both budgets must allow a call
  --tags A,B                   words that its calls are counted under, or none
  --models A,B                 models that may be asked for; '*' may end a name; or all
  --providers A,B              providers that may answer, likewise
  --budget USD/PERIOD          daily, weekly, monthly or total; or none
  --requests-per-minute N      or none, as the next two
  --tokens-per-minute N
  --parallel N                 calls that run at the same time
  --on-disconnect RULE         what becomes of a call whose client is gone: cancel, drain:<seconds>, detach; or none
  --dialect NAME               its language at /v1: openai, openrouter, r9s, atoma, orq; or none
  --forbid-detach, --allow-detach
  --log-content, --no-log-content    whether what its calls ask and answer is kept
  --expires WHEN               30d, 2026-12-31, 2026-12-31T18:00:00Z, or never
`

type Flags = Asked<typeof SETTING_FLAGS>["flags"]

/** What was named, and nothing else. */
export async function settingsOf(
  session: AdminSession,
  flags: Flags,
): Promise<Omit<AdminKeyPatch, "disabled">> {
  const limits = defined({
    requestsPerMinute: readBound("--requests-per-minute", flags["requests-per-minute"]),
    tokensPerMinute: readBound("--tokens-per-minute", flags["tokens-per-minute"]),
    parallel: readBound("--parallel", flags.parallel),
  })
  return defined({
    name: flags.name,
    project: await readProject(session, flags.project),
    tags: readList(flags.tags, "none") ?? (flags.tags === undefined ? undefined : []),
    models: readPatterns(flags.models),
    providers: readPatterns(flags.providers),
    budget: readBudget(flags.budget),
    limits: Object.keys(limits).length === 0 ? undefined : limits,
    onDisconnect: flags["on-disconnect"] === "none" ? null : flags["on-disconnect"],
    dialect:
      flags.dialect === "none"
        ? null
        : readChoice("--dialect", flags.dialect, ["openai", "openrouter", "r9s", "atoma", "orq"]),
    forbidDetach: readSwitch(flags, "forbid-detach", "allow-detach"),
    logContent: readSwitch(flags, "log-content", "no-log-content"),
    expiresAt: flags.expires === "never" ? null : readTime("--expires", flags.expires, 1),
  })
}

async function readProject(
  session: AdminSession,
  word: string | undefined,
): Promise<string | null | undefined> {
  if (word === undefined) return undefined
  return word === "none" ? null : (await findProject(session, word)).id
}

/** Null: all. */
function readPatterns(text: string | undefined): string[] | null | undefined {
  return text === undefined ? undefined : (readList(text, "all") ?? null)
}

/** Undefined: `nothing` was said. */
function readList(text: string | undefined, nothing: string): string[] | undefined {
  if (text === undefined || text === nothing) return undefined
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
}

function readBound(flag: string, text: string | undefined): number | null | undefined {
  return text === "none" ? null : readWhole(flag, text, 0, 1_000_000_000)
}

function readSwitch(flags: Flags, on: keyof Flags, off: keyof Flags): boolean | undefined {
  if (flags[on] === true && flags[off] === true) throw new Misuse(`--${on} and --${off} say opposite things.`)
  if (flags[on] === true) return true
  return flags[off] === true ? false : undefined
}

function defined<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members
}
