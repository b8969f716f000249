/** A bench that looks inside the gateway runs on the gateway's side, in a process of its own, and sends its figures. */
import { fork } from "node:child_process"
import { once } from "node:events"
import type { Goal } from "./goal.ts"

export async function runInside(bench: URL, options: readonly string[]): Promise<readonly Goal[]> {
  const child = fork(bench, [...options])
  let goals: readonly Goal[] | undefined
  child.on("message", (message) => {
    goals = message as readonly Goal[]
  })
  await once(child, "exit")
  if (goals === undefined) throw new Error("the bench ended without figures; what it printed above says why")
  return goals
}
