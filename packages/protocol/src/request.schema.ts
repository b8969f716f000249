/**
 * The canonical request: every member that some system knows, with its type, null where nobody minds it. What a
 * single system's clients may send is narrower, and stands in systems.schema.ts.
 *
 * Types are checked, bounds are not: whether a temperature of 3 makes sense is the provider's to say. The one
 * exception is `n`, which multiplies what a call costs.
 */
import * as z from "zod"
import { reasoningDetailSchema } from "./chunk.schema.ts"
import { toolCallSchema } from "./completion.schema.ts"
import {
  anyObject,
  anything,
  boolean,
  byMember,
  either,
  integer,
  items,
  mapOf,
  must,
  number,
  object,
  oneOf,
  only,
  text,
} from "./values.schema.ts"

// ── messages ──

/** A part of this type says nothing without this member. */
const MEMBER_OF_PART: ReadonlyMap<string, string> = new Map([
  ["text", "text"],
  ["image_url", "image_url"],
  ["input_audio", "input_audio"],
  ["file", "file"],
  ["video_url", "video_url"],
  ["refusal", "refusal"],
])

export function contentPart<Type extends z.ZodType<string>, Detail extends z.ZodType<string>>(
  type: Type,
  detail: Detail,
) {
  return object({
    type,
    text: text.optional(),
    image_url: object({ url: text, detail: detail.optional() }).optional(),
    input_audio: object({ data: text, format: text }).optional(),
    file: object({
      file_data: text.optional(),
      file_id: text.optional(),
      filename: text.optional(),
    }).optional(),
    video_url: object({ url: text }).optional(),
    refusal: text.optional(),
    cache_control: anyObject.optional(),
  }).superRefine((part, context) => {
    const member = MEMBER_OF_PART.get(String(part["type"]))
    if (member !== undefined && part[member] === undefined) {
      context.addIssue({ code: "custom", path: [member], message: `is required in a part of this type` })
    }
  })
}

export const contentOf = <Part extends z.ZodType>(part: Part) =>
  either("a string or an array of content parts", text, items(part))

/** What an assistant's message of an earlier turn may carry besides its content. */
export const assistantMembersOf = <Call extends z.ZodType>(call: Call) => ({
  name: text.optional(),
  refusal: text.nullish(),
  reasoning: text.nullish(),
  reasoning_content: text.nullish(),
  reasoning_details: items(reasoningDetailSchema).optional(),
  reasoning_signature: text.nullish(),
  redacted_reasoning: text.nullish(),
  tool_calls: items(call).optional(),
  audio: object({ id: text.optional() }).nullish(),
  images: items(anyObject).optional(),
  function_call: object({ name: text, arguments: text }).nullish(),
})

const content = contentOf(contentPart(text, text))
export const messageSchema = byMember(
  "role",
  ["system", "developer", "user", "assistant", "tool", "function"],
  [
    object({ role: oneOf("system", "developer"), content, name: text.optional() }),
    object({ role: only("user"), content, name: text.optional() }),
    object({ role: only("assistant"), content: content.nullish(), ...assistantMembersOf(toolCallSchema) }),
    object({ role: only("tool"), content, tool_call_id: text.optional() }),
    object({ role: only("function"), content: text.nullable(), name: text }),
  ],
)

export const messagesOf = <Message extends z.ZodType>(message: Message) =>
  items(
    message,
    z.array(z.unknown(), { error: must("be an array") }).min(1, { error: "must hold at least one message" }),
  )

// ── tools and the form of the answer ──

export function toolOf<Type extends z.ZodType<string>>(type: Type) {
  return object({
    type,
    function: object({
      name: text,
      description: text.optional(),
      parameters: anyObject.optional(),
      strict: boolean.nullish(),
    }).optional(),
    custom: object({
      name: text,
      description: text.optional(),
      format: anyObject.optional(),
    }).optional(),
    cache_control: anyObject.optional(),
  }).superRefine((tool, context) => {
    for (const kind of ["function", "custom"]) {
      if (tool["type"] === kind && tool[kind] === undefined)
        context.addIssue({ code: "custom", path: [kind], message: must("be an object")({}) })
    }
  })
}

export const toolChoiceOf = <const Words extends readonly [string, ...string[]]>(...words: Words) =>
  either(
    `one of ${words.map((word) => JSON.stringify(word)).join(", ")} or an object naming a tool`,
    oneOf(...words),
    object({
      type: text.optional(),
      function: object({ name: text.optional() }).optional(),
      custom: object({ name: text.optional() }).optional(),
    }),
  )

