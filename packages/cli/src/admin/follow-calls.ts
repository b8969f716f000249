/**
 * Calls as they open and settle, by asking for them: a round is a page of what began lately and a page of what is open.
 * A call that was shown open and is so no more has settled, and is asked for once.
 *
 * Rows come into the books a moment after their calls have begun, and of several gateways in no order. So each round
 * looks back a little behind the newest that is known, and what was shown is remembered for as long.
 */
import type { AdminCall, AdminCallFilter, AdminCalls } from "@sluice/sdk/admin"

export type CallFilter = Omit<AdminCallFilter, "ending" | "from" | "to">

export interface FollowOptions {
  readonly filter: CallFilter
  /** How many of those that are there already. */
  readonly last: number
  /** What the first page is of; later every call is followed, as an open one has no ending yet. */
  readonly ending: AdminCallFilter["ending"]
  /** Once when it is open, once when it has settled. */
  readonly show: (call: AdminCall) => void
}

const LOOK_BACK = 60_000
const PAGE = 200
/** So many in a row that are known: what is behind them is known too. */
const FAMILIAR = 100

/** What it gives makes a round. */
export function followCalls(
  calls: Pick<AdminCalls, "list" | "all" | "get">,
  options: FollowOptions,
): () => Promise<void> {
  const { filter, last, ending, show } = options
  /** By id: whether it was open when it was seen. */
  const seen = new Map<string, { startedAt: number; isOpen: boolean }>()
  let newest: number | undefined

  return async () => {
    if (newest === undefined) return begin()
    const lately = await readLately(new Date(Math.max(0, newest - LOOK_BACK)).toISOString())
    for (const call of oldestFirst(lately)) take(call)
    await askForSettled(new Set(lately.map(({ id }) => id)))
    forget()
  }

  /** What is there already is known, so that it is not taken for new. */
  async function begin(): Promise<void> {
    const { data: latest } = await calls.list({ ...filter, limit: PAGE })
    const wanted =
      ending === undefined || last === 0
        ? latest.slice(0, last)
        : (await calls.list({ ...filter, ending, limit: last })).data
    newest = 0
    for await (const call of calls.all({ ...filter, ending: "open" })) remember(call)
    for (const call of latest) remember(call)
    for (const call of oldestFirst(wanted)) {
      remember(call)
      show(call)
    }
  }

  async function readLately(from: string): Promise<AdminCall[]> {
    const lately: AdminCall[] = []
    let familiar = 0
    for await (const call of calls.all({ ...filter, from })) {
      lately.push(call)
      familiar = seen.has(call.id) ? familiar + 1 : 0
      if (familiar === FAMILIAR) break
    }
    return lately
  }

  function take(call: AdminCall): void {
    const before = seen.get(call.id)
    const isSettled = before?.isOpen === true && call.ending !== null
    if (before !== undefined && !isSettled) return
    remember(call)
    show(call)
  }

  function remember(call: AdminCall): void {
    newest = Math.max(newest ?? 0, startOf(call))
    seen.set(call.id, { startedAt: startOf(call), isOpen: call.ending === null })
  }

  /** Of those that began long ago: which are open still is one page, and only what has left it is asked for. */
  async function askForSettled(lately: ReadonlySet<string>): Promise<void> {
    const waiting = [...seen].filter(([id, { isOpen }]) => isOpen && !lately.has(id)).map(([id]) => id)
    if (waiting.length === 0) return
    const open = new Set<string>()
    for await (const { id } of calls.all({ ...filter, ending: "open" })) open.add(id)
    for (const id of waiting) if (!open.has(id)) take(await calls.get(id))
  }

  function forget(): void {
    for (const [id, { startedAt, isOpen }] of seen) {
      if (!isOpen && startedAt < (newest ?? 0) - 2 * LOOK_BACK) seen.delete(id)
    }
  }
}

function startOf({ startedAt }: AdminCall): number {
  return Date.parse(startedAt)
}

function oldestFirst(calls: readonly AdminCall[]): AdminCall[] {
  return calls.toSorted((one, other) => startOf(one) - startOf(other))
}
