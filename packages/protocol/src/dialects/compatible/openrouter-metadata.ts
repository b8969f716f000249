import type { OpenRouterMetadata } from "../../chunk.ts"
import { isObject, type JsonObject } from "../../json.ts"

/** Whole or not at all: OpenRouter's newer client throws on a part of it. */
export function isOpenRouterMetadata(value: unknown): value is OpenRouterMetadata {
  if (!isObject(value)) return false
  const { requested, strategy, region, summary, attempt, is_byok, endpoints, attempts } = value
  return (
    typeof requested === "string" &&
    typeof strategy === "string" &&
    (typeof region === "string" || region === null) &&
    typeof summary === "string" &&
    Number.isInteger(attempt) &&
    typeof is_byok === "boolean" &&
    isObject(endpoints) &&
    Number.isInteger(endpoints["total"]) &&
    Array.isArray(endpoints["available"]) &&
    endpoints["available"].every(isEndpoint) &&
    (attempts === undefined || (Array.isArray(attempts) && attempts.every(isAttempt)))
  )
}

function isEndpoint(value: unknown): boolean {
  return isPlace(value) && typeof value["selected"] === "boolean"
}

function isAttempt(value: unknown): boolean {
  return isPlace(value) && Number.isInteger(value["status"])
}

function isPlace(value: unknown): value is JsonObject {
  return isObject(value) && typeof value["provider"] === "string" && typeof value["model"] === "string"
}
