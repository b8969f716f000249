/** What came out as a table: each value beside its ratio to the first row's. */
import { figure } from "../figure.ts"
import { howBusy, isIndication } from "../quiet.ts"
import { aligned } from "../relay/table.ts"
import type { Grown, GrownPoint } from "./part.ts"

export function growthTable({ of, measures, points }: Grown): string {
  const first = points[0]
  const cells = ({ at, values }: GrownPoint): string[] => [
    at.toLocaleString("en"),
    ...values.map((value, index) => `${figure(value)} (×${figure(value / first!.values[index]!)})`),
  ]
  const columns = measures.map(({ name, unit }) => (unit === "" ? name : `${name}, ${unit}`))
  const rows = points.map((point) => [...cells(point), marked(point)])
  return aligned([[of, ...columns, "rounds"], ...rows]).join("\n")
}

/** `!`: an indication. */
function marked({ rounds, busy }: GrownPoint): string {
  return isIndication(busy, rounds) ? `${rounds} !` : String(rounds)
}

/** How busy the machine was, for the line below. */
export function busiest({ points }: Grown): string {
  const busy = points.map((point) => point.busy)
  const most = busy.some((one) => one === undefined) ? undefined : Math.max(...busy.map((one) => one ?? 0))
  return howBusy(most, Math.min(...points.map(({ rounds }) => rounds)))
}
