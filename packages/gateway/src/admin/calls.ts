/** Calls: pages of them, one with its attempts, what it sent, and what it was about. */
import type {
  AdminCall,
  AdminCallContent,
  AdminCallEvents,
  AdminCallFilter,
  AdminPage,
} from "@sluice/protocol"
import { GatewayError } from "../gateway-error.ts"
import type { CallRecord } from "../store/call-record.ts"
import type { CallFilter } from "../store/store.ts"
import { limitOf, type PageAsked } from "./page.ts"
import { wrong } from "./parse.ts"
import type { AdminPart } from "./part.ts"
import { callOnWire } from "./wire.ts"

export async function listCalls(
  { store }: AdminPart,
  { limit, cursor, ...asked }: AdminCallFilter & PageAsked,
): Promise<AdminPage<AdminCall>> {
  const { calls, next } = await store.calls.page({
    filter: filterOf(asked),
    limit: limitOf({ limit }),
    cursor,
  })
  return { data: calls.map(callOnWire), next: next ?? null }
}

export async function getCall(part: AdminPart, id: string): Promise<AdminCall> {
  return callOnWire(await find(part, id))
}

export async function getCallEvents(part: AdminPart, id: string, after: number): Promise<AdminCallEvents> {
  const events = await part.readEvents(id, after)
  if (events !== undefined) return events
  await find(part, id)
  throw new GatewayError("events_dropped", "The events of this call are kept no longer.")
}

export async function getCallContent(part: AdminPart, id: string): Promise<AdminCallContent> {
  const content = await part.store.contents.get(id)
  if (content !== undefined) return { id, ...content }
  await find(part, id)
  throw new GatewayError(
    "not_found",
    "What this call was about was not kept, or is kept no longer. A key's 'log_content' decides.",
  )
}

/** Times in words → milliseconds. */
export function filterOf({ from, to, ...filter }: AdminCallFilter): CallFilter {
  const begin = from === undefined ? undefined : Date.parse(from)
  const end = to === undefined ? undefined : Date.parse(to)
  if (begin !== undefined && end !== undefined && begin > end)
    throw wrong("from", "from must not be after 'to'.")
  return { ...filter, from: begin, to: end }
}

async function find({ store }: AdminPart, id: string): Promise<CallRecord> {
  const call = await store.calls.get(id)
  if (call === undefined) throw new GatewayError("not_found", `There is no call '${id}'.`)
  return call
}
