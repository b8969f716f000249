/** Usage: what was spent on what, in groups. */
import type { AdminUsage, AdminUsageRow } from "@sluice/protocol"
import type { UsageQuestion, UsageRow } from "../store/store.ts"
import { filterOf } from "./calls.ts"
import { nanoToUsd } from "./money.ts"
import { wrong } from "./parse.ts"
import type { AdminPart } from "./part.ts"
import { time, tokensOnWire } from "./wire.ts"

const DAY = 86_400_000
const DEFAULT_SPAN = 30 * DAY

type Filter = NonNullable<UsageQuestion["filter"]>

export interface UsageAsked extends Filter {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly by?: UsageQuestion["by"] | undefined
  readonly bucket?: UsageQuestion["bucket"]
}

export async function readUsage(
  { store, now }: AdminPart,
  { by = [], bucket, from, to, ...filter }: UsageAsked,
): Promise<AdminUsage> {
  const asked = filterOf({ from, to })
  const end = asked.to ?? now()
  const begin = asked.from ?? end - DEFAULT_SPAN
  if (begin > end) throw wrong("from", "from must not be after 'to'.")
  const rows = await store.usage({ from: begin, to: end, by, bucket, filter })
  return { from: time(begin), to: time(end), data: rows.toSorted(oldestThenDearest).map(rowOnWire) }
}

function oldestThenDearest(one: UsageRow, other: UsageRow): number {
  const older = (one.group.time ?? 0) - (other.group.time ?? 0)
  if (older !== 0) return older
  return one.cost === other.cost ? other.calls - one.calls : one.cost < other.cost ? 1 : -1
}

function rowOnWire(row: UsageRow): AdminUsageRow {
  const { time: at, project, provider, ...group } = row.group
  return {
    group: {
      ...(at === undefined ? {} : { time: time(at) }),
      ...group,
      ...(project === undefined ? {} : { project: project === "" ? null : project }),
      ...(provider === undefined ? {} : { provider: provider === "" ? null : provider }),
    },
    calls: row.calls,
    ...tokensOnWire(row),
    cost_usd: nanoToUsd(row.cost),
    cost_nano: row.cost.toString(),
    unpriced: row.unpriced,
    estimated: row.estimated,
    resumed: row.resumed,
  }
}
