/**
 * What people are told of a setting, beside how it is read. It stands at the setting, in `file.schema.ts`; the JSON
 * Schema for editors, docs/configuration.md and the list of what needs a restart are made from it.
 */
import { z } from "zod"

export interface Facts {
  /** What it does, in whole sentences. */
  readonly about: string
  /** What holds where it is left out, as it would be written. */
  readonly default?: Written | readonly never[]
  /** Another value than the default, as it would be written. */
  readonly example?: unknown
  /** A reload leaves it as it was: it takes effect at the next start. */
  readonly restart?: true
  /** What the JSON Schema says beyond the shape. */
  readonly also?: Form
}

/** A plain value as YAML has it, before it is read. */
export type Written = string | number | boolean

/** How one value is read: what was expected, in the words of the mistakes, and what it looks like. */
export interface Reading {
  readonly expected: string
  readonly form: Form
}

/** As JSON Schema says it. */
export type Form = z.core.JSONSchema.BaseSchema

export const facts = z.registry<Facts>()
export const readings = z.registry<Reading>()

/** `${NAME}` and `${NAME:-otherwise}`: where the environment has a say, only the gateway knows what comes out. */
const REFERENCE = String.raw`\$\{[A-Za-z_]\w*(:-[^{}]*)?\}`

/** Text that fits as a whole: write the pattern with `^` and `$`. */
export function pattern(fits: RegExp): Form {
  return { type: "string", pattern: `(?:${fits.source})|${REFERENCE}` }
}

/** A name that fits and is not taken. The environment has no say in names. */
export function named(fits: RegExp, taken: readonly string[] = []): Form {
  const free = taken.length === 0 ? {} : { not: { enum: [...taken] } }
  return { pattern: String.raw`^(?!.*\$\{)${fits.source}`, ...free }
}

export function oneOf(names: readonly string[]): Form {
  return { anyOf: [{ type: "string", enum: [...names] }, reference()] }
}

export function numberFrom(least: number, most?: number): Form {
  return eitherWay({ type: "number", ...range(least, most) }, /^\d+(\.\d+)?$/)
}

export function wholeNumber(least: number, most: number): Form {
  return eitherWay({ type: "integer", ...range(least, most) }, /^\d+(\.0+)?$/)
}

export function trueOrFalse(): Form {
  return eitherWay({ type: "boolean" }, /^(true|false)$/)
}

/** As YAML has it, or as text: what comes out of the environment always is text. */
function eitherWay(form: Form, asText: RegExp): Form {
  return { anyOf: [form, pattern(asText)] }
}

function reference(): Form {
  return { type: "string", pattern: REFERENCE }
}

function range(least: number, most: number | undefined): Form {
  return { minimum: least, ...(most === undefined ? {} : { maximum: most }) }
}
