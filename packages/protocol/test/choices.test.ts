/**
 * Several choices in one stream, as servers mix them: two in one chunk and in any order, a chunk without any between
 * them, usage in the middle. Each dialect's stream, read and written for each other one, says of each choice what it said.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { assemble } from "../src/assemble.ts"
import type { Chunk, ChunkChoice, Delta } from "../src/chunk.ts"
import { dialects } from "../src/dialects/index.ts"
import type { Usage } from "../src/usage.ts"
import { BUILDS, validators } from "./validators.ts"

type Name = keyof typeof dialects
const NAMES: readonly Name[] = ["openai", "openrouter", "r9s", "atoma", "orq"]

const chunk = (choices: ChunkChoice[], usage?: Usage): Chunk => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "p/m",
  choices,
  ...(usage && { usage }),
})
const choice = (index: number, delta: Delta, finish: ChunkChoice["finish_reason"] = null): ChunkChoice => ({
  index,
  delta,
  finish_reason: finish,
})
const call = (index: number, id: string, name: string): Delta => ({
  tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }],
})
const piece = (index: number, text: string): Delta => ({
  tool_calls: [{ index, function: { arguments: text } }],
})
const usage = (completion: number): Usage => ({
  prompt_tokens: 3,
  completion_tokens: completion,
  total_tokens: 3 + completion,
})

const STREAM: readonly Chunk[] = [
  chunk([]),
  chunk([0, 1, 2].map((index) => choice(index, { role: "assistant", content: "" }))),
  chunk([choice(2, { content: "Ebb" }), choice(0, { content: "Flood" })]),
  chunk([], usage(2)),
  chunk([choice(0, { content: " tide" }), choice(1, { reasoning: "When?" }), choice(2, { content: "." })]),
  chunk([]),
  // The same index is another call in another choice.
  chunk([choice(1, call(0, "call_a", "tide")), choice(0, call(0, "call_b", "moon"))]),
  chunk([choice(0, call(1, "call_c", "wind"))]),
  chunk([], usage(9)),
  chunk([choice(0, piece(0, '{"at":')), choice(1, piece(0, '{"on":')), choice(0, piece(1, "{}"))]),
  chunk([choice(1, piece(0, "1}")), choice(0, piece(0, "2}"))]),
  chunk([choice(2, {}, "stop"), choice(1, {}, "tool_calls")]),
  chunk([]),
  chunk([choice(0, {}, "tool_calls")]),
  chunk([], usage(20)),
]

const called = (id: string, name: string, text: string) => ({
  id,
  type: "function",
  function: { name, arguments: text },
})
const SAID = [
  {
    content: "Flood tide",
    finish: "tool_calls",
    calls: [called("call_b", "moon", '{"at":2}'), called("call_c", "wind", "{}")],
  },
  { content: "", reasoning: "When?", finish: "tool_calls", calls: [called("call_a", "tide", '{"on":1}')] },
  { content: "Ebb.", finish: "stop" },
]

for (const from of NAMES) {
  for (const to of NAMES) {
    test(`from ${from} to ${to}: of three choices each keeps its text, its thoughts, its calls and its end`, () => {
      const sent = STREAM.map(writerOf(from))
      const read = dialects[from].createChunkReader()
      const write = writerOf(to)
      const written = sent.map((value) => {
        const answer = read(value)
        assert.ok(answer.type === "chunk", JSON.stringify(answer))
        return write(answer.chunk) as unknown as Chunk
      })
      const builds = to === "openai" ? [] : BUILDS.filter((build) => build.startsWith(to))
      for (const each of written)
        for (const build of builds) assert.equal(validators[build].chunk(each), null, build)
      assert.deepEqual(
        written.map(({ choices }) => choices.map(({ index }) => index)),
        STREAM.map(({ choices }) => choices.map(({ index }) => index)),
      )
      const { choices, usage: counted } = assemble(written)
      assert.deepEqual(
        choices.map(({ message: { content, reasoning, tool_calls: calls }, finish_reason: finish }) => ({
          content,
          ...(reasoning && { reasoning }),
          finish,
          ...(calls && { calls }),
        })),
        SAID,
      )
      assert.deepEqual(counted, usage(20))
    })
  }
}

function writerOf(name: Name): (chunk: Chunk) => unknown {
  const write = dialects[name].createChunkWriter()
  return (chunk) => JSON.parse(JSON.stringify(write(chunk)))
}
