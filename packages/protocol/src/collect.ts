/**
 * Values that grow over a stream's chunks. A collector takes in what each chunk says of one member; a table of them, by
 * name, is a collector of the whole object. null and undefined say nothing.
 */
import { isObject, numberOr, objectOr, stringOr } from "./json.ts"

export interface Collector<Result = unknown> {
  add(added: unknown): void
  /** A value of its own: what comes later does not change it. Undefined if nothing has come. */
  result(): Result | undefined
}

/** `step` gives what the value becomes; undefined leaves it as it is. */
export function growing<Value>(
  step: (known: Value | undefined, added: unknown) => Value | undefined,
  resultOf: (known: Value) => unknown = (known) => known,
): () => Collector {
  return () => {
    let known: Value | undefined
    return {
      add(added) {
        known = step(known, added) ?? known
      },
      result: () => (known === undefined ? undefined : resultOf(known)),
    }
  }
}

/** Pieces, joined. Mistral's reasoning models send a list of parts in place of a string. */
export const text = growing<string>((known = "", added) =>
  Array.isArray(added)
    ? known + added.map((part) => stringOr(objectOr(part)["text"]) ?? "").join("")
    : typeof added === "string"
      ? known + added
      : undefined,
)

/** The elements are the provider's, taken as they came. */
export const list = growing<unknown[]>(
  (known = [], added) => {
    if (Array.isArray(added)) for (const element of added) known.push(element)
    return Array.isArray(added) ? known : undefined
  },
  (elements) => [...elements],
)

export const firstText = growing<string>((known, added) => known || stringOr(added))
export const lastText = growing<string>((known, added) => stringOr(added) || known)
export const firstWholeNumber = growing<number>((known, added) => known || Math.trunc(numberOr(added) ?? 0))
export const lastObject = growing<object>(
  (_, added) => (isObject(added) ? added : undefined),
  (value) => ({ ...value }),
)
export const ignored = growing(() => undefined)
const last = growing((_, added) => added)

/**
 * Of members that the table does not name the last value counts. A Map and `Object.fromEntries` define what assignment
 * would set: a member called `__proto__` is one like any other.
 */
export function members(
  table: Readonly<Record<string, () => Collector>>,
  defaults: object = {},
): () => Collector<object> {
  const known = new Map(Object.entries(table))
  return () => {
    const collectors = new Map<string, Collector>()
    let hasCome = false
    return {
      add(added) {
        if (!isObject(added)) return
        hasCome = true
        for (const name of Object.keys(added)) {
          const value = added[name]
          if (value === null || value === undefined) continue
          let collector = collectors.get(name)
          if (collector === undefined) {
            collector = (known.get(name) ?? last)()
            collectors.set(name, collector)
          }
          collector.add(value)
        }
      },
      result() {
        if (!hasCome) return undefined
        const entries = [...collectors].map(([name, collector]) => [name, collector.result()] as const)
        return { ...defaults, ...Object.fromEntries(entries.filter(([, value]) => value !== undefined)) }
      },
    }
  }
}
