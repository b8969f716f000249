/** Every setting of the file in the order in which `file.schema.ts` has them, with what is to be known of it. */
import type { z } from "zod"
import { type Facts, facts, readings } from "./facts.ts"
import { configFile } from "./file.schema.ts"

export interface Setting extends Facts {
  /** `models`, `<name>`, `candidates`, `[]`, `weight`: a name that is the author's own, and each item of a list, stand so. */
  readonly path: readonly string[]
  /** What may be written. */
  readonly expected: string
  readonly required: boolean
  /** What may stand inside is told by settings of its own. */
  readonly inside: boolean
}

export function settings(): Setting[] {
  return settingsOf(configFile, [], true)
}

/** What stands around a part has the facts: `duration().optional()`. */
function settingsOf(
  part: z.core.$ZodType,
  path: readonly string[],
  required: boolean,
  around?: Facts,
): Setting[] {
  const known = facts.get(part) ?? around
  const { def } = (part as z.core.$ZodTypes)._zod
  const told = (expected: string, inside: boolean): Setting[] =>
    known === undefined ? [] : [{ ...known, path, expected, required, inside }]
  switch (def.type) {
    case "optional":
    case "nullable":
      return settingsOf(def.innerType, path, false, known)
    case "object": {
      const parts = Object.entries(def.shape)
      return [
        ...told("a map of settings", true),
        ...parts.flatMap(([name, inside]) => settingsOf(inside, [...path, name], true)),
      ]
    }
    case "record":
      return [...told("a map by name", true), ...settingsOf(def.valueType, [...path, "<name>"], true)]
    case "array": {
      const item = readings.get(def.element)
      if (item !== undefined) return told(`a list, each ${item.expected}`, false)
      return [...told("a list of maps", true), ...settingsOf(def.element, [...path, "[]"], true)]
    }
    default:
      return told(readings.get(part)?.expected ?? "", false)
  }
}
