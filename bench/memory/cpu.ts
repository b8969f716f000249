/** CPU that processes have used since they began. */
import { readFileSync } from "node:fs"

/** /proc counts in ticks of 1/100 s. */
const TICK_MS = 10

export function cpuMilliseconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) * TICK_MS
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
  // The name in brackets may hold anything; the numbers begin behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return Number(fields[11]) + Number(fields[12])
}
