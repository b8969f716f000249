/** `sluice chat` through pipes: what programs get, and what becomes of an answer whose reader is gone. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync, watch } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { frame, SSE_HEAD, startRawProvider, wholeStream } from "../../gateway/test/raw-provider.ts"
import { ADMIN_KEY, call, KEY } from "../../gateway/test/support.ts"
import { cuttingProxy } from "./cutting-proxy.ts"
import { runAlone, type Sluice, sluiceAt, startSluice, temporaryFolder } from "./support.ts"

const STORY = "sim/story:tokens=20"

test("a pipe gets the text and a newline, and nothing else", async (t) => {
  const sluice = await startSluice(t)
  const { code, out, err } = await sluice.run(["chat", "--model", STORY, "Tell", "me", "a", "story."])
  assert.equal(code, 0)
  assert.equal(err, "")
  assert.match(out, /^( [a-z]+){20}\n$/)
  assert.deepEqual(places(sluice), [], "a finished answer leaves no bookmark")
})

test("what comes through a pipe is the prompt, and '-' stands for it", async (t) => {
  const heard: string[] = []
  const provider = await startRawProvider((socket) => {
    heard.push(provider.requests.at(-1)!.body)
    socket.end(SSE_HEAD + wholeStream(["yes"]).join(""))
  })
  t.after(() => provider.close())
  const sluice = await startSluice(t, yamlOf(provider.baseUrl))
  const model = [
    "chat",
    "--model",
    "raw/one",
    "--system",
    "Be short.",
    "--max-tokens",
    "7",
    "--temperature",
    "0.5",
  ]
  const piped = await sluice.run(model, { input: "all of it\n" })
  assert.deepEqual([piped.code, piped.out], [0, "yes\n"], piped.err)
  await sluice.run([...model, "Read", "this:", "-"], { input: "the file" })
  const [first, second] = heard.map((body) => JSON.parse(body))
  assert.deepEqual(first.messages, [
    { role: "system", content: "Be short." },
    { role: "user", content: "all of it" },
  ])
  assert.deepEqual([first.max_tokens ?? first.max_completion_tokens, first.temperature], [7, 0.5])
  assert.deepEqual(second.messages.at(-1), { role: "user", content: "Read this: \nthe file" })
})

test("an empty prompt is a misuse", async (t) => {
  const sluice = await startSluice(t)
  const { code, err } = await sluice.run(["chat"])
  assert.equal(code, 2)
  assert.match(err, /^sluice chat: what to ask\? The prompt is empty\. 'sluice chat --help' says more\.\n$/)
})

test("--json gives every chunk as it came, and a summary that adds up to them", async (t) => {
  const price = "prices: { raw/one: { input: 1, output: 2 } }\n"
  const provider = await startRawProvider((socket) => {
    socket.end(SSE_HEAD + wholeStream(["one ", "two"]).join(""))
  })
  t.after(() => provider.close())
  const sluice = await startSluice(t, yamlOf(provider.baseUrl) + price)
  const { code, out } = await sluice.run(["chat", "--json", "--model", "raw/one", "Hello"])
  assert.equal(code, 0)
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  const summary = lines.at(-1)
  const chunks = lines.slice(0, -1)
  assert.ok(chunks.every(({ object }) => object === "chat.completion.chunk"))
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")
  assert.equal(text, "one two")
  assert.equal(summary.object, "sluice.chat.summary")
  assert.deepEqual(
    [summary.text, summary.ending, summary.finish_reason, summary.usage.completion_tokens, summary.cost_usd],
    [text, "finished", "stop", 2, "0.000007"],
  )
  assert.equal(summary.last_event_id, chunks.length)
  assert.equal(typeof summary.time_to_first_token_ms, "number")
})

test("a cost that nobody knows is not shown", async (t) => {
  const sluice = await startSluice(t)
  const { out } = await sluice.run(["chat", "--json", "--model", STORY, "Hello"])
  assert.equal("cost_usd" in JSON.parse(out.trimEnd().split("\n").at(-1)!), false)
})

test("what a model answers is piped as it is, whatever a terminal would make of it", async (t) => {
  const provider = await startRawProvider((socket) => {
    socket.end(SSE_HEAD + wholeStream(["\u001b[31mred", "\r\n"]).join(""))
  })
  t.after(() => provider.close())
  const sluice = await startSluice(t, yamlOf(provider.baseUrl))
  assert.equal((await sluice.run(["chat", "--model", "raw/one", "Hello"])).out, "\u001b[31mred\r\n")
})

test("a stream that fails is told in one line and by the exit code, behind what had come", async (t) => {
  const sluice = await startSluice(t)
  const { code, out, err } = await sluice.run(["chat", "--model", "sim/story:tokens=9,error_at=4", "Hello"])
  assert.equal(code, 1)
  assert.match(out, /^( [a-z]+)+$/)
  assert.match(err, /^sluice chat: [^\n]+\n$/)
  assert.deepEqual(places(sluice), [])
})

test("a model that is not there, a key that is refused and a gateway that is away are three different lines", async (t) => {
  const sluice = await startSluice(t)
  const wrongModel = await sluice.run(["chat", "--model", "nobody/nothing", "Hello"])
  assert.equal(wrongModel.code, 1)
  assert.match(wrongModel.err, /^sluice chat: 404: .*nobody.*\n$/)
  const wrongKey = await sluice.run(["chat", "Hello"], { environment: { SLUICE_API_KEY: "sk-of-nobody" } })
  assert.equal(wrongKey.code, 1)
  assert.match(wrongKey.err, /refused the key from SLUICE_API_KEY/)
  assert.doesNotMatch(wrongKey.err, /sk-of-nobody/)
  const away = await sluice.run(["chat", "--url", "http://127.0.0.1:1", "Hello"])
  assert.equal(away.code, 1)
  assert.match(
    away.err,
    /^sluice chat: http:\/\/127\.0\.0\.1:1 cannot be reached: .*sluice serve.*--url\.\n$/,
  )
})

test("without a key it says where it has looked", async (t) => {
  const { code, err } = await runAlone(t, ["chat", "Hello"])
  assert.equal(code, 2)
  assert.match(err, /there is no key: SLUICE_API_KEY is not set, nor has a gateway minted one into .*dev-key/)
})

test("ctrl-C cancels the answer: the gateway is told, and the exit code is 130", async (t) => {
  const sluice = await startSluice(t)
  const chat = sluice.start(["chat", "--model", "sim/story:tokens=5000,gap=20", "Hello"])
  await chat.until(/( [a-z]+){3}/)
  chat.child.kill("SIGINT")
  const { code, err } = await chat.finished
  assert.equal(code, 130)
  assert.equal(err, "sluice chat: cancelled.\n")
  assert.equal((await lastCall(sluice)).ending, "cancelled")
  assert.deepEqual(places(sluice), [])
})

test("ctrl-C before the first token cancels the call as well", async (t) => {
  const sluice = await startSluice(t)
  const chat = sluice.start(["chat", "--model", "sim/story:ttft=1500,tokens=5000,gap=20", "Hello"])
  while ((await lastCall(sluice)) === undefined) {
    // The call is open when it is in the books.
  }
  chat.child.kill("SIGINT")
  assert.equal((await chat.finished).code, 130)
  const { ending } = await settledCall(sluice)
  assert.equal(ending, "cancelled")
})

test("a reader that leaves stops the answer", async (t) => {
  const sluice = await startSluice(t)
  const chat = sluice.start(["chat", "--model", "sim/story:tokens=5000,gap=5", "Hello"])
  await chat.until(/( [a-z]+){3}/)
  chat.child.stdout!.destroy()
  assert.equal((await chat.finished).err, "sluice chat: cancelled.\n")
  assert.equal((await settledCall(sluice)).ending, "cancelled")
})

test("a connection that drops is picked up: the text is whole, and a pipe hears nothing of it", async (t) => {
  const sluice = await startSluice(t)
  const proxy = await cuttingProxy(t, sluice.gateway.url, 2_500)
  const model = "sim/story:tokens=30,gap=5"
  const whole = await sluice.run(["chat", "--model", model, "Hello"])
  const cut = await sluiceAt(t, sluice.gateway, proxy.url).run(["chat", "--model", model, "Hello"])
  assert.equal(proxy.cuts(), 1)
  assert.deepEqual(cut, { ...whole, code: 0, err: "" })
})

test("after a kill -9 in the middle, --resume prints the rest: both parts are the whole", async (t) => {
  const words = Array.from({ length: 12 }, (_, index) => `word${index} `)
  let finish = (): void => {}
  const provider = await startRawProvider((socket) => {
    const [begin, ...rest] = wholeStream(words)
    socket.write([SSE_HEAD, begin, ...rest.slice(0, 5)].join(""))
    finish = () => socket.end(rest.slice(5).join(""))
  })
  t.after(() => provider.close())
  const sluice = await startSluice(t, yamlOf(provider.baseUrl))
  const first = sluice.start(["chat", "--model", "raw/one", "Hello"])
  await first.until(/word4 /)
  await placeReached(sluice, "6")
  first.child.kill("SIGKILL")
  const before = (await first.finished).out
  assert.equal(before, words.slice(0, 5).join(""))
  finish()
  const second = await sluice.run(["chat", "--resume"])
  assert.equal(second.code, 0, second.err)
  assert.equal(before + second.out, `${words.join("")}\n`)
  const third = await sluice.run(["chat", "--resume"])
  assert.equal(third.code, 2)
  assert.match(third.err, /no answer of .* has broken off here/)
})

test("killed at any moment, nothing is lost and at most the last piece is said twice", async (t) => {
  const sluice = await startSluice(t)
  const model = "sim/story:tokens=60,gap=4"
  const whole = (await sluice.run(["chat", "--model", model, "Hello"])).out
  for (const seen of [1, 7, 23, 41]) {
    const first = sluice.start(["chat", "--model", model, "Hello"])
    await first.until(new RegExp(`( [a-z]+){${seen}} `))
    first.child.kill("SIGKILL")
    const before = (await first.finished).out
    const { out, code } = await sluice.run(["chat", "--resume"])
    assert.equal(code, 0)
    const rests = [whole.slice(before.length), whole.slice(before.lastIndexOf(" "))]
    assert.ok(rests.includes(out), `behind '${before}' came '${out}'`)
  }
})

test("--resume takes an id, and an event behind it", async (t) => {
  const sluice = await startSluice(t)
  const lines = (await sluice.run(["chat", "--json", "--model", STORY, "Hello"])).out.trimEnd().split("\n")
  const { id, text } = JSON.parse(lines.at(-1)!)
  assert.equal((await sluice.run(["chat", "--resume", id])).out, `${text}\n`)
  const words = text.split(/(?= )/)
  assert.equal((await sluice.run(["chat", `--resume=${id}:11`])).out, `${words.slice(10).join("")}\n`)
  const unknown = await sluice.run(["chat", "--resume", "gen-nobody:3"])
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /404: There is no stream 'gen-nobody'/)
  assert.equal((await sluice.run(["chat", "--resume", "../etc/passwd"])).code, 2)
})

test("an answer that breaks off for good says how to go on, and --resume does so without an id", async (t) => {
  const sluice = await startSluice(t)
  const proxy = await cuttingProxy(t, sluice.gateway.url, 2_500, "for good")
  const away = sluiceAt(t, sluice.gateway, proxy.url)
  const first = await away.run(["chat", "--model", "sim/story:tokens=40,gap=5", "Hello"])
  assert.equal(first.code, 1)
  assert.match(first.err, /To read the rest: sluice chat --resume gen-\w+:\d+\n$/)
  proxy.heal()
  const second = await away.run(["chat", "--resume"])
  assert.equal(second.code, 0, second.err)
  assert.match(first.out + second.out, /^( [a-z]+){40}\n$/)
})

test("bookmarks hold no word of what was said", async (t) => {
  const provider = await startRawProvider((socket) => {
    socket.write(SSE_HEAD + frame({ role: "assistant", content: "" }) + frame({ content: "a secret answer" }))
  })
  t.after(() => provider.close())
  const sluice = await startSluice(t, yamlOf(provider.baseUrl))
  const chat = sluice.start(["chat", "--model", "raw/one", "my secret question"])
  await chat.until(/secret answer/)
  await placeReached(sluice, "2")
  const [file] = places(sluice)
  const text = readFileSync(join(sluice.state, "sluice/chats", file!), "utf8")
  assert.doesNotMatch(text, /secret/)
  for (const key of [KEY, ADMIN_KEY]) assert.equal(text.includes(key), false)
})

test("a state folder that cannot be used does not stop a chat", async (t) => {
  const sluice = await startSluice(t)
  const file = join(temporaryFolder(t), "file")
  const { code, out } = await sluice.run(["chat", "--model", STORY, "Hello"], {
    environment: { XDG_STATE_HOME: join(process.execPath, file) },
  })
  assert.deepEqual([code, out.trim().split(" ").length], [0, 20])
})

function yamlOf(baseUrl: string): string {
  return `providers: { raw: { kind: openai-compatible, base_url: "${baseUrl}", credential: none } }\n`
}

function places({ state }: Sluice): string[] {
  const folder = join(state, "sluice/chats")
  return existsSync(folder) ? readdirSync(folder) : []
}

/** The one chat that runs has written down that it has shown this event. */
async function placeReached({ state }: Sluice, event: string): Promise<void> {
  const folder = join(state, "sluice/chats")
  const reached = (): boolean =>
    readdirSync(folder).some((file) => {
      const text = readFileSync(join(folder, file), "utf8")
      return text !== "" && JSON.parse(text).lastEventId.trim() === event
    })
  await new Promise<void>((resolve) => {
    const watcher = watch(folder, look)
    function look(): void {
      if (!reached()) return
      watcher.close()
      resolve()
    }
    look()
  })
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not there
async function lastCall({ gateway }: Sluice): Promise<any> {
  const answer = await call(`${gateway.url}/admin/calls?limit=1`, { key: ADMIN_KEY })
  return JSON.parse((await answer.whole()).text).data[0]
}

// biome-ignore lint/suspicious/noExplicitAny: as above
async function settledCall(sluice: Sluice): Promise<any> {
  for (;;) {
    const found = await lastCall(sluice)
    if (found.ending !== null) return found
  }
}
