/** A bench that looks inside the gateway runs on the gateway's side, in a process of its own, and sends its figures. */
import { fork } from "node:child_process"
import { once } from "node:events"
import type { Goal } from "./goal.ts"

/** `flags`: of its Node. */
export async function runInside<Sent = readonly Goal[]>(
  bench: URL,
  options: readonly string[],
  flags: readonly string[] = [],
): Promise<Sent> {
  const child = fork(bench, [...options], { execArgv: [...flags] })
  let sent: Sent | undefined
  child.on("message", (message) => {
    sent = message as Sent
  })
  await once(child, "exit")
  if (sent === undefined) throw new Error("the bench ended without figures; what it printed above says why")
  return sent
}
