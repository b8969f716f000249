/** The conversation, as a system takes it. */
import { isObject, type JsonObject, stringOr } from "../../json.ts"
import { type Members, ownNames, without, wordOr } from "./members.ts"
import { accepts, type RequestRules } from "./request-rules.ts"

export function writeMessages(
  messages: readonly unknown[],
  rules: RequestRules,
  dropped: Set<string>,
): unknown[] {
  return messages.map((message) =>
    isObject(message) ? writeMessage(settleThoughts(message, rules, dropped), rules, dropped) : message,
  )
}

/**
 * Orq's clients send an assistant's thoughts back as parts of its content. Where no such part is known, their text goes
 * where the system has reasoning; what is signed or encrypted means something to Orq alone.
 */
function settleThoughts(message: JsonObject, rules: RequestRules, dropped: Set<string>): JsonObject {
  const content = message["content"]
  if (rules.thoughtParts || !Array.isArray(content)) return message
  const thoughts = content.filter(isObject).filter(({ type }) => THOUGHTS.has(String(type)))
  if (thoughts.length === 0) return message
  for (const thought of thoughts) {
    if (thought["type"] === "redacted_reasoning") dropped.add("messages[].content[].redacted_reasoning")
    else if (wordOr(thought["signature"]) !== undefined) dropped.add("messages[].content[].signature")
  }
  const said = content.filter((part) => !thoughts.includes(part))
  const text = thoughts.map((thought) => stringOr(thought["reasoning"]) ?? "").join("")
  const reasoning = message["reasoning"] ?? message["reasoning_content"] ?? wordOr(text)
  return { ...message, content: said.length > 0 ? said : null, reasoning }
}

const THOUGHTS: ReadonlySet<string> = new Set(["reasoning", "redacted_reasoning"])

function writeMessage(message: JsonObject, rules: RequestRules, dropped: Set<string>): Members {
  const written: Members = {}
  const named = renamed(message, rules)
  for (const name of ownNames(named)) {
    const value = named[name]
    if (value === null || value === undefined) continue
    if (accepts(rules.message, name) && !rules.notInside.has(name)) written[name] = value
    else dropped.add(`messages[].${name === rules.reasoningName ? "reasoning" : name}`)
  }
  if (written["role"] === "developer" && !rules.developerRole) written["role"] = "system"
  const content = message["content"]
  if (Array.isArray(content)) written["content"] = content.map((part) => writePart(part, rules, dropped))
  else if (content === null || content === undefined) settleSilence(message, written, rules)
  return written
}

/** Its thoughts last, under the system's name for them. */
function renamed(message: JsonObject, { reasoningName }: RequestRules): JsonObject {
  const thoughts = message["reasoning"] ?? message["reasoning_content"]
  if (thoughts === null || thoughts === undefined) return message
  const { reasoning: _, reasoning_content: __, ...rest } = message
  return { ...rest, [reasoningName]: thoughts }
}

function writePart(part: unknown, rules: RequestRules, dropped: Set<string>): unknown {
  return isObject(part) ? without(part, rules.notInside, "messages[].content[].", dropped) : part
}

/** An assistant that only called tools said nothing, and null is how it was sent. */
function settleSilence(message: JsonObject, written: Members, rules: RequestRules): void {
  if (!rules.nullContent) written["content"] = ""
  else if (message["content"] === null) written["content"] = null
}
