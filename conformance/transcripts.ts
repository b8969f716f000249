/**
 * Recorded and written answers of other servers, and what each says. The reading here is a second one, made from the
 * lines alone and for a single choice: the gateway's own is what it is held against.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import { isObject, type JsonObject, objectOr } from "@sluice/protocol"
import type { CalledTool, FunctionTool } from "./caller.ts"

export interface Transcript {
  readonly name: string
  /** The kind of provider that it is replayed through. */
  readonly kind: ProviderKind
  /** One JSON text an event, in the provider's own words. */
  readonly lines: readonly string[]
  readonly recording: Recording
}

export const PROVIDER_KINDS = ["openai-compatible", "openai", "openrouter", "r9s", "atoma", "orq"] as const
export type ProviderKind = (typeof PROVIDER_KINDS)[number]

export interface Recording {
  readonly text: string
  readonly reasoning: string
  readonly toolCalls: readonly CalledTool[]
  readonly finishReason: string | undefined
  readonly usage: RecordedUsage | undefined
}

export interface RecordedUsage {
  readonly prompt: number
  readonly completion: number
  readonly total: number
  /** Of the prompt, 0 where nothing is said of it. */
  readonly cached: number
  /** Of the completion, likewise. */
  readonly reasoning: number
}

const OWN = new URL("../packages/protocol/test/transcripts/", import.meta.url)
/** Their file's name begins with the system whose words they are in. */
const OF_SYSTEMS = new URL("./transcripts/", import.meta.url)
const SHARED = new URL("../../shared/testdata/transcripts/", import.meta.url)
const CHAT_SHAPED = ["openai", "deepseek", "groq", "mistral", "xai"]

/** Printed where they are not there, and not counted as passed. */
export const RECORDED_ABSENT = "absent: the recorded transcripts, which are not part of the repository"

export function ownTranscripts(): Transcript[] {
  return [...transcriptsIn(OWN, () => "openai-compatible"), ...transcriptsIn(OF_SYSTEMS, kindOf), longOne()]
}

/** More tokens than a gateway would want to buffer, and more text than one read of a connection. */
function longOne(): Transcript {
  const chunk = {
    id: "chatcmpl-tide",
    object: "chat.completion.chunk",
    created: 1_767_225_600,
    model: "harbour-1",
  }
  const line = (delta: object, finish: string | null, more: object = {}): string =>
    JSON.stringify({ ...chunk, choices: [{ index: 0, delta, finish_reason: finish }], ...more })
  const words = Array.from({ length: LONG }, (_, at) => ` ${WORDS[at % WORDS.length]}${at}`)
  const usage = { prompt_tokens: 5, completion_tokens: LONG, total_tokens: 5 + LONG }
  const lines = [
    line({ role: "assistant", content: "" }, null),
    ...words.map((content) => line({ content }, null)),
    line({}, "stop", { usage }),
  ]
  return { name: "a-long-one", kind: "openai-compatible", lines, recording: readRecording(lines) }
}

const LONG = 900
const WORDS = ["ebb", "flood", "marée", "潮", "slack", "springs", "neaps"]

/** None where this checkout stands without them. */
export function recordedTranscripts(): Transcript[] {
  if (!existsSync(SHARED)) return []
  return CHAT_SHAPED.flatMap((system) =>
    transcriptsIn(new URL(`${system}/`, SHARED), () =>
      system === "openai" ? "openai" : "openai-compatible",
    ),
  )
}

function transcriptsIn(folder: URL, kind: (name: string) => ProviderKind): Transcript[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".chunks.txt"))
    .map((file) => {
      const lines = readFileSync(new URL(file, folder), "utf8").split("\n").filter(Boolean)
      const name = basename(file, ".chunks.txt")
      return { name, kind: kind(name), lines, recording: readRecording(lines) }
    })
}

function kindOf(name: string): ProviderKind {
  const kind = PROVIDER_KINDS.find((known) => name.startsWith(`${known}-`))
  if (kind === undefined) throw new Error(`${name} begins with no provider's name`)
  return kind
}

/** What the chunks add up to. */
export function readRecording(lines: readonly string[]): Recording {
  const chunks = lines.map(parse)
  const choices = chunks.flatMap(choicesOf)
  const deltas = choices.map((choice) => objectOr(choice["delta"]))
  return {
    text: joined(deltas, "content"),
    reasoning: reasoningOf(deltas),
    toolCalls: joinCalls(deltas.flatMap(callsOf)),
    finishReason: choices.map((choice) => choice["finish_reason"]).findLast(isWord),
    usage: chunks.map(usageOf).findLast((usage) => usage !== undefined),
  }
}

/** The same of a whole completion. */
export function readWhole(completion: JsonObject): Recording {
  const [choice = {}] = choicesOf(completion)
  const message = objectOr(choice["message"])
  const finish = choice["finish_reason"]
  return {
    text: joined([message], "content"),
    reasoning: reasoningOf([message]),
    toolCalls: callsOf(message).map(calledTool),
    finishReason: isWord(finish) ? finish : undefined,
    usage: usageOf(completion),
  }
}

