/**
 * What the simulator will say to a request, planned whole before the first event: how many tokens of reasoning and
 * story, which tools with which arguments, and where `max_tokens` ends it. Every choice of `n` says the same.
 *
 * An assistant turn that it is given to continue is taken for its own text if it is the beginning of it; then only
 * the rest is said, and no reasoning before it. After any other it tells its story from the start.
 */
import type {
  ChatRequest,
  Chunk,
  ChunkChoice,
  Completion,
  ContentPart,
  Logprobs,
  Tool,
  ToolCall,
  Usage,
} from "@sluice/protocol"
import { newId } from "../ids.ts"
import { countTokens, splitTokens } from "../tokens/count.ts"
import type { SimScript } from "./sim-grammar.ts"
import { minimalInstance } from "./sim-instance.ts"
import { createLogprobs } from "./sim-logprobs.ts"
import { continueStory, createRandom, storyTokens } from "./sim-text.ts"

export interface SimAnswer {
  readonly id: string
  readonly completionTokens: number
  /** Data events without the usage's. */
  readonly events: number
  steps(): Generator<SimStep>
  /** o200k_base tokens of the messages' texts. */
  promptTokens(): Promise<number>
  usageChunk(promptTokens: number): Chunk
  completion(promptTokens: number | undefined): Completion
}

/** One data event, and how many tokens it carries. */
export interface SimStep {
  readonly chunk: Chunk
  readonly tokens: number
}

export async function planAnswer(request: ChatRequest, script: SimScript): Promise<SimAnswer> {
  const plan = await planChoice(request, script)
  const choices = Math.max(1, Math.trunc(request.n ?? 1))
  const completionTokens = plan.tokens * choices
  const envelope = {
    id: newId("chatcmpl-"),
    created: Math.floor(Date.now() / 1_000),
    model: request.model ?? "",
    // Whoever looks at an answer alone shall see what made it.
    system_fingerprint: "sluice-simulator",
  }

  const usage = (promptTokens: number): Usage => ({
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: plan.reasoning * choices,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  })
  const chunk = (choices: ChunkChoice[], more?: { usage: Usage }): Chunk => ({
    ...envelope,
    object: "chat.completion.chunk",
    choices,
    ...more,
  })

  return {
    id: envelope.id,
    completionTokens,
    events: plan.events * choices,
    *steps() {
      const speakers = Array.from({ length: choices }, (_, index) =>
        choiceSteps(plan, request, script, index),
      )
      // All have equally much to say: when the first is silent, so are the others.
      for (;;) {
        for (const speaker of speakers) {
          const next = speaker.next()
          if (next.done) return
          yield { chunk: chunk([next.value.choice]), tokens: next.value.tokens }
        }
      }
    },
    promptTokens: () => countTokens(messageTexts(request)),
    usageChunk: (promptTokens) => chunk([], { usage: usage(promptTokens) }),
    completion: (promptTokens) => ({
      ...envelope,
      object: "chat.completion",
      choices: Array.from({ length: choices }, (_, index) => wholeChoice(plan, request, script, index)),
      ...(promptTokens === undefined ? {} : { usage: usage(promptTokens) }),
    }),
  }
}

/** The texts that count as the prompt. */
export function messageTexts(request: ChatRequest): string[] {
  return request.messages.flatMap((message) => textsOf(message.content))
}

interface ChoicePlan {
  readonly reasoning: number
  content(): Generator<Piece>
  readonly calls: readonly PlannedCall[]
  readonly finish: "stop" | "length" | "tool_calls"
  readonly tokens: number
  readonly events: number
}

interface PlannedCall {
  readonly name: string
  /** A custom tool is given two words of a story, a function the least that its schema allows. */
  readonly type: "function" | "custom"
  readonly pieces: readonly Piece[]
}

interface Piece {
  readonly text: string
  readonly tokens: number
}

