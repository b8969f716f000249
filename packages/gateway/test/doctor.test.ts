import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { examine } from "../src/doctor.ts"
import { jsonAnswer, startRawProvider } from "./raw-provider.ts"

test("without a file the engines on this machine are looked for, as a start does, offline too", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-doctor-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const engine = await startRawProvider((socket) => {
    socket.end(jsonAnswer(200, '{"object":"list","data":[{"id":"llama"},{"id":"qwen"}]}'))
  })
  t.after(() => engine.close())
  const look = (baseUrl: string) =>
    examine({
      flags: { port: 0 },
      environment: { SLUICE_DATA: join(folder, "data") },
      offline: true,
      folder,
      engines: [{ name: "ollama", baseUrl }],
    })
  const { host } = new URL(engine.baseUrl)
  const found = await look(engine.baseUrl)
  assert.deepEqual(
    found.filter(({ subject }) => /engine|providers/.test(subject)),
    [{ subject: "engine ollama", state: "good", message: `${host} has 2 models` }],
  )
  const none = await look("http://127.0.0.1:1/v1")
  assert.match(none.at(-1)!.message, /^only the simulator can be asked, and no engine runs on this machine$/)
})
