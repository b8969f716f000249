/**
 * One table of names, both ways: what the wire writes in snake_case the SDK calls in camelCase.
 *
 *   toSdk   finish_reason → finishReason     every chunk passes here, so it is kept tight
 *   toWire  finishReason → finish_reason     every request
 *
 * A member that the table does not know keeps its name both ways: a provider's invention is nobody's to rename.
 * What stands inside a free-form member (a JSON Schema, a caller's metadata) is the caller's own and is handed on
 * untouched, by reference. The types `ToSdk` and `ToWire` follow from the same table.
 */

/** By where a name stands. Text, not lists: it is in everybody's bundle. */
const TABLE = [
  // chunk, choice, delta, message
  "system_fingerprint service_tier openrouter_metadata last_event_id echo_upstream_body finish_reason",
  "native_finish_reason stop_reason top_logprobs reasoning_content reasoning_details reasoning_signature",
  "redacted_reasoning tool_calls tool_call_id tool_name function_call thought_signature expires_at is_byok",
  // usage
  "prompt_tokens completion_tokens total_tokens prompt_tokens_details completion_tokens_details",
  "cached_tokens audio_tokens cache_write_tokens cache_creation_tokens video_tokens reasoning_tokens",
  "accepted_prediction_tokens rejected_prediction_tokens image_tokens cost_details upstream_inference_cost",
  "upstream_inference_prompt_cost upstream_inference_completions_cost server_tool_use_details",
  "web_search_requests tool_calls_requested tool_calls_executed",
  // error
  "error_type provider_code",
  // request
  "stream_options include_usage top_p top_k top_a min_p frequency_penalty presence_penalty",
  "repetition_penalty logit_bias max_tokens max_completion_tokens tool_choice parallel_tool_calls",
  "response_format json_schema reasoning_effort include_reasoning budget_tokens thinking_level",
  "prompt_cache_key prompt_cache_options prompt_cache_breakpoint cache_control web_search_options image_url",
  "video_url input_audio file_data file_id owned_by",
  // request: OpenRouter
  "session_id image_config stop_server_tools_when trace_id trace_name span_name generation_name",
  "parent_span_id allow_fallbacks data_collection enforce_distillable_text max_price preferred_max_latency",
  "preferred_min_throughput require_parameters allowed_models excluded_models max_results max_uses",
  "search_prompt include_domains exclude_domains user_location",
  // request: Orq
  "on_codes load_balancer call_timeout execute_on knowledge_bases knowledge_id search_type search_options",
  "filter_by include_vectors include_metadata include_scores rerank_config agentic_rag_config display_name",
  "logo_url",
] as const

export type WireName = Words<(typeof TABLE)[number]>

type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text

export const WIRE_NAMES = TABLE.join(" ").split(" ") as readonly WireName[]

/** Members whose inside belongs to the caller or the provider, by wire name. */
const FREE_FORM = [
  "parameters", // a tool's JSON Schema
  "schema", // response_format's JSON Schema
  "arguments", // a tool call's, where a server sends them as an object
  "metadata", // the caller's labels; an error's details
  "logit_bias", // keyed by token
  "variables", // Orq: a prompt's, named by the caller
  "inputs", // Orq: the same in the older envelope
  "filter_by", // Orq: keyed by the caller's metadata
  "image_config", // OpenRouter: the image model's own options
  "echo_upstream_body", // OpenRouter: another system's request, as it was sent
  "pipeline", // OpenRouter: each stage's own data
] as const

type FreeForm = (typeof FREE_FORM)[number]

export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

export type SdkName<Name> = Name extends WireName ? CamelCase<Name> : Name

type WireNameOf = { [Name in WireName as CamelCase<Name>]: Name }
type FreeFormName = FreeForm | SdkName<FreeForm>

/** A wire type as the SDK shows it. An interface that extends it keeps its own name in an editor. */
export type ToSdk<T> = T extends readonly unknown[]
  ? { [Index in keyof T]: ToSdk<T[Index]> }
  : T extends object
    ? { [Name in keyof T as SdkName<Name>]: Name extends FreeFormName ? T[Name] : ToSdk<T[Name]> }
    : T

/** The way back. */
export type ToWire<T> = T extends readonly unknown[]
  ? { [Index in keyof T]: ToWire<T[Index]> }
  : T extends object
    ? {
        [Name in keyof T as Name extends keyof WireNameOf
          ? WireNameOf[Name]
          : Name]: Name extends FreeFormName ? T[Name] : ToWire<T[Name]>
      }
    : T

const sdkNames = new Map<string, string>()
const wireNames = new Map<string, string>()
for (const name of WIRE_NAMES) {
  sdkNames.set(name, camelCase(name))
  wireNames.set(camelCase(name), name)
}
/** In either spelling, so that it guards what is inside whichever way the value travels. */
const freeForm = new Set<string>([...FREE_FORM, ...FREE_FORM.map(camelCase)])

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

export function toSdk<T>(value: T): ToSdk<T> {
  return rename(value, sdkNames) as ToSdk<T>
}

export function toWire<T>(value: T): ToWire<T> {
  return rename(value, wireNames) as ToWire<T>
}

/** What the SDK calls this member, and whether its inside is left alone. */
export function sdkMember(wireName: string): { readonly to: string; readonly free: boolean } {
  return { to: sdkNames.get(wireName) ?? wireName, free: freeForm.has(wireName) }
}

/** Deeper than anything that these names stand in: a hostile server's nesting must not exhaust the stack. */
const MAX_DEPTH = 200

function rename(value: unknown, names: ReadonlyMap<string, string>, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((item) => rename(item, names, depth + 1))
  const from = value as Record<string, unknown>
  // A Date, a URL: JSON.stringify asks it for its own form, so it stays what it is.
  if (typeof from["toJSON"] === "function") return value
  let to: Record<string, unknown> = {}
  for (const name of Object.keys(from)) {
    const member = from[name]
    const renamed =
      typeof member !== "object" || freeForm.has(name) ? member : rename(member, names, depth + 1)
    // Assigned, it would become the prototype: from a parsed body, anybody's.
    if (name === "__proto__") to = { ...to, [name]: renamed }
    else to[names.get(name) ?? name] = renamed
  }
  return to
}
