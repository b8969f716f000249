/** What /proc tells: process trees, memory, and who else used the CPU meanwhile. */
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

/** /proc counts CPU in ticks of 1/100 s. */
const TICK_MS = 10
const KERNEL_THREADS = 2

interface Process {
  readonly pid: number
  readonly parent: number
  /** Ticks of its own, and of its children that have ended. */
  readonly own: number
  readonly reaped: number
  /** A pid may be used again; with its start time it is one process. */
  readonly identity: string
}

export type Processes = ReadonlyMap<number, Process>

/** The process and all that descend from it. */
export function treeOf(pid: number): number[] {
  const all = processes()
  return [...all.values()].filter((one) => descends(all, one, pid)).map((one) => one.pid)
}

/** Every process that is neither this one nor started by it. */
export function foreigners(): Processes {
  const all = processes()
  return new Map([...all].filter(([, one]) => !descends(all, one, process.pid)))
}

/**
 * CPU milliseconds that others used between two snapshots. What was born and died in between shows in the reaped time
 * of its parent; what a dead process had used before the first snapshot is taken off there.
 */
export function foreignMilliseconds(before: Processes, after: Processes): number {
  const earlier = new Map<number, number>()
  const survives = (one: Process): boolean => after.get(one.pid)?.identity === one.identity
  for (const one of before.values()) {
    if (survives(one)) continue
    let heir = before.get(one.parent)
    while (heir !== undefined && !survives(heir)) heir = before.get(heir.parent)
    if (heir !== undefined) earlier.set(heir.pid, (earlier.get(heir.pid) ?? 0) + one.own + one.reaped)
  }
  let ticks = 0
  for (const one of after.values()) {
    const old = before.get(one.pid)
    const known = old?.identity === one.identity ? old : { own: 0, reaped: 0 }
    ticks += one.own - known.own + Math.max(0, one.reaped - known.reaped - (earlier.get(one.pid) ?? 0))
  }
  return ticks * TICK_MS
}

/** Waits until others use no more than `limit` CPUs, 10 s at most. */
export async function calm(limit: number): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const before = foreigners()
    await sleep(500)
    if (foreignMilliseconds(before, foreigners()) / 500 <= limit) return
  }
}

/** `VmRSS` is now, `VmHWM` the highest so far; megabytes, summed. */
export function memoryOf(pids: readonly number[], field: "VmRSS" | "VmHWM"): number {
  const kilobytes = pids.map((pid) => Number(statusOf(pid, field)?.match(/\d+/)?.[0] ?? 0))
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024
}

/** The CPUs that a process may run on: "0", "0-1". */
export function allowedCpus(pid: number): string | undefined {
  return statusOf(pid, "Cpus_allowed_list")
}

/** Milliseconds that the machine below us gave to others, since it started. */
export function stolenMilliseconds(): number {
  return Number(readFileSync("/proc/stat", "latin1").split("\n", 1)[0]!.split(/\s+/)[8]) * TICK_MS
}

function processes(): Processes {
  const all = new Map<number, Process>()
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry)
    const stat = Number.isInteger(pid) ? readIfThere(`/proc/${pid}/stat`) : undefined
    if (stat === undefined) continue
    // The name in brackets may hold anything; the numbers begin behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const parent = Number(fields[1])
    // Kernel threads do our own network work too.
    if (pid === KERNEL_THREADS || parent === KERNEL_THREADS) continue
    all.set(pid, {
      pid,
      parent,
      own: Number(fields[11]) + Number(fields[12]),
      reaped: Number(fields[13]) + Number(fields[14]),
      identity: `${pid}:${fields[19]}`,
    })
  }
  return all
}

function descends(all: Processes, one: Process, ancestor: number): boolean {
  let at: Process | undefined = one
  while (at !== undefined && at.pid !== ancestor) at = all.get(at.parent)
  return at !== undefined
}

function statusOf(pid: number, field: string): string | undefined {
  return readIfThere(`/proc/${pid}/status`)?.match(new RegExp(`^${field}:\\s*(.*)$`, "m"))?.[1]
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return undefined // it has ended meanwhile
  }
}
