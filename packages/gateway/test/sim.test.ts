/** The simulator alone, over real sockets: what its callers see, and what its journal says of it. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { countTokens } from "gpt-tokenizer/encoding/o200k_base"
import { type SimJournalLine, type SimServer, startSimServer } from "../src/providers/sim-server.ts"

const folder = mkdtempSync(join(tmpdir(), "sluice-sim-"))
const journal = join(folder, "journal.jsonl")
let server: SimServer

before(async () => {
  server = await startSimServer({ port: 0, journal })
})
after(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly response: http.IncomingMessage
  /** Pulls until the body is over: its text, and whether HTTP says that it is whole. */
  read(): Promise<{ text: string; complete: boolean }>
}

let asked = 0

/** Each request has an id of its own, by which its line in the journal is found. */
async function ask(
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer & { requestId: string }> {
  asked += 1
  const requestId = `request-${asked}`
  const request = http.request(`${server.url}/v1/chat/completions`, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", "x-request-id": requestId, ...headers },
  })
  request.end(JSON.stringify({ messages: [{ role: "user", content: "Tell me a story." }], ...body }))
  const [response] = (await once(request, "response")) as [http.IncomingMessage]
  return { response, requestId, read: () => readAll(response) }
}

async function readAll(response: http.IncomingMessage): Promise<{ text: string; complete: boolean }> {
  let text = ""
  response.setEncoding("utf8")
  try {
    for await (const piece of response) text += piece
  } catch {
    // Cut off; `complete` says so.
  }
  return { text, complete: response.complete }
}

function dataOf(text: string): string[] {
  return text
    .split("\n\n")
    .filter((frame) => frame.startsWith("data: "))
    .map((frame) => frame.slice("data: ".length))
}

