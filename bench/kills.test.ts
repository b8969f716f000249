import assert from "node:assert/strict"
import { test } from "node:test"
import { runKills } from "./kills.ts"

test("25 times kill -9 under 50 streams: a prefix, one ending, one row that agrees, resumed whole, never a hang", async (t) => {
  const process = await runKills({ from: 1, count: 22, durability: "process" })
  const power = await runKills({ from: 23, count: 3, durability: "power" })
  assert.deepEqual([...process.failures, ...power.failures], [])
  assert.equal(process.kills + power.kills, 25)
  for (const [level, { interrupted, finished }] of Object.entries({ process, power })) {
    assert.ok(interrupted > 0, `${level}: ${interrupted} streams were interrupted`)
    assert.ok(finished > 0, `${level}: ${finished} streams had finished`)
  }
  const starts = [process, power].map(({ slowestStart }) => Math.round(slowestStart))
  t.diagnostic(`slowest start ${Math.max(...starts)} ms`)
})
