/**
 * Atoma's SDK loses events that arrive in one read, unless a comment longer than all of them comes before the end.
 * Here its package from npm reads streams of every length, as the gateway sends them and with each in one write.
 */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { Chunk } from "@sluice/protocol"
import { type Ask, describeError, type Server } from "../caller.ts"
import { atoma, atomaChunks } from "../callers/atoma.ts"
import { wireStreamBody } from "../callers/body.ts"
import { type CoalescingProxy, startCoalescingProxy } from "../coalescing-proxy.ts"
import { eventsOf, rawCall } from "../raw-call.ts"
import { chunk, DONE } from "../raw-provider.ts"
import { LIMIT, NOTHING_BEHIND, simModel, startTarget, type Target } from "../support.ts"

const STREAMS = 240
const AT_ONCE = 24
const PATH = "/atoma/v1/chat/completions"

let target: Target
let inOneWrite: CoalescingProxy
let withoutPad: CoalescingProxy

before(async () => {
  target = await startTarget()
  inOneWrite = await startCoalescingProxy(target.url)
  withoutPad = await startCoalescingProxy(target.url, (body) => body.replace(/^:.*\n\n/gm, ""))
})
after(async () => {
  await inOneWrite?.close()
  await withoutPad?.close()
  await target?.stop()
})

test(`${STREAMS} streams as the gateway sends them: no event is lost`, LIMIT, async () => {
  assert.deepEqual(await lossesOf(target), [])
})

test(`${STREAMS} streams, each in one write: no event is lost`, LIMIT, async () => {
  assert.deepEqual(await lossesOf({ ...target, url: inOneWrite.url }), [])
})

test(
  "without the pad, in one write, the same SDK does lose events: these tests can fail",
  LIMIT,
  async () => {
    const losses = await lossesOf({ ...target, url: withoutPad.url }, AT_ONCE)
    assert.ok(losses.length > AT_ONCE / 2, `${losses.length} of ${AT_ONCE} streams lost something`)
  },
)

for (const pieces of [1, 40]) {
  test(
    `20 KB of a tool's arguments in ${pieces} piece(s) arrive whole, in one write too`,
    LIMIT,
    async (t) => {
      if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
      const text = JSON.stringify({ text: "long ".repeat(4_096) })
      const size = Math.ceil(text.length / pieces)
      const call = (delta: object) => chunk({ tool_calls: [{ index: 0, ...delta }] })
      const model = `long-arguments-${pieces}`
      target.behind.raw.answers(model, [
        chunk({ role: "assistant", content: "" }),
        call({ id: "call_1", type: "function", function: { name: "write_down", arguments: "" } }),
        ...Array.from({ length: pieces }, (_, at) =>
          call({ function: { arguments: text.slice(at * size, (at + 1) * size) } }),
        ),
        chunk({}, "tool_calls"),
        DONE,
      ])
      for (const url of [target.url, inOneWrite.url]) {
        const answer = await atoma.stream({ ...target, url }, { model: `raw/${model}`, prompt: "Write." })
        assert.equal(answer.error, undefined)
        assert.deepEqual(answer.toolCalls, [{ id: "call_1", name: "write_down", arguments: text }])
        assert.equal(answer.finishReason, "tool_calls")
      }
    },
  )
}

test(
  "the pad is a comment before [DONE], of 4 KB at least and longer than the longest frame",
  LIMIT,
  async () => {
    const messages = [{ role: "user", content: "Tell me a story." }]
    const requests = [
      { model: target.model("tokens=30"), messages },
      // The token's alternatives make frames of more than 4 KB.
      { model: target.model("tokens=3"), messages, logprobs: true, top_logprobs: 20, n: 4 },
    ]
    for (const request of requests) {
      const { text } = await rawCall(target, PATH, { ...request, stream: true })
      const pad = /\n\n(:-*|: -*)\n\ndata: \[DONE\]\n\n$/.exec(text)?.[1] ?? ""
      const longest = Math.max(
        ...text.split("\n\n").map((frame) => (frame.startsWith(":") ? 0 : frame.length)),
      )
      assert.ok(pad.length >= 4096 && pad.length > longest, `a pad of ${pad.length}, a frame of ${longest}`)
    }
  },
)

/** A line for each stream of which not every event has arrived. */
async function lossesOf(server: Server, streams = STREAMS): Promise<string[]> {
  const losses: string[] = []
  let next = 0
  async function read(): Promise<void> {
    while (next < streams) {
      next += 1
      const ask = { model: target.model(`tokens=${next}`), prompt: "Tell me a story." }
      const [heard, said] = await Promise.all([heardBySdk(server, ask), saidBySimulator(ask)])
      const missing = said.length - heard.length
      if (heard.join("|") !== said.join("|"))
        losses.push(`${ask.model}: ${missing} of ${said.length} missing`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, read))
  return losses
}

/** Event by event, its text or how it ended. */
async function heardBySdk(server: Server, ask: Ask): Promise<string[]> {
  const heard: string[] = []
  try {
    for await (const { choices } of atomaChunks(server, ask)) {
      for (const { delta, finishReason } of choices) heard.push(finishReason ?? delta.content ?? "")
    }
  } catch (error) {
    heard.push(describeError(error))
  }
  return heard
}

async function saidBySimulator(ask: Ask): Promise<string[]> {
  const body = { ...wireStreamBody(ask), model: simModel(ask.model) }
  const answer = await rawCall({ url: target.simUrl, key: "" }, "/v1/chat/completions", body)
  return eventsOf(answer).flatMap((event) => {
    const { choices } = event as Chunk
    return choices.map(({ delta, finish_reason: finish }) => finish ?? delta.content ?? "")
  })
}
