/**
 * Tools that the model may call, and the calls it makes: complete, parsed, checked. A call arrives in pieces; it is
 * handed over once nothing of it can be missing, and never before: not when the stream is cut, and not when the
 * model ran out of tokens within it.
 */
import {
  createToolCallCollector,
  isObject,
  type JsonObject,
  objectOr,
  type Tool,
  type ToolCall,
  type ToolCallCollector,
} from "@sluice/protocol"
import { type ErrorDetails, SluiceError, withoutUndefined } from "./errors.ts"
import { parseJson } from "./parse-json.ts"
import type { ChatChunk, ChatCompletion } from "./shapes.ts"
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
 * A tool as it goes into a request, knowing the type of its arguments.
 *
 * @example
 * ```ts
 * import { tool, type TypedTool } from "@sluice/sdk"
 * import * as z from "zod"
 *
 * export const weather: TypedTool<"weather", { city: string }> = tool({
 *   name: "weather",
 *   schema: z.object({ city: z.string() }),
 * })
 * ```
 */
export interface TypedTool<Name extends string = string, Arguments = unknown> {
  type: "function"
  function: { name: Name; description?: string; parameters: JsonObject; strict?: boolean }
  [SCHEMA]?: StandardSchema<unknown, Arguments>
}

/**
 * What `tool` takes: with a schema that validates, or with a JSON Schema alone.
 *
 * @example
 * ```ts
 * import { tool, type ToolDefinition } from "@sluice/sdk"
 *
 * const definition: ToolDefinition<"now"> = { name: "now", description: "The time in UTC." }
 * export const now = tool({ ...definition, parameters: { type: "object", properties: {} } })
 * ```
 */
export interface ToolDefinition<Name extends string = string> {
  name: Name
  /** When and how to use it: the model reads this. */
  description?: string
  strict?: boolean
}

/**
 * Describes a tool. `schema` (zod, valibot, arktype, …) types and validates the arguments; `parameters` is the JSON
 * Schema that the model is shown, needed unless the schema gives it by itself, as zod's do.
 *
 * @example
 * ```ts
 * import { Sluice, tool } from "@sluice/sdk"
 * import * as z from "zod"
 *
 * const weather = tool({
 *   name: "weather",
 *   description: "The weather of a city on one of the next days.",
 *   schema: z.object({ city: z.string(), day: z.number().default(0) }),
 * })
 * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
 * const stream = await client.chat.send({
 *   model: "sim/story:tools=1",
 *   messages: [{ role: "user", content: "Do I need an umbrella in Oslo?" }],
 *   tools: [weather],
 *   stream: true,
 * })
 * for await (const call of stream.toolCalls()) console.log(call.name, call.arguments.city, call.arguments.day)
 * ```
 */
export function tool<const Name extends string, Schema extends StandardSchema>(
  definition: ToolDefinition<Name> & { schema: Schema } & ParametersOf<Schema>,
): TypedTool<Name, OutputOf<Schema>>
export function tool<const Name extends string>(
  definition: ToolDefinition<Name> & { parameters: JsonObject },
): TypedTool<Name, JsonObject>
export function tool(
  definition: ToolDefinition & { schema?: StandardSchema; parameters?: JsonObject },
): TypedTool {
  const { name, description, strict, schema, parameters } = definition
  const described = jsonSchemaOf(`Tool ${name}`, schema, parameters)
  return {
    type: "function",
    function: withoutUndefined({ name, description, parameters: described, strict }),
    ...(schema && { [SCHEMA]: schema }),
  }
}

/**
 * A complete call of a tool. What a custom tool is given, text of any form, stands for its arguments.
 *
 * @example
 * ```ts
 * import type { ParsedToolCall } from "@sluice/sdk"
 *
 * export const answer = (call: ParsedToolCall, content: string) =>
 *   ({ role: "tool", toolCallId: call.id, content }) as const
 * ```
 */
export interface ParsedToolCall<Name extends string = string, Arguments = unknown> {
  id: string
  name: Name
  arguments: Arguments
  /** The arguments as the model wrote them. */
  text: string
  /** Which choice it belongs to, where more than one was asked for. */
  choice: number
}

/** The calls that these tools allow: one member of the union for each. */
export type CallOf<Each> = [Each] extends [never]
  ? ParsedToolCall
  : Each extends TypedTool<infer Name, infer Arguments>
    ? ParsedToolCall<Name, Arguments>
    : ParsedToolCall

/**
 * A tool call that cannot be handed over: half of it is missing, it is no JSON object, its tool was not offered, or
 * the tool's schema refuses it. `call` holds it as the model wrote it, so that the model can be told.
 *
 * @example
 * ```ts
 * import { MalformedToolCallError } from "@sluice/sdk"
 *
 * export const complaint = (error: unknown) =>
 *   error instanceof MalformedToolCallError
 *     ? ({ role: "tool", toolCallId: error.call.id, content: error.message } as const)
 *     : undefined
 * ```
 */
