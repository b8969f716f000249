/** JSON as it comes off the wire: nothing is known of it until somebody has looked. */
export type Json = string | number | boolean | null | JsonObject | readonly Json[]

/** `unknown` members, so that typed wire objects can be handed over without a cast. */
export interface JsonObject {
  readonly [member: string]: unknown
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The object, or an empty one: for reading forgivingly from the other side's JSON. */
export function objectOr(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** A finite number, or undefined. Numeric strings count: some servers send them. */
export function numberOr(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

export function stringOr(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined
}
