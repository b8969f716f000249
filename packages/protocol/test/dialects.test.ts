/** What our writers emit, before the validators of the SDK builds that will read it; and back through the readers. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import fc from "fast-check"
import type { Chunk, ChunkChoice, Delta } from "../src/chunk.ts"
import type { Completion } from "../src/completion.ts"
import type { Dialect } from "../src/dialects/dialect.ts"
import { dialects } from "../src/dialects/index.ts"
import { ERROR_KINDS, type ErrorKind, wireError } from "../src/error.ts"
import { isObject, type JsonObject, objectOr } from "../src/json.ts"
import { canonicalStream, carelessAnswer } from "./arbitraries.ts"
import { BUILDS, type BuildName, validators } from "./validators.ts"

type Name = keyof typeof dialects

const of = (system: string) => BUILDS.filter((build) => build.startsWith(system))
/** At openai's mount Atoma's newer SDK is served its own dialect: it throws on OpenAI's tool continuations. */
const CHUNK_READERS: Record<Name, readonly BuildName[]> = {
  openai: BUILDS.filter((build) => build !== "atoma-0.2.1"),
  openrouter: of("openrouter"),
  r9s: of("r9s"),
  atoma: of("atoma"),
  orq: of("orq"),
}
/** OpenRouter's newer SDK wants a null that OpenAI's clients need not see; Atoma's older one refuses `content: null`. */
const COMPLETION_READERS: Record<Name, readonly BuildName[]> = {
  ...CHUNK_READERS,
  openai: BUILDS.filter((build) => build !== "openrouter-1.3.19" && build !== "atoma-0.1.1"),
}
const NAMES: readonly Name[] = ["openai", "openrouter", "r9s", "atoma", "orq"]
const ENVELOPE = { id: "chatcmpl-1", created: 1700000000, model: "p/m" }

for (const name of NAMES) {
  const dialect: Dialect = dialects[name]

  test(`${name}: its SDKs accept every chunk of every canonical stream`, () => {
    fc.assert(
      fc.property(canonicalStream, (stream) => {
        const write = dialect.createChunkWriter()
        for (const chunk of stream) assertChunkAccepted(name, write(chunk))
      }),
    )
  })

  test(`${name}: its SDKs accept whatever a reader made of a careless provider's chunks`, () => {
    let chunks = 0
    fc.assert(
      fc.property(fc.array(carelessAnswer, { maxLength: 4 }), (values) => {
        const read = dialect.createChunkReader()
        const write = dialect.createChunkWriter()
        for (const value of values) {
          const before = JSON.stringify(value)
          const answer = read(value)
          assert.equal(JSON.stringify(value), before, "the reader changed its input")
          if (answer.type !== "chunk") continue
          chunks++
          assertChunkAccepted(name, write(answer.chunk))
        }
      }),
      { numRuns: 300 },
    )
    assert.ok(chunks > 100, `only ${chunks} chunks got through: the generator has become too careless`)
  })

  test(`${name}: its SDKs accept whatever a reader made of a careless provider's completions`, () => {
    let completions = 0
    fc.assert(
      fc.property(carelessAnswer, (value) => {
        const answer = dialect.readCompletion(value)
        if (answer.type !== "completion") return
        completions++
        const written = overTheWire(dialect.writeCompletion(answer.completion))
        for (const build of COMPLETION_READERS[name]) {
          assert.equal(validators[build].completion(written), null, `${build}: ${JSON.stringify(written)}`)
        }
      }),
      { numRuns: 500 },
    )
    assert.ok(completions > 100, `only ${completions} got through: the generator has become too careless`)
  })

  test(`${name}: reading what was written gives the canonical stream back`, () => {
    fc.assert(
      fc.property(canonicalStream, (stream) => {
        const write = dialect.createChunkWriter()
        const read = dialect.createChunkReader()
        for (const chunk of stream) {
          const answer = read(overTheWire(write(chunk)))
          assert.deepEqual(answer, { type: "chunk", chunk: sayable(chunk, name) })
        }
      }),
    )
  })

  test(`${name}: no member of a written chunk is null but a choice's finish_reason`, () => {
    fc.assert(
      fc.property(canonicalStream, (stream) => {
        const write = dialect.createChunkWriter()
        for (const chunk of stream) {
          const nulls = nullPaths(write(chunk)).filter(
            (path) => !/\.(finish_reason|bytes|content|refusal)$/.test(path),
          )
          assert.deepEqual(nulls, [])
          for (const path of nullPaths(write(chunk))) assert.doesNotMatch(path, /\.delta\.[a-z_]+$/)
        }
      }),
    )
  })

  test(`${name}: its SDKs accept every error, before and inside a stream`, () => {
    for (const kind of Object.keys(ERROR_KINDS) as ErrorKind[]) {
      const error = wireError(kind, "It failed.", { metadata: { provider_code: "x", provider_name: "p" } })
      const body = overTheWire(dialect.writeError(error))
      // OpenRouter's and OpenAI's codes cannot be one thing: at openai's mount a code is a word.
      const readers = name === "openai" ? BUILDS.filter((build) => !build.startsWith("openrouter")) : of(name)
      for (const build of readers) assert.equal(validators[build].errorBody(error.status, body), null, build)
      const chunk = overTheWire(dialect.writeErrorChunk(ENVELOPE, error))
      if (name === "openai") assert.ok(!("choices" in objectOr(chunk)))
      else assertChunkAccepted(name, chunk)
    }
  })

  test(`${name}: its own error chunk reads as an error with the same status and message`, () => {
    const error = wireError("timeout", "No answer in time.")
    const answer = dialect.createChunkReader()(overTheWire(dialect.writeErrorChunk(ENVELOPE, error)))
    assert.equal(answer.type, "error")
    assert.ok(answer.type === "error")
    const { status, message, kind, retryable } = answer.error
    assert.deepEqual(
      { status, message, kind, retryable },
      { status: 504, message: "No answer in time.", kind: "timeout", retryable: true },
    )
  })

  test(`${name}: a completion goes out and comes back the same`, () => {
    const written = overTheWire(dialect.writeCompletion(COMPLETION))
    const answer = dialect.readCompletion(written)
    assert.ok(answer.type === "completion")
    const { provider, service_tier, usage, ...rest } = answer.completion
    assert.deepEqual(rest, COMPLETION_CORE)
    assert.equal(usage?.total_tokens, 21)
    for (const build of COMPLETION_READERS[name])
      assert.equal(validators[build].completion(written), null, build)
  })
}