/** A transcript as the same server would have sent it to who asks for no stream: its own names, forms and usage. */
export function wholeOf({ lines, recording }: Transcript): JsonObject {
  const chunks = lines.map(parse)
  const deltas = chunks.flatMap(choicesOf).map((choice) => objectOr(choice["delta"]))
  const reasoningName = REASONING_NAMES.find((name) => joined(deltas, name) !== "")
  const pieces = deltas.flatMap(callsOf)
  const calls = recording.toolCalls.map(({ id, name, arguments: text }) => {
    const { index: _, ...first } = pieces.find((piece) => piece["id"] === id) ?? {}
    return { ...first, function: { name, arguments: text } }
  })
  const last = chunks.at(-1) ?? {}
  const envelope = chunks.find((chunk) => chunk["id"] !== "") ?? last
  const final = chunks.flatMap(choicesOf).find((choice) => isWord(choice["finish_reason"]))
  const { delta: _, ...ofChoice } = final ?? {}
  return {
    ...envelope,
    object: "chat.completion",
    choices: [
      {
        ...ofChoice,
        message: {
          role: "assistant",
          content: recording.text === "" ? null : recording.text,
          ...(reasoningName && { [reasoningName]: recording.reasoning }),
          ...(calls.length > 0 && { tool_calls: calls }),
        },
      },
    ],
    usage: last["usage"],
    ...("x_groq" in last && { x_groq: last["x_groq"] }),
  }
}

/** The tools that it calls, as somebody who wants to have them called declares them. */
export function toolsOf({ toolCalls }: Recording): FunctionTool[] | undefined {
  const tools = new Map<string, FunctionTool>()
  for (const { name, arguments: text } of toolCalls) {
    const names = Object.keys(objectOr(parse(text)))
    const properties = Object.fromEntries(names.map((one) => [one, { type: "string" as const }]))
    const parameters = {
      type: "object" as const,
      properties,
      required: names,
      additionalProperties: false as const,
    }
    tools.set(name, { name, description: `Tells the ${name}.`, parameters })
  }
  return tools.size === 0 ? undefined : [...tools.values()]
}

/** Both names hold the same text where both are there. */
const REASONING_NAMES = ["reasoning_content", "reasoning"] as const

function reasoningOf(speeches: readonly JsonObject[]): string {
  const [first, second] = REASONING_NAMES.map((name) => joined(speeches, name))
  if (first !== "" && second !== "" && first !== second) {
    throw new Error(`two reasonings: ${JSON.stringify([first, second])}`)
  }
  return first || second || ""
}

function joined(speeches: readonly JsonObject[], name: string): string {
  return speeches.map((speech) => (typeof speech[name] === "string" ? speech[name] : "")).join("")
}

/** A piece belongs to the call of its index; without one each piece is a call. */
function joinCalls(pieces: readonly JsonObject[]): CalledTool[] {
  const calls: CalledTool[] = []
  const byIndex = new Map<unknown, CalledTool>()
  for (const piece of pieces) {
    const said = calledTool(piece)
    const known = byIndex.get(piece["index"] ?? said.id)
    if (known === undefined) {
      calls.push(said)
      byIndex.set(piece["index"] ?? said.id, said)
    } else known.arguments += said.arguments
  }
  return calls
}

function calledTool(call: JsonObject): CalledTool {
  const said = objectOr(call["function"])
  return {
    id: String(call["id"] ?? ""),
    name: String(said["name"] ?? ""),
    arguments: String(said["arguments"] ?? ""),
  }
}

function callsOf(speech: JsonObject): JsonObject[] {
  const calls = speech["tool_calls"]
  return Array.isArray(calls) ? calls.filter(isObject) : []
}

function choicesOf(answer: JsonObject): JsonObject[] {
  const choices = answer["choices"]
  return Array.isArray(choices) ? choices.filter(isObject) : []
}

/** On the chunk, in Groq's envelope, or in the choice: wherever it is, it is told once. */
function usageOf(answer: JsonObject): RecordedUsage | undefined {
  const [choice = {}] = choicesOf(answer)
  const told = [answer["usage"], objectOr(answer["x_groq"])["usage"], choice["usage"]].find(isObject)
  if (told === undefined) return undefined
  const prompt = numberIn(told, "prompt_tokens")
  const completion = numberIn(told, "completion_tokens")
  const cached = numberIn(objectOr(told["prompt_tokens_details"]), "cached_tokens")
  return {
    prompt,
    completion,
    total: numberIn(told, "total_tokens"),
    cached: cached || numberIn(told, "prompt_cache_hit_tokens"),
    reasoning: numberIn(objectOr(told["completion_tokens_details"]), "reasoning_tokens"),
  }
}

function numberIn(value: JsonObject, name: string): number {
  const number = value[name]
  return typeof number === "number" ? number : 0
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}

function parse(text: string): JsonObject {
  return objectOr(JSON.parse(text))
}
