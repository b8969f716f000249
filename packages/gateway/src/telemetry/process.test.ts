import assert from "node:assert/strict"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { watchProcess } from "./process.ts"

/** Milliseconds. */
const BLOCKED = 300

test("a blocked event loop shows, and is forgotten when its span is over", async (context) => {
  let now = 0
  const { readings, scraped, close } = watchProcess(() => now)
  context.after(close)
  await looked(readings, scraped)
  block()
  await until(() => {
    scraped()
    return readings.delayMax() > (BLOCKED - 50) / 1_000
  })
  assert.ok(readings.delayMax() >= readings.delayP99())
  assert.ok(readings.delayP99() >= readings.delayP50())

  // Within the shortest span a second scrape sees what the first one saw.
  scraped()
  assert.ok(readings.delayMax() > (BLOCKED - 50) / 1_000)
  now += 60_000
  scraped()
  assert.ok(readings.delayMax() > (BLOCKED - 50) / 1_000, "the scrape that ends a span tells of it")
  await until(() => {
    now += 60_000
    scraped()
    return readings.delayMax() < BLOCKED / 1_000 / 2
  })
})

test("the loop's time is either active or waiting, and only grows", async (context) => {
  const { readings, close } = watchProcess()
  context.after(close)
  const read = () =>
    Object.fromEntries([...readings.loopTime()].map(([[state = ""], value]) => [state, value]))
  const before = read()
  block()
  await sleep(1)
  const after = read()
  assert.ok(after["active"]! - before["active"]! >= (BLOCKED - 50) / 1_000)
  assert.ok(after["idle"]! >= before["idle"]!)
})

function block(): void {
  const end = performance.now() + BLOCKED
  while (performance.now() < end);
}

/** The first look only sets the clock: what comes before it is not seen. */
async function looked(readings: { delayMax: () => number }, scraped: () => void): Promise<void> {
  await until(() => {
    scraped()
    return readings.delayMax() > 0
  })
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 30_000
  while (!holds()) {
    assert.ok(performance.now() < end, `it did not come about: ${holds}`)
    await sleep(5)
  }
}
