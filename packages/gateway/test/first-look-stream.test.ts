/** The page at `/`: a stream that is read, cut, lost, reloaded and stopped. */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  admin,
  ask,
  events,
  look,
  MODEL,
  PRICED,
  routeTo,
  state,
  textOf,
  useKey,
  waitUntil,
  withGateway,
} from "./first-look-support.ts"
import { startFlakyWay } from "./flaky-way.ts"
import { CHUNKED_SSE_HEAD, chunkOf, startRawProvider, wholeStream } from "./raw-provider.ts"
import { ADMIN_KEY } from "./support.ts"

test("it streams, is cut, and goes on: the text is the uncut one's, and no event is lost or comes twice", async () => {
  await withGateway(PRICED, async (gateway) => {
    const uncut = await textOf(gateway, MODEL)
    await look(gateway.url, async ({ page, asked }) => {
      await useKey(page, ADMIN_KEY)
      await ask(page, MODEL)
      await events(page, 20)
      await page.getByRole("button", { name: "Cut the connection" }).click()
      await state(page, "broken")
      const there = await page.locator("#text").textContent()
      assert.ok(uncut.startsWith(there ?? "?") && (there ?? "").length < uncut.length)
      await state(page, "finished")

      assert.equal(await page.locator("#text").textContent(), uncut)
      const seam = (await page.locator("#cuts").textContent()) ?? ""
      const [, after, resumedAt] =
        /^Cut behind event (\d+), resumed at (\d+) after [\d,]+ ms: 0 lost, 0 twice\.$/.exec(seam) ?? []
      assert.ok(Number(after) >= 20, seam)
      assert.equal(Number(resumedAt), Number(after) + 1)
      await page.getByText(`Equal to the gateway's own copy, all ${uncut.length} characters.`).waitFor()
      // Role, 80 words, finish, usage.
      assert.equal(await page.locator("#events").textContent(), "83")
      assert.equal(await page.locator("#tokens").textContent(), "80")
      assert.match((await page.locator("#first").textContent()) ?? "", /^[\d,]+ ms$/)
      assert.match((await page.locator("#rate").textContent()) ?? "", /^\d+\.\d tokens\/s$/)
      assert.equal(
        await page.getByRole("img", { name: /^Events/ }).getAttribute("aria-label"),
        `Events 1 to ${after} over connection 1, ${resumedAt} to 83 over connection 2`,
      )

      const chats = asked.filter((request) => request.url().includes("/chat/completions"))
      const [first, second, third, ...more] = chats.map(
        (request) => `${request.method()} ${new URL(request.url()).pathname}`,
      )
      const id = (await chats[0]?.response())?.headers()["sluice-stream-id"]
      assert.equal(first, "POST /v1/chat/completions", "it is asked for once")
      assert.equal(second, `GET /v1/chat/completions/${id}`, "and picked up once")
      assert.equal((await chats[1]?.allHeaders())?.["last-event-id"], after)
      assert.equal(third, second, "and then looked at whole")
      assert.deepEqual(more, [])
      assert.ok(chats[0]?.failure(), "the first connection was really broken")

      const row = await admin(gateway).calls.get(id ?? "")
      assert.deepEqual([row.ending, row.resumed], ["finished", 1])
      await page.waitForFunction(
        (cost) => document.querySelector("#cost")?.textContent === cost,
        `$${row.costUsd}`,
      )
    })
  })
})

test("cut twice, and brought back by hand the second time: each seam is told, and the text is whole", async () => {
  await withGateway("", async (gateway) => {
    await look(gateway.url, async ({ page }) => {
      await useKey(page, ADMIN_KEY)
      await ask(page, MODEL)
      await events(page, 10)
      await page.getByRole("button", { name: "Cut the connection" }).click()
      await events(page, 40)
      await page.getByRole("button", { name: "Cut the connection" }).click()
      await page.getByRole("button", { name: "Reconnect now" }).click()
      await state(page, "finished")
      const seams = await page.locator("#cuts li").allTextContents()
      assert.equal(seams.length, 2)
      for (const seam of seams)
        assert.match(seam, /^Cut behind event \d+, resumed at \d+ after [\d,]+ ms: 0 lost, 0 twice\.$/)
      assert.equal(await page.locator("#text").textContent(), await textOf(gateway, MODEL))
    })
  })
})

