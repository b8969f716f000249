/**
 * What a request says about its own routing, in any of the four systems' words. Pure: a canonical request and its headers
 * in, wishes out. docs/request-fields.md has a line for each member, and a test that sends it.
 *
 * A mount's schema has checked the members that are its system's own. At another mount a member of this name but of
 * another shape is somebody else's word: it is left alone.
 */
import { type ChatRequest, isObject, type JsonObject } from "@sluice/protocol"
import { GatewayError } from "../gateway-error.ts"

/** What a call's headers say of it. */
export interface Steering {
  /** r9s: who is to answer. */
  readonly provider: string | undefined
  /** r9s: what is asked for, whatever the body says. */
  readonly model: string | undefined
  readonly session: string | undefined
  /** `openrouter_metadata` is asked for. */
  readonly metadata: boolean
  /** Its answer has a place for what is told of the routing: OpenRouter's alone has. */
  readonly told: boolean
}

export interface Wanted {
  /** First choice first. Empty: none was named. */
  readonly models: readonly Choice[]
  /** Whether the choices are drawn by their weights, or taken in turn. */
  readonly drawn: boolean
  readonly only: readonly string[] | undefined
  readonly ignore: readonly string[]
  readonly order: readonly string[]
  readonly fallbacks: boolean
  readonly sort: Sort | undefined
  /** USD per million tokens, and per call. */
  readonly maxPrice: Partial<Record<"prompt" | "completion" | "request", number>>
  /** Whether whoever cannot take every member may not answer. */
  readonly allParameters: boolean
  readonly noDataCollection: boolean
  readonly zdr: boolean
  /** Tokens a second and milliseconds that a candidate should have shown, to come before those that have not. */
  readonly preferred: { readonly rate?: number; readonly firstContent?: number }
  /** Calls of one session go to one candidate. */
  readonly session: string | undefined
  readonly retries: number | undefined
  /** Statuses after which a candidate is asked again. */
  readonly retryOn: ReadonlySet<number> | undefined
  /** Milliseconds. */
  readonly total: number | undefined
  /** `openrouter_metadata` is asked for; what was sent to the provider is asked for. */
  readonly metadata: boolean
  readonly echo: boolean
  /** What only one vendor can do, and what must not be left out in silence. */
  readonly needs: readonly Need[]
  /** Labels for the books. */
  readonly tags: readonly string[]
  /** Members that this gateway takes care of itself. */
  readonly honoured: ReadonlySet<string>
  /** Members that were read and do nothing here. */
  readonly dropped: readonly string[]
}

export interface Choice {
  readonly model: string
  readonly weight: number
  /** The request's member that names it. */
  readonly param: string
}

export type Sort = "price" | "throughput" | "latency"

export interface Need {
  readonly param: string
  readonly vendor: "openai" | "openrouter" | "orq"
}

export function wantedOf(request: ChatRequest, steering: Steering): Wanted {
  const provider = isObject(request.provider) ? request.provider : {}
  const orq = isObject(request.orq) ? request.orq : {}
  const honoured = new Set<string>()
  const dropped: string[] = []
  const balanced = balancedModels(request)
  const sort = sortOf(provider["sort"])
  for (const [name, isOurs] of HONOURED_BY_NAME) if (isOurs(request[name], steering)) honoured.add(name)
  for (const [name, value] of Object.entries(provider))
    if (value != null && !PREFERENCES.has(name)) dropped.push(`provider.${name}`)
  for (const [name, value] of Object.entries(isObject(provider["max_price"]) ? provider["max_price"] : {}))
    if (value != null && !PRICES.has(name)) dropped.push(`provider.max_price.${name}`)
  if (sort === undefined && isObject(provider["sort"])) dropped.push("provider.sort")
  if (request.route === "sort") dropped.push("route")
  for (const [name, value] of Object.entries(orq))
    if (value != null && !DONE_IN_ORQ.has(name)) dropped.push(`orq.${name}`)

  return {
    models:
      balanced ?? modelsOf(steering.model === undefined ? request : { ...request, model: steering.model }),
    drawn: balanced !== undefined,
    only: steering.provider === undefined ? namesIn(provider["only"], "provider.only") : [steering.provider],
    ignore: namesIn(provider["ignore"], "provider.ignore") ?? [],
    order: namesIn(provider["order"], "provider.order") ?? [],
    fallbacks: provider["allow_fallbacks"] !== false,
    sort,
    maxPrice: pricesIn(provider["max_price"]),
    allParameters: provider["require_parameters"] === true,
    noDataCollection: provider["data_collection"] === "deny",
    zdr: provider["zdr"] === true,
    preferred: preferredIn(provider),
    session: sessionOf(request.session_id ?? steering.session),
    retries: retriesOf(request.retry),
    retryOn: retryOn(request),
    total: millisecondsOf(request.timeout),
    metadata: steering.metadata && steering.told,
    echo:
      steering.told &&
      isObject(request.debug) &&
      request.debug.echo_upstream_body === true &&
      request.stream === true,
    needs: needsOf(request, provider, orq),
    tags: tagsOf(request),
    honoured,
    dropped,
  }
}

