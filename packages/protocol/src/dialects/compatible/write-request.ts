/** The canonical request → the body for a system, and the names of what it could not take. */
import { isObject, type JsonObject, objectOr, stringOr } from "../../json.ts"
import type { ChatRequest } from "../../request.ts"
import { type Members, ownNames, spokenMembers, without } from "./members.ts"
import { accepts, type RequestRules } from "./request-rules.ts"
import { writeMessages } from "./write-messages.ts"

interface WrittenRequest {
  readonly body: JsonObject
  readonly dropped: string[]
}

export function writeRequest(request: ChatRequest, rules: RequestRules): WrittenRequest {
  const dropped = new Set<string>()
  const members: Members = { ...settleReasoning(rules.prepare?.(request) ?? request, rules, dropped) }
  const body: Members = {}
  let streamOptions: unknown

  for (const name of ownNames(members)) {
    const value = members[name]
    if (value === null || value === undefined) continue
    const written = accepts(rules.members, name) ? writeMember(name, value, rules, dropped) : undefined
    if (written === undefined) dropped.add(name)
    else if (name === "stream_options") streamOptions = written
    else body[name] = written
  }

  settleTools(body, dropped)
  settleStreamOptions(body, streamOptions, rules, dropped)
  settlePrefill(body, rules)
  return { body, dropped: [...dropped] }
}

/** Undefined means that the system cannot take it. */
function writeMember(name: string, value: unknown, rules: RequestRules, dropped: Set<string>): unknown {
  switch (name) {
    case "messages":
      return Array.isArray(value) ? writeMessages(value, rules, dropped) : value
    case "tools":
      return Array.isArray(value) ? writeTools(value, rules, dropped) : value
    case "tool_choice":
      return knowsToolChoice(value, rules) ? value : undefined
    case "response_format":
      return writeFormat(value, rules, dropped)
    case "reasoning_effort":
      return among(value, rules.reasoningEfforts)
    case "service_tier":
      return among(value, rules.serviceTiers)
    case "metadata":
      return rules.stringMetadata ? onlyStrings(objectOr(value), dropped) : value
    case "plugins":
      return Array.isArray(value) ? writePlugins(value, rules, dropped) : undefined
    case "web_search_options":
      return (rules.webSearch?.(objectOr(value)) ?? true) ? value : undefined
    default:
      return value
  }
}

/**
 * OpenRouter says `reasoning: {effort}` where the others say `reasoning_effort`. Where both stand, the one that the
 * system takes wins; OpenRouter refuses two that differ, so it is sent one.
 */
function settleReasoning(request: ChatRequest, rules: RequestRules, dropped: Set<string>): ChatRequest {
  const { reasoning, reasoning_effort: effort, ...rest } = request
  if (!reasoning) return request
  if (accepts(rules.members, "reasoning")) {
    if (effort && reasoning.effort && effort !== reasoning.effort) dropped.add("reasoning_effort")
    return reasoning.effort || !effort
      ? { ...rest, reasoning }
      : { ...rest, reasoning: { ...reasoning, effort } }
  }
  if (!accepts(rules.members, "reasoning_effort")) return request
  for (const name of Object.keys(spokenMembers(reasoning))) {
    if (name !== "effort" || (effort && effort !== reasoning.effort)) dropped.add(`reasoning.${name}`)
  }
  return { ...rest, reasoning_effort: effort ?? reasoning.effort }
}

function writeTools(tools: readonly unknown[], rules: RequestRules, dropped: Set<string>): Members[] {
  return tools.filter(isObject).flatMap((tool) => {
    const type = stringOr(tool["type"]) ?? "function"
    if (!rules.toolType(type)) {
      dropped.add(`tools[].${type}`)
      return []
    }
    const written: Members = { type, ...without(tool, rules.notInside, "tools[].", dropped) }
    if (isObject(tool["function"]))
      written["function"] = writeStrict(tool["function"], "tools[].function", rules, dropped)
    return [written]
  })
}

/** Most servers refuse a `tool_choice` where there is no tool. */
function settleTools(body: Members, dropped: Set<string>): void {
  const tools = body["tools"]
  if (!Array.isArray(tools) || tools.length > 0) return
  delete body["tools"]
  for (const name of ["tool_choice", "parallel_tool_calls"]) {
    if (name in body) dropped.add(name)
    delete body[name]
  }
}

/** Usage is always asked for, where it does not come unasked: the books need it, whether the client does or not. */
function settleStreamOptions(body: Members, asked: unknown, rules: RequestRules, dropped: Set<string>): void {
  const options: Members = { include_usage: true }
  if (isObject(asked)) {
    const sent = spokenMembers(asked, INCLUDE_USAGE)
    for (const name in sent) {
      if (accepts(rules.streamOptions, name) && rules.asksUsage !== false) options[name] = sent[name]
      else dropped.add(`stream_options.${name}`)
    }
  }
  if (body["stream"] === true && rules.asksUsage !== false) body["stream_options"] = options
}

/** A conversation that ends with the assistant's turn asks for more of that turn. */
function settlePrefill(body: Members, { prefill }: RequestRules): void {
  const messages = body["messages"]
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  if (prefill === undefined || !isObject(last)) return
  if (last["role"] !== "assistant" || Array.isArray(last["tool_calls"])) return
  if (prefill.on === "request") Object.assign(body, prefill.members)
  else body["messages"] = [...(messages as unknown[]).slice(0, -1), { ...last, ...prefill.members }]
}

const INCLUDE_USAGE: ReadonlySet<string> = new Set(["include_usage"])

function knowsToolChoice(value: unknown, rules: RequestRules): boolean {
  if (typeof value === "string") return rules.toolChoices?.has(value) ?? true
  return rules.toolType(stringOr(objectOr(value)["type"]) ?? "function")
}

function writeFormat(value: unknown, rules: RequestRules, dropped: Set<string>): unknown {
  if (!isObject(value)) return value
  if (rules.formats && !rules.formats.has(String(value["type"]))) return undefined
  const written = spokenMembers(value)
  const schema = value["json_schema"]
  if (isObject(schema))
    written["json_schema"] = writeStrict(schema, "response_format.json_schema", rules, dropped)
  return written
}

const STRICT: ReadonlySet<string> = new Set(["strict"])
const NOTHING: ReadonlySet<string> = new Set()

function writeStrict(value: JsonObject, path: string, rules: RequestRules, dropped: Set<string>): Members {
  return without(value, rules.strict ? NOTHING : STRICT, `${path}.`, dropped)
}

function onlyStrings(metadata: JsonObject, dropped: Set<string>): Members {
  const written: Members = {}
  for (const [name, value] of Object.entries(spokenMembers(metadata))) {
    if (typeof value === "string") written[name] = value
    else dropped.add(`metadata.${name}`)
  }
  return written
}

function writePlugins(plugins: readonly unknown[], rules: RequestRules, dropped: Set<string>): unknown {
  const known = plugins.filter((plugin) => rules.plugin?.(String(objectOr(plugin)["id"])) ?? true)
  if (known.length === 0) return undefined
  if (known.length < plugins.length) dropped.add("plugins[]")
  return known
}

function among(value: unknown, known: ReadonlySet<string> | undefined): unknown {
  return known === undefined || known.has(String(value)) ? value : undefined
}
