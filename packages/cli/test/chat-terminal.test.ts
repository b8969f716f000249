/** `sluice chat` at a pseudo-terminal: what a person sees, types and stops. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { SSE_HEAD, startRawProvider, wholeStream } from "../../gateway/test/raw-provider.ts"
import { ADMIN_KEY, call } from "../../gateway/test/support.ts"
import { cuttingProxy } from "./cutting-proxy.ts"
import { plain, sluiceAt, startSluice } from "./support.ts"

const COLOUR = "\u001b["
const CTRL_C = "\u0003"
const CTRL_D = "\u0004"

test("a terminal shows the text and then its figures, dim", async (t) => {
  const sluice = await startSluice(t)
  const chat = sluice.startAtTerminal(["chat", "--model", "sim/story:tokens=20,gap=5", "Hello"])
  const { code, out } = await chat.finished
  assert.equal(code, 0)
  const figures = String.raw`first token \d+ ms · [\d.]+ tokens/s · 20 tokens · finished · gen-\w+`
  assert.match(plain(out), new RegExp(`^( [a-z]+){20}\n${figures}\n$`))
  assert.ok(out.includes(`${COLOUR}2mfirst token`))
})

test("the cost stands among the figures where the gateway knows it", async (t) => {
  const provider = await startRawProvider(
    (socket) => void socket.end(SSE_HEAD + wholeStream(["one ", "two"]).join("")),
  )
  t.after(() => provider.close())
  const sluice = await startSluice(
    t,
    `providers: { raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none } }
prices: { raw/one: { input: 100, output: 200 } }\n`,
  )
  const { out } = await sluice.startAtTerminal(["chat", "--model", "raw/one", "Hello"]).finished
  assert.match(plain(out), /2 tokens · \$0\.00070? · finished/)
})

test("with NO_COLOR, or where the terminal is dumb, there are no colours", async (t) => {
  const sluice = await startSluice(t)
  const settings: Record<string, string>[] = [{ NO_COLOR: "1" }, { TERM: "dumb" }]
  for (const environment of settings) {
    const { out } = await sluice.startAtTerminal(
      ["chat", "--model", "sim/story:tokens=3,reasoning=2", "Hello"],
      {
        environment,
      },
    ).finished
    assert.equal(out.includes("\u001b"), false)
    assert.match(out, /finished/)
  }
})

test("reasoning is shown dim, before the answer", async (t) => {
  const sluice = await startSluice(t)
  const { out } = await sluice.startAtTerminal(["chat", "--model", "sim/story:tokens=3,reasoning=2", "Hello"])
    .finished
  const shown = out.replaceAll(`${COLOUR}2m`, "<dim>").replaceAll(`${COLOUR}22m`, "</dim>")
  assert.match(shown, /^<dim> [a-z]+<\/dim><dim> [a-z]+<\/dim>\r\n\r\n( [a-z]+){3}\r\n/)
})

test("what a model answers cannot command the terminal", async (t) => {
  const words = ["\u001b]0;title\u0007", "\u009b2J", "\rhidden", "\nseen\ttoo"]
  const provider = await startRawProvider((socket) => void socket.end(SSE_HEAD + wholeStream(words).join("")))
  t.after(() => provider.close())
  const sluice = await startSluice(
    t,
    `providers: { raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none } }\n`,
  )
  const { out } = await sluice.startAtTerminal(["chat", "--model", "raw/one", "Hello"], {
    environment: { NO_COLOR: "1" },
  }).finished
  assert.ok(out.startsWith("]0;title2Jhidden\r\nseen\ttoo\r\n"), JSON.stringify(out))
})

test("a connection that drops is picked up, and a calm note says where", async (t) => {
  const sluice = await startSluice(t)
  const proxy = await cuttingProxy(t, sluice.gateway.url, 2_500)
  const chat = sluiceAt(t, sluice.gateway, proxy.url)
  const { code, out } = await chat.startAtTerminal(["chat", "--model", "sim/story:tokens=30,gap=5", "Hello"])
    .finished
  assert.equal(code, 0)
  assert.match(plain(out), / \(resumed at event \d+\) /)
  const text = plain(out).replace(/ \(resumed at event \d+\) /, "")
  assert.match(text, /^( [a-z]+){30}\nfirst token/)
})

test("a conversation: each answer is part of what the next is asked with; ctrl-C stops one; /exit leaves", async (t) => {
  const sluice = await startSluice(t)
  const chat = sluice.startAtTerminal(["chat", "--model", "sim/story:tokens=2000,gap=10"])
  await chat.until(/› /)
  chat.type("Tell me a story.\r")
  await chat.until(/( [a-z]+){5}/)
  chat.type(CTRL_C)
  await chat.until(/cancelled · gen-\w+[\s\S]*› /)
  assert.deepEqual(
    (await calls(sluice.gateway.url)).map(({ ending }) => ending),
    ["cancelled"],
  )
  chat.type("/new\r")
  await chat.until(/forgotten[\s\S]*› /)
  chat.type("/exit\r")
  assert.equal((await chat.finished).code, 0)
})

test("a conversation is asked with all that was said before, and ctrl-D leaves it", async (t) => {
  const bodies: { messages: object[] }[] = []
  const provider = await startRawProvider((socket) => {
    bodies.push(JSON.parse(provider.requests.at(-1)!.body))
    socket.end(SSE_HEAD + wholeStream([`answer ${bodies.length}`]).join(""))
  })
  t.after(() => provider.close())
  const sluice = await startSluice(
    t,
    `providers: { raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none } }\n`,
  )
  const chat = sluice.startAtTerminal(["chat", "--model", "raw/one", "--system", "Be brief."])
  await chat.until(/› /)
  chat.type("first\r")
  await chat.until(/answer 1[\s\S]*finished[\s\S]*› /)
  chat.type("second\r")
  await chat.until(/answer 2[\s\S]*finished[\s\S]*› /)
  chat.type(CTRL_D)
  assert.equal((await chat.finished).code, 0)
  assert.deepEqual(bodies.at(-1)?.messages, [
    { role: "system", content: "Be brief." },
    { role: "user", content: "first" },
    { role: "assistant", content: "answer 1" },
    { role: "user", content: "second" },
  ])
})

test("what is typed while an answer is written does not stand in it, and is asked next", async (t) => {
  const sluice = await startSluice(t)
  const chat = sluice.startAtTerminal(["chat", "--model", "sim/story:tokens=60,gap=10"])
  await chat.until(/› /)
  chat.type("one\r")
  await chat.until(/( [a-z]+){5}/)
  chat.type("QUESTION\r")
  const shown = plain(await chat.until(/finished · gen-\w+[\s\S]*› QUESTION/))
  assert.equal(shown.indexOf("QUESTION"), shown.length - "QUESTION".length)
  await chat.until(/QUESTION[\s\S]*finished · gen-\w+[\s\S]*› /)
  chat.type(CTRL_C)
  assert.equal((await chat.finished).code, 130)
})

async function calls(url: string): Promise<{ ending: string }[]> {
  return JSON.parse((await (await call(`${url}/admin/calls`, { key: ADMIN_KEY })).whole()).text).data
}
