/** The conversation, as a system takes it. */
import { isObject, type JsonObject } from "../../json.ts"
import { type Members, spokenMembers, without } from "./members.ts"
import { accepts, type RequestRules } from "./request-rules.ts"

export function writeMessages(
  messages: readonly unknown[],
  rules: RequestRules,
  dropped: Set<string>,
): unknown[] {
  return messages.map((message) => (isObject(message) ? writeMessage(message, rules, dropped) : message))
}

function writeMessage(message: JsonObject, rules: RequestRules, dropped: Set<string>): Members {
  const { reasoning, reasoning_content: alias, ...rest } = message
  const written: Members = {}
  const named = { ...rest, [rules.reasoningName]: reasoning ?? alias }
  for (const [name, value] of Object.entries(spokenMembers(named))) {
    if (accepts(rules.message, name) && !rules.notInside.has(name)) written[name] = value
    else dropped.add(`messages[].${name === rules.reasoningName ? "reasoning" : name}`)
  }
  if (written["role"] === "developer" && !rules.developerRole) written["role"] = "system"
  const content = message["content"]
  if (Array.isArray(content)) written["content"] = content.map((part) => writePart(part, rules, dropped))
  else if (content === null || content === undefined) settleSilence(message, written, rules)
  return written
}

function writePart(part: unknown, rules: RequestRules, dropped: Set<string>): unknown {
  return isObject(part) ? without(part, rules.notInside, "messages[].content[].", dropped) : part
}

/** An assistant that only called tools said nothing, and null is how it was sent. */
function settleSilence(message: JsonObject, written: Members, rules: RequestRules): void {
  if (!rules.nullContent) written["content"] = ""
  else if (message["content"] === null) written["content"] = null
}
