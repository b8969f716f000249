/**
 * The books after a kill, as the admin API shows them. Each call has at most one row, and exactly one where its client
 * has seen so much as the id; nothing is left open; a row says what its stream says, to the token; and no row stands
 * without a stream.
 */
import type { Found } from "./kill.ts"
import { ask, type Seen } from "./streams.ts"

interface Row {
  readonly id: string
  readonly client_request_id: string | null
  readonly ending: string | null
  readonly ended_at: string | null
  readonly estimated: boolean
  readonly usage: { readonly completion_tokens: number }
}

interface Round {
  readonly since: Date
  readonly all: readonly Seen[]
  /** Those whose clients saw the id. */
  readonly found: readonly Found[]
}

export async function checkBooks(url: string, key: string, round: Round): Promise<string[]> {
  const rows = await rowsSince(url, key, round.since)
  const wrong: string[] = []
  for (const { idempotencyKey } of round.all) {
    const count = rows.filter(({ client_request_id }) => client_request_id === idempotencyKey).length
    if (count > 1) wrong.push(`call ${idempotencyKey} has ${count} rows`)
  }
  for (const row of rows) {
    if (row.ending === null || row.ended_at === null) wrong.push(`row ${row.id} was left open`)
  }
  for (const { seen, state, tokens } of round.found) {
    const row = rows.find(({ id }) => id === seen.id)
    if (row === undefined) wrong.push(`${seen.id} has no row`)
    else if (row.client_request_id !== seen.idempotencyKey)
      wrong.push(`row ${seen.id} is of call ${row.client_request_id}, not of ${seen.idempotencyKey}`)
    else if (state !== undefined && row.ending !== state)
      wrong.push(`${seen.id} is ${state} and its row ${row.ending}`)
    else if (tokens !== undefined && row.usage.completion_tokens !== tokens)
      wrong.push(
        `the log of ${seen.id}, ${state}, shows ${tokens} tokens and its row ${row.usage.completion_tokens}`,
      )
  }
  const known = new Set(round.found.map(({ seen }) => seen.id))
  for (const { id, client_request_id: call, ending } of rows) {
    if (known.has(id)) continue
    const mount = round.all.find(({ idempotencyKey }) => idempotencyKey === call)?.mount
    if (mount === undefined) wrong.push(`row ${id} is of no call that was made`)
    else {
      const { status, text } = await ask(`${url}${mount}/chat/completions/${id}`, key)
      const state = status === 200 ? JSON.parse(text).sluice.state : `not there (${status})`
      if (state !== ending) wrong.push(`row ${id} is ${ending} and its stream ${state}`)
    }
  }
  return wrong
}

async function rowsSince(url: string, key: string, since: Date): Promise<Row[]> {
  const query = new URLSearchParams({ from: since.toISOString(), limit: "200" })
  const { status, text } = await ask(`${url}/admin/calls?${query}`, key)
  if (status !== 200) throw new Error(`/admin/calls answers ${status}: ${text}`)
  const page: { data: Row[]; next: string | null } = JSON.parse(text)
  if (page.next !== null) throw new Error("there are more than 200 rows of 50 calls")
  return page.data
}