async function planChoice(request: ChatRequest, script: SimScript): Promise<ChoicePlan> {
  let room = roomFor(request)
  function take(wanted: number): number {
    const taken = Math.min(wanted, room)
    room -= taken
    return taken
  }

  const json = jsonContent(request)
  const pieces = json === undefined ? undefined : await jsonPieces(json)
  const said = pieces === undefined ? saidBefore(request) : ""
  const continued = said === "" ? 0 : continueStory(script.name, script.seed, said).said

  const thoughts = said === "" ? script.reasoning : 0
  const reasoning = take(thoughts)
  const length = pieces === undefined ? Math.max(0, script.tokens - continued) : tokensOf(pieces)
  const content = take(length)
  let short = reasoning < thoughts || content < length

  const calls: PlannedCall[] = []
  for (const call of short ? [] : await plannedCalls(request, script)) {
    const kept = [...upTo(call.pieces, room)]
    take(tokensOf(kept))
    short = kept.length < call.pieces.length
    if (kept.length > 0) calls.push({ ...call, pieces: kept })
    if (short) break
  }

  const argumentPieces = calls.flatMap((call) => call.pieces)
  return {
    reasoning,
    content: () => (pieces === undefined ? story(script, said, content) : upTo(pieces, content)),
    calls,
    finish: short ? "length" : calls.length > 0 ? "tool_calls" : "stop",
    tokens: reasoning + content + tokensOf(argumentPieces),
    events:
      1 +
      reasoning +
      (pieces === undefined ? content : [...upTo(pieces, content)].length) +
      calls.length +
      argumentPieces.length +
      1,
  }
}

/** A limit on tokens ends the text early; without one there is no end but the script's. */
function roomFor(request: ChatRequest): number {
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY
  return Math.max(0, Math.floor(limit))
}

/** The assistant's turn that the caller wants continued. */
function saidBefore(request: ChatRequest): string {
  const last = request.messages.at(-1)
  return last?.role === "assistant" ? textsOf(last.content).join("") : ""
}

function textsOf(content: string | readonly ContentPart[] | null | undefined): string[] {
  if (typeof content === "string") return [content]
  return (content ?? []).flatMap((part) => (typeof part.text === "string" ? [part.text] : []))
}

function* story(script: SimScript, said: string, tokens: number): Generator<Piece> {
  const { rest } = continueStory(script.name, script.seed, said)
  for (let told = 0; told < tokens; told++) yield { text: rest.next().value, tokens: 1 }
}

function* upTo(pieces: readonly Piece[], tokens: number): Generator<Piece> {
  let told = 0
  for (const piece of pieces) {
    if (told + piece.tokens > tokens) return
    told += piece.tokens
    yield piece
  }
}

function tokensOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.tokens, 0)
}

function jsonContent(request: ChatRequest): string | undefined {
  const format = request.response_format
  if (format?.type === "json_object") return "{}"
  if (format?.type === "json_schema")
    return asciiJson(minimalInstance(format.json_schema?.schema ?? { type: "object" }))
  return undefined
}

/** JSON has an ASCII spelling for everything, and within ASCII no token holds half a character. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

/** Token by token; what is a single token comes in two pieces all the same, for no reader may count on one. */
async function jsonPieces(json: string): Promise<Piece[]> {
  const tokens = await splitTokens(json)
  if (tokens.length > 1) return tokens.map((text) => ({ text, tokens: 1 }))
  const half = Math.ceil(json.length / 2)
  return [
    { text: json.slice(0, half), tokens: 1 },
    { text: json.slice(half), tokens: 0 },
  ]
}

function plannedCalls(request: ChatRequest, script: SimScript): Promise<PlannedCall[]> {
  const tools = (request.tools ?? []).filter((tool) => tool.function !== undefined || isCustom(tool))
  return Promise.all(
    Array.from({ length: script.tools }, async (_, at): Promise<PlannedCall> => {
      const tool = tools.length === 0 ? undefined : tools[at % tools.length]
      if (tool !== undefined && isCustom(tool))
        return { name: tool.custom.name, type: "custom", pieces: inputPieces(script) }
      const called = tool?.function
      const instance = minimalInstance(called?.parameters ?? { type: "object" })
      const pieces = await jsonPieces(asciiJson(instance))
      return { name: called?.name ?? `tool_${at}`, type: "function", pieces }
    }),
  )
}

