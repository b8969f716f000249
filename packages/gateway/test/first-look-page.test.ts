/** The page at `/`: what it shows to whom, in whatever words, at any size, and without a mouse. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { AdminCall } from "../../sdk/src/admin.ts"
import {
  admin,
  ask,
  choose,
  events,
  hide,
  look,
  MODEL,
  number,
  PRICED,
  routeTo,
  state,
  textOf,
  useKey,
  withGateway,
} from "./first-look-support.ts"
import { CHUNKED_SSE_HEAD, chunkOf, jsonAnswer, startRawProvider, wholeStream } from "./raw-provider.ts"
import { ADMIN_KEY, call, KEY, streamBody } from "./support.ts"

test("what a model says is text: script, images, links and styles in it do nothing", async () => {
  const hostile = [
    "<script>globalThis.harm = 1</script>",
    '<img src="x" onerror="globalThis.harm = 2">',
    "<svg/onload=globalThis.harm=3>",
    '<a href="javascript:globalThis.harm=4">press</a> [press](javascript:globalThis.harm=5)',
    "<style>body { display: none }</style></p></section><iframe srcdoc='<script>parent.harm=6</script>'>",
  ]
  const name = "<img/src=x/onerror=globalThis.harm=7>"
  const provider = await startRawProvider((socket) => {
    socket.write(CHUNKED_SSE_HEAD)
    for (const piece of wholeStream(hostile)) socket.write(chunkOf(piece))
    socket.end("0\r\n\r\n")
  })
  try {
    await withGateway(
      `${routeTo(provider.baseUrl)}models:\n  "${name}": { candidates: [{ provider: raw, model: m }] }\n`,
      async (gateway) => {
        await look(
          gateway.url,
          async ({ page }) => {
            await useKey(page, ADMIN_KEY)
            await page.locator("#model").selectOption(name)
            await page.getByRole("button", { name: "Send" }).click()
            await state(page, "finished")
            assert.equal(await page.locator("#text").textContent(), hostile.join(""))
            assert.equal(await page.locator("#text *").count(), 0, "not one element came of it")
            await page.waitForFunction(() => document.querySelector("#calls")?.textContent === "1")
            assert.equal(await page.locator("body img").count(), 1, "the mark, and no other image")
            assert.equal(await page.locator("iframe, #text ~ style, a[href^='javascript']").count(), 0)
            assert.equal(await page.evaluate("globalThis.harm"), undefined)
            // The belt to these braces: had the page tried, the browser would have refused.
            const refused = await page.evaluate(() => {
              try {
                document.body.innerHTML = "<b>x</b>"
                return "was let through"
              } catch (error) {
                return (error as Error).name
              }
            })
            assert.equal(refused, "TypeError")
          },
          /TrustedHTML/,
        )
      },
    )
  } finally {
    await provider.close()
  }
})

test("what a provider says of its trouble is text too", async () => {
  const provider = await startRawProvider((socket) => {
    socket.end(
      jsonAnswer(400, JSON.stringify({ error: { message: "<img src=x onerror=globalThis.harm=1>no" } })),
    )
  })
  try {
    await withGateway(routeTo(provider.baseUrl), async (gateway) => {
      await look(
        gateway.url,
        async ({ page }) => {
          await useKey(page, ADMIN_KEY)
          await ask(page, "raw/m")
          await state(page, "failed")
          assert.match((await page.locator("#problem").textContent()) ?? "", /<img src=x/)
          assert.equal(await page.evaluate("globalThis.harm"), undefined)
        },
        /status of 400/,
      )
    })
  } finally {
    await provider.close()
  }
})

test("an admin key is shown what the ledger says: open streams, and today's calls, tokens and cost", async () => {
  await withGateway(PRICED, async (gateway) => {
    for (const tokens of [3, 50, 700]) await textOf(gateway, `sim/story:tokens=${tokens}`)
    await textOf(gateway, "sim/unpriced:tokens=5")
    await look(gateway.url, async ({ page }) => {
      await useKey(page, ADMIN_KEY)
      await ask(page, "sim/story:tokens=200,gap=20")
      await page.locator("#open b").getByText("sim/story:tokens=200,gap=20").waitFor()
      assert.equal(await page.locator("#open-count").textContent(), "1")
      assert.match((await page.locator("#open span").textContent()) ?? "", /^admin, \d+ s$/)
      await state(page, "finished")
      await page.locator("#open").getByText("Nothing runs.").waitFor()
      await page.waitForFunction(() => document.querySelector("#calls")?.textContent === "5")

      const rows: AdminCall[] = []
      for await (const row of admin(gateway).calls.all()) rows.push(row)
      const sum = (of: (row: AdminCall) => number) => rows.reduce((total, row) => total + of(row), 0)
      assert.equal(
        await number(page, "#tokens-in"),
        sum(({ usage }) => usage.promptTokens),
      )
      assert.equal(
        await number(page, "#tokens-out"),
        sum(({ usage }) => usage.completionTokens),
      )
      assert.equal(await number(page, "#tokens-out"), 3 + 50 + 700 + 5 + 200)
      const nano = rows.reduce((total, row) => total + BigInt(row.costNano ?? 0), 0n)
      assert.ok(nano > 0n)
      const shown = ((await page.locator("#spent").textContent()) ?? "").slice(1)
      assert.equal(BigInt(Math.round(Number(shown) * 1e9)), nano)
      const unpriced = page.locator("#by-model li").filter({ hasText: "sim/unpriced" })
      assert.match((await unpriced.textContent()) ?? "", /no price1 call, \d+ tokens$/)
    })
  })
})

test("an open stream is shown with its key's own name", async () => {
  await withGateway("", async (gateway) => {
    const { secret } = await admin(gateway).keys.create({ name: "Ann's <b>laptop</b>" })
    const body = streamBody("sim/story:tokens=5000,gap=20")
    const stream = await call(`${gateway.url}/v1/chat/completions`, { body, key: secret })
    await look(gateway.url, async ({ page }) => {
      await useKey(page, ADMIN_KEY)
      await page
        .locator("#open span")
        .getByText(/^Ann's <b>laptop<\/b>, \d+ s$/)
        .waitFor()
      stream.leave()
      await page.locator("#open").getByText("Nothing runs.").waitFor()
    })
  })
})

test("the figures are asked for again every few seconds while somebody looks, and not while the page is hidden", async () => {
  await withGateway("", async (gateway) => {
    await look(gateway.url, async ({ page, asked }) => {
      await page.clock.install()
      await page.goto(gateway.url)
      await useKey(page, ADMIN_KEY)
      const count = (path: string) => asked.filter((request) => request.url().includes(path)).length
      const usages = () => count("/admin/usage")
      const next = async () => {
        const answer = page.waitForResponse((response) => response.url().includes("/admin/usage"))
        await page.clock.runFor(3_500)
        await (await answer).finished()
      }
      await next()
      await next()
      await hide(page, true)
      // An answer of the gateway's own is between each two looks, so that the next one would have been asked for.
      const pass = async () => {
        await page.clock.runFor(3_500)
        await page.evaluate(() => fetch("healthz").then((response) => response.json()))
      }
      // What is under way when it is hidden is the last: it asks for the usage when it has the calls.
      do await pass()
      while (count("/admin/calls?") > usages())
      const before = usages()
      for (let turn = 0; turn < 10; turn++) await pass()
      assert.equal(usages(), before)
      const answer = page.waitForResponse((response) => response.url().includes("/admin/usage"))
      await hide(page, false)
      await answer
      assert.equal(usages(), before + 1, "at once")
    })
  })
})

test("who has no key, a wrong one or no admin's is told what to do, and no key is ever in an address", async () => {
  await withGateway("", async (gateway) => {
    await look(
      gateway.url,
      async ({ page, asked }) => {
        await page.getByRole("button", { name: "Send" }).click()
        await page
          .getByRole("alert")
          .getByText("This needs a key. Paste the key that 'npm start' printed")
          .waitFor()
        assert.equal(await page.evaluate(() => document.activeElement?.id), "key")
        await useKey(page, "sk-nobody's", false)
        await page
          .getByRole("alert")
          .getByText("The API key is not known to this gateway. Paste the key")
          .waitFor()
        await useKey(page, "two words", false)
        await page.getByRole("alert").getByText("That cannot be a key").waitFor()
        assert.deepEqual(
          await page.evaluate(() => Object.values(sessionStorage)),
          [],
          "nothing wrong is kept",
        )

        await useKey(page, KEY)
        await page.getByLabel("Admin key").fill(KEY)
        await page.getByRole("button", { name: "Show" }).click()
        await page.getByText("This needs an admin key").waitFor()
        assert.equal(await page.locator("#books").isVisible(), false)
        await page.getByLabel("Admin key").fill(ADMIN_KEY)
        await page.getByRole("button", { name: "Show" }).click()
        await page.locator("#books").waitFor()
        await page.reload()
        await page.locator("#books").waitFor()

        await page.getByRole("button", { name: "Forget it" }).click()
        await page.getByLabel("Key", { exact: true }).waitFor()
        assert.deepEqual(
          await page.evaluate(() => [
            Object.values(sessionStorage),
            Object.values(localStorage),
            document.cookie,
          ]),
          [[], [], ""],
        )
        for (const request of asked) assert.doesNotMatch(request.url(), /sk-/)
        assert.doesNotMatch(gateway.lines.join("\n"), new RegExp(`${KEY}|${ADMIN_KEY}|nobody's`))
      },
      /status of (401|403)/,
    )
  })
})

test("a model that is not there is named, with what to do", async () => {
  await withGateway("", async (gateway) => {
    await look(
      gateway.url,
      async ({ page }) => {
        await useKey(page, ADMIN_KEY)
        await ask(page, "nobody/knows")
        await state(page, "failed")
        assert.match(
          (await page.locator("#problem").textContent()) ?? "",
          /'nobody\/knows'.*Choose a model from the list/,
        )
        await ask(page, "sim/story:tokens=3")
        await state(page, "finished")
        assert.equal(await page.locator("#problem").textContent(), "")
      },
      /status of 404/,
    )
  })
})

test("nothing jumps while it streams, is cut and goes on, and at 360 pixels nothing is wider than the page", async () => {
  await withGateway("", async (gateway) => {
    for (const size of [
      { width: 1280, height: 820 },
      { width: 360, height: 740 },
    ]) {
      await look(gateway.url, async ({ page }) => {
        await page.setViewportSize(size)
        await useKey(page, ADMIN_KEY)
        await page.waitForFunction(() => document.querySelector("#calls")?.textContent !== "–")
        const places = () =>
          page.evaluate(() =>
            ["send", "cut", "ruler", "first", "cost", "answer"].map((id) => {
              const { x, y } = document.getElementById(id)?.getBoundingClientRect() ?? { x: -1, y: -1 }
              return { id, x, y: y + scrollY }
            }),
          )
        await choose(page, MODEL)
        const before = await places()
        await page.getByRole("button", { name: "Send" }).click()
        await events(page, 20)
        assert.deepEqual(await places(), before, "while it streams")
        await page.getByRole("button", { name: "Cut the connection" }).click()
        await state(page, "broken")
        assert.deepEqual(await places(), before, "while it is cut")
        await state(page, "finished")
        await page.getByText("Equal to the gateway's own copy").waitFor()
        assert.deepEqual(await places(), before, "at the end")
        const { scrollWidth, clientWidth } = await page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.documentElement
          return { scrollWidth, clientWidth }
        })
        assert.ok(scrollWidth <= clientWidth, `${scrollWidth} in ${clientWidth}`)
      })
    }
  })
})

test("it can all be done from the keyboard, and every field has a name", async () => {
  await withGateway("", async (gateway) => {
    await look(gateway.url, async ({ page }) => {
      await page.keyboard.press("Tab")
      await page.keyboard.type(ADMIN_KEY)
      await page.keyboard.press("Enter")
      await page.getByText("Key accepted").waitFor()
      await page.locator("#prompt").focus()
      await page.keyboard.press("Enter")
      await events(page, 5)
      // Model, Stop, Cut.
      for (let step = 0; step < 3; step++) await page.keyboard.press("Tab")
      await page.keyboard.press("Enter")
      await state(page, "broken")
      assert.equal(
        await page.evaluate(() => document.activeElement?.id),
        "cut",
        "the focus stays where it is",
      )
      await page.keyboard.press("Enter")
      await state(page, "busy")
      await page.keyboard.press("Shift+Tab")
      await page.keyboard.press("Space")
      await state(page, "cancelled")
      const nameless = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLInputElement>("input, select, textarea")]
          .filter(({ labels }) => labels?.length !== 1)
          .map(({ id }) => id),
      )
      assert.deepEqual(nameless, [])
    })
  })
})