type Honoured =
  | "models"
  | "provider"
  | "route"
  | "session_id"
  | "debug"
  | "fallbacks"
  | "retry"
  | "load_balancer"
  | "timeout"
  | "name"
  | "orq"

/**
 * Done here, or passed to the vendor whose they are: in neither case left out. Each says by which shape it is known; of
 * another shape it is somebody else's, and its provider's dialect has the word.
 */
const HONOURED: Readonly<Record<Honoured, (value: unknown, steering: Steering) => boolean>> = {
  models: Array.isArray,
  provider: isObject,
  route: (value) => typeof value === "string",
  session_id: (value) => sessionOf(value) !== undefined,
  debug: (value, { told }) => told && isObject(value),
  fallbacks: Array.isArray,
  retry: isObject,
  load_balancer: isObject,
  timeout: (value) => millisecondsOf(value) !== undefined,
  name: (value) => tagOf(value) !== undefined,
  orq: isObject,
}

const HONOURED_BY_NAME = Object.entries(HONOURED) as [Honoured, (typeof HONOURED)[Honoured]][]

/** Of `provider`: what is done here, or needs OpenRouter. */
const PREFERENCES: ReadonlySet<string> = new Set([
  "order",
  "only",
  "ignore",
  "allow_fallbacks",
  "sort",
  "max_price",
  "require_parameters",
  "data_collection",
  "zdr",
  "preferred_min_throughput",
  "preferred_max_latency",
  "quantizations",
  "enforce_distillable_text",
])

const PRICES: ReadonlySet<string> = new Set(["prompt", "completion", "request"])

/** Of the envelope: what its reader has put beside it and is done from there, or needs Orq. */
const DONE_IN_ORQ: ReadonlySet<string> = new Set([
  "fallbacks",
  "retry",
  "load_balancer",
  "timeout",
  "name",
  "prompt",
  "inputs",
  "knowledge_bases",
])

/** Whoever lists more than this of models or providers means something else. */
const MOST_LISTED = 128

function modelsOf(request: ChatRequest): Choice[] {
  const choices: Choice[] = []
  const add = (model: unknown, param: string): void => {
    if (choices.length >= MOST_LISTED) throw tooMany(param)
    if (typeof model === "string" && model !== "" && !choices.some((choice) => choice.model === model))
      choices.push({ model, weight: 1, param })
  }
  add(request.model, "model")
  for (const [index, model] of listIn(request.models).entries()) add(model, `models[${index}]`)
  for (const [index, fallback] of listIn(request.fallbacks).entries())
    if (isObject(fallback)) add(fallback["model"], `fallbacks[${index}].model`)
  return choices
}

/** Orq: which of several models answers is drawn by weight; the model that is asked for comes last. */
function balancedModels(request: ChatRequest): Choice[] | undefined {
  const balancer = request.load_balancer
  if (!isObject(balancer)) return undefined
  const models = listIn(balancer["models"])
  if (models.length > MOST_LISTED) throw tooMany("load_balancer.models")
  const listed = models.flatMap((entry, index): Choice[] => {
    if (!isObject(entry) || typeof entry["model"] !== "string") return []
    const weight = typeof entry["weight"] === "number" && entry["weight"] > 0 ? entry["weight"] : 0.5
    return [{ model: entry["model"], weight, param: `load_balancer.models[${index}].model` }]
  })
  if (listed.length === 0) return undefined
  return [
    ...listed,
    ...modelsOf(request).filter(({ model }) => !listed.some((choice) => choice.model === model)),
  ]
}

function sortOf(value: unknown): Sort | undefined {
  const by = isObject(value) ? value["by"] : value
  return by === "price" || by === "throughput" || by === "latency" ? by : undefined
}

function pricesIn(value: unknown): Wanted["maxPrice"] {
  if (!isObject(value)) return {}
  const prices: Partial<Record<"prompt" | "completion" | "request", number>> = {}
  for (const name of ["prompt", "completion", "request"] as const) {
    const price = typeof value[name] === "string" ? Number(value[name]) : value[name]
    if (typeof price === "number" && price >= 0) prices[name] = price
  }
  return prices
}

function preferredIn(provider: JsonObject): Wanted["preferred"] {
  const rate = percentile(provider["preferred_min_throughput"])
  const seconds = percentile(provider["preferred_max_latency"])
  return {
    ...(rate === undefined ? {} : { rate }),
    ...(seconds === undefined ? {} : { firstContent: seconds * 1_000 }),
  }
}