function lines(): SimJournalLine[] {
  return existsSync(journal)
    ? readFileSync(journal, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : []
}

/** The line is written when the server has seen the end, which may be after the client has. */
async function lineOf(requestId: string): Promise<SimJournalLine> {
  for (;;) {
    const line = lines().find((candidate) => candidate.request_id === requestId)
    if (line !== undefined) return line
    await turn()
  }
}

const asksUsage = { stream: true, stream_options: { include_usage: true } }

describe("the simulator's server", () => {
  test("streams, labelled as a simulator, and its journal agrees with what was sent", async () => {
    const { response, read, requestId } = await ask(
      { model: "sim/story:tokens=20,reasoning=3,tools=2", ...asksUsage },
      { authorization: "Bearer sk-very-secret" },
    )
    assert.equal(response.statusCode, 200)
    assert.equal(response.headers["x-simulator"], "sluice")
    assert.equal(response.headers["content-type"], "text/event-stream")
    const { text, complete } = await read()
    assert.ok(complete)
    const data = dataOf(text)
    assert.equal(data.at(-1), "[DONE]")
    const { id, usage } = JSON.parse(data.at(-2) ?? "")
    const line = await lineOf(requestId)
    assert.deepEqual(
      { ...line, at: "" },
      {
        at: "",
        id,
        request_id: requestId,
        model: "sim/story:tokens=20,reasoning=3,tools=2",
        stream: true,
        prompt_tokens: countTokens("Tell me a story."),
        tokens: usage.completion_tokens,
        completion_tokens: usage.completion_tokens,
        ended: "finished",
        status: 200,
        authorization_seen: true,
      },
    )
    assert.equal(usage.prompt_tokens, line.prompt_tokens)
    assert.ok(Number.isFinite(Date.parse(line.at)))
    assert.doesNotMatch(readFileSync(journal, "utf8"), /very-secret/)
  })

  test("answers in one piece, with the model's name without its prefix too", async () => {
    const { read, requestId } = await ask({ model: "story:tokens=9" })
    const completion = JSON.parse((await read()).text)
    assert.equal(countTokens(completion.choices[0].message.content), 9)
    const line = await lineOf(requestId)
    assert.deepEqual(
      [line.ended, line.stream, line.tokens, line.authorization_seen],
      ["finished", false, 9, false],
    )
  })

  test("cuts the body after every k, having sent all before it", async () => {
    for (let cut = 0; cut <= 6; cut++) {
      const { response, read, requestId } = await ask({
        model: `sim/story:tokens=4,cut=${cut}`,
        ...asksUsage,
      })
      assert.equal(response.statusCode, 200)
      const { text, complete } = await read()
      assert.equal(complete, false)
      assert.equal(dataOf(text).length, cut)
      const line = await lineOf(requestId)
      assert.deepEqual(
        [line.ended, line.tokens, line.completion_tokens],
        ["cut", Math.min(4, Math.max(0, cut - 1)), 4],
      )
    }
  })

  test("cuts an answer in one piece within its body", async () => {
    const { response, read, requestId } = await ask({ model: "sim/story:tokens=4,cut=2" })
    assert.equal(response.statusCode, 200)
    assert.deepEqual(await read(), { text: "{", complete: false })
    const line = await lineOf(requestId)
    assert.deepEqual([line.ended, line.tokens], ["cut", 0])
  })

  test("stalls until the client leaves", async () => {
    const { response, requestId } = await ask({ model: "sim/story:tokens=4,stall=3", ...asksUsage })
    let text = ""
    while (dataOf(text).length < 3) text += (await once(response, "data"))[0]
    response.destroy()
    const line = await lineOf(requestId)
    assert.deepEqual([line.ended, line.tokens], ["stalled", 2])
  })

  test("fails within the stream", async () => {
    const { read, requestId } = await ask({ model: "sim/story:tokens=4,error_at=3", ...asksUsage })
    const { text, complete } = await read()
    assert.ok(complete)
    const data = dataOf(text)
    assert.equal(data.length, 4)
    assert.equal(typeof JSON.parse(data.at(-1) ?? "").error.message, "string")
    const line = await lineOf(requestId)
    assert.deepEqual([line.ended, line.status, line.tokens], ["error", 200, 2])
  })

  test("answers with the error that it is told, and when to come again", async () => {
    for (const stream of [true, false]) {
      const { response, read, requestId } = await ask({ model: "sim/story:error=429,retry_after=3", stream })
      assert.deepEqual([response.statusCode, response.headers["retry-after"]], [429, "3"])
      assert.equal(response.headers["content-type"], "application/json")
      assert.equal(typeof JSON.parse((await read()).text).error.message, "string")
      const line = await lineOf(requestId)
      assert.deepEqual([line.ended, line.status, line.tokens], ["error", 429, 0])
    }
  })

  test("stops work when the client leaves, and says how far it came", async () => {
    const { response, requestId } = await ask({ model: "sim/story:tokens=100000,gap=1", ...asksUsage })
    await once(response, "data")
    response.destroy()
    const line = await lineOf(requestId)
    assert.equal(line.ended, "client_gone")
    assert.equal(line.completion_tokens, 100_000)
    assert.ok(line.tokens < line.completion_tokens)
  })

  test("waits for a client that does not read", async () => {
    const all = 200_000
    const { response, requestId } = await ask({ model: `sim/story:tokens=${all}`, ...asksUsage })
    await once(response, "readable")
    // Nobody reads: the buffers of both sides fill, and the simulator falls silent.
    let before = -1
    const { socket } = response
    for (let still = 0; still < 50; ) {
      still = socket.bytesRead === before ? still + 1 : 0
      before = socket.bytesRead
      for (let turns = 0; turns < 20; turns++) await turn()
    }
    response.destroy()
    const line = await lineOf(requestId)
    assert.equal(line.ended, "client_gone")
    assert.ok(line.tokens < all / 2, `${line.tokens} tokens were written to nobody`)
  })

  test("is not blocked by a hostile prompt: others are served while it is counted", async () => {
    // Runs that differ, so that none is remembered from another.
    const hostile = Array.from({ length: 100 }, (_, at) => "a".repeat(4_000 + at)).join(" ")
    const hard = await ask({
      model: "sim/story:tokens=1",
      messages: [{ role: "user", content: hostile }],
      ...asksUsage,
    })
    let over = false
    const hardAnswer = hard.read().finally(() => {
      over = true
    })
    let served = 0
    while (!over) {
      const { text } = await (await ask({ model: "sim/story:tokens=5", stream: true })).read()
      assert.equal(dataOf(text).at(-1), "[DONE]")
      served += 1
    }
    assert.ok(served > 5, `${served} others were served`)
    const data = dataOf((await hardAnswer).text)
    assert.ok(JSON.parse(data.at(-2) ?? "").usage.prompt_tokens > 40_000)
  })

  test("counts 400,000 letters in a row", async () => {
    const { read } = await ask({
      model: "sim/story:tokens=1",
      messages: [{ role: "user", content: "a".repeat(400_000) }],
    })
    assert.equal(JSON.parse((await read()).text).usage.prompt_tokens, 50_000)
  })

  test("refuses what it cannot read with a 400, and notes it", async () => {
    const table: [body: object, says: RegExp][] = [
      [{ model: "sim/story:speed=1" }, /'speed'/],
      [{ model: "sim/story:tokens=many" }, /'tokens' takes an integer/],
      [{ model: 7 }, /'model' must be a string/],
      [{ model: "sim/story", messages: "hello" }, /'messages' must be an array/],
    ]
    for (const [body, says] of table) {
      const { response, read, requestId } = await ask(body)
      assert.equal(response.statusCode, 400)
      assert.match(JSON.parse((await read()).text).error.message, says)
      const line = await lineOf(requestId)
      assert.deepEqual([line.ended, line.status], ["error", 400])
    }
  })

  test("lists its model, and says what else it serves", async () => {
    const models = await fetch(`${server.url}/v1/models`)
    assert.equal(models.headers.get("x-simulator"), "sluice")
    assert.equal((await models.json()).data[0].id, "sim/story")
    const lost = await fetch(`${server.url}/v1/embeddings`, { method: "POST", body: "{}" })
    assert.equal(lost.status, 404)
    assert.match((await lost.json()).error.message, /POST \/v1\/chat\/completions/)
  })

  test("has one line for each request, and no other", async () => {
    const ids = lines().map((line) => line.request_id)
    assert.equal(ids.length, asked)
    assert.equal(new Set(ids).size, asked)
  })
})

test("'sluice sim' says when it is ready, keeps its journal and stops at SIGTERM", async () => {
  const file = join(folder, "command.jsonl")
  const main = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url))
  const child = spawn(process.execPath, [main, "sim", "--port", "0", "--journal", file], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const exit = once(child, "exit")
  try {
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (piece) => {
      output += piece
      if (output.includes("\n")) child.emit("ready")
    })
    await Promise.race([once(child, "ready"), exit])
    const [, url] = /^sluice sim listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(output) ?? []
    assert.ok(url !== undefined, `it printed '${output}'`)
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "sim/story:tokens=2", messages: [{ role: "user", content: "x" }] }),
    })
    assert.equal((await answer.json()).usage.completion_tokens, 2)
  } finally {
    child.kill("SIGTERM")
  }
  assert.deepEqual(await exit, [0, null])
  assert.equal(readFileSync(file, "utf8").split("\n").length, 2)
})
