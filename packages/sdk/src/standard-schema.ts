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

export async function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): Promise<Result<Output>> {
  return schema["~standard"].validate(value)
}

/** `city: expected a string; days[0]: too small`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues.map(({ path, message }) => `${pathOf(path)}${message}`).join("; ")
}

/** The JSON Schema to send: as given, else the schema's own. */
export function jsonSchemaOf(owner: string, schema?: StandardSchema, parameters?: JsonObject): JsonObject {
  if (parameters !== undefined) return parameters
  if (schema !== undefined && isDescribed(schema)) {
    const { $schema: _dialect, ...own } = schema["~standard"].jsonSchema.input({ target: "draft-2020-12" })
    return own
  }
  const vendor =
    schema === undefined ? "" : ` A ${schema["~standard"].vendor} schema cannot give it by itself here.`
  throw new TypeError(`${owner} needs \`parameters\`: the JSON Schema that the model is shown.${vendor}`)
}

function isDescribed(schema: object): schema is DescribedSchema {
  const standard: unknown = Reflect.get(schema, "~standard")
  return typeof standard === "object" && standard !== null && "jsonSchema" in standard
}

function pathOf(path: SchemaIssue["path"]): string {
  if (path === undefined || path.length === 0) return ""
  const names = path.map((step) => String(typeof step === "object" ? step.key : step))
  return `${names.join(".")}: `
}
