/** Who pays for a call: its key's account and its project's, locked until the transaction is over, with what each may do. */
import { type Account, NO_TERMS, newAccount, type Terms } from "./accounts.ts"
import type { Row, RowStatement, Session, Value } from "./engine.ts"
import * as sql from "./ledger-statements.ts"

export interface Payer {
  readonly scope: "key" | "project"
  readonly account: Account
  readonly terms: Terms
}

export interface Payers {
  /** The key's row; undefined: it is not stored, or no longer. */
  key(id: string): Row | undefined
  /** The key, then its project if it has one. */
  of(key: string, project: Value | undefined): readonly Payer[]
  accounts(): Iterable<Account>
}

/** `askers`: keys that want a hold, stored or not. `rows`: calls that have one. */
export async function readPayers(
  session: Session,
  askers: readonly { readonly key: string; readonly keyIsStored: boolean }[],
  rows: readonly Row[],
): Promise<Payers> {
  const stored = askers.filter(({ keyIsStored }) => keyIsStored).map(({ key }) => key)
  const keys = await rowsOf(session, sql.FIND_KEY, [...stored, ...rows.map(({ key_id: key }) => String(key))])
  const memberships = [...keys.values(), ...rows].flatMap(({ project_id: id }) =>
    id == null ? [] : [String(id)],
  )
  const projects = await rowsOf(session, sql.FIND_PROJECT, memberships)
  const accounts = await openAccounts(session, [
    ...askers.map(({ key }) => `key:${key}`),
    ...rows.map(({ key_id: key }) => `key:${key}`),
    ...memberships.map((project) => `project:${project}`),
  ])
  const known = new Map<string, readonly Payer[]>()

  function payer(scope: Payer["scope"], id: string): Payer {
    const row = (scope === "key" ? keys : projects).get(id)
    const terms = row === undefined ? NO_TERMS : sql.readTerms(row)
    return { scope, account: accounts.get(`${scope}:${id}`)!, terms }
  }

  return {
    key: (id) => keys.get(id),
    of(key, project) {
      const name = `${key}\n${project}`
      let payers = known.get(name)
      if (payers === undefined) {
        payers = [payer("key", key), ...(project == null ? [] : [payer("project", String(project))])]
        known.set(name, payers)
      }
      return payers
    },
    accounts: () => accounts.values(),
  }
}

async function rowsOf(
  session: Session,
  statement: RowStatement,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Row>> {
  const rows = await session.each(
    statement,
    [...new Set(ids)].map((id) => [id]),
  )
  return new Map(rows.map((row) => [String(row["id"]), row]))
}

async function openAccounts(session: Session, subjects: readonly string[]): Promise<Map<string, Account>> {
  const wanted = [...new Set(subjects)].sort()
  const accounts = new Map<string, Account>()
  await readInto(wanted)
  const missing = wanted.filter((subject) => !accounts.has(subject))
  if (missing.length > 0) {
    // Two processes may both find it missing: the one that comes second waits here, and reads what the first has written.
    await session.each(
      sql.BEGIN_ACCOUNT,
      missing.map((subject) => sql.accountValues(newAccount(subject))),
    )
    await readInto(missing)
  }
  return accounts

  async function readInto(names: readonly string[]): Promise<void> {
    const rows = await session.each(
      sql.LOCK_ACCOUNT,
      names.map((name) => [name]),
    )
    for (const row of rows) accounts.set(String(row["subject"]), sql.readAccount(row))
  }
}