function isCustom(tool: Tool): tool is Tool & Required<Pick<Tool, "custom">> {
  return tool.type === "custom" && tool.custom !== undefined
}

function inputPieces(script: SimScript): Piece[] {
  const words = storyTokens(`${script.name}, input`, script.seed)
  return Array.from({ length: 2 }, () => ({ text: words.next().value, tokens: 1 }))
}

interface ChoiceStep {
  readonly choice: ChunkChoice
  readonly tokens: number
}

function* choiceSteps(
  plan: ChoicePlan,
  request: ChatRequest,
  script: SimScript,
  index: number,
): Generator<ChoiceStep> {
  const step = (delta: ChunkChoice["delta"], tokens: number, more?: { logprobs: Logprobs }): ChoiceStep => ({
    choice: { index, delta, finish_reason: null, ...more },
    tokens,
  })

  yield step({ role: "assistant", content: "" }, 0)
  for (const text of thoughtsOf(plan, script)) yield step({ reasoning_content: text }, 1)
  const logprobs = createLogprobs(request, script)
  for (const { text, tokens } of plan.content()) {
    yield step(
      { content: text },
      tokens,
      logprobs && { logprobs: { content: [logprobs(text)], refusal: null } },
    )
  }
  const id = createCallIds(request, script, index)
  for (const [at, call] of plan.calls.entries()) {
    const said = (text: string, named: { name?: string } = {}) =>
      call.type === "custom"
        ? { custom: { ...named, input: text } }
        : { function: { ...named, arguments: text } }
    const opening = { index: at, id: id(), type: call.type, ...said("", { name: call.name }) }
    yield step({ tool_calls: [opening] }, 0)
    for (const piece of call.pieces) {
      yield step({ tool_calls: [{ index: at, ...said(piece.text) }] }, piece.tokens)
    }
  }
  yield { choice: { index, delta: {}, finish_reason: plan.finish }, tokens: 0 }
}

function wholeChoice(
  plan: ChoicePlan,
  request: ChatRequest,
  script: SimScript,
  index: number,
): Completion["choices"][number] {
  const content = [...plan.content()].map((piece) => piece.text)
  const reasoning = [...thoughtsOf(plan, script)].join("")
  const id = createCallIds(request, script, index)
  const toolCalls = plan.calls.map((call): ToolCall => {
    const text = call.pieces.map((piece) => piece.text).join("")
    if (call.type === "custom") return { id: id(), type: "custom", custom: { name: call.name, input: text } }
    return { id: id(), type: "function", function: { name: call.name, arguments: text } }
  })
  const logprobs = createLogprobs(request, script)
  return {
    index,
    message: {
      role: "assistant",
      content: content.length === 0 && toolCalls.length > 0 ? null : content.join(""),
      refusal: null,
      ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    },
    finish_reason: plan.finish,
    ...(logprobs === undefined ? {} : { logprobs: { content: content.map(logprobs), refusal: null } }),
  }
}

/** Another story than the answer's. */
function* thoughtsOf(plan: ChoicePlan, script: SimScript): Generator<string> {
  const thoughts = storyTokens(`${script.name}, thinking`, script.seed)
  for (let at = 0; at < plan.reasoning; at++) yield thoughts.next().value
}

/** The same for the same conversation, and others in its next turn: an id must not be met twice in one. */
function createCallIds(request: ChatRequest, script: SimScript, choice: number): () => string {
  const random = createRandom(`call ${script.name} ${script.seed} ${choice} ${request.messages.length}`)
  return () => {
    const digits = () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0")
    return `call_${digits()}${digits()}${digits()}`
  }
}