test("joining repeated strings, as openai-python does, leaves each tool call's id and name as they were", () => {
  fc.assert(
    fc.property(canonicalStream, (stream) => {
      for (const name of ["openai", "openrouter"] as const) {
        const write = dialects[name].createChunkWriter()
        const joined = joinToolCalls(stream.map((chunk) => overTheWire(write(chunk))))
        assert.deepEqual(joined, joinToolCalls(stream))
      }
    }),
  )
})

test("a tool call whose id the canonical stream repeats is named once at openai, and on every piece elsewhere", () => {
  const piece = { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "{" } } as const
  const chunk: Chunk = {
    ...ENVELOPE,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: { tool_calls: [piece] }, finish_reason: null }],
  }
  const second = (name: Name) => {
    const write = dialects[name].createChunkWriter()
    write(chunk)
    const [choice] = objectOr(overTheWire(write(chunk)))["choices"] as [ChunkChoice]
    return choice.delta.tool_calls?.[0]
  }
  for (const name of ["openai", "openrouter"] as const) {
    assert.deepEqual(second(name), { index: 0, function: { arguments: "{" } })
  }
  for (const name of ["r9s", "atoma", "orq"] as const) {
    assert.deepEqual(second(name), { index: 0, id: "call_1", type: "function", function: { arguments: "{" } })
  }
})

const TRANSCRIPTS = new URL("../../../../shared/testdata/transcripts/", import.meta.url)
const CHAT_SHAPED = ["openai", "deepseek", "groq", "mistral", "xai"]

test("every recorded chat stream goes through each dialect to SDKs that accept it, with its text whole", (t) => {
  if (!existsSync(TRANSCRIPTS)) {
    t.diagnostic("the recorded transcripts are not on this machine")
    t.skip("recorded transcripts are absent")
    return
  }
  let chunks = 0
  for (const system of CHAT_SHAPED) {
    const folder = new URL(`${system}/`, TRANSCRIPTS)
    for (const file of readdirSync(folder)) {
      const lines = readFileSync(new URL(file, folder), "utf8").trim().split("\n")
      const events = lines.map((line): unknown => JSON.parse(line))
      for (const name of NAMES) {
        const read = dialects[name].createChunkReader()
        const write = dialects[name].createChunkWriter()
        const written = events.map((event) => {
          const answer = read(event)
          assert.ok(answer.type === "chunk", `${file}: ${JSON.stringify(answer)}`)
          const chunk = overTheWire(write(answer.chunk))
          assertChunkAccepted(name, chunk)
          chunks++
          return chunk
        })
        for (const member of ["content", "reasoning_content"]) {
          assert.equal(joinText(written, member), joinText(events, member), `${file}, ${name}: ${member}`)
        }
        assert.equal(written.filter((chunk) => isObject(objectOr(chunk)["usage"])).length, 1)
        assert.ok(!JSON.stringify(written).includes("obfuscation"))
      }
    }
  }
  t.diagnostic(`${chunks} chunks written`)
})

