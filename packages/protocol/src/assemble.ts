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
 * The tables at the end say it name by name. null says nothing: it neither replaces a value nor makes a member. Every piece is touched once, so that the time is
 * linear in the stream's length.
 */
import { createToolCallCollector, type ToolCallCollector } from "./assemble-tool-calls.ts"
import {
  type Collector,
  firstText,
  firstWholeNumber,
  growing,
  ignored,
  lastObject,
  lastText,
  list,
  members,
  text,
} from "./collect.ts"
import type { Completion } from "./completion.ts"
import { isObject, type JsonObject, numberOr, objectOr, stringOr } from "./json.ts"

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
  const envelope = createEnvelope()
  // So that its defaults stand even where nothing comes.
  envelope.add({})
  const choices = new Map<number, { readonly choice: Collector; readonly message: Collector }>()
  let usage: JsonObject | undefined

  return {
    add(chunk) {
      if (!isObject(chunk)) return
      envelope.add(chunk)
      usage = usageOf(chunk) ?? usage
      if (!Array.isArray(chunk["choices"])) return
      for (const [position, choice] of chunk["choices"].entries()) addChoice(objectOr(choice), position)
    },
    completion() {
      return {
        ...envelope.result(),
        choices: [...choices]
          .sort(([a], [b]) => a - b)
          .map(([index, { choice, message }]) => ({ ...choice.result()!, index, message: message.result() })),
        // Handed on as it came: what a provider counts is not for this file to judge.
        ...(usage && { usage: { ...usage } }),
      } as Completion
    },
  }

  function addChoice(choice: JsonObject, position: number): void {
    const index = numberOr(choice["index"]) ?? position
    const collectors = choices.get(index) ?? { choice: createChoice(), message: createMessage() }
    choices.set(index, collectors)
    collectors.choice.add(choice)
    // A server that does not stream answers with the whole message. Where both stand, the message only repeats.
    const delta = objectOr(choice["delta"] ?? choice["message"])
    // Two names for one thing, and some systems send both.
    const isUnderOldName = delta["reasoning_content"] && !stringOr(delta["reasoning"])
    collectors.message.add(isUnderOldName ? { ...delta, reasoning: delta["reasoning_content"] } : delta)
    // Moonshot counts inside the choice.
    if (isObject(choice["usage"])) usage = choice["usage"]
  }
}

/** Groq repeats its usage under a name of its own, and old streams of it have only that. */
function usageOf(chunk: JsonObject): JsonObject | undefined {
  return [chunk["usage"], objectOr(chunk["x_groq"])["usage"]].find(isObject)
}

const createEnvelope = members(
  {
    id: firstText,
    object: ignored,
    created: firstWholeNumber,
    model: firstText,
    choices: ignored,
    usage: ignored,
    error: lastObject,
    // Pads one event against an eavesdropper who counts bytes; it says nothing of the answer.
    obfuscation: ignored,
  },
  { id: "", object: "chat.completion", created: 0, model: "" },
)

const createChoice = members(
  {
    index: ignored,
    delta: ignored,
    message: ignored,
    usage: ignored,
    finish_reason: lastText,
    logprobs: members({ content: list, refusal: list }, { content: null, refusal: null }),
  },
  { finish_reason: null },
)

/** A text comes in pieces, a piece of another type stands for itself. Without an index nothing says what belongs together. */
const reasoningDetails = growing<Map<unknown, Collector>>(
  (known = new Map(), added) => {
    for (const detail of Array.isArray(added) ? added.filter(isObject) : []) {
      const { type, index } = detail
      const isText = type === "reasoning.text" || type === "reasoning.summary"
      const key = isText && index !== undefined ? `${type} ${index}` : known.size
      const collector = known.get(key) ?? createDetail()
      known.set(key, collector)
      collector.add(detail)
    }
    return known
  },
  (known) => unlessEmpty([...known.values()].map((detail) => detail.result())),
)

const createDetail = members({ text, summary: text })

const toolCalls = growing<ToolCallCollector>(
  (known = createToolCallCollector(), added) => {
    for (const piece of Array.isArray(added) ? added : []) known.add(piece)
    return known
  },
  (known) => unlessEmpty(known.calls()),
)

function unlessEmpty(values: unknown[]): unknown {
  return values.length > 0 ? values : undefined
}

const createMessage = members(
  {
    role: ignored,
    content: text,
    refusal: text,
    reasoning: text,
    reasoning_content: ignored,
    reasoning_details: reasoningDetails,
    tool_calls: toolCalls,
    audio: members({ id: firstText, data: text, transcript: text }),
    images: list,
    annotations: list,
    function_call: members({ name: firstText, arguments: text }, { name: "", arguments: "" }),
  },
  { role: "assistant", content: null },
)
