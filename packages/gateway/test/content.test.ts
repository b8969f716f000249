/** What calls were about, word for word: kept where their key asks for it and nowhere else, and gone after its time. */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import type { AdminCallContent } from "@sluice/protocol"
import { testPostgres } from "../../../scripts/postgres.ts"
import { admin, createKey, released, rowsOf, until } from "./books-support.ts"
import { ADMIN_KEY, call, startTestGateway, streamBody, type TestGateway } from "./support.ts"

after(async () => (await testPostgres()).stop())

const MARKER = "the-marker-of-what-was-asked"
/** In no story of the simulator but this one's. */
const ask = (more: object = {}) =>
  streamBody("sim/story:tokens=12", { messages: [{ role: "user", content: MARKER }], ...more })

for (const database of ["sqlite", "postgres"] as const) {
  test(`${database}: a key with log_content has what its calls asked and were answered kept, another has not`, async () => {
    const url = database === "postgres" ? await (await testPostgres()).createDatabase() : ""
    const gateway = await startTestGateway("", { DATABASE_URL: url })
    try {
      const logging = await createKey(gateway, { log_content: true })
      const silent = await createKey(gateway)
      for (const stream of [true, false]) {
        const answer = await play(gateway, logging.secret, ask({ stream }))
        const kept = await contentOf(gateway, answer.id)
        assert.deepEqual(JSON.parse(kept.request), ask({ stream }))
        const said = JSON.parse(kept.answer ?? "null")
        assert.equal(said.choices[0].message.content.trim().split(" ").length, 12)
        assert.equal(said.id, answer.id)
        const quiet = await play(gateway, silent.secret, ask({ stream }))
        assert.equal((await ofContent(gateway, quiet.id)).status, 404)
      }
      const failed = await play(gateway, logging.secret, { ...ask(), model: "sim/story:error=500" })
      const kept = await contentOf(gateway, failed.id)
      assert.match(kept.request, new RegExp(MARKER))
      assert.equal(kept.answer, null)
      await released(gateway, logging.id)
      assert.equal((await rowsOf(gateway)).length, 5)
    } finally {
      await gateway.close()
    }
  })
}

test("without log_content no word of a call is in the raw files of the database", async (t) => {
  const folder = temporary(t)
  const gateway = await startTestGateway("", { SLUICE_DATA: folder })
  try {
    const { secret } = await createKey(gateway)
    await play(gateway, secret, ask())
    assert.equal((await rowsOf(gateway)).length, 1)
    assert.deepEqual(filesWith(folder, MARKER), [])
    // The search finds what is there.
    const logging = await createKey(gateway, { log_content: true })
    const { id } = await play(gateway, logging.secret, ask())
    await contentOf(gateway, id)
    assert.ok(filesWith(folder, MARKER).length > 0)
  } finally {
    await gateway.close()
  }
})

test("kept content is gone after its time, from the raw files as well", async (t) => {
  const folder = temporary(t)
  const gateway = await startTestGateway("streams: { keep_content: 1s }\n", { SLUICE_DATA: folder })
  try {
    const { secret } = await createKey(gateway, { log_content: true })
    const { id } = await play(gateway, secret, ask())
    await until(async () => (await ofContent(gateway, id)).status === 404)
    // Deleted, then scrubbed: the second takes as long as it takes.
    await until(() => filesWith(folder, MARKER).length === 0)
    assert.equal((await rowsOf(gateway))[0]?.ending, "finished")
  } finally {
    await gateway.close()
  }
})

async function play(gateway: TestGateway, key: string, body: unknown): Promise<{ id: string }> {
  const answer = await call(`${gateway.url}/v1/chat/completions`, { key, body })
  await answer.whole()
  return { id: String(answer.headers["sluice-stream-id"]) }
}

/** It is written when the answer is over. */
async function contentOf(gateway: TestGateway, id: string): Promise<AdminCallContent> {
  await until(async () => (await ofContent(gateway, id)).status === 200)
  return admin<AdminCallContent>(gateway, `/calls/${id}/content`)
}

async function ofContent({ url }: TestGateway, id: string): Promise<{ status: number }> {
  const answer = await call(`${url}/admin/calls/${id}/content`, { key: ADMIN_KEY })
  await answer.whole()
  return answer
}

/** The database's files: the journal keeps every stream for its own time. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder).filter(
    (name) => name.startsWith("sluice.db") && readFileSync(join(folder, name)).includes(text),
  )
}

function temporary(t: { after(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-content-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
