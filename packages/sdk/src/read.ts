/** What came, made sure of: a chunk or a completion that can be used without asking, or a typed error that says why not. */
import { type Chunk, type Completion, isObject, type JsonObject, objectOr } from "@sluice/protocol"
import { type ErrorDetails, MalformedResponseError, type SluiceError } from "./errors.ts"
import { parseJson } from "./parse-json.ts"
import { errorInBand, excerptOf, natureOf } from "./read-error.ts"

export function readChunk(data: string): Chunk {
  const value = parseJson(data)
  if (value === undefined) throw malformed("an event that is not JSON", data)
  throwErrorIn(value)
  const { choices, usage } = objectOr(value)
  // Some servers leave out what has nothing to say: `choices` beside usage, the last choice's `delta`.
  const given = choices ?? (isObject(usage) ? [] : undefined)
  const read = Array.isArray(given) ? given.map(readChoice) : [undefined]
  if (read.includes(undefined)) throw malformed("a chunk of the wrong shape", data)
  const chunk: JsonObject = { ...objectOr(value), choices: read }
  return chunk as JsonObject & Chunk
}

export function readCompletion(body: string): Completion {
  const value = parseJson(body)
  throwErrorIn(value)
  const { choices } = objectOr(value)
  if (!Array.isArray(choices) || !choices.every((choice) => isObject(objectOr(choice)["message"]))) {
    throw malformed(value === undefined ? natureOf(body) : "JSON that is no chat completion", body)
  }
  return value as Completion
}

/** Whether a chunk says more than that an answer begins. */
export function hasContent(chunk: Chunk): boolean {
  return chunk.choices.some(
    ({ delta, finish_reason }) =>
      finish_reason ||
      Object.entries(delta).some(
        // Empty texts and lists say nothing.
        ([name, value]) => name !== "role" && value !== null && Object(value).length !== 0,
      ),
  )
}

/** Undefined where it is none. */
function readChoice(value: unknown, position: number): JsonObject | undefined {
  if (!isObject(value)) return undefined
  const { index, delta } = value
  const choice = { ...value, index: index ?? position, delta: delta ?? {} }
  const { content, tool_calls } = objectOr(choice.delta)
  const isGood =
    typeof choice.index === "number" &&
    isObject(choice.delta) &&
    isOptional(value["finish_reason"], "string") &&
    // Mistral's models that reason send a list of parts while they do.
    (isOptional(content, "string") || Array.isArray(content)) &&
    (Array.isArray(tool_calls) ? tool_calls.every(isObject) : isOptional(tool_calls))
  return isGood ? choice : undefined
}

function isOptional(value: unknown, type?: string): boolean {
  return value === undefined || value === null || typeof value === type
}

/** Providers tell of failures inside a good answer: at its top, in a choice, or in place of all else. */
export function throwErrorIn(value: unknown): void {
  const { error, choices } = objectOr(value)
  const told: unknown[] = [error]
  for (const choice of Array.isArray(choices) ? choices.map(objectOr) : [])
    told.push(choice["error"], choice["finish_reason"] === "error" && {})
  const failed = told.find(Boolean)
  if (failed) throw errorInBand(failed)
}

/** An error for what came in place of what was asked for. */
export function malformed(
  received: string,
  body: string,
  details?: ErrorDetails,
  inPlaceOf = "",
): SluiceError {
  const message = `The server sent ${received}${inPlaceOf}: ${excerptOf(body) || "nothing"}`
  return new MalformedResponseError(message, { received, ...details })
}
