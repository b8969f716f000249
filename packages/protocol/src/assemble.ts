/**
 * A stream's chunks, added up to the completion that the same call would have returned unstreamed.
 *
 * It reads forgivingly, as the chunks may be a provider's own and not yet canonical: any member may be missing, null
 * or of another type. What each kind of member does:
 *
 *   pieces of text     joined in order. Halves of a surrogate pair, split over two deltas, meet again by this alone
 *   lists              appended: logprobs, images, annotations, reasoning details (whose text is joined by index)
 *   id, created, model the first counts: some systems change them in mid-stream, Azure's first chunk has them empty
 *   usage              the last counts, wherever it stands: the counts are cumulative or repeated, never to be added
 *   all other members  the last value counts, strings too: of a name that nobody knows it cannot be said whether it
 *                      brings pieces or the whole each time, and a whole value joined to itself is the worse mistake
 *
 * null says nothing: it neither replaces a value nor makes a member. Every piece is touched once, so that the time is
 * linear in the stream's length.
 */
import { createToolCallCollector } from "./assemble-tool-calls.ts"
import type { FinishReason, Logprobs, ReasoningDetail, TokenLogprob } from "./chunk.ts"
import type { AssistantMessage, Completion, CompletionChoice } from "./completion.ts"
import type { StreamError } from "./error.ts"
import { isObject, type JsonObject, numberOr, objectOr, stringOr } from "./json.ts"
import type { Usage } from "./usage.ts"

export interface Assembler {
  /** A chunk as it came, canonical or not. What is no object is passed over. */
  add(chunk: unknown): void
  /** What has come so far, as a value of its own: half tool calls are in it, and `finish_reason` is null until it came. */
  completion(): Completion
}

/**
 * @example
 * const completion = assemble(chunks)
 * console.log(completion.choices[0]?.message.content, completion.usage?.total_tokens)
 */
export function assemble(chunks: Iterable<unknown>): Completion {
  const assembler = createAssembler()
  for (const chunk of chunks) assembler.add(chunk)
  return assembler.completion()
}

export function createAssembler(): Assembler {
  const choices = new Map<number, ChoiceCollector>()
  // `obfuscation` pads one event against an eavesdropper who counts bytes; it says nothing of the answer.
  const others = createMembers([
    "id",
    "object",
    "created",
    "model",
    "choices",
    "usage",
    "error",
    "obfuscation",
  ])
  let id = ""
  let created = 0
  let model = ""
  let usage: JsonObject | undefined
  let error: JsonObject | undefined

  return {
    add(value) {
      if (!isObject(value)) return
      id ||= stringOr(value["id"]) ?? ""
      created ||= numberOr(value["created"]) ?? 0
      model ||= stringOr(value["model"]) ?? ""
      usage = usageOf(value) ?? usage
      if (isObject(value["error"])) error = value["error"]
      others.add(value)
      if (!Array.isArray(value["choices"])) return
      for (const [position, choice] of value["choices"].entries()) addChoice(objectOr(choice), position)
    },
    completion() {
      return {
        ...others.object(),
        id,
        object: "chat.completion",
        created: Math.trunc(created),
        model,
        choices: [...choices.entries()]
          .sort(([a], [b]) => a - b)
          .map(([index, choice]) => choice.choice(index)),
        // Handed on as they came: what a provider counts is not for this file to judge.
        ...(usage && { usage: { ...usage } as unknown as Usage }),
        ...(error && { error: { ...error } as unknown as StreamError }),
      }
    },
  }

  function addChoice(choice: JsonObject, position: number): void {
    const index = numberOr(choice["index"]) ?? position
    const collector = choices.get(index) ?? createChoiceCollector()
    choices.set(index, collector)
    collector.add(choice)
    // Moonshot counts inside the choice.
    if (isObject(choice["usage"])) usage = choice["usage"]
  }
}

/** Groq repeats its usage under a name of its own, and old streams of it have only that. */
function usageOf(chunk: JsonObject): JsonObject | undefined {
  if (isObject(chunk["usage"])) return chunk["usage"]
  const groq = objectOr(chunk["x_groq"])["usage"]
  return isObject(groq) ? groq : undefined
}

interface ChoiceCollector {
  add(choice: JsonObject): void
  choice(index: number): CompletionChoice
}

function createChoiceCollector(): ChoiceCollector {
  const message = createMessageCollector()
  const others = createMembers(["index", "delta", "message", "finish_reason", "logprobs", "usage"])
  let finishReason: FinishReason | null = null
  let logprobs: { content: TokenLogprob[] | null; refusal: TokenLogprob[] | null } | undefined

  return {
    add(choice) {
      // A server that does not stream answers with the whole message. Where both stand, the message only repeats.
      message.add(objectOr(choice["delta"] ?? choice["message"]))
      finishReason = (stringOr(choice["finish_reason"]) as FinishReason | undefined) || finishReason
      const added = choice["logprobs"]
      if (isObject(added)) {
        logprobs ??= { content: null, refusal: null }
        logprobs.content = appended(logprobs.content, added["content"])
        logprobs.refusal = appended(logprobs.refusal, added["refusal"])
      }
      others.add(choice)
    },
    choice(index) {
      return {
        ...others.object(),
        index,
        message: message.message(),
        finish_reason: finishReason,
        ...(logprobs && { logprobs: copyOf(logprobs) }),
      }
    },
  }
}

