import assert from "node:assert/strict"
import { test } from "node:test"
import { runReloads } from "./reloads.ts"

test("50 reloads under 20 running streams: none is dropped, each has the text it began with, nothing is left open", async (t) => {
  const result = await runReloads({ count: 50, streams: 20 })
  assert.deepEqual(result.errors, [])
  assert.ok(result.reloads >= 50, `${result.reloads} reloads`)
  assert.ok(result.refused >= 5, `${result.refused} refused`)
  assert.ok(result.streams >= 20, `${result.streams} streams`)
  assert.ok(result.routes > 2, `${result.routes} routes`)
  assert.deepEqual(result.left, [])
  assert.deepEqual(result.warnings, [])
  t.diagnostic(`${result.streams} streams, 50 reloads in ${result.seconds.toFixed(1)} s`)
})
