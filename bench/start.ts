/**
 * How long a newcomer waits: from `git clone` with nothing installed to the first streamed token, and the second start.
 * Everything is new: modules, the fetched Node, the data, npm's download cache. Only the clone comes from this disk.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mustRun, root } from "../scripts/house.ts"
import { type StartedGateway, startGateway } from "../scripts/started-gateway.ts"
import type { Goal } from "./goal.ts"

const COLD_GOAL = 60
const SECOND_GOAL = 2

export async function run(): Promise<Goal[]> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-cold-"))
  try {
    const clone = join(folder, "sluice")
    const environment = { SLUICE_CACHE: join(folder, "cache"), npm_config_cache: join(folder, "npm") }
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
    ]
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

function goal(name: string, figure: number, most: number): Goal {
  const outcome = figure <= most ? "met" : "short"
  return { name, goal: `at most ${most} s`, outcome, figure: `${figure.toFixed(1)} s` }
}
