import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cpus } from "node:os"
import { test } from "node:test"
import { figure } from "./figure.ts"
import { howBusy, isIndication, watched } from "./quiet.ts"

test("a figure of a busy machine, of few rounds, or of a machine that does not tell, is an indication", () => {
  assert.equal(isIndication(0.01, 3), false)
  assert.equal(isIndication(0.06, 3), true)
  assert.equal(isIndication(0.01, 2), true)
  assert.equal(isIndication(undefined, 5), true)
  assert.equal(howBusy(0.01, 3), "others used 0.01 CPUs")
  assert.equal(howBusy(0.5, 3), "others used 0.50 CPUs: an indication")
})

test("what a child of the bench uses is not counted as others'", async (t) => {
  if (process.platform !== "linux") return t.skip("what others use is known on Linux only")
  const burn = "while (process.cpuUsage().user < 500_000);"
  const before = usedOnAllCpus()
  const begun = performance.now()
  const { busy = Number.NaN } = await watched(() => once(spawn(process.execPath, ["-e", burn]), "exit"), {
    wait: false,
  })
  const milliseconds = performance.now() - begun
  const others = busy * milliseconds
  assert.ok(others >= 0)
  // The child's 500 ms are in the one and not in the other; some may be lost between two ticks.
  assert.ok(others < usedOnAllCpus() - before - 300, `${others} of ${usedOnAllCpus() - before} ms`)
})

test("a figure has three digits that count", () => {
  assert.deepEqual([0, 0.012345, 1.2345, 12.345, 99.94, 123.45, 123_456].map(figure), [
    "0",
    "0.0123",
    "1.23",
    "12.3",
    "99.9",
    "123",
    "123,456",
  ])
})

function usedOnAllCpus(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.nice + times.irq, 0)
}
