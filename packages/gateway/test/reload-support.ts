/** A gateway whose configuration file is saved again and again: each save waits for what the gateway says to it. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { startGateway } from "../src/main.ts"
import { ADMIN_KEY, call, KEY, type RawAnswer, streamBody } from "./support.ts"

export interface ReloadingGateway {
  readonly url: string
  readonly chat: string
  /** What the gateway says to the new file, taken or not. The text must differ from the one before. */
  save(text: string | Uint8Array): Promise<string>
  /** A streamed call to this model. */
  ask(model: string): Promise<RawAnswer>
}

export async function startWithFile(
  t: TestContext,
  text: string,
  environment: Record<string, string> = {},
): Promise<ReloadingGateway> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-reload-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, "sluice.yaml")
  writeFileSync(config, text)
  let said: (line: string) => void = () => {}
  const hear = (line: string): void => {
    if (/configuration reloaded|the running configuration stays/.test(line)) said(line)
  }
  const running = await startGateway({
    flags: { port: 0, config },
    environment: { SLUICE_API_KEY: KEY, SLUICE_ADMIN_KEY: ADMIN_KEY, SLUICE_DATA: folder, ...environment },
    say: hear,
    warn: hear,
    terminal: false,
  })
  t.after(() => running.close())
  const chat = `${running.url}/v1/chat/completions`
  let saves = 0
  return {
    url: running.url,
    chat,
    save(text) {
      const answer = new Promise<string>((resolve) => {
        said = resolve
      })
      // By turns as the one half of the editors saves and as the other does.
      if (++saves % 2 === 0) writeFileSync(config, text)
      else {
        writeFileSync(`${config}~`, text)
        renameSync(`${config}~`, config)
      }
      return answer
    },
    ask: (model) => call(chat, { body: streamBody(model) }),
  }
}
