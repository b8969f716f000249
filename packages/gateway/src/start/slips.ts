/**
 * Calls of the process before that the journal knows and the books may not: they were posted, and the process was killed
 * before their rows were written. What their slips say is posted again, and the first question about the books finds it.
 */
import { readSlip, type Slip } from "../store/slip.ts"
import type { Kept } from "./kept.ts"

/** How many calls were missing, or missed their ending. */
export async function enterSlips({ log, store }: Pick<Kept, "log" | "store">): Promise<number> {
  const records = [...log.all()].filter(({ hasSlips }) => hasSlips)
  if (records.length === 0) return 0
  let oldest = Number.POSITIVE_INFINITY
  for (const { facts } of records) oldest = Math.min(oldest, facts.createdAt)
  const endings = await store.calls.endings(oldest)
  let entered = 0
  for (const record of records) {
    const ending = endings.get(record.facts.id)
    // Most have stood in the books for long.
    const slips = typeof ending === "string" ? [] : record.slips()
    record.forgetSlips()
    const { open, process, settled }: Slip = Object.assign({}, ...slips.map(readSlip))
    const isMissing = ending === undefined && open !== undefined
    if (isMissing) store.postCall(open, process)
    if (settled !== undefined) store.postSettlement(settled)
    if (isMissing || settled !== undefined) entered++
  }
  return entered
}