const jsonSchemaFormat = object({
  type: only("json_schema"),
  json_schema: object({
    name: text,
    description: text.optional(),
    schema: anyObject.optional(),
    strict: boolean.nullish(),
  }),
})
const textFormat = object({ type: only("text") })
const jsonFormat = object({ type: only("json_object") })

export const commonResponseFormat = byMember(
  "type",
  ["text", "json_object", "json_schema"],
  [textFormat, jsonFormat, jsonSchemaFormat],
)
export const anyResponseFormat = byMember(
  "type",
  ["text", "json_object", "json_schema", "grammar", "python"],
  [
    textFormat,
    jsonFormat,
    jsonSchemaFormat,
    object({ type: only("grammar"), grammar: text }),
    object({ type: only("python") }),
  ],
)

// ── the members, by who knows them ──

/** Known to OpenAI or to more than one system: checked at every mount. */
export const commonMembers = {
  stream_options: object({ include_usage: boolean.nullish() }),

  temperature: number,
  top_p: number,
  top_k: number,
  top_a: number,
  min_p: number,
  frequency_penalty: number,
  presence_penalty: number,
  repetition_penalty: number,
  seed: number,
  logit_bias: mapOf(number),
  logprobs: boolean,
  top_logprobs: integer,

  max_tokens: integer,
  max_completion_tokens: integer,
  n: integer.max(128, { error: ({ input }) => `must be at most 128, got ${input}` }),
  stop: either("a string or an array of strings", text, items(text)),

  tools: items(toolOf(text)),
  tool_choice: toolChoiceOf("none", "auto", "required"),
  parallel_tool_calls: boolean,
  functions: items(anyObject),

  response_format: anyResponseFormat,
  modalities: items(text),
  audio: object({ voice: text.optional(), format: text.optional() }),
  prediction: anyObject,
  verbosity: text,

  reasoning: object({
    effort: text.nullish(),
    summary: text.nullish(),
    max_tokens: integer.nullish(),
    exclude: boolean.optional(),
    enabled: boolean.optional(),
  }),
  reasoning_effort: text,
  include_reasoning: boolean,
  thinking: anyObject,

  user: text,
  metadata: anyObject,
  store: boolean,
  service_tier: text,
  prompt_cache_key: text,
  prompt_cache_options: anyObject,
  cache_control: anyObject,
  web_search_options: anyObject,
} satisfies z.ZodRawShape

/** OpenRouter's alone: elsewhere a member of this name is somebody else's, and unknown. */
export const openRouterMembers = {
  models: items(text).optional(),
  provider: anyObject.nullish(),
  plugins: items(anyObject).optional(),
  preset: text.nullish(),
  route: text.nullish(),
  transforms: items(text).optional(),
  session_id: text.optional(),
  trace: anyObject.optional(),
  debug: object({ echo_upstream_body: boolean.optional() }).optional(),
  image_config: anyObject.optional(),
  stop_server_tools_when: items(anyObject).optional(),
  usage: object({ include: boolean.optional() }).optional(),
}

/** Orq's alone. */
export const orqMembers = {
  name: text.optional(),
  variables: anyObject.optional(),
  fallbacks: items(object({ model: text })).optional(),
  retry: object({ count: integer.optional(), on_codes: items(integer).optional() }).optional(),
  cache: object({ type: text, ttl: number.optional() }).optional(),
  load_balancer: anyObject.optional(),
  timeout: object({ call_timeout: number }).optional(),
  guardrails: items(anyObject).optional(),
  orq: anyObject.optional(),
}

export const chatRequestSchema = object({
  model: text.optional(),
  messages: messagesOf(messageSchema),
  stream: boolean.optional(),
  function_call: anything.optional(),
  ...nullish(commonMembers),
  ...openRouterMembers,
  ...orqMembers,
})

type Nullish<Shape extends z.ZodRawShape> = {
  [Member in keyof Shape]: Shape[Member] extends z.ZodType
    ? z.ZodOptional<z.ZodNullable<Shape[Member]>>
    : never
}

function nullish<Shape extends Record<string, z.ZodType>>(shape: Shape): Nullish<Shape> {
  return Object.fromEntries(
    Object.entries(shape).map(([member, schema]) => [member, schema.nullish()]),
  ) as Nullish<Shape>
}
