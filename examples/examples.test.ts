/** Every example as its reader runs it: against a gateway of its own, started by the command. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { after, before, test } from "node:test"
import { Sluice } from "@sluice/sdk"
import { withPage } from "../scripts/browser.ts"
import { node24, root } from "../scripts/house.ts"
import { type StartedGateway, startGateway } from "../scripts/started-gateway.ts"
import { createBrowserChat } from "./browser-chat/server.ts"

/** Slow enough that a browser has time to reload before the answer is done. */
const MODEL = "sim/story:tokens=50,gap=80"

let gateway: StartedGateway
let client: Sluice
before(async () => {
  gateway = await startGateway(["packages/cli/bin/sluice", "serve"], { cwd: root })
  client = new Sluice({ baseURL: `${gateway.url}/v1`, apiKey: gateway.apiKey })
})
after(() => gateway?.stop())

/** What the simulator always answers: its text follows from the model's name. */
async function wholeAnswer(model = MODEL): Promise<string> {
  const messages = [{ role: "user" as const, content: "Tell me a story." }]
  const completion = await client.chat.send({ model: model.replace(",gap=80", ""), messages })
  const text = completion.choices[0]?.message.content
  assert.ok(text)
  return text
}

test("the terminal chat answers, counts, and keeps the conversation", async () => {
  const chat = runExample("terminal-chat.ts", ["sim/story:tokens=9"], {
    SLUICE_BASE_URL: `${gateway.url}/v1`,
    SLUICE_API_KEY: gateway.apiKey,
  })
  chat.child.stdin.end("Tell me a story.\n\nAnd another.\n")
  const printed = await chat.end
  const answer = await wholeAnswer("sim/story:tokens=9")
  assert.equal(printed.split(answer).length - 1, 2, printed)
  assert.equal(printed.match(/\n {4}9 tokens\n/g)?.length, 2)
})

test("the terminal chat tells what went wrong and goes on", async () => {
  const chat = runExample("terminal-chat.ts", ["nobody/nothing"], {
    SLUICE_BASE_URL: `${gateway.url}/v1`,
    SLUICE_API_KEY: gateway.apiKey,
  })
  chat.child.stdin.end("Hello\nAgain\n")
  assert.equal((await chat.end).match(/\n {4}404: /g)?.length, 2)
})

test("the migrated code runs as it was written, against the gateway's mount", async () => {
  const example = runExample("vendor-migration.ts", ["sim/story:tokens=12"], {
    OPENROUTER_BASE_URL: `${gateway.url}/openrouter/api/v1`,
    OPENROUTER_API_KEY: gateway.apiKey,
  })
  assert.equal(await example.end, `${await wholeAnswer("sim/story:tokens=12")}\n12 tokens\n`)
})

test("the browser chat: a reload in the middle of an answer, and it ends up complete", async () => {
  const answer = await wholeAnswer()
  await withBrowserChat(async (address) => {
    await withPage(async (page) => {
      const asked: string[] = []
      page.on("request", (request) => {
        const { pathname, search } = new URL(request.url())
        if (pathname.startsWith("/answers")) asked.push(`${request.method()} ${pathname}${search}`)
      })
      await page.goto(address)
      await page.getByRole("textbox").fill("Tell me a story.")
      await page.getByRole("button", { name: "Send" }).click()
      await page.waitForFunction(() => (document.querySelector(".assistant")?.textContent?.length ?? 0) > 20)
      await page.reload()
      const before = (await page.locator(".assistant").textContent()) ?? ""
      assert.ok(before.length > 20, "what had been written is there at once")

      await page.waitForFunction(() => document.body.dataset["state"] === "idle")
      assert.equal(await page.locator(".assistant").textContent(), answer)
      assert.equal(await page.locator("li").count(), 2)
      const [first, second, ...more] = asked
      assert.equal(first, "POST /answers", "it was asked for once")
      assert.match(
        second ?? "",
        /^GET \/answers\/chatcmpl-\w+\?after=[1-9]/,
        "and its rest once, from the middle",
      )
      assert.deepEqual(more, [])

      await page.reload()
      assert.equal(await page.locator(".assistant").textContent(), answer, "and nothing is asked again")
      assert.equal(asked.length, 2)
    })
  })
})

test("the browser chat: an answer can be stopped", async () => {
  await withBrowserChat(async (address) => {
    await withPage(async (page) => {
      await page.goto(address)
      await page.getByRole("textbox").fill("Tell me a story.")
      await page.getByRole("button", { name: "Send" }).click()
      await page.waitForFunction(() => (document.querySelector(".assistant")?.textContent?.length ?? 0) > 20)
      await page.getByRole("button", { name: "Stop" }).click()
      await page.waitForFunction(() => document.body.dataset["state"] === "idle")
      const text = (await page.locator(".assistant").textContent()) ?? ""
      assert.ok(text.length < (await wholeAnswer()).length)
    })
  })
})

async function withBrowserChat(work: (address: string) => Promise<void>): Promise<void> {
  const server = createBrowserChat(client, MODEL).listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
    await once(server, "close")
  }
}

function runExample(file: string, args: string[], environment: Record<string, string>) {
  const child = spawn(node24, [`examples/${file}`, ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  })
  let printed = ""
  let complaints = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text
  })
  const end = once(child, "close").then(([code]) => {
    assert.equal(code, 0, `${file} ended with ${code}:\n${printed}${complaints}`)
    return printed
  })
  return { child, end }
}