test("a cut before the first event asks the same question again, and it is answered once", async () => {
  const { provider, release } = await heldProvider(["late", " but", " whole"])
  try {
    await withGateway(routeTo(provider.baseUrl), async (gateway) => {
      await look(gateway.url, async ({ page }) => {
        await useKey(page, ADMIN_KEY)
        await ask(page, "raw/m")
        await waitUntil(() => provider.requests.length === 1)
        await page.getByRole("button", { name: "Cut the connection" }).click()
        await page.getByText("Cut before the first event.").waitFor()
        await page.getByRole("button", { name: "Reconnect now" }).click()
        release()
        await state(page, "finished")
        assert.equal(await page.locator("#text").textContent(), "late but whole")
        assert.match(
          (await page.locator("#cuts").textContent()) ?? "",
          /^Cut before the first event, resumed at 1 /,
        )
        assert.equal(provider.requests.length, 1)
      })
    })
  } finally {
    await provider.close()
  }
})

test("a connection that is lost on its way is no end: the page waits, says so, and goes on", async () => {
  await withGateway("", async (gateway) => {
    const way = await startFlakyWay(gateway.url)
    try {
      await look(
        way.url,
        async ({ page }) => {
          await useKey(page, ADMIN_KEY)
          await ask(page, MODEL)
          await events(page, 10)
          await way.close()
          await page.getByText(/Broken off behind event \d+\. The gateway does not answer\./).waitFor()
          await way.open()
          await state(page, "finished")
          assert.equal(await page.locator("#text").textContent(), await textOf(gateway, MODEL))
          assert.match(
            (await page.locator("#cuts").textContent()) ?? "",
            /^Broken off behind .*: 0 lost, 0 twice\.$/,
          )
        },
        /ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY_RESPONSE|ERR_SOCKET/,
      )
    } finally {
      await way.close()
    }
  })
})

test("a reload in the middle: the stream is read again from its first event and goes on to its end", async () => {
  await withGateway("", async (gateway) => {
    await look(gateway.url, async ({ page, asked }) => {
      await useKey(page, ADMIN_KEY)
      await ask(page, MODEL)
      await events(page, 20)
      await page.reload()
      await page.getByText("Picked up after a reload").waitFor()
      await state(page, "finished")
      assert.equal(await page.locator("#text").textContent(), await textOf(gateway, MODEL))
      await page.getByText("Equal to the gateway's own copy").waitFor()
      assert.equal(asked.filter((request) => request.method() === "POST").length, 1, "it is asked for once")
    })
  })
})

test("a stream that is kept no longer is forgotten at a reload, and nobody is blamed", async () => {
  await withGateway("", async (gateway) => {
    await look(
      gateway.url,
      async ({ page }) => {
        await useKey(page, ADMIN_KEY)
        await page.evaluate(() => sessionStorage.setItem("sluice.stream", "chatcmpl-long-gone"))
        await page.reload()
        await page.waitForFunction(() => sessionStorage.getItem("sluice.stream") === null)
        await state(page, "idle")
        assert.equal(await page.locator("#problem").textContent(), "")
        await ask(page, "sim/story:tokens=3")
        await state(page, "finished")
      },
      /status of 404/,
    )
  })
})

test("Stop before the first word: the call ends as soon as there is one to end", async () => {
  const { provider, release } = await heldProvider(["never", " read"])
  try {
    await withGateway(routeTo(provider.baseUrl), async (gateway) => {
      await look(gateway.url, async ({ page }) => {
        await useKey(page, ADMIN_KEY)
        await ask(page, "raw/m")
        await waitUntil(() => provider.requests.length === 1)
        await page.getByRole("button", { name: "Stop" }).click()
        await page.getByRole("button", { name: "Stopping" }).waitFor()
        release()
        await page.getByRole("button", { name: "Send" }).waitFor()
        assert.match((await page.locator("#state").textContent()) ?? "", /^(Stopped|Finished)$/)
      })
    })
  } finally {
    await provider.close()
  }
})

test("Stop ends the call itself, in the books too", async () => {
  await withGateway("", async (gateway) => {
    await look(gateway.url, async ({ page }) => {
      await useKey(page, ADMIN_KEY)
      await ask(page, "sim/story:tokens=5000,gap=20")
      await events(page, 10)
      await page.getByRole("button", { name: "Stop" }).click()
      await state(page, "cancelled")
      assert.equal(await page.locator("#state").textContent(), "Stopped")
      await waitUntil(async () => (await admin(gateway).calls.list()).data[0]?.ending === "cancelled")
      await page.getByRole("button", { name: "Send" }).waitFor()
    })
  })
})

/** Says nothing until it is released. */
async function heldProvider(words: readonly string[]) {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const provider = await startRawProvider(async (socket) => {
    await released
    socket.write(CHUNKED_SSE_HEAD)
    for (const piece of wholeStream(words)) socket.write(chunkOf(piece))
    socket.end("0\r\n\r\n")
  })
  return { provider, release }
}
