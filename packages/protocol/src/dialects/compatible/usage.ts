/** Usage, read from wherever and however a provider counts, and written as whole numbers with whole details. */
import { isObject, type JsonObject, numberOr, objectOr } from "../../json.ts"
import type {
  CompletionTokensDetails,
  CostDetails,
  PromptTokensDetails,
  ServerToolUseDetails,
  Usage,
} from "../../usage.ts"
import { type Members, spokenMembers } from "./members.ts"

/** Atoma's clients read 32-bit integers; nobody has used two thousand million tokens in one call. */
const MOST_TOKENS = 2 ** 31 - 1

/**
 * `clamped`: a count was negative, fractional or absurd. `incomplete`: prompt or completion tokens were not
 * counted, and stand as 0. `summed`: no total was sent.
 */
export type UsageFlag = "clamped" | "incomplete" | "summed"

export interface ReadUsage {
  readonly usage: Usage
  readonly flags: UsageFlag[]
}

/** Undefined when the value is no usage at all: `null`, `{}`, a string. */
export function readUsage(value: unknown): ReadUsage | undefined {
  if (!isObject(value)) return undefined
  const flags: UsageFlag[] = []
  const count = (member: unknown) => readCount(member, flags)

  const prompt = count(value["prompt_tokens"])
  const completion = count(value["completion_tokens"])
  const total = count(value["total_tokens"])
  if (prompt === undefined && completion === undefined && total === undefined) return undefined
  if (prompt === undefined || completion === undefined) flags.push("incomplete")
  if (total === undefined) flags.push("summed")

  const usage: Usage = {
    ...spokenMembers(value, KNOWN),
    prompt_tokens: prompt ?? 0,
    completion_tokens: completion ?? 0,
    total_tokens: total ?? Math.min((prompt ?? 0) + (completion ?? 0), MOST_TOKENS),
  }
  const promptDetails: PromptTokensDetails = readDetails(
    PROMPT_DETAILS,
    KNOWN_OF_PROMPT,
    // DeepSeek's word, and Moonshot's place.
    {
      cached_tokens: value["prompt_cache_hit_tokens"] ?? value["cached_tokens"],
      ...spokenMembers(objectOr(value["prompt_tokens_details"])),
    },
    count,
  )
  const completionDetails: CompletionTokensDetails = readDetails(
    COMPLETION_DETAILS,
    KNOWN_OF_COMPLETION,
    objectOr(value["completion_tokens_details"]),
    count,
  )
  if (Object.keys(promptDetails).length > 0) usage.prompt_tokens_details = promptDetails
  if (Object.keys(completionDetails).length > 0) usage.completion_tokens_details = completionDetails
  return { usage: Object.assign(usage, readCost(value, count)), flags }
}

/** Usage where a provider puts it: on the chunk, in Groq's envelope, or inside a choice. */
export function findUsage(chunk: JsonObject): ReadUsage | undefined {
  const choices = chunk["choices"]
  const inChoice = Array.isArray(choices) ? objectOr(choices[0])["usage"] : undefined
  for (const place of [chunk["usage"], objectOr(chunk["x_groq"])["usage"], inChoice]) {
    const read = readUsage(place)
    if (read) return read
  }
  return undefined
}

export function flagsOf(read: ReadUsage | undefined): { flags?: readonly UsageFlag[] } {
  return read === undefined || read.flags.length === 0 ? {} : { flags: read.flags }
}

/** Which members beyond the common ones a system's clients are told. */
export interface UsageRules {
  readonly promptDetails: readonly (keyof PromptTokensDetails)[]
  readonly completionDetails: readonly (keyof CompletionTokensDetails)[]
  /** Dollars and server tools: OpenRouter's. */
  readonly cost: boolean
  /** Members that only its provider knows. */
  readonly unknown: boolean
}

export function writeUsage(usage: Usage, rules: UsageRules): Members {
  const unknown = (from: object, known: ReadonlySet<string>): Members =>
    rules.unknown ? unpriced(spokenMembers(from, known)) : {}
  const written: Members = {
    ...unknown(usage, KNOWN),
    prompt_tokens: whole(usage.prompt_tokens),
    completion_tokens: whole(usage.completion_tokens),
    total_tokens: whole(usage.total_tokens),
  }
  const prompt = usage.prompt_tokens_details
  if (prompt) {
    const renamed = { ...prompt, ...cacheWrites(prompt) }
    written["prompt_tokens_details"] = {
      ...unknown(prompt, KNOWN_OF_PROMPT),
      cached_tokens: whole(prompt.cached_tokens),
      audio_tokens: whole(prompt.audio_tokens),
      ...wholeOnes(renamed, rules.promptDetails),
    }
  }
  const completion = usage.completion_tokens_details
  if (completion) {
    written["completion_tokens_details"] = {
      ...unknown(completion, KNOWN_OF_COMPLETION),
      reasoning_tokens: whole(completion.reasoning_tokens),
      audio_tokens: whole(completion.audio_tokens),
      accepted_prediction_tokens: whole(completion.accepted_prediction_tokens),
      rejected_prediction_tokens: whole(completion.rejected_prediction_tokens),
      ...wholeOnes(completion, rules.completionDetails),
    }
  }
  return rules.cost ? Object.assign(written, writeCost(usage)) : written
}

