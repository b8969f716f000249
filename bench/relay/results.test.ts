import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import type { Goal } from "../goal.ts"
import { type Machine, machineHere, writePage, writeRows } from "./results.ts"
import type { Row } from "./rows.ts"

const GOALS: readonly Goal[] = [
  { name: "S3x errors", goal: "at most 0 errors", outcome: "met", figure: "0 errors" },
  { name: "start to listening", goal: "at most 600 ms", outcome: "not measured", why: "a busy machine" },
]

const FAILED: Row = {
  round: 1,
  scenario: "S1",
  target: "nginx",
  attempt: 1,
  kept: false,
  failed: "it ended: /opt/folder/of/mine/nginx.conf is wrong",
}

test("what is kept of a run says how, where and at which commit, each goal's verdict, and no folder of this machine", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-results-"))
  try {
    const machine: Machine = {
      ...(await machineHere()),
      command: "npm run bench",
      versions: { node: "v24.1.0", nginx: "1.22.1" },
      absent: { portkey: "npm is not installed" },
      pinned: true,
      rounds: 5,
      mostForeignCpu: 0.04,
    }
    assert.match(machine.commit, /^[0-9a-f]{7,}( and changes)?$/)
    const page = readFileSync(writePage(folder, machine, GOALS, "the tables"), "utf8")
    for (const part of [
      machine.commit,
      machine.date.slice(0, 10),
      "nginx 1.22.1",
      "portkey: npm is not installed",
      "the tables",
    ])
      assert.ok(page.includes(part), `${part} is not in:\n${page}`)
    assert.match(page, /\| S3x errors +\| at most 0 errors \| 0 errors \| +met \|/)
    assert.match(page, /\| start to listening \| +at most 600 ms \| +- \| not measured: a busy machine \|/)

    const text = readFileSync(writeRows(folder, machine, [FAILED]), "utf8")
    assert.deepEqual(JSON.parse(text), {
      machine,
      rows: [{ ...FAILED, failed: "it ended: …/nginx.conf is wrong" }],
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
