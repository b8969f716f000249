/** `sluice serve` as a process of its own, for tests that end it the hard way. It does not outlive its test. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { fileURLToPath } from "node:url"
import { ADMIN_KEY, KEY } from "./support.ts"

const SLUICE = fileURLToPath(new URL("../../cli/bin/sluice", import.meta.url))

export interface SluiceProcess {
  readonly url: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** Its configuration and its data are in `folder`; `shell` is what a shell does before it becomes the gateway. */
export async function startSluice(
  t: TestContext,
  folder: string,
  yaml = "{}\n",
  shell = "",
): Promise<SluiceProcess> {
  const config = join(folder, "sluice.yaml")
  writeFileSync(config, yaml)
  const command = `${shell} exec "$0" serve --port 0 --config "$1"`
  const child = spawn("sh", ["-c", command, SLUICE, config], {
    env: {
      ...process.env,
      SLUICE_API_KEY: KEY,
      SLUICE_ADMIN_KEY: ADMIN_KEY,
      SLUICE_DATA: join(folder, "data"),
      DATABASE_URL: "",
    },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const ended = once(child, "close")
  t.after(async () => {
    child.kill("SIGKILL")
    await ended
  })
  let output = ""
  const url = await new Promise<string>((resolve, reject) => {
    const read = (piece: Buffer): void => {
      output += piece.toString()
      const said = /^sluice listening on (http:\S+)$/m.exec(output)?.[1]
      if (said !== undefined) resolve(said)
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    void ended.then(() => reject(new Error(`it ended before it was ready: ${output}`)))
  })
  return {
    url,
    async kill() {
      child.kill("SIGKILL")
      await ended
    },
  }
}
