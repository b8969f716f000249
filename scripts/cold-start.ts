/**
 * How long a newcomer waits: from `git clone` with nothing installed to the first streamed token, and the second start.
 * Only npm's own download cache is the machine's; modules, the fetched Node and the data folder are new.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mustRun, root } from "./house.ts"
import { type StartedGateway, startGateway } from "./started-gateway.ts"

const COLD_GOAL = 60
const SECOND_GOAL = 2

/** Prints both goals; false when one is short. */
export async function measureColdStart(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-cold-"))
  try {
    const clone = join(folder, "sluice")
    const environment = { SLUICE_CACHE: join(folder, "cache") }
    const command = ["npm", "start", "--silent", "--"]

    const begun = performance.now()
    await mustRun("git", ["clone", "--quiet", root, clone])
    const first = await startGateway(command, { cwd: clone, environment })
    await firstToken(first)
    const cold = (performance.now() - begun) / 1000
    await first.stop()

    const again = performance.now()
    const second = await startGateway(command, { cwd: clone, environment })
    const warm = (performance.now() - again) / 1000
    await second.stop()

    return [
      goal("cold clone to first streamed token", cold, COLD_GOAL),
      goal("second start to listening", warm, SECOND_GOAL),
    ].every(Boolean)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Waits for the first piece of text; the rest of the stream is let go. */
async function firstToken({ url, apiKey }: StartedGateway): Promise<void> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "sim/story:gap=1",
      messages: [{ role: "user", content: "Tell me a story." }],
      stream: true,
    }),
  })
  const text = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())
  let seen = ""
  for await (const piece of text) {
    seen += piece
    if (/"content":"[^"]/.test(seen)) return
  }
  throw new Error(`no token came, but ${response.status}: ${seen}`)
}

function goal(name: string, figure: number, most: number): boolean {
  const met = figure <= most
  console.log(`goal ${name}: ${figure.toFixed(1)} s (at most ${most} s) ${met ? "met" : "short"}`)
  return met
}

if (import.meta.main && !(await measureColdStart())) process.exitCode = 1
