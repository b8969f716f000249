/**
 * `npm run generate -- screenshot`: the picture of the first look, docs/first-look.png, taken of a real gateway while a
 * real stream runs that has been cut once. The simulator answers, at prices made up for the picture.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SluiceAdmin } from "@sluice/sdk/admin"
import { withPage } from "./browser.ts"
import { root } from "./house.ts"
import { startGateway } from "./started-gateway.ts"

const FILE = "docs/first-look.png"
const ADMIN_KEY = "sk-screenshot"
const CONFIG = `prices:
  sim/story: { input: 0.15, output: 0.60 }
  sim/letter: { input: 0.40, output: 1.60 }
  sim/summary: { input: 0.05, output: 0.40 }
`
/** What was asked before, and what else runs: whose, and of which model. */
const BEFORE = [
  ["Ann", "sim/letter:tokens=812"],
  ["Ann", "sim/letter:tokens=233"],
  ["Night shift", "sim/summary:tokens=4096"],
] as const
const BESIDES = [
  ["Night shift", "sim/summary:tokens=9000,gap=20"],
  ["Ann", "sim/letter:tokens=9000,gap=20"],
] as const

export async function takeScreenshot(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-screenshot-"))
  const config = join(folder, "sluice.yaml")
  writeFileSync(config, CONFIG)
  const environment = { SLUICE_CONFIG: config, SLUICE_ADMIN_KEY: ADMIN_KEY }
  const gateway = await startGateway(["packages/cli/bin/sluice", "serve"], { cwd: root, environment })
  const leaving = new AbortController()
  try {
    const secrets = await makeKeys(gateway.url, ["Ann", "Night shift"])
    const ask = async (whose: string, model: string, signal?: AbortSignal): Promise<Response> => {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${secrets.get(whose)}`, "content-type": "application/json" },
        body: JSON.stringify({
          model,
          stream: true,
          messages: [{ role: "user", content: "Go on, please." }],
        }),
        ...(signal === undefined ? {} : { signal }),
      })
      if (!response.ok) throw new Error(await response.text())
      return response
    }
    for (const [whose, model] of BEFORE) await (await ask(whose, model)).text()
    for (const [whose, model] of BESIDES) await ask(whose, model, leaving.signal)
    await photograph(gateway.url)
  } finally {
    leaving.abort()
    await gateway.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return FILE
}

async function makeKeys(baseURL: string, names: readonly string[]): Promise<Map<string, string>> {
  const { keys } = new SluiceAdmin({ baseURL, apiKey: ADMIN_KEY })
  const made = await Promise.all(names.map((name) => keys.create({ name })))
  return new Map(made.map(({ key, secret }) => [key.name, secret]))
}

async function photograph(url: string): Promise<void> {
  await withPage(async (page) => {
    const isPast = (count: number) =>
      page.waitForFunction((least) => Number(document.querySelector("#events")?.textContent) >= least, count)
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" })
    await page.setViewportSize({ width: 1280, height: 820 })
    await page.goto(url)
    await page.getByLabel("Key", { exact: true }).fill(ADMIN_KEY)
    await page.getByRole("button", { name: "Use it" }).click()
    await page.getByRole("button", { name: "Send" }).click()
    await isPast(42)
    await page.getByRole("button", { name: "Cut the connection" }).click()
    await isPast(92)
    await page.screenshot({ path: join(root, FILE) })
  })
}
