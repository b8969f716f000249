/**
 * The bytes of an answer at every door: frames, ids, the order of the last events, and how a failure ends. The rules
 * that no schema of a chunk can see.
 */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { Chunk, Completion } from "@sluice/protocol"
import { validators } from "../../packages/protocol/test/validators.ts"
import { DOORS, type Door } from "../doors.ts"
import { eventsOf, type RawAnswer, rawCall } from "../raw-call.ts"
import { LIMIT, startTarget, type Target } from "../support.ts"

let target: Target
before(async () => {
  target = await startTarget()
})
after(() => target?.stop())

/** What is asked for, beside a prompt; between them every member that the simulator can say. */
const REQUESTS: Record<string, { script: string; body: object }> = {
  text: { script: "tokens=9", body: {} },
  "reasoning and usage": {
    script: "tokens=4,reasoning=4",
    body: { stream_options: { include_usage: true } },
  },
  "parallel tool calls in two choices": { script: "tokens=2,tools=2", body: { n: 2 } },
  logprobs: { script: "tokens=4", body: { logprobs: true, top_logprobs: 3 } },
  "an answer that is too long": { script: "tokens=9", body: { max_tokens: 3 } },
  JSON: { script: "", body: { response_format: { type: "json_object" } } },
}

for (const door of DOORS) {
  for (const [name, { script, body }] of Object.entries(REQUESTS)) {
    test(`${door.name}: ${name}, streamed, keeps every rule of the wire`, LIMIT, async () => {
      const answer = await ask(door, { model: target.model(script), stream: true, ...body })
      assert.equal(answer.status, 200)
      assert.match(answer.headers["content-type"] ?? "", /^text\/event-stream(;|$)/)
      assert.ok(answer.complete)
      checkFrames(answer.text)
      checkEnd(door, answer.text)
      const chunks = eventsOf(answer) as Chunk[]
      checkEnvelope(door, answer, chunks)
      checkChoices(door, chunks)
      checkUsage(door, chunks, "stream_options" in body)
      for (const chunk of chunks) for (const build of door.builds) accepted(validators[build].chunk(chunk))
    })

    test(`${door.name}: ${name}, whole, is a completion that its clients read`, LIMIT, async () => {
      const { stream_options: _, ...rest }: { stream_options?: unknown } = body
      const answer = await ask(door, { model: target.model(script), ...rest })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers["content-type"], "application/json")
      const completion: Completion = JSON.parse(answer.text)
      assert.equal(completion.id, answer.headers["sluice-stream-id"])
      assert.ok(completion.id.startsWith(door.idPrefix))
      for (const build of door.builds) accepted(validators[build].completion(completion))
    })
  }

  for (const fault of ["error_at=4", "cut=4"]) {
    test(
      `${door.name}: after ${fault} the last event is the error, and nothing looks like an end`,
      LIMIT,
      async () => {
        const answer = await ask(door, { model: target.model(`tokens=9,${fault}`), stream: true })
        assert.equal(answer.status, 200)
        checkFrames(answer.text)
        assert.ok(!answer.text.includes("[DONE]"))
        assert.equal(answer.complete, door.failure === "told")
        const chunks = eventsOf(answer) as Chunk[]
        const last = chunks.at(-1)!
        assert.equal(last.error?.code, 502)
        assert.equal(last.error?.metadata?.error_type, "provider_error")
        if (door.dialect === "openai") assert.ok(!("choices" in last), "the AI SDK swallows it else")
        const finishes = chunks.flatMap(({ choices = [] }) => choices.map((choice) => choice.finish_reason))
        const told = door.dialect === "openrouter" ? ["error"] : []
        assert.deepEqual(
          finishes.filter((finish) => finish !== null),
          told,
        )
        for (const chunk of chunks) for (const build of door.builds) accepted(validators[build].chunk(chunk))
      },
    )
  }

  test(`${door.name}: the models are listed in the form of its system`, LIMIT, async () => {
    const response = await fetch(`${target.url}${door.path.replace("chat/completions", "models")}`, {
      headers: { ...door.headers, authorization: `Bearer ${target.key}` },
    })
    const { data, ...beside }: { data: { id: string; object?: string }[] } = await response.json()
    assert.ok(data.some(({ id }) => id === "sim/story"))
    if (door.dialect === "openrouter") {
      assert.deepEqual(beside, { links: { next: null }, total_count: data.length })
    } else {
      assert.deepEqual(beside, { object: "list" })
      assert.ok(data.every(({ object }) => object === "model"))
    }
  })

  test(`${door.name}: an error before the answer is one that its clients read`, LIMIT, async () => {
    const errors = [
      await ask(door, { model: "nobody/knows-this" }),
      await ask(door, { model: target.model("nonsense=1"), stream: true }),
      await ask(door, { model: target.model("error=429,retry_after=60") }),
      // Its role event was sent, but nothing of the answer: still an error before the stream.
      await ask(door, { model: target.model("error_at=1"), stream: true }),
      await ask(door, { model: 7 }),
      await rawCall({ ...target, key: "sk-wrong" }, door.path, {}, door.headers),
      await rawCall(target, `${door.path}/unknown-stream/cancel`, {}, door.headers),
    ]
    assert.deepEqual(
      errors.map(({ status }) => status),
      [404, 400, 429, 502, 400, 401, 404],
    )
    for (const { status, headers, text } of errors) {
      assert.equal(headers["content-type"], "application/json")
      const { error, ...beside }: { error: { code: unknown; message: string } } = JSON.parse(text)
      assert.deepEqual(beside, {})
      assert.ok(error.message.length > 0)
      if (door.dialect === "openai") assert.ok(error.code === null || typeof error.code === "string")
      else assert.equal(error.code, status)
      for (const build of door.builds) accepted(validators[build].errorBody(status, { error }))
    }
    assert.equal(errors[2]?.headers["retry-after"], "60")
  })
}

