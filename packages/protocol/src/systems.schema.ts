/**
 * What each system's clients may send: the canonical members, narrowed to the enums and the nulls that this
 * system's own reference fixes. Members that a system does not know are kept and handed on, whatever they hold,
 * unless another system's clients have given that name its meaning everywhere (commonMembers).
 */
import type * as z from "zod"
import { functionToolCallSchema, toolCallSchema } from "./completion.schema.ts"
import type { DialectName } from "./dialects/dialect.ts"
import type { JsonObject } from "./json.ts"
import {
  anyResponseFormat,
  assistantMembersOf,
  commonMembers,
  commonResponseFormat,
  contentOf,
  contentPart,
  messagesOf,
  openRouterMembers,
  orqMembers,
  toolChoiceOf,
  toolOf,
} from "./request.schema.ts"
import {
  anyObject,
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

type SystemName = Exclude<DialectName, "anthropic">

/**
 * The body of a chat request at that system's mount, made when it is first asked for: most processes hear the clients of
 * one system. Anthropic's language is another one, and comes later.
 */
export function requestSchema(dialect: SystemName): z.ZodType<JsonObject> {
  const known = schemas.get(dialect)
  if (known !== undefined) return known
  const schema = bodySchema(systems[dialect])
  schemas.set(dialect, schema)
  return schema
}
const schemas = new Map<SystemName, z.ZodType<JsonObject>>()

type Shape = Record<string, z.ZodType>

interface System {
  readonly modelRequired: boolean
  readonly messages: Messages
  /** Members of this system that take no null. Where it is not named here, null means absent. */
  readonly refusesNull: string
  /** Its own form of a common member, and the members that only it knows (with their own marks). */
  readonly narrowed: Shape
  readonly own: Shape
}

interface Messages {
  readonly roles: readonly Role[]
  /** Types of content parts; absent: whatever a provider understands. */
  readonly parts?: readonly [string, ...string[]]
  readonly imageDetail: z.ZodType<string>
  /** Who may leave `content` out, or null. */
  readonly silent: "assistant" | "anyone"
  readonly toolCallId: "required" | "optional"
  /** Of earlier turns. */
  readonly toolCall: z.ZodType
}

type Role = "system" | "developer" | "user" | "assistant" | "tool" | "function"

const cacheControl = object({ type: only("ephemeral"), ttl: oneOf("5m", "1h").optional() })
const labels = mapOf(text)
const effort = oneOf("max", "xhigh", "high", "medium", "low", "minimal", "none")
/** Custom tools are OpenAI's: no SDK of another system can send one, or read its calls. */
const noCustomTool = text.refine((type) => type !== "custom", {
  error: must('be "function" or a server tool'),
})
const voice = oneOf("alloy", "echo", "fable", "onyx", "nova", "shimmer")

const openai: System = {
  modelRequired: true,
  messages: {
    roles: ["system", "developer", "user", "assistant", "tool", "function"],
    imageDetail: text,
    silent: "assistant",
    toolCallId: "required",
    toolCall: toolCallSchema,
  },
  refusesNull: "",
  narrowed: {},
  own: {},
}

const r9s: System = {
  modelRequired: true,
  messages: {
    roles: ["system", "user", "assistant", "tool"],
    parts: ["text", "image_url"],
    imageDetail: oneOf("auto", "low", "high"),
    silent: "anyone",
    toolCallId: "optional",
    toolCall: functionToolCallSchema,
  },
  refusesNull: `
    stream stream_options temperature top_p top_k frequency_penalty presence_penalty seed logit_bias logprobs
    top_logprobs max_tokens max_completion_tokens n stop tools tool_choice parallel_tool_calls response_format
    modalities audio reasoning_effort user metadata store service_tier`,
  narrowed: {
    top_k: integer,
    seed: integer,
    tools: items(toolOf(only("function"))),
    response_format: commonResponseFormat,
    modalities: items(oneOf("text", "audio")),
    audio: object({ voice, format: oneOf("mp3", "opus", "aac", "flac", "wav", "pcm") }),
    reasoning_effort: oneOf("low", "medium", "high"),
    service_tier: oneOf("auto", "default"),
  },
  own: {},
}

const openrouter: System = {
  modelRequired: false,
  messages: {
    roles: ["system", "developer", "user", "assistant", "tool"],
    parts: ["text", "image_url", "input_audio", "video_url", "input_video", "file"],
    imageDetail: oneOf("auto", "low", "high", "original"),
    silent: "assistant",
    toolCallId: "required",
    toolCall: functionToolCallSchema,
  },
  refusesNull: `
    model stream tools tool_choice response_format modalities reasoning metadata user cache_control`,
  narrowed: {
    top_k: integer,
    seed: integer,
    tools: items(toolOf(noCustomTool)),
    response_format: anyResponseFormat,
    modalities: items(oneOf("text", "image", "audio")),
    reasoning: object({
      effort: effort.nullish(),
      summary: oneOf("auto", "concise", "detailed").nullish(),
      max_tokens: integer.nullish(),
      exclude: boolean.optional(),
      enabled: boolean.optional(),
    }),
    reasoning_effort: effort,
    prediction: object({
      type: only("content"),
      content: either(
        "a string or an array of text parts",
        text,
        items(object({ type: only("text"), text })),
      ),
    }),
    metadata: labels,
    service_tier: oneOf("auto", "default", "fast", "flex", "priority", "scale"),
    prompt_cache_options: object({ mode: only("explicit"), ttl: text.optional() }),
    cache_control: cacheControl,
  },
  own: {
    ...openRouterMembers,
    route: oneOf("fallback", "sort").nullish(),
    provider: object({
      allow_fallbacks: boolean.nullish(),
      require_parameters: boolean.nullish(),
      zdr: boolean.nullish(),
      enforce_distillable_text: boolean.nullish(),
      data_collection: oneOf("deny", "allow").nullish(),
      order: items(text).nullish(),
      only: items(text).nullish(),
      ignore: items(text).nullish(),
      quantizations: items(
        oneOf(
          ...([
            "int4",
            "int8",
            "fp4",
            "mxfp4",
            "nvfp4",
            "fp6",
            "fp8",
            "mxfp8",
            "fp16",
            "bf16",
            "fp32",
          ] as const),
          "unknown",
        ),
      ).nullish(),
      sort: either(
        'one of "price", "throughput", "latency", "exacto" or an object',
        oneOf("price", "throughput", "latency", "exacto"),
        anyObject,
      ).nullish(),
      max_price: anyObject.nullish(),
    }).nullish(),
    stop_server_tools_when: items(
      object({
        type: oneOf("step_count_is", "has_tool_call", "max_tokens_used", "max_cost", "finish_reason_is"),
      }),
    ).optional(),
  },
}

const atoma: System = {
  modelRequired: true,
  messages: {
    roles: ["system", "user", "assistant", "tool"],
    parts: ["text", "image_url"],
    imageDetail: text,
    silent: "anyone",
    toolCallId: "optional",
    toolCall: functionToolCallSchema,
  },
  refusesNull: "stream",
  narrowed: {
    seed: integer,
    stop: items(text),
    tools: items(toolOf(noCustomTool)),
    tool_choice: toolChoiceOf("none", "auto"),
    response_format: commonResponseFormat,
  },
  own: {},
}

const retry = object({ count: integer.optional(), on_codes: items(integer).optional() }).optional()
const cache = object({ type: only("exact_match"), ttl: number.optional() }).optional()
const fallbacks = items(object({ model: text })).optional()
const orq: System = {
  modelRequired: true,
  messages: {
    roles: ["developer", "system", "user", "assistant", "tool"],
    parts: ["text", "image_url", "input_audio", "file", "refusal", "reasoning", "redacted_reasoning"],
    imageDetail: oneOf("low", "high", "auto"),
    silent: "assistant",
    toolCallId: "optional",
    toolCall: functionToolCallSchema,
  },
  refusesNull: `
    stream metadata response_format reasoning_effort verbosity thinking tools tool_choice parallel_tool_calls
    prompt_cache_key cache_control web_search_options`,
  narrowed: {
    // Its tools may leave their type out.
    tools: items(toolOf(only("function").optional().default("function"))),
    response_format: commonResponseFormat,
    modalities: items(oneOf("text", "audio")),
    audio: object({ voice, format: oneOf("wav", "mp3", "flac", "opus", "pcm16") }),
    thinking: object({ type: oneOf("enabled", "adaptive", "disabled"), budget_tokens: number.optional() }),
    metadata: labels,
    cache_control: cacheControl,
    web_search_options: object({ enabled: boolean.optional() }),
  },
  own: {
    ...orqMembers,
    retry,
    cache,
    fallbacks,
    load_balancer: object({
      type: only("weight_based"),
      models: items(object({ model: text, weight: number.optional() })),
    }).optional(),
    guardrails: items(object({ id: text, execute_on: oneOf("input", "output") })).optional(),
    orq: object({ retry, cache, fallbacks }).optional(),
  },
}

const systems: Readonly<Record<SystemName, System>> = { openai, r9s, openrouter, atoma, orq }

function bodySchema(system: System): z.ZodType<JsonObject> {
  const refusesNull = new Set(system.refusesNull.split(/\s+/))
  const marked = (member: string, schema: z.ZodType) =>
    refusesNull.has(member) ? schema.optional() : schema.nullish()
  const members: Shape = { stream: boolean, ...commonMembers, ...system.narrowed }
  return object({
    model: system.modelRequired ? text : marked("model", text),
    messages: messagesOf(messageSchemaOf(system.messages)),
    ...Object.fromEntries(
      Object.entries(members).map(([member, schema]) => [member, marked(member, schema)]),
    ),
    ...system.own,
  })
}

function messageSchemaOf({ roles, parts, imageDetail, silent, toolCallId, toolCall }: Messages) {
  const spoken = contentOf(contentPart(parts === undefined ? text : oneOf(...parts), imageDetail))
  const content = silent === "anyone" ? spoken.nullish() : spoken
  const name = text.optional()
  const shapes = {
    system: object({ role: only("system"), content, name }),
    developer: object({ role: only("developer"), content, name }),
    user: object({ role: only("user"), content, name }),
    assistant: object({
      role: only("assistant"),
      content: spoken.nullish(),
      ...assistantMembersOf(toolCall),
    }),
    tool: object({
      role: only("tool"),
      content,
      tool_call_id: toolCallId === "required" ? text : text.nullish(),
    }),
    function: object({ role: only("function"), content: text.nullable(), name: text }),
  }
  const [first, ...others] = roles.map((role) => shapes[role])
  if (first === undefined) throw new TypeError("A system in which nobody may speak.")
  return byMember("role", roles, [first, ...others])
}
