/** What is open inside a gateway's process that was started with `INSPECTED`: asked by a signal, told in a line. */
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import type { Child } from "../children.ts"

/** Its NODE_OPTIONS. */
export const INSPECTED = `--expose-gc --import ${pathToFileURL(join(import.meta.dirname, "inspector.ts"))}`

/** Seconds that whatever is still closing at the end may take. */
export const CLOSING = 10

export interface Open {
  readonly open: Readonly<Record<string, number>>
  /** After a full collection. */
  readonly heapMegabytes: number
  readonly warnings: readonly string[]
}

export async function whatIsOpen(gateway: Child): Promise<Open> {
  const answer = gateway.next(/^open (.*)$/m)
  gateway.signal("SIGUSR2")
  return JSON.parse((await answer)[1]!) as Open
}

export async function untilClosed(gateway: Child, before: Open): Promise<Open> {
  const end = performance.now() + CLOSING * 1_000
  for (;;) {
    const now = await whatIsOpen(gateway)
    if (left(before, now).length === 0 || performance.now() > end) return now
    await sleep(250)
  }
}

/** What is open now and was not before: "3 TCPSocketWrap". */
export function left(before: Open, after: Open): { readonly name: string; readonly count: number }[] {
  return Object.entries(after.open)
    .map(([name, count]) => ({ name, count: count - (before.open[name] ?? 0) }))
    .filter(({ count }) => count > 0)
}