function ask(door: Door, body: object): Promise<RawAnswer> {
  const messages = [{ role: "user", content: "Tell me a short story." }]
  return rawCall(target, door.path, { messages, ...body }, door.headers)
}

/** LF only, one blank line after each, comments alone, and never a frame without its one line of data. */
function checkFrames(text: string): void {
  assert.ok(!text.includes("\r") && !text.startsWith("\uFEFF") && text.endsWith("\n\n"))
  const frames = text.slice(0, -2).split("\n\n")
  for (const [at, frame] of frames.entries()) {
    const lines = frame.split("\n")
    if (lines.every((line) => line.startsWith(":"))) continue
    assert.equal(lines.filter((line) => /^data: \S/.test(line)).length, 1, frame)
    assert.ok(
      lines.every((line) => /^(data: |id: \d+$|retry: 1000$|:)/.test(line)),
      frame,
    )
    assert.equal(lines.includes("retry: 1000"), at === 0, "the first frame says when to come back")
  }
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  assert.deepEqual(
    ids,
    ids.map((_, at) => at + 1),
  )
}

function checkEnd(door: Door, text: string): void {
  const done = "data: [DONE]\n\n"
  assert.equal(text.endsWith(done), door.sendsDone)
  assert.equal(text.split(done).length, door.sendsDone ? 2 : 1)
  const before = door.sendsDone ? text.slice(0, -done.length) : text
  const pad = /\n\n(: ?-+)\n\n$/.exec(before)?.[1]?.length ?? 0
  if (door.pads) assert.ok(pad >= 4096 && text.split("\n\n").every(({ length }) => length <= pad))
  else assert.equal(pad, 0)
}

function checkEnvelope(door: Door, { headers }: RawAnswer, chunks: readonly Chunk[]): void {
  const id = String(headers["sluice-stream-id"])
  assert.ok(id.startsWith(door.idPrefix))
  assert.equal(headers["x-generation-id"], door.dialect === "openrouter" ? id : undefined)
  const [first] = chunks
  for (const { id: said, model, created, object } of chunks) {
    assert.equal(said, id)
    assert.equal(model, headers["sluice-model"])
    assert.equal(object, "chat.completion.chunk")
    assert.ok(Number.isInteger(created) && created === first?.created)
  }
}

function checkChoices(door: Door, chunks: readonly Chunk[]): void {
  const choices = chunks.flatMap((chunk) => chunk.choices)
  for (const choice of choices) {
    const { delta } = choice
    assert.ok("finish_reason" in choice)
    for (const member of Object.values(delta)) assert.ok(member !== null, JSON.stringify(delta))
    assert.equal(delta.reasoning, delta.reasoning_content)
  }
  for (const index of new Set(choices.map((choice) => choice.index))) {
    const own = choices.filter((choice) => choice.index === index)
    assert.equal(own.filter((choice) => choice.finish_reason !== null).length, 1)
    assert.notEqual(own.at(-1)?.finish_reason, null)
    const pieces = own.flatMap(({ delta }) => delta.tool_calls ?? [])
    for (const call of new Set(pieces.map((piece) => piece.index))) {
      const ids = pieces.filter((piece) => piece.index === call).map((piece) => piece.id)
      assert.ok(ids.length > 1 && ids[0])
      assert.equal(ids.filter((id) => id === ids[0]).length, door.toolIds === "every" ? ids.length : 1)
    }
  }
}

/** Once, last, alone, and for OpenRouter's clients always. */
function checkUsage(door: Door, chunks: readonly Chunk[], isAsked: boolean): void {
  const carriers = chunks.filter((chunk) => "usage" in chunk)
  if (!isAsked && door.dialect !== "openrouter") return assert.deepEqual(carriers, [])
  assert.equal(carriers.length, 1)
  assert.equal(carriers[0], chunks.at(-1))
  assert.deepEqual(carriers[0]?.choices, [])
}

function accepted(fault: string | null): void {
  assert.equal(fault, null)
}
