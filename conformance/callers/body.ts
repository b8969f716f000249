/** The same call in the two forms that SDKs take: as the wire has it, and in the vendors' camelCase. */
import type { Ask } from "../caller.ts"

export function wireBody(ask: Ask) {
  return {
    ...common(ask),
    ...(ask.schema && { response_format: { type: "json_schema" as const, json_schema: format(ask.schema) } }),
    ...(ask.logprobs !== undefined && { logprobs: true, top_logprobs: ask.logprobs }),
  }
}

export function wireStreamBody(ask: Ask) {
  return {
    ...wireBody(ask),
    stream: true as const,
    ...(ask.usage && { stream_options: { include_usage: true } }),
  }
}

export function camelBody(ask: Ask) {
  return {
    ...common(ask),
    ...(ask.schema && { responseFormat: { type: "json_schema" as const, jsonSchema: format(ask.schema) } }),
    ...(ask.logprobs !== undefined && { logprobs: true, topLogprobs: ask.logprobs }),
  }
}

export function camelStreamBody(ask: Ask) {
  return {
    ...camelBody(ask),
    stream: true as const,
    ...(ask.usage && { streamOptions: { includeUsage: true } }),
  }
}

function common(ask: Ask) {
  return {
    model: ask.model,
    messages: [{ role: "user" as const, content: ask.prompt }],
    ...(ask.tools && { tools: ask.tools.map((tool) => ({ type: "function" as const, function: tool })) }),
  }
}

function format(schema: NonNullable<Ask["schema"]>) {
  return { name: "answer", schema, strict: true }
}
