import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { startGateway } from "../src/main.ts"
import { call, KEY, streamBody } from "./support.ts"

test("saving the file reloads it: running calls keep their plan, a mistake changes nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-reload-"))
  const config = join(folder, "sluice.yaml")
  const write = (model: string): void =>
    writeFileSync(config, `models: { m: { candidates: [{ provider: sim, model: "${model}" }] } }\n`)
  write("one:tokens=40,gap=10")
  let said: (line: string) => void = () => {}
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve) => {
      said = (text) => {
        if (pattern.test(text)) resolve(text)
      }
    })
  const running = await startGateway({
    flags: { port: 0, config },
    environment: { SLUICE_API_KEY: KEY, SLUICE_DATA: folder },
    say: (text) => said(text),
    warn: (text) => said(text),
    terminal: false,
  })
  try {
    const chat = `${running.url}/v1/chat/completions`
    const old = await call(chat, { body: streamBody("m") })
    await old.frames(2)
    const reloaded = line(/reloaded/)
    write("two:tokens=2")
    await reloaded
    const fresh = await call(chat, { body: streamBody("m") })
    assert.equal(fresh.headers["sluice-model"], "sim/two:tokens=2")
    await fresh.whole()
    assert.ok((await old.whole()).text.endsWith("data: [DONE]\n\n"))

    const refused = line(/stays/)
    writeFileSync(config, "models: { m: { candidates: [{ provider: nobody, model: x }] } }\n")
    assert.match(await refused, /sluice\.yaml:1/)
    assert.equal((await call(chat, { body: streamBody("m") })).headers["sluice-model"], "sim/two:tokens=2")

    const noted = line(/reloaded/)
    writeFileSync(config, "server: { heartbeat: 1s }\n")
    assert.match(await noted, /restart is needed for server\.heartbeat/)
  } finally {
    await running.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
