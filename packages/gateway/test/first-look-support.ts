/** The page at `/`, opened in a real Chromium that is shared by a file's tests, and what can be done on it. */
import assert from "node:assert/strict"
import { after } from "node:test"
import type { Page, Request } from "playwright-core"
import { type Browser, startBrowser } from "../../../scripts/browser.ts"
import { SluiceAdmin } from "../../sdk/src/admin.ts"
import { ADMIN_KEY, call, startTestGateway, streamBody, type TestGateway } from "./support.ts"

export const PRICED = "prices: { sim/story: { input: 0.15, output: 0.6 } }\n"
export const MODEL = "sim/story:tokens=80,gap=20"

interface Looking {
  readonly page: Page
  /** Every request that the page has made. */
  readonly asked: Request[]
}

let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())

/**
 * Opens the page in a tab of its own. Whatever a test does there, no script fails, nothing is refused and nothing
 * foreign is asked; `expected` is what the browser may complain of.
 */
export async function look(
  url: string,
  work: (looking: Looking) => Promise<void>,
  expected = /(?!)/,
): Promise<void> {
  browser ??= startBrowser()
  const page = await (await browser).newPage()
  try {
    const complaints: string[] = []
    const asked: Request[] = []
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text())
    })
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on("dialog", (dialog) => complaints.push(`a dialog: ${dialog.message()}`))
    page.on("request", (request) => asked.push(request))
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
        console.error(`refused by ${violatedDirective}: ${blockedURI}`),
      )
    })
    await page.goto(url)
    await work({ page, asked })
    const unexpected = complaints.filter((text) => !expected.test(text))
    assert.deepEqual(unexpected, [])
    const { origin } = new URL(url)
    const foreign = asked
      .map((request) => request.url())
      .filter((address) => new URL(address).origin !== origin)
    assert.deepEqual(foreign, [])
  } finally {
    await page.close()
  }
}

export async function useKey(page: Page, key: string, good = true): Promise<void> {
  await page.getByLabel("Key", { exact: true }).fill(key)
  await page.getByRole("button", { name: "Use it" }).click()
  if (good) await page.getByText("Key accepted").waitFor()
}

export async function ask(page: Page, model: string): Promise<void> {
  await choose(page, model)
  await page.getByRole("button", { name: "Send" }).click()
}

export async function choose(page: Page, model: string): Promise<void> {
  await page.locator("#model").selectOption("")
  await page.getByLabel("Its name").fill(model)
}

/** Until the page has this many. */
export async function events(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (least) => Number(document.querySelector("#events")?.textContent) >= least,
    count,
  )
}

export async function state(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((name) => document.body.dataset["state"] === name, wanted)
}

export async function number(page: Page, selector: string): Promise<number> {
  return Number(((await page.locator(selector).textContent()) ?? "").replaceAll(",", ""))
}

/** As when another tab is in front of it. */
export async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { value: isHidden, configurable: true })
    document.dispatchEvent(new Event("visibilitychange"))
  }, hidden)
}

export async function withGateway(
  yaml: string,
  work: (gateway: TestGateway) => Promise<void>,
): Promise<void> {
  const gateway = await startTestGateway(yaml)
  try {
    await work(gateway)
  } finally {
    await gateway.close()
  }
}

export function admin(gateway: TestGateway): SluiceAdmin {
  return new SluiceAdmin({ baseURL: gateway.url, apiKey: ADMIN_KEY })
}

/** What the model answers when nothing is cut. */
export async function textOf(gateway: TestGateway, model: string): Promise<string> {
  const body = streamBody(model.replace(/,gap=\d+/, ""), { stream: false })
  const answer = await call(`${gateway.url}/v1/chat/completions`, { body })
  return JSON.parse((await answer.whole()).text).choices[0].message.content
}

export function routeTo(baseUrl: string): string {
  return `providers:\n  raw: { kind: openai-compatible, base_url: "${baseUrl}", credential: none }\n`
}

/** For what tells nobody when it is so. */
export async function waitUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
}
