/**
 * Loaded into the gateway's process (`--import`), which knows nothing of it: at SIGUSR2 it prints what is open there,
 * as a line `open {…}`. Timers are counted from their own birth and death, since those that do not keep the process
 * alive are in no list.
 */
import { createHook } from "node:async_hooks"

const timers = new Set<number>()
const warnings: string[] = []

const hook = {
  init(id: number, type: string) {
    if (type === "Timeout") timers.add(id)
  },
  destroy(id: number) {
    timers.delete(id)
  },
  // Nobody asks for promises here, and following each of them would be most of the cost.
  trackPromises: false,
}
createHook(hook).enable()

process.on("warning", ({ name, message }) => warnings.push(`${name}: ${message}`))

process.on("SIGUSR2", () => {
  globalThis.gc?.()
  const open: Record<string, number> = { timers: timers.size, "listeners of the process": listeners() }
  // Timers are counted above, whether or not they keep the process alive; an immediate is gone with this turn.
  for (const name of process.getActiveResourcesInfo())
    if (name !== "Timeout" && name !== "Immediate") open[name] = (open[name] ?? 0) + 1
  const { heapUsed, external } = process.memoryUsage()
  const heapMegabytes = heapUsed / 2 ** 20
  const externalMegabytes = external / 2 ** 20
  process.stdout.write(`open ${JSON.stringify({ open, heapMegabytes, externalMegabytes, warnings })}\n`)
})

function listeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
}
