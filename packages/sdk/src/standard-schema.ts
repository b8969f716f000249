/**
 * Standard Schema, version 1 (standardschema.dev), as far as it is used here: the interface that zod, valibot, arktype
 * and others share, so that none of them is a dependency. Some also give the JSON Schema of what they take in.
 */
import type { JsonObject } from "@sluice/protocol"

/**
 * A schema of zod, valibot, arktype, …: validates unknown values and carries their type.
 *
 * @example
 * ```ts
 * import type { StandardSchema } from "@sluice/sdk"
 * import * as z from "zod"
 *
 * export const schema: StandardSchema<unknown, { city: string }> = z.object({ city: z.string() })
 * ```
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>
    /** Types only: never there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** A Standard Schema that also gives its JSON Schema, as zod's do from 4.2. */
export interface DescribedSchema {
  readonly "~standard": {
    readonly jsonSchema: { readonly input: (options: { target: string }) => Record<string, unknown> }
  }
}

type Result<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/**
 * What a schema has to object, and where.
 *
 * @example
 * ```ts
 * import type { SchemaIssue } from "@sluice/sdk"
 *
 * export const messagesOf = (issues: readonly SchemaIssue[]) => issues.map((issue) => issue.message)
 * ```
 */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type OutputOf<Schema> = Schema extends StandardSchema<infer _Input, infer Output> ? Output : never

/** Where a tool or a format keeps its schema: not on the wire, and kept by a spread. */
export const SCHEMA = Symbol("schema")

/** The model's JSON Schema: the schema's own where it gives one, and to be written where it does not. */
export type ParametersOf<Schema> = Schema extends DescribedSchema
  ? { parameters?: JsonObject }
  : { parameters: JsonObject }

/** What the schema makes of the value; `refuse` makes the error, of `city: expected a string; days.0: too small`. */
export async function validated<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  refuse: (objections: string, issues: readonly SchemaIssue[]) => Error,
): Promise<Output> {
  const result = await schema["~standard"].validate(value)
  if (!result.issues) return result.value
  const objections = result.issues.map(({ path, message }) => `${pathOf(path)}${message}`)
  throw refuse(objections.join("; "), result.issues)
}

/** The JSON Schema to send: as given, else the schema's own. */
export function jsonSchemaOf(owner: string, schema?: StandardSchema, parameters?: JsonObject): JsonObject {
  if (parameters !== undefined) return parameters
  const standard = (schema as (StandardSchema & Partial<DescribedSchema>) | undefined)?.["~standard"]
  if (standard?.jsonSchema) {
    const { $schema: _dialect, ...own } = standard.jsonSchema.input({ target: "draft-2020-12" })
    return own
  }
  const vendor = standard?.vendor ?? "missing"
  throw new TypeError(`${owner} needs \`parameters\`, a JSON Schema: its ${vendor} schema gives none.`)
}

function pathOf(path: SchemaIssue["path"] = []): string {
  const names = path.map((step) => String(typeof step === "object" ? step.key : step))
  return names.length > 0 ? `${names.join(".")}: ` : ""
}
