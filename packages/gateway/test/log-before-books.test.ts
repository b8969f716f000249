/**
 * First the log, then the books: a call is handed to the database only when its stream stands in the journal, so that
 * whenever the process dies, whoever finds the call's row finds its stream.
 */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { Worker } from "node:worker_threads"
import type { TaskMessage } from "../src/store/sqlite-thread.ts"
import { call, startTestGateway, streamBody } from "./support.ts"

const CALLS = 200
const AT_ONCE = 20

for (const durability of ["process", "power"]) {
  test(`${durability}: no row is asked for whose stream is not in the journal`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-order-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const early: string[] = []
    let opened = 0
    const { postMessage } = Worker.prototype
    t.mock.method(Worker.prototype, "postMessage", function (this: Worker, message: TaskMessage) {
      // What is in the file at this moment is what a kill would leave.
      const { task } = message
      const opens =
        task?.kind === "ledger" ? task.jobs.filter(({ kind }) => kind === "open" || kind === "whole") : []
      if (opens.length > 0) {
        const journal = journalIn(folder)
        opened += opens.length
        for (const { id } of opens) if (!journal.includes(id)) early.push(id)
      }
      postMessage.call(this, message)
    })
    const gateway = await startTestGateway(`streams: { durability: ${durability} }\n`, {
      SLUICE_DATA: folder,
    })
    try {
      let left = CALLS
      // Each begins its next call when one has ended: some always begin while a batch of the books is under way.
      const caller = async (): Promise<void> => {
        while (left-- > 0) {
          const answer = await call(`${gateway.url}/v1/chat/completions`, {
            body: streamBody("sim/story:tokens=2"),
          })
          assert.equal((await answer.whole()).complete, true)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, caller))
    } finally {
      await gateway.close()
    }
    assert.equal(opened, CALLS)
    assert.deepEqual(early, [])
  })
}

function journalIn(folder: string): string {
  const streams = join(folder, "streams")
  return readdirSync(streams)
    .map((name) => readFileSync(join(streams, name), "latin1"))
    .join("")
}
