/** An answer in a form that a schema describes: asked for, parsed, and validated before anybody sees it. */
import { isObject, type JsonObject } from "@sluice/protocol"
import { type ErrorDetails, SluiceError, withoutUndefined } from "./errors.ts"
import { parseJson } from "./parse-json.ts"
import type { ChatCompletion } from "./shapes.ts"
import {
  jsonSchemaOf,
  type OutputOf,
  type ParametersOf,
  SCHEMA,
  type SchemaIssue,
  type StandardSchema,
  validated,
} from "./standard-schema.ts"

/**
 * A `responseFormat` (or `response_format`) that knows the type of what it asks for.
 *
 * @example
 * ```ts
 * import { type JsonFormat, jsonFormat } from "@sluice/sdk"
 * import * as z from "zod"
 *
 * export const city: JsonFormat<{ name: string }> = jsonFormat({ name: "city", schema: z.object({ name: z.string() }) })
 * ```
 */
export interface JsonFormat<Output = unknown> {
  type: "json_schema"
  jsonSchema: JsonSchemaFormat
  /** The same under the name of the wire, so that it stands in a request of either spelling. */
  json_schema: JsonSchemaFormat
  [SCHEMA]: StandardSchema<unknown, Output>
}

interface JsonSchemaFormat {
  name: string
  description?: string
  schema: JsonObject
  strict: boolean
}

/**
 * Asks for an answer that fits a schema (zod, valibot, arktype, …). `stream.parsed()` and `completion.parsed` then
 * are of its type, validated. `parameters` is the JSON Schema that the model is held to, needed unless the schema
 * gives it by itself, as zod's do.
 *
 * @example
 * ```ts
 * import { jsonFormat, Sluice } from "@sluice/sdk"
 * import * as z from "zod"
 *
 * const recipe = jsonFormat({ name: "recipe", schema: z.object({ title: z.string(), steps: z.array(z.string()) }) })
 * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
 * const stream = await client.chat.send({
 *   model: "sim/story",
 *   messages: [{ role: "user", content: "A soup, please." }],
 *   responseFormat: recipe,
 *   stream: true,
 * })
 * const { title, steps } = await stream.parsed()
 * console.log(title, steps.length)
 * ```
 */
export function jsonFormat<Schema extends StandardSchema>(
  definition: { name: string; description?: string; schema: Schema; strict?: boolean } & ParametersOf<Schema>,
): JsonFormat<OutputOf<Schema>>
export function jsonFormat(definition: {
  name: string
  description?: string
  schema: StandardSchema
  parameters?: JsonObject
  strict?: boolean
}): JsonFormat {
  const { name, description, schema, parameters, strict = true } = definition
  const described = jsonSchemaOf(`Format ${name}`, schema, parameters)
  const jsonSchema = withoutUndefined({ name, description, schema: described, strict })
  // Only one of the two names is enumerable: only one travels.
  const format = Object.defineProperty({}, "json_schema", { value: jsonSchema })
  return Object.assign(format, { type: "json_schema", jsonSchema, [SCHEMA]: schema }) as JsonFormat
}

/** What `parsed` gives for a request's format; without one that knows its type, whatever the JSON is. */
export type ParsedBy<Format> = Format extends JsonFormat<infer Output> ? Output : unknown

/**
 * An answer that does not fit the format asked for: cut off, refused, no JSON, or not what the schema describes.
 *
 * @example
 * ```ts
 * import { MalformedOutputError } from "@sluice/sdk"
 *
 * export const rawAnswer = (error: unknown) => (error instanceof MalformedOutputError ? error.output : undefined)
 * ```
 */
export class MalformedOutputError extends SluiceError {
  override name = "MalformedOutputError"
  /** The answer as the model wrote it. */
  declare readonly output: string
  /** What the schema objects to. */
  declare readonly issues: readonly SchemaIssue[]

  constructor(message: string, details: ErrorDetails & { output: string; issues: readonly SchemaIssue[] }) {
    super(message, { code: "malformed_output", ...details })
  }
}

/** The first choice's text as JSON, validated if `format` has come from `jsonFormat`. */
export async function parseOutput(completion: ChatCompletion, format: unknown): Promise<unknown> {
  const choice = completion.choices[0]
  const output = choice?.message.content ?? ""
  const malformed = (message: string, issues: readonly SchemaIssue[] = []) =>
    new MalformedOutputError(message, { output, issues, partial: completion })

  if (choice?.message.refusal) throw malformed(`The model refused: ${choice.message.refusal}`)
  const value = parseJson(output)
  if (value === undefined) {
    const reason = choice?.finishReason
    throw malformed(
      `The answer is no JSON.${reason === "stop" ? "" : ` It ended with finish reason "${reason}".`}`,
    )
  }
  if (!isTypedFormat(format)) return value
  return validated(format[SCHEMA], value, (objections, issues) =>
    malformed(`The answer does not fit: ${objections}`, issues),
  )
}

export function isTypedFormat(format: unknown): format is JsonFormat {
  return isObject(format) && SCHEMA in format
}
