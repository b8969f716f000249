/**
 * What nine SDK builds were measured to accept and to throw at, said to the gateway by a provider: whatever comes in,
 * what goes out is on the accepted side for every build that may come to that door.
 */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { Chunk } from "@sluice/protocol"
import { CHUNK_ROWS, COMPLETION_ROWS, ERROR_ROWS } from "../../packages/protocol/test/acceptance.ts"
import {
  BUILDS,
  type BuildName,
  type Validator,
  validators,
} from "../../packages/protocol/test/validators.ts"
import { DOORS, type Door } from "../doors.ts"
import { eventsOf, type RawAnswer, rawCall } from "../raw-call.ts"
import { chunk, chunkOf, DONE, frame } from "../raw-provider.ts"
import { LIMIT, NOTHING_BEHIND, startTarget, type Target } from "../support.ts"

const AT_ONCE = 16

const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

/** Streams as other servers really send them. Each says "Hi there" and has usage in it somewhere. */
const UNRULY: Readonly<Record<string, readonly string[]>> = {
  "OpenAI, usage null but in the last": [
    chunk({ role: "assistant", content: "", refusal: null }, null, { usage: null, system_fingerprint: null }),
    chunk({ content: "Hi there" }, null, { usage: null, service_tier: null }),
    chunk({}, "stop", { usage: null }),
    chunkOf([], { usage: USAGE }),
    DONE,
  ],
  "Azure, a first chunk without choices or model": [
    frame({ id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [{}] }),
    chunk({ role: "assistant", content: "Hi there" }),
    chunk({}, "stop"),
    chunkOf([], { usage: USAGE }),
    DONE,
  ],
  "Groq, usage under x_groq": [
    chunk({ role: "assistant", content: "Hi there" }, null, { x_groq: { id: "req_1" } }),
    chunk({}, "stop", { x_groq: { id: "req_1", usage: USAGE } }),
    DONE,
  ],
  "vLLM, a scalar stop_reason": [
    chunkOf([
      { index: 0, delta: { role: "assistant", content: "Hi there" }, logprobs: null, finish_reason: null },
    ]),
    chunkOf([{ index: 0, delta: { content: "" }, finish_reason: "stop", stop_reason: 128_009 }]),
    chunkOf([], { usage: { ...USAGE, prompt_tokens_details: null } }),
    DONE,
  ],
  "open-next-router, no finish_reason on the way and usage in the last content chunk": [
    chunkOf([{ index: 0, delta: { role: "assistant" } }]),
    chunkOf([{ index: 0, delta: { content: "Hi there" } }]),
    chunkOf([{ index: 0, delta: {}, finish_reason: "STOP" }], { usage: USAGE }),
    DONE,
  ],
  "the finish reason twice, a float for created, and no [DONE]": [
    chunk({ role: "assistant", content: "Hi there" }, null, { created: 1_700_000_000.25 }),
    chunk({}, "stop"),
    chunk({}, "stop", { usage: { ...USAGE, prompt_tokens_details: { cached_tokens: 1 } } }),
  ],
}

let target: Target
before(async () => {
  target = await startTarget()
  const raw = target.behind?.raw
  for (const [at, { value }] of CHUNK_ROWS.entries()) {
    raw?.answers(`chunk-${at}`, [
      frame(value as object),
      chunk({ content: " there" }),
      chunk({}, "stop"),
      DONE,
    ])
  }
  for (const [name, frames] of Object.entries(UNRULY)) raw?.answers(name, frames)
  for (const [at, { value }] of COMPLETION_ROWS.entries()) {
    raw?.answers(`completion-${at}`, { body: value as object })
  }
  for (const [at, { value, status }] of ERROR_ROWS.entries()) {
    raw?.answers(`error-${at}`, { status, body: value as object | undefined })
  }
})
after(() => target?.stop())