/** A number, or one for each of several percentiles: the median's, else the first. */
function percentile(value: unknown): number | undefined {
  const numbers = isObject(value) ? [value["p50"], ...Object.values(value)] : [value]
  return numbers.find((number): number is number => typeof number === "number")
}

function sessionOf(session: unknown): string | undefined {
  return typeof session === "string" && session !== "" && session.length <= 256 ? session : undefined
}

/** Orq's default is 3, and 5 the most. */
function retriesOf(retry: unknown): number | undefined {
  if (!isObject(retry)) return undefined
  const { count } = retry
  return typeof count === "number" && Number.isInteger(count) && count >= 0 ? Math.min(count, 5) : 3
}

function retryOn(request: ChatRequest): ReadonlySet<number> | undefined {
  if (!isObject(request.retry)) return undefined
  const codes = listIn(request.retry["on_codes"]).filter((code) => typeof code === "number")
  return new Set(codes.length > 0 ? codes : [429])
}

function millisecondsOf(timeout: unknown): number | undefined {
  const milliseconds = isObject(timeout) ? timeout["call_timeout"] : undefined
  return typeof milliseconds === "number" && milliseconds > 0 ? milliseconds : undefined
}

/** What would make another answer, were it left out: a vendor that can do it, or a 400. */
function needsOf(request: ChatRequest, provider: JsonObject, orq: JsonObject): Need[] {
  const needs: Need[] = []
  const need = (vendor: Need["vendor"], param: string, wanted: boolean): void => {
    if (wanted) needs.push({ vendor, param })
  }
  need("openrouter", "provider.quantizations", listIn(provider["quantizations"]).length > 0)
  need("openrouter", "provider.enforce_distillable_text", provider["enforce_distillable_text"] === true)
  need(
    "openrouter",
    "provider.sort",
    (isObject(provider["sort"]) ? provider["sort"]["by"] : provider["sort"]) === "exacto",
  )
  need("openrouter", "preset", typeof request.preset === "string" && request.preset !== "")
  need("openrouter", "stop_server_tools_when", listIn(request.stop_server_tools_when).length > 0)
  for (const [index, plugin] of listIn(request.plugins).entries()) {
    if (!isObject(plugin) || plugin["enabled"] === false || HARMLESS_PLUGINS.has(String(plugin["id"])))
      continue
    need(ORQ_PLUGINS.has(String(plugin["id"])) ? "orq" : "openrouter", `plugins[${index}]`, true)
  }
  for (const [index, tool] of listIn(request.tools).entries())
    need("openrouter", `tools[${index}]`, isObject(tool) && String(tool["type"]).startsWith("openrouter:"))
  const custom = customToolIn(request)
  if (custom !== undefined) need("openai", custom, true)
  need("orq", "guardrails", listIn(request.guardrails).length > 0)
  need("orq", "variables", hasMembers(request.variables))
  need("orq", "orq.prompt", orq["prompt"] != null)
  need("orq", "orq.inputs", hasMembers(orq["inputs"]))
  need("orq", "orq.knowledge_bases", listIn(orq["knowledge_bases"]).length > 0)
  return needs
}

/** The member that brings up one first: a tool, a choice of one, or a call of one in an earlier turn. */
function customToolIn({ tools, tool_choice: choice, messages }: ChatRequest): string | undefined {
  const at = listIn(tools).findIndex(isCustom)
  if (at >= 0) return `tools[${at}]`
  if (isCustom(choice)) return "tool_choice"
  const turn = messages.findIndex(
    (message) => "tool_calls" in message && listIn(message.tool_calls).some(isCustom),
  )
  return turn < 0 ? undefined : `messages[${turn}].tool_calls`
}

function isCustom(value: unknown): boolean {
  return isObject(value) && value["type"] === "custom"
}

/** They mend an answer, or what was sent, where that is needed; without them it is the same answer. */
const HARMLESS_PLUGINS: ReadonlySet<string> = new Set([
  "response-healing",
  "response_healing",
  "context-compression",
  "trace_scrubbing",
])
const ORQ_PLUGINS: ReadonlySet<string> = new Set(["pii_redaction"])

/** Orq's `name`: what the books can be asked by. */
function tagOf(name: unknown): string | undefined {
  return typeof name === "string" && name !== "" && name.length <= 64 ? `name:${name}` : undefined
}

function tagsOf({ name }: ChatRequest): string[] {
  const tag = tagOf(name)
  return tag === undefined ? [] : [tag]
}

function namesIn(value: unknown, param: string): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  if (value.length > MOST_LISTED) throw tooMany(param)
  return value.filter((entry) => typeof entry === "string")
}

function tooMany(param: string): GatewayError {
  return new GatewayError(
    "invalid_request",
    `'${param}' is one too many: at most ${MOST_LISTED} can be listed.`,
    {
      param,
    },
  )
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function hasMembers(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0
}