function createMessageCollector() {
  const others = createMembers([
    "role",
    "content",
    "refusal",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "tool_calls",
    "audio",
    "images",
    "annotations",
    "function_call",
  ])
  const toolCalls = createToolCallCollector()
  const reasoningDetails = createReasoningDetails()
  let content: string | null = null
  let refusal: string | null = null
  let reasoning: string | null = null
  let audio: AssistantMessage["audio"]
  let images: JsonObject[] | null = null
  let annotations: JsonObject[] | null = null
  let functionCall: { name: string; arguments: string } | undefined

  return {
    add(delta: JsonObject): void {
      content = joined(content, textOf(delta["content"]))
      refusal = joined(refusal, delta["refusal"])
      reasoning = joined(reasoning, stringOr(delta["reasoning"]) || delta["reasoning_content"])
      reasoningDetails.add(delta["reasoning_details"])
      if (Array.isArray(delta["tool_calls"])) for (const call of delta["tool_calls"]) toolCalls.add(call)
      if (isObject(delta["audio"])) audio = withAudio(audio ?? {}, delta["audio"])
      images = appended(images, delta["images"])
      annotations = appended(annotations, delta["annotations"])
      const call = delta["function_call"]
      if (isObject(call)) {
        functionCall ??= { name: "", arguments: "" }
        functionCall.name ||= stringOr(call["name"]) ?? ""
        functionCall.arguments += stringOr(call["arguments"]) ?? ""
      }
      others.add(delta)
    },
    message(): AssistantMessage {
      const calls = toolCalls.calls()
      const details = reasoningDetails.details()
      return {
        ...others.object(),
        role: "assistant",
        content,
        ...(refusal !== null && { refusal }),
        ...(reasoning !== null && { reasoning }),
        ...(details.length > 0 && { reasoning_details: details }),
        ...(calls.length > 0 && { tool_calls: calls }),
        ...(audio && { audio: { ...audio } }),
        ...(images && { images: [...images] }),
        ...(annotations && { annotations: [...annotations] }),
        ...(functionCall && { function_call: { ...functionCall } }),
      }
    },
  }
}

/** A text comes in pieces, a piece of another type stands for itself. Without an index nothing says what belongs together. */
function createReasoningDetails() {
  const details: Record<string, unknown>[] = []
  const byKey = new Map<string, Record<string, unknown>>()

  return {
    add(added: unknown): void {
      if (!Array.isArray(added)) return
      for (const detail of added) if (isObject(detail)) addDetail(detail)
    },
    details: () => details.map((detail) => ({ ...detail })) as unknown as ReasoningDetail[],
  }

  function addDetail(detail: JsonObject): void {
    const isText = detail["type"] === "reasoning.text" || detail["type"] === "reasoning.summary"
    const key = isText && detail["index"] !== undefined ? `${detail["type"]} ${detail["index"]}` : undefined
    const known = key === undefined ? undefined : byKey.get(key)
    if (known === undefined) {
      const first = { ...detail }
      details.push(first)
      if (key !== undefined) byKey.set(key, first)
      return
    }
    for (const [name, value] of Object.entries(detail)) {
      if (name === "text" || name === "summary") known[name] = joined(stringOr(known[name]) ?? null, value)
      // A last piece brings the signature alone, and nulls for the rest.
      else if (name !== "__proto__" && value !== null) known[name] = value
    }
  }
}

function withAudio(audio: NonNullable<AssistantMessage["audio"]>, added: JsonObject): typeof audio {
  const id = audio.id || stringOr(added["id"])
  const data = joined(audio.data ?? null, added["data"])
  const transcript = joined(audio.transcript ?? null, added["transcript"])
  const expiresAt = numberOr(added["expires_at"]) ?? audio.expires_at
  return {
    ...(id && { id }),
    ...(data !== null && { data }),
    ...(transcript !== null && { transcript }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
  }
}

/** Mistral's reasoning models send a list of parts in place of a string. */
function textOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  return content.map((part) => stringOr(objectOr(part)["text"]) ?? "").join("")
}

function joined(text: string | null, piece: unknown): string | null {
  return typeof piece === "string" ? (text ?? "") + piece : text
}

/** The elements are the provider's, taken as they came. */
function appended<T>(list: T[] | null, added: unknown): T[] | null {
  if (!Array.isArray(added)) return list
  const result = list ?? []
  for (const element of added) result.push(element)
  return result
}

function copyOf({ content, refusal }: Logprobs): Logprobs {
  return { content: content && [...content], refusal: refusal && [...refusal] }
}

/**
 * The members that are kept as they came. A Map and `Object.fromEntries` define what assignment would set: a member
 * called `__proto__` is one like any other.
 */
function createMembers(read: readonly string[]) {
  const members = new Map<string, unknown>()
  return {
    add(from: JsonObject): void {
      for (const name of Object.keys(from)) {
        const value = from[name]
        if (value !== null && value !== undefined && !read.includes(name)) members.set(name, value)
      }
    },
    object: (): object => Object.fromEntries(members),
  }
}
