/** The books under load, on top of a ledger of a million rows: packages/gateway/test/ledger.bench.ts says what and how. */
import type { Goal } from "./goal.ts"
import { runInside } from "./inside.ts"

const BENCH = new URL("../packages/gateway/test/ledger.bench.ts", import.meta.url)

export function run(options: readonly string[]): Promise<readonly Goal[]> {
  return runInside(BENCH, options)
}
