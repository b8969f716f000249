/**
 * Calls of the process before that the journal knows and the books may not: they were posted, and the process was killed
 * before their rows were written. What their slips say is posted again, and the first question about the books finds it.
 */
import { readSlip, type Slip } from "../store/slip.ts"
import type { Store } from "../store/store.ts"
import type { StreamRecord } from "../streams/log.ts"
import type { Kept } from "./kept.ts"

/** How many calls were missing, or missed their ending. */
export async function enterSlips({ log, store }: Pick<Kept, "log" | "store">): Promise<number> {
  const records = [...log.all()].filter(({ hasSlips }) => hasSlips)
  // Over Postgres calls are not posted: what slips there are belong to other books.
  const missing = store.afterKill && store.kind === "sqlite" ? await post(records, store) : 0
  // A log in memory has nothing to look at, and what stands on the disk is left to a start that has.
  if (log.outlives) await store.caughtUp()
  for (const record of records) {
    record.forgetSlips()
    record.paid()
  }
  return missing
}

async function post(records: readonly StreamRecord[], store: Store): Promise<number> {
  const endings = await store.calls.endings(records.map(({ facts }) => facts.id))
  let missing = 0
  for (const record of records) {
    const ending = endings.get(record.facts.id)
    // Most have stood in the books for long.
    if (typeof ending === "string") continue
    const { open, process, settled }: Slip = Object.assign({}, ...record.slips().map(readSlip))
    const isMissing = ending === undefined && open !== undefined
    if (isMissing) store.postCall(open, process)
    if (settled !== undefined) store.postSettlement(settled)
    if (isMissing || settled !== undefined) missing++
  }
  return missing
}
