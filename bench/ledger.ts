/**
 * The books under load, on top of a ledger of a million rows. It looks inside the gateway, at the store alone, and so
 * runs on the gateway's side, in a process of its own: packages/gateway/test/ledger.bench.ts says what and how.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import type { Goal } from "./goal.ts"

const BENCH = new URL("../packages/gateway/test/ledger.bench.ts", import.meta.url)

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const child = fork(BENCH, [...options])
  let goals: readonly Goal[] | undefined
  child.on("message", (message) => {
    goals = message as readonly Goal[]
  })
  await once(child, "exit")
  if (goals === undefined)
    throw new Error("the bench of the ledger ended without figures; what it printed says why")
  return goals
}
