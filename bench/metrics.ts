/** What metrics cost, by call and by scrape: packages/gateway/test/metrics.bench.ts says what and how. */
import type { Goal } from "./goal.ts"
import { runInside } from "./inside.ts"

const BENCH = new URL("../packages/gateway/test/metrics.bench.ts", import.meta.url)

export function run(options: readonly string[]): Promise<readonly Goal[]> {
  return runInside(BENCH, options)
}