// ── what is compared ──

function assertChunkAccepted(name: Name, chunk: unknown): void {
  const value = overTheWire(chunk)
  for (const build of CHUNK_READERS[name]) {
    assert.equal(validators[build].chunk(value), null, `${build}: ${JSON.stringify(value)}`)
  }
}

function overTheWire(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** The part of a canonical chunk that a dialect has words for. */
function sayable(chunk: Chunk, name: Name): Chunk {
  const { provider, service_tier, ...rest } = chunk
  const said: Chunk = { ...rest, choices: chunk.choices.map((choice) => sayableChoice(choice, name)) }
  if (provider !== undefined && (name === "openai" || name === "openrouter")) said.provider = provider
  if (service_tier !== undefined && ["openai", "openrouter", "atoma"].includes(name))
    said.service_tier = service_tier
  if (said.usage && name !== "openrouter") {
    const { cost, cost_details, is_byok, ...tokens } = said.usage
    said.usage = tokens
  }
  return said
}

function sayableChoice(choice: ChunkChoice, name: Name): ChunkChoice {
  const { native_finish_reason, stop_reason, delta, ...rest } = choice
  const said: ChunkChoice = { ...rest, delta: sayableDelta(delta, name) }
  if (native_finish_reason !== undefined && (name === "openai" || name === "openrouter")) {
    said.native_finish_reason = native_finish_reason
  }
  if (stop_reason !== undefined && (name === "openai" || name === "atoma")) said.stop_reason = stop_reason
  return said
}

function sayableDelta(delta: Delta, name: Name): Delta {
  const { reasoning_details, reasoning_signature, redacted_reasoning, ...rest } = delta
  const said: Delta = rest
  if (reasoning_details && (name === "openai" || name === "openrouter"))
    said.reasoning_details = reasoning_details
  if (name === "openai" || name === "orq") {
    if (reasoning_signature !== undefined) said.reasoning_signature = reasoning_signature
    if (redacted_reasoning !== undefined) said.redacted_reasoning = redacted_reasoning
  }
  return said
}

function nullPaths(value: unknown, path = ""): string[] {
  if (value === null) return [path]
  if (typeof value !== "object") return []
  return Object.entries(value).flatMap(([name, member]) => nullPaths(member, `${path}.${name}`))
}

function choicesOf(chunk: unknown): JsonObject[] {
  const choices = objectOr(chunk)["choices"]
  return Array.isArray(choices) ? choices.filter(isObject) : []
}

/** By (choice, index), every string member joined to the last, as openai-python's accumulator does. */
function joinToolCalls(chunks: readonly unknown[]): Record<string, Record<string, string>> {
  const calls: Record<string, Record<string, string>> = {}
  for (const choice of chunks.flatMap(choicesOf)) {
    const pieces = objectOr(choice["delta"])["tool_calls"]
    for (const piece of Array.isArray(pieces) ? pieces.filter(isObject) : []) {
      const key = `${choice["index"]}.${piece["index"]}`
      const call = calls[key] ?? {}
      calls[key] = call
      const { name, arguments: text } = objectOr(piece["function"])
      for (const [member, value] of Object.entries({ id: piece["id"], name, arguments: text })) {
        if (typeof value === "string") call[member] = (call[member] ?? "") + value
      }
    }
  }
  return calls
}

function joinText(chunks: readonly unknown[], member: string): string {
  return chunks
    .flatMap(choicesOf)
    .map((choice) => objectOr(choice["delta"])[member])
    .filter((text) => typeof text === "string")
    .join("")
}

const COMPLETION_CORE: Completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1700000000,
  model: "p/m",
  system_fingerprint: "fp_1",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: "Hi",
        reasoning: "t",
        tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      finish_reason: "tool_calls",
      logprobs: { content: [{ token: "a", logprob: -1, bytes: null, top_logprobs: [] }], refusal: null },
    },
  ],
}

const COMPLETION: Completion = {
  ...COMPLETION_CORE,
  provider: "p",
  service_tier: "default",
  usage: {
    prompt_tokens: 9,
    completion_tokens: 12,
    total_tokens: 21,
    prompt_tokens_details: { cached_tokens: 3 },
    cost: 0.1,
  },
}
