/** A headless Chromium for tests: the machine's own, with nothing of its user in it. */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { chromium, type Page } from "playwright-core"

const NAMES = ["chromium", "chromium-browser", "google-chrome"]
const QUIET = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/** For many pages, one after the other. */
export interface Browser {
  newPage(): Promise<Page>
  /** Leaves nothing behind. */
  close(): Promise<void>
}

/** Opens a page, hands it to `work`, and leaves nothing behind. */
export async function withPage<Result>(work: (page: Page) => Promise<Result>): Promise<Result> {
  const browser = await startBrowser()
  try {
    return await work(await browser.newPage())
  } finally {
    await browser.close()
  }
}

export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "sluice-chromium-"))
  const clean = () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  try {
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: findChromium(),
      headless: true,
      args: QUIET,
    })
    return {
      newPage: () => browser.newPage(),
      close: () => browser.close().finally(clean),
    }
  } catch (error) {
    clean()
    throw error
  }
}

function findChromium(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) =>
    existsSync(path),
  )
  if (found === undefined)
    throw new Error("There is no Chromium here. Install it: sh scripts/install-test-tools.sh chromium")
  return found
}
