import assert from "node:assert/strict"
import { test } from "node:test"
import { runKills } from "./kills.ts"

test("25 times kill -9 under 50 streams: a prefix, one ending, resumed whole, joined by its key, never a hang", async (t) => {
  const result = await runKills(1, 22, "process")
  const power = await runKills(23, 3, "power")
  assert.deepEqual([...result.failures, ...power.failures], [])
  assert.equal(result.kills + power.kills, 25)
  assert.ok(result.interrupted > 50, `${result.interrupted} streams were interrupted`)
  assert.ok(result.finished > 50, `${result.finished} streams had finished`)
  assert.ok(power.interrupted > 0 && power.finished > 0)
  t.diagnostic(`slowest start ${Math.round(Math.max(result.slowestStart, power.slowestStart))} ms`)
})
