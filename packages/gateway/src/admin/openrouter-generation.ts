/** `GET /generation?id=` as OpenRouter answers it: a call's row by its names. */
import type { JsonObject } from "@sluice/protocol"
import type { AuthedCall } from "../call.ts"
import { GatewayError } from "../gateway-error.ts"
import type { AttemptRecord, CallRecord } from "../store/call-record.ts"
import { dollars } from "./money.ts"
import { generationSchema } from "./openrouter.schema.ts"
import { parseQuery } from "./parse.ts"
import type { AdminPart } from "./part.ts"
import { time } from "./wire.ts"

/** The key's own calls, and every call for an admin. What is foreign is as unknown as what never was. */
export async function generation(call: AuthedCall, { store }: AdminPart): Promise<JsonObject> {
  const { id } = parseQuery(call, generationSchema)
  const row = await store.calls.get(id)
  const isVisible = row !== undefined && (row.key === call.key.id || call.key.admin)
  // As at OpenRouter a generation is there when it is over.
  if (!isVisible || row.endedAt === null) {
    throw new GatewayError(
      "not_found",
      `There is no generation '${id}'. One that runs is not in the books yet.`,
    )
  }
  return { data: { ...UNKNOWN, ...generationOf(row, row.endedAt) } }
}

function generationOf(row: CallRecord, endedAt: number): JsonObject {
  const { usage } = row
  const cost = dollars(row.cost ?? 0n)
  return {
    id: row.id,
    api_type: "completions",
    created_at: time(row.startedAt),
    model: row.model ?? row.modelAsked,
    provider_name: row.provider,
    provider_responses: row.attempts.map(providerResponse),
    streamed: row.streamed,
    cancelled: row.ending === "cancelled",
    finish_reason: row.ending === "failed" || row.ending === "interrupted" ? "error" : null,
    latency: endedAt - row.startedAt,
    generation_time: endedAt - (row.firstContentAt ?? row.startedAt),
    tokens_prompt: usage.promptTokens,
    tokens_completion: usage.completionTokens,
    native_tokens_prompt: usage.promptTokens,
    native_tokens_completion: usage.completionTokens,
    native_tokens_reasoning: usage.reasoningTokens,
    native_tokens_cached: usage.cachedTokens,
    total_cost: cost,
    usage: cost,
    is_byok: false,
    data_region: "global",
    origin: "",
    request_id: row.clientRequestId,
    user_agent: row.client,
    workspace_id: row.project,
  }
}

function providerResponse({ provider, model, status, startedAt, endedAt }: AttemptRecord): JsonObject {
  return {
    provider_name: provider,
    model_permaslug: model,
    status: status ?? null,
    latency: endedAt - startedAt,
    is_byok: false,
  }
}

/** Its type requires them, and the ledger does not have them. */
const UNKNOWN: JsonObject = {
  app_id: null,
  cache_discount: null,
  external_user: null,
  http_referer: null,
  moderation_latency: null,
  native_finish_reason: null,
  native_tokens_completion_images: null,
  num_fetches: null,
  num_input_audio_prompt: null,
  num_media_completion: null,
  num_media_prompt: null,
  num_search_results: null,
  preset_id: null,
  response_cache_source_id: null,
  router: null,
  service_tier: null,
  session_id: null,
  upstream_id: null,
  upstream_inference_cost: null,
  web_search_engine: null,
}
