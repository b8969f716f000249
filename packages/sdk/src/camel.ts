/**
 * The admin API's names, by rule and not by table: all that stands there is ours, so no member has a name that must
 * be left alone.
 */
import type { CamelCase } from "@sluice/protocol"

/** A type of the admin API as the SDK shows it. */
export type Camel<T> = T extends readonly (infer Item)[]
  ? Camel<Item>[]
  : T extends object
    ? { [Name in keyof T as Name extends string ? CamelCase<Name> : Name]: Camel<T[Name]> }
    : T

export function toCamel<T>(value: T): Camel<T> {
  return renamed(value, (name) =>
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
  ) as Camel<T>
}

export function toSnake(value: unknown): unknown {
  return renamed(value, (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
}

function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename))
  if (typeof value !== "object" || value === null || "toJSON" in value) return value
  const members = Object.entries(value).map(([name, member]) => [rename(name), renamed(member, rename)])
  return Object.fromEntries(members)
}
