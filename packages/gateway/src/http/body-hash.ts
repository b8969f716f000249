import { createHash } from "node:crypto"
import type { JsonObject } from "@sluice/protocol"

/** Equal bodies are equal as JSON: the order of members and the white space say nothing. */
export function hashOf(body: JsonObject): string {
  return createHash("sha256").update(canonical(body)).digest("base64")
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`
}