test("every build has a door, and every row a build that throws at it", () => {
  assert.deepEqual(new Set(DOORS.flatMap(({ builds }) => builds)), new Set(BUILDS))
  for (const rows of [CHUNK_ROWS, COMPLETION_ROWS, ERROR_ROWS]) {
    assert.ok(rows.some(({ taken }) => taken.includes("-")))
  }
})

for (const door of DOORS) {
  test(
    `${door.name}: each measured chunk comes out as one that is accepted, or as a failure`,
    LIMIT,
    async (t) => {
      if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
      const faults = await faultsOf(CHUNK_ROWS, door, "chunk", true, (answer) => {
        if (answer.status !== 200) return errorFaults(door, answer)
        return eventsOf(answer).flatMap((event) => faultsAt(door, (validator) => validator.chunk(event)))
      })
      assert.deepEqual(faults, [])
    },
  )

  test(
    `${door.name}: what other servers really send comes out in order, with its usage`,
    LIMIT,
    async (t) => {
      if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
      for (const name of Object.keys(UNRULY)) {
        const answer = await rawCall(target, door.path, bodyOf(name, true), door.headers)
        assert.equal(answer.status, 200, name)
        assert.ok(answer.complete, name)
        const chunks = eventsOf(answer) as Chunk[]
        const choices = chunks.flatMap((one) => one.choices)
        assert.equal(choices.map(({ delta }) => delta.content ?? "").join(""), "Hi there", name)
        assert.deepEqual(choices.map((choice) => choice.finish_reason).filter(Boolean), ["stop"], name)
        assert.equal(chunks.at(-1)?.usage?.total_tokens, 5, name)
        const faults = chunks.flatMap((one) => faultsAt(door, (validator) => validator.chunk(one)))
        assert.deepEqual(faults, [], name)
      }
    },
  )

  test(
    `${door.name}: each measured completion comes out as one that is accepted, or as an error`,
    LIMIT,
    async (t) => {
      if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
      const faults = await faultsOf(COMPLETION_ROWS, door, "completion", false, (answer) => {
        if (answer.status !== 200) return errorFaults(door, answer)
        const completion: unknown = JSON.parse(answer.text)
        return faultsAt(door, (validator) => validator.completion(completion))
      })
      assert.deepEqual(faults, [])
    },
  )

  test(
    `${door.name}: each measured error body comes out as one that says what happened`,
    LIMIT,
    async (t) => {
      if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
      const faults = await faultsOf(ERROR_ROWS, door, "error", true, (answer) =>
        answer.status < 400 ? [`answered ${answer.status}`] : errorFaults(door, answer),
      )
      assert.deepEqual(faults, [])
    },
  )
}

/** What is wrong with the answers to these rows, a line each. */
async function faultsOf(
  rows: readonly { readonly scenario: string }[],
  door: Door,
  prefix: string,
  stream: boolean,
  judge: (answer: RawAnswer) => readonly string[],
): Promise<string[]> {
  const faults: string[] = []
  const left = [...rows.entries()]
  async function work(): Promise<void> {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [at, { scenario }] = next
      const answer = await rawCall(target, door.path, bodyOf(`${prefix}-${at}`, stream), door.headers)
      faults.push(...judge(answer).map((fault) => `${scenario}: ${fault}`))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return faults
}

function bodyOf(model: string, stream: boolean) {
  return {
    model: `raw/${model}`,
    messages: [{ role: "user", content: "Hello" }],
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
  }
}

function errorFaults(door: Door, { status, headers, text }: RawAnswer): string[] {
  if (headers["content-type"] !== "application/json") return [`an error as ${headers["content-type"]}`]
  const body: unknown = JSON.parse(text)
  return faultsAt(door, (validator) => validator.errorBody(status, body))
}

function faultsAt(door: Door, judge: (validator: Validator) => string | null): string[] {
  return door.builds.flatMap((build: BuildName) => {
    const fault = judge(validators[build])
    return fault === null ? [] : [`${build} throws: ${fault}`]
  })
}