export class MalformedToolCallError extends SluiceError {
  override name = "MalformedToolCallError"
  declare readonly call: { readonly id: string; readonly name: string; readonly text: string }
  /** What the tool's schema objects to. */
  declare readonly issues: readonly SchemaIssue[]

  constructor(
    message: string,
    details: ErrorDetails & Pick<MalformedToolCallError, "call"> & { issues: readonly SchemaIssue[] },
  ) {
    super(message, { code: "malformed_tool_call", ...details })
  }
}

/** The calls of a stream, each as soon as it is complete. */
export async function* readToolCalls(
  chunks: AsyncIterable<ChatChunk>,
  tools: unknown,
): AsyncGenerator<ParsedToolCall> {
  const offered = toolsByName(tools)
  const collectors = new Map<number, ToolCallCollector>()
  const given = new Set<string>()

  for await (const chunk of chunks) {
    for (const { index, delta, finishReason } of chunk.choices) {
      const collector = collectors.get(index) ?? createToolCallCollector()
      collectors.set(index, collector)
      for (const piece of delta.toolCalls ?? []) collector.add(piece)
      if (!finishReason && !delta.toolCalls?.length) continue
      const calls = collector.calls()
      for (const [position, call] of calls.entries()) {
        // Where another call begins, those before it are complete; one that does not parse yet waits for the end.
        const isOver =
          finishReason ||
          (position < calls.length - 1 && (call.type === "custom" || isWhole(call.function.arguments)))
        const key = `${index} ${call.id || position}`
        if (!isOver || given.has(key)) continue
        given.add(key)
        yield await complete(call, index, offered, finishReason)
      }
    }
  }
}

/**
 * The calls of a completion that was not streamed, parsed and checked like a stream's.
 *
 * @example
 * ```ts
 * import { parseToolCalls, Sluice, tool } from "@sluice/sdk"
 * import * as z from "zod"
 *
 * const tools = [tool({ name: "weather", schema: z.object({ city: z.string() }) })]
 * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
 * const messages = [{ role: "user" as const, content: "Is it raining in Oslo?" }]
 * const completion = await client.chat.send({ model: "sim/story:tools=1", messages, tools })
 * for (const call of await parseToolCalls(completion, tools)) console.log(call.arguments.city)
 * ```
 */
export async function parseToolCalls<Each extends Tool>(
  completion: ChatCompletion,
  tools: readonly Each[],
): Promise<CallOf<Each>[]>
export async function parseToolCalls(completion: ChatCompletion, tools: unknown): Promise<ParsedToolCall[]> {
  const offered = toolsByName(tools)
  const calls = completion.choices.flatMap(({ index, message, finishReason }) =>
    (message.toolCalls ?? []).map((call) => complete(call, index, offered, finishReason)),
  )
  return Promise.all(calls)
}

/** `finish` is why the choice ended; without it, the call is complete because another has begun. */
async function complete(
  call: ToolCall,
  choice: number,
  offered: Offered,
  finish?: string | null,
): Promise<ParsedToolCall> {
  const { id } = call
  const called: { name: string; input?: string; arguments?: string } =
    call.type === "custom" ? call.custom : call.function
  const { name, input, arguments: text = input! } = called
  const malformed = (message: string, issues: readonly SchemaIssue[] = []) =>
    new MalformedToolCallError(message, { call: { id, name, text }, issues })

  if (finish && !isWhole(text) && !ENDS_WHOLE.includes(finish)) {
    throw malformed(
      `The call of ${name} is only half there: the answer ended with finish reason "${finish}".`,
    )
  }
  const schema = offered.get(name)
  if (schema === undefined && offered.size > 0)
    throw malformed(`The model called ${name}, which it was not offered.`)
  if (call.type === "custom") return { id, name, arguments: text, text, choice }
  // Some providers write nothing at all for a tool without parameters.
  const given = parseJson(text.trim() || "{}")
  if (!isObject(given)) throw malformed(`The arguments of ${name} are no JSON object: ${text}`)
  const value = schema
    ? await validated(schema, given, (objections, issues) =>
        malformed(`The arguments of ${name} are wrong: ${objections}`, issues),
      )
    : given
  return { id, name, arguments: value, text, choice }
}

/** Finish reasons with which a model has said all it had to say. */
const ENDS_WHOLE = ["stop", "tool_calls", "function_call"]

function isWhole(text: string): boolean {
  return text.trimEnd().endsWith("}") && isObject(parseJson(text))
}

/** By name: its schema, or null where there is none. */
type Offered = ReadonlyMap<string, StandardSchema | null>

type Offer = Partial<TypedTool> & Pick<Tool, "custom">

function toolsByName(tools: unknown): Offered {
  const offered = new Map<string, StandardSchema | null>()
  for (const each of Array.isArray(tools) ? tools : []) {
    const { function: called, custom: described = called, [SCHEMA]: schema }: Offer = objectOr(each)
    if (described) offered.set(described.name, schema ?? null)
  }
  return offered
}
