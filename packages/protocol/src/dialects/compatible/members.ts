import type { JsonObject } from "../../json.ts"

/** Copying members of objects that came off the wire: the source is never changed, `__proto__` never followed. */
export type Members = Record<string, unknown>

const NONE: ReadonlySet<string> = new Set()

/** A copy of what has something to say: no null, none of the names that the caller reads itself. */
export function spokenMembers(value: object, except: ReadonlySet<string> = NONE): Members {
  const copy: Members = {}
  for (const name of ownNames(value)) {
    const member = (value as Members)[name]
    if (member !== null && member !== undefined && !except.has(name)) copy[name] = member
  }
  return copy
}

/** A copy without the names, which are listed, and without nulls. */
export function without(
  value: JsonObject,
  names: ReadonlySet<string>,
  path: string,
  dropped: Set<string>,
): Members {
  for (const name of names) {
    if (value[name] !== null && value[name] !== undefined) dropped.add(path + name)
  }
  return spokenMembers(value, names)
}

/** Assigning to `__proto__` would change the copy's prototype, so that one name is left behind. */
export function ownNames(value: object): string[] {
  const names = Object.keys(value)
  return Object.hasOwn(value, "__proto__") ? names.filter((name) => name !== "__proto__") : names
}

/** A copy, nulls and all. */
export function ownMembers(value: JsonObject): Members {
  return Object.hasOwn(value, "__proto__")
    ? Object.fromEntries(ownNames(value).map((name) => [name, value[name]]))
    : { ...value }
}

/** A whole number from 0 on, or undefined. */
export function indexOr(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** Unix seconds as every client takes them: whole, and 0 where nothing sensible was said. */
export function wholeSeconds(value: number | undefined): number {
  const seconds = Math.floor(value ?? 0)
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : 0
}

/** A string that says something, or undefined. */
export function wordOr(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined
}

/** What stands there instead of what was expected, for a message. */
export function nameOfKind(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return "an array"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