const PROMPT_DETAILS = [
  "cached_tokens",
  "audio_tokens",
  "cache_write_tokens",
  "cache_creation_tokens",
  "video_tokens",
] as const
const COMPLETION_DETAILS = [
  "reasoning_tokens",
  "audio_tokens",
  "accepted_prediction_tokens",
  "rejected_prediction_tokens",
  "image_tokens",
] as const
const KNOWN_OF_PROMPT: ReadonlySet<string> = new Set(PROMPT_DETAILS)
const KNOWN_OF_COMPLETION: ReadonlySet<string> = new Set(COMPLETION_DETAILS)
const KNOWN: ReadonlySet<string> = new Set([
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "prompt_tokens_details",
  "completion_tokens_details",
  "cost",
  "cost_details",
  "is_byok",
  "server_tool_use_details",
  "server_tool_use",
])
const SERVER_TOOL_COUNTS = ["web_search_requests", "tool_calls_requested", "tool_calls_executed"] as const

type Count = (member: unknown) => number | undefined

function readCount(member: unknown, flags: UsageFlag[]): number | undefined {
  const number = numberOr(member)
  if (number === undefined) return undefined
  const counted = whole(number)
  if (counted !== number && !flags.includes("clamped")) flags.push("clamped")
  return counted
}

function readCounts<Name extends string>(
  names: readonly Name[],
  from: JsonObject,
  count: Count,
): Partial<Record<Name, number>> {
  const counts: Partial<Record<Name, number>> = {}
  for (const name of names) {
    const counted = count(from[name])
    if (counted !== undefined) counts[name] = counted
  }
  return counts
}

/** Counts, and what nobody here knows as it came: the writers decide whom it reaches. */
function readDetails<Name extends string>(
  names: readonly Name[],
  known: ReadonlySet<string>,
  from: JsonObject,
  count: Count,
): Partial<Record<Name, number>> {
  return Object.assign(spokenMembers(from, known), readCounts(names, from, count))
}

function readCost(value: JsonObject, count: Count): Partial<Usage> {
  const cost: Partial<Usage> = {}
  const dollars = numberOr(value["cost"])
  if (dollars !== undefined && dollars >= 0) cost.cost = dollars
  const details = readCostDetails(value["cost_details"])
  if (details) cost.cost_details = details
  if (typeof value["is_byok"] === "boolean") cost.is_byok = value["is_byok"]
  // OpenRouter's documents and its specification disagree on this name.
  const tools = value["server_tool_use_details"] ?? value["server_tool_use"]
  const counts: ServerToolUseDetails = readCounts(SERVER_TOOL_COUNTS, objectOr(tools), count)
  if (Object.keys(counts).length > 0) cost.server_tool_use_details = counts
  return cost
}

/** All or nothing: OpenRouter's newer client refuses a part. */
function readCostDetails(value: unknown): CostDetails | undefined {
  const details = objectOr(value)
  const prompt = numberOr(details["upstream_inference_prompt_cost"])
  const completions = numberOr(details["upstream_inference_completions_cost"])
  if (prompt === undefined || completions === undefined) return undefined
  const whole = numberOr(details["upstream_inference_cost"])
  return {
    ...(whole === undefined ? {} : { upstream_inference_cost: whole }),
    upstream_inference_prompt_cost: prompt,
    upstream_inference_completions_cost: completions,
  }
}

function writeCost(usage: Usage): Members {
  const written: Members = {}
  if (typeof usage.cost === "number") written["cost"] = usage.cost
  const details = readCostDetails(usage.cost_details)
  if (details) written["cost_details"] = details
  if (usage.is_byok !== undefined) written["is_byok"] = usage.is_byok
  if (usage.server_tool_use_details) {
    written["server_tool_use_details"] = wholeOnes(usage.server_tool_use_details, SERVER_TOOL_COUNTS)
  }
  return written
}

/** xAI's `cost_in_usd_ticks`, DeepInfra's `estimated_cost`: what we pay is between us and the provider. */
function unpriced(members: Members): Members {
  for (const name in members) if (/cost|price/i.test(name)) delete members[name]
  return members
}

/** One thing under two names: OpenRouter says that a cache was written, Orq that it was created. */
function cacheWrites(details: PromptTokensDetails): PromptTokensDetails {
  const tokens = details.cache_write_tokens ?? details.cache_creation_tokens
  return tokens === undefined || tokens === null
    ? {}
    : { cache_write_tokens: tokens, cache_creation_tokens: tokens }
}

function wholeOnes<Name extends string>(
  from: Partial<Record<Name, number | null>>,
  names: readonly Name[],
): Members {
  const counts: Members = {}
  for (const name of names) {
    const value = from[name]
    if (typeof value === "number") counts[name] = whole(value)
  }
  return counts
}

function whole(value: number | null | undefined): number {
  return typeof value === "number" && value > 0 ? Math.min(Math.floor(value), MOST_TOKENS) : 0
}
