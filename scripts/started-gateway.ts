/** Starts a gateway as a user does, by its command, and waits for the line that says it is ready. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface StartedGateway {
  readonly url: string
  readonly apiKey: string
  /** What it has printed until now. */
  output(): string
  /** Asks it to end, as the system would, and gives the exit code. */
  stop(): Promise<number | null>
}

interface StartOptions {
  readonly cwd: string
  /** Undefined: taken out of our own. */
  readonly environment?: Record<string, string | undefined>
}

const READY = /^sluice listening on (http:\/\/\S+)$/m

/** `command` must end in `serve` and may take `--port 0` after it. */
export function startGateway(command: readonly string[], options: StartOptions): Promise<StartedGateway> {
  const apiKey = "sk-sluice-test"
  const data = mkdtempSync(join(tmpdir(), "sluice-data-"))
  const [name = "", ...args] = command
  // A group of its own, so that a signal reaches whatever npm puts in between.
  const child = spawn(name, [...args, "--port", "0"], {
    cwd: options.cwd,
    env: { ...process.env, SLUICE_API_KEY: apiKey, SLUICE_DATA: data, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  })
  let printed = ""
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve))
  const gone = exit.then((code) => {
    rmSync(data, { recursive: true, force: true })
    return code
  })

  return new Promise((resolve, reject) => {
    child.once("error", reject)
    void gone.then((code) => reject(new Error(`'${command.join(" ")}' ended with ${code}:\n${printed}`)))
    const read = (text: string) => {
      printed += text
      const url = READY.exec(printed)?.[1]
      if (url === undefined) return
      resolve({
        url,
        apiKey,
        output: () => printed,
        stop() {
          if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGTERM")
          return gone
        },
      })
    }
    child.stdout.setEncoding("utf8").on("data", read)
    child.stderr.setEncoding("utf8").on("data", read)
  })
}
