/**
 * The smallest value that a JSON Schema accepts, or near it: what a simulator puts where a model would have thought.
 * Read are types, enums, constants, required members, lengths, bounds, formats, references and the first branch of
 * a choice; patterns, `not` and conditions are not. A schema is a caller's, so a value stops growing at its budget.
 */
import { isObject, type JsonObject, numberOr, objectOr, stringOr } from "@sluice/protocol"

export function minimalInstance(schema: JsonObject): unknown {
  return instance(schema, { root: schema, nodes: 2_000, depth: 32 })
}

interface Budget {
  readonly root: JsonObject
  nodes: number
  depth: number
}

function instance(given: unknown, budget: Budget): unknown {
  budget.nodes -= 1
  if (budget.nodes < 0 || budget.depth === 0) return null
  budget.depth -= 1
  try {
    const schema = flatten(objectOr(given), budget)
    if (Object.hasOwn(schema, "const")) return schema.const
    if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0]
    switch (typeOf(schema)) {
      case "object":
        return objectOf(schema, budget)
      case "array":
        return arrayOf(schema, budget)
      case "string":
        return stringOf(schema)
      case "integer":
        return numberOf(schema, 1)
      case "number":
        return numberOf(schema, numberOr(schema.multipleOf) ?? 0)
      case "boolean":
        return false
      default:
        return null
    }
  } finally {
    budget.depth += 1
  }
}

/** References followed, all of `allOf` and the first of `anyOf` and `oneOf` laid over what stands beside them. */
function flatten(schema: JsonObject, budget: Budget): JsonObject {
  let flat = schema
  for (let steps = 0; steps < 32; steps++) {
    const { $ref, allOf, anyOf, oneOf, ...own } = flat
    const parts = [
      ...(typeof $ref === "string" ? [resolve($ref, budget.root)] : []),
      ...(Array.isArray(allOf) ? allOf : []),
      ...(Array.isArray(anyOf) ? anyOf.slice(0, 1) : []),
      ...(Array.isArray(oneOf) ? oneOf.slice(0, 1) : []),
    ].filter(isObject)
    if (parts.length === 0) return own
    flat = parts.reduce(merge, own)
  }
  return {}
}

function merge(one: JsonObject, other: JsonObject): JsonObject {
  const both: Record<string, unknown> = { ...one, ...other }
  if (isObject(one.properties) && isObject(other.properties)) {
    both.properties = { ...one.properties, ...other.properties }
  }
  if (Array.isArray(one.required) && Array.isArray(other.required)) {
    both.required = [...one.required, ...other.required]
  }
  return both
}

/** `#/$defs/place`: a pointer into the same schema. Others lead nowhere. */
function resolve(reference: string, root: JsonObject): unknown {
  if (!reference.startsWith("#")) return undefined
  let place: unknown = root
  for (const step of reference.slice(1).split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~")
    place = isObject(place) && Object.hasOwn(place, name) ? place[name] : undefined
  }
  return place
}

function typeOf(schema: JsonObject): string | undefined {
  const type = Array.isArray(schema.type) ? stringOr(schema.type[0]) : stringOr(schema.type)
  if (type !== undefined) return type
  if (schema.properties !== undefined || schema.required !== undefined) return "object"
  if (schema.items !== undefined || schema.prefixItems !== undefined) return "array"
  return undefined
}

function objectOf(schema: JsonObject, budget: Budget): JsonObject {
  const properties = objectOr(schema.properties)
  const required = Array.isArray(schema.required)
    ? schema.required.filter((name) => typeof name === "string")
    : []
  const members = new Map<string, unknown>()
  for (const name of required) {
    if (budget.nodes <= 0) break
    const known = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties
    members.set(name, instance(known, budget))
  }
  // `Object.fromEntries` makes even `__proto__` a member like any other.
  return Object.fromEntries(members)
}

function arrayOf(schema: JsonObject, budget: Budget): unknown[] {
  const first = Array.isArray(schema.prefixItems) ? schema.prefixItems : []
  const length = numberOr(schema.minItems) ?? 0
  const items: unknown[] = []
  while (items.length < length && budget.nodes > 0)
    items.push(instance(first[items.length] ?? schema.items, budget))
  return items
}

const FORMATS: Record<string, string> = {
  "date-time": "2000-01-01T00:00:00Z",
  date: "2000-01-01",
  time: "00:00:00Z",
  duration: "PT0S",
  email: "a@example.com",
  hostname: "example.com",
  ipv4: "127.0.0.1",
  ipv6: "::1",
  uri: "https://example.com/",
  url: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
}

function stringOf(schema: JsonObject): string {
  const format = stringOr(schema.format)
  if (format !== undefined && Object.hasOwn(FORMATS, format)) return FORMATS[format] ?? ""
  return "x".repeat(Math.min(numberOr(schema.minLength) ?? 0, 10_000))
}

/** The number nearest to zero within the bounds, on the grid of `step` where there is one. */
function numberOf(schema: JsonObject, step: number): number {
  const grid = Math.max(step, numberOr(schema.multipleOf) ?? 0)
  const margin = grid === 0 ? 1e-6 : grid
  const exclusiveLeast = numberOr(schema.exclusiveMinimum)
  const exclusiveMost = numberOr(schema.exclusiveMaximum)
  const least = Math.max(
    numberOr(schema.minimum) ?? -Infinity,
    exclusiveLeast === undefined ? -Infinity : nextAbove(exclusiveLeast, grid, margin),
  )
  const most = Math.min(
    numberOr(schema.maximum) ?? Infinity,
    exclusiveMost === undefined ? Infinity : -nextAbove(-exclusiveMost, grid, margin),
  )
  if (least > 0) return grid === 0 ? least : Math.ceil(least / grid) * grid
  if (most < 0) return grid === 0 ? most : Math.floor(most / grid) * grid
  return 0
}

function nextAbove(bound: number, grid: number, margin: number): number {
  return grid === 0 ? bound + margin : (Math.floor(bound / grid) + 1) * grid
}
