/** GET {mount}/models: what can be asked for here, as each system's own SDK types it. */
import type { JsonObject } from "@sluice/protocol"
import type { AuthedCall } from "./call.ts"
import type { Gateway } from "./gateway.ts"
import { sendJson } from "./http/answer.ts"
import type { Provider } from "./providers/provider.ts"

export function listModels(call: AuthedCall, gateway: Gateway): void {
  const { models, providers } = gateway.routes
  const ids = [...models.keys(), "sim/story", ...[...providers.values()].flatMap(namesAt)]
  const list = call.dialect.name === "openrouter" ? openrouterList(ids, call) : openaiList(ids)
  sendJson(call.response, 200, list, { "x-request-id": call.requestId })
}

/** A vendor's own list is long, and what a credential may use of it only the vendor knows: it is not repeated here. */
function namesAt({ name, models = [] }: Provider): string[] {
  return models.map((model) => `${name}/${model}`)
}

/** r9s', Atoma's and Orq's too. */
function openaiList(ids: readonly string[]): JsonObject {
  return {
    object: "list",
    data: ids.map((id) => ({ id, object: "model", created: 0, owned_by: "sluice" })),
  }
}

/**
 * Its SDK wants every one of these members; what a gateway does not know of a model is null, empty or −1. It also
 * turns pages until one is short, so a page past the end must be empty.
 */
function openrouterList(ids: readonly string[], { path, query }: AuthedCall): JsonObject {
  const offset = Number(query.get("offset") ?? 0) || 0
  const limit = Number(query.get("limit") ?? ids.length) || 0
  return {
    data: ids.slice(offset, offset + limit).map((id) => ({
      id,
      canonical_slug: id,
      name: id,
      created: 0,
      context_length: null,
      architecture: { modality: "text->text", input_modalities: ["text"], output_modalities: ["text"] },
      // OpenRouter's own way to say that it depends on who answers.
      pricing: { prompt: "-1", completion: "-1" },
      top_provider: { is_moderated: false },
      per_request_limits: null,
      supported_parameters: [],
      supported_voices: null,
      default_parameters: null,
      links: { details: path },
    })),
    links: { next: null },
    total_count: ids.length,
  }
}
