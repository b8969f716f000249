/**
 * What nine real builds of four systems' SDKs accept, written as schemas from the measured acceptance matrix. One
 * validator per build; each says null where the build would take the value, and else what it would throw about.
 * The rows that they are held against stand in acceptance.ts.
 */
import { z } from "zod"

export const BUILDS = [
  "r9s-0.5.0",
  "r9s-0.8.4",
  "openrouter-0.9.11",
  "openrouter-1.3.19",
  "atoma-0.1.1",
  "atoma-0.2.1",
  "orq-python-3.11.7",
  "orq-python-4.12.15",
  "orq-node-4.15.11",
] as const

export type BuildName = (typeof BUILDS)[number]

export interface Validator {
  /** The `data:` payload of one event. */
  chunk(value: unknown): string | null
  /** The body of a call that was not streamed. */
  completion(value: unknown): string | null
  /** A JSON error body; undefined stands for an empty one. */
  errorBody(status: number, value: unknown): string | null
}

// ── words of the schemas ──

const int = z.number().int()
const text = z.string()
const anything = z.unknown().optional()
/** Missing, null and numeric text are taken for numbers by r9s, and any value for text. */
const laxNumber = z.union([z.number(), z.null(), text.regex(/^\s*-?\d+(\.\d+)?\s*$/)]).optional()
const laxText = anything

function topLogprob(bytes: z.ZodType) {
  return z.object({ token: text, logprob: z.number(), bytes })
}
function tokenLogprob(bytes: z.ZodType) {
  return topLogprob(bytes).extend({ top_logprobs: z.array(topLogprob(bytes)) })
}
const fullTokens = z.array(tokenLogprob(z.array(z.number()).nullable())).nullable()

// ── r9s: lax, but for what must be there ──

function r9s(object: z.ZodType): Validator {
  const call = z.object({ function: z.object({ name: laxText, arguments: laxText }) })
  const usage = z
    .object({ prompt_tokens: laxNumber, completion_tokens: laxNumber, total_tokens: laxNumber })
    .nullish()
  const chunk = z.object({
    object,
    created: laxNumber,
    usage,
    choices: z.array(
      z.object({
        index: laxNumber,
        delta: z.object({ tool_calls: z.array(call).nullish() }),
        logprobs: z.looseObject({}).nullish(),
      }),
    ),
  })
  const completion = z.object({
    object: z.literal("chat.completion"),
    created: laxNumber,
    usage,
    choices: z.array(
      z.object({
        index: laxNumber,
        message: z.object({ role: text, tool_calls: z.array(call).nullish() }),
        finish_reason: text,
      }),
    ),
  })
  const errorBody = z.object({
    error: z.object({ message: laxText, type: laxText, code: laxText, param: laxText }),
    status: text.optional(),
  })
  const typed = new Set([400, 401, 403, 409, 422, 429, 500, 503])
  return validator(chunk, completion, (status, value) => {
    if (value === undefined) return "a JSON content type without a body"
    return typed.has(status) ? faultsOf(errorBody, value) : null
  })
}

// ── OpenRouter ──

interface OpenRouterBuild {
  readonly count: z.ZodNumber
  readonly finish: z.ZodType
  readonly fingerprint: z.ZodType
  readonly completionFingerprint: z.ZodType
  readonly logprobs: z.ZodType
  readonly details: z.ZodType
  readonly audio: z.ZodType
  readonly error: z.ZodType
  readonly metadata: z.ZodType
  readonly costDetails: z.ZodType
  readonly typedErrors: ReadonlySet<number>
}

function openrouter(build: OpenRouterBuild): Validator {
  const { count } = build
  const promptDetails = z
    .object({
      audio_tokens: count.optional(),
      cache_write_tokens: count.optional(),
      cached_tokens: count.optional(),
      video_tokens: count.optional(),
    })
    .nullish()
  const completionDetails = z
    .object({
      accepted_prediction_tokens: count.nullish(),
      audio_tokens: count.nullish(),
      reasoning_tokens: count.nullish(),
      rejected_prediction_tokens: count.nullish(),
    })
    .nullish()
  const usage = z
    .object({
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: promptDetails,
      completion_tokens_details: completionDetails,
      cost: z.number().nullish(),
      cost_details: build.costDetails,
      is_byok: z.boolean().optional(),
    })
    .optional()
  const delta = z.object({
    role: z.literal("assistant").optional(),
    content: text.nullish(),
    reasoning: text.nullish(),
    refusal: text.nullish(),
    reasoning_details: z.array(build.details).optional(),
    tool_calls: z
      .array(
        z.object({
          index: count,
          id: text.optional(),
          type: z.literal("function").optional(),
          function: z.object({ name: text.optional(), arguments: text.optional() }).optional(),
        }),
      )
      .optional(),
    audio: build.audio,
  })
  const chunk = z.object({
    id: text,
    object: z.literal("chat.completion.chunk"),
    created: count,
    model: text,
    choices: z.array(
      z.object({ index: count, delta, finish_reason: build.finish, logprobs: build.logprobs }),
    ),
    system_fingerprint: build.fingerprint,
    service_tier: text.nullish(),
    error: build.error,
    openrouter_metadata: build.metadata,
    usage,
  })
  const message = z.object({
    role: z.literal("assistant"),
    content: z.union([text, z.array(anything)]).nullish(),
    reasoning: text.nullish(),
    refusal: text.nullish(),
    reasoning_details: z.array(build.details).optional(),
    tool_calls: z
      .array(
        z.object({
          id: text,
          type: z.literal("function"),
          function: z.object({ name: text, arguments: text }),
        }),
      )
      .optional(),
  })
  const completion = z.object({
    id: text,
    object: z.literal("chat.completion"),
    created: count,
    model: text,
    system_fingerprint: build.completionFingerprint,
    choices: z.array(
      z.object({ index: count, message, finish_reason: build.finish, logprobs: build.logprobs }),
    ),
    openrouter_metadata: build.metadata,
    usage,
  })
  const errorBody = z.object({
    error: z.object({ code: int, message: text, metadata: z.looseObject({}).nullish() }),
  })
  return validator(chunk, completion, (status, value) => {
    if (value === undefined) return "a JSON content type without a body"
    return build.typedErrors.has(status) ? faultsOf(errorBody, value) : null
  })
}

const knownDetail = z.discriminatedUnion("type", [
  z.object({ type: z.literal("reasoning.summary"), summary: text }),
  z.object({ type: z.literal("reasoning.encrypted"), data: text }),
  z.object({ type: z.literal("reasoning.text"), text: text.nullish(), signature: text.nullish() }),
  z.object({ type: z.literal("reasoning.server_tool_call"), tool_name: text, arguments: text, result: text }),
])

const openrouterMetadata = z.object({
  requested: text,
  strategy: text,
  region: text.nullable(),
  summary: text,
  attempt: int,
  is_byok: z.boolean(),
  endpoints: z.object({
    total: int,
    available: z.array(z.object({ provider: text, model: text, selected: z.boolean() })),
  }),
  attempts: z.array(z.object({ provider: text, model: text, status: int })).optional(),
})

const openrouterTyped = [400, 401, 402, 404, 408, 413, 422, 429, 500, 502, 503, 524, 529]

const openrouterOld: OpenRouterBuild = {
  count: z.number(),
  finish: anything,
  fingerprint: text.nullish(),
  completionFingerprint: text.nullish(),
  logprobs: z.object({ content: fullTokens, refusal: fullTokens }).nullish(),
  details: knownDetail,
  audio: anything,
  error: z.object({ code: z.number(), message: text }).optional(),
  metadata: anything,
  costDetails: anything,
  typedErrors: new Set(openrouterTyped),
}

const openrouterNew: OpenRouterBuild = {
  count: int,
  finish: text.nullable(),
  fingerprint: text.optional(),
  completionFingerprint: text.nullable(),
  logprobs: z.object({ content: fullTokens, refusal: fullTokens.optional() }).nullish(),
  details: z.looseObject({ type: text }),
  audio: z
    .object({
      id: text.optional(),
      data: text.optional(),
      transcript: text.optional(),
      expires_at: int.optional(),
    })
    .optional(),
  error: z
    .object({
      code: int,
      message: text,
      metadata: z.object({ error_type: text, provider_code: text.nullish() }).optional(),
    })
    .optional(),
  metadata: openrouterMetadata.optional(),
  costDetails: z
    .object({
      upstream_inference_prompt_cost: z.number(),
      upstream_inference_completions_cost: z.number(),
      upstream_inference_cost: z.number().nullish(),
    })
    .nullish(),
  typedErrors: new Set([...openrouterTyped, 403]),
}

// ── Atoma ──

interface AtomaBuild {
  readonly serviceTier: z.ZodType
  readonly toolCalls: z.ZodType
  readonly promptDetails: z.ZodType
  readonly logprobs: z.ZodType
  readonly stopReason: z.ZodType
  readonly content: z.ZodType
  readonly messageCalls: z.ZodType
}

function atoma(build: AtomaBuild): Validator {
  const usage = z
    .object({
      prompt_tokens: int,
      completion_tokens: int,
      total_tokens: int,
      prompt_tokens_details: build.promptDetails,
    })
    .nullish()
  const envelope = {
    id: text,
    object: text,
    created: int,
    model: text,
    service_tier: build.serviceTier,
    usage,
  }
  const chunk = z.object({
    ...envelope,
    choices: z.array(
      z.object({
        index: int,
        delta: z.object({
          role: text.nullish(),
          content: text.nullish(),
          reasoning_content: text.nullish(),
          tool_calls: build.toolCalls,
        }),
        finish_reason: text.nullish(),
        logprobs: build.logprobs,
        stop_reason: build.stopReason,
      }),
    ),
  })
  const completion = z.object({
    ...envelope,
    choices: z.array(
      z.object({
        index: int,
        message: z.object({
          role: z.literal("assistant"),
          content: build.content,
          tool_calls: build.messageCalls,
        }),
        finish_reason: text.nullish(),
      }),
    ),
  })
  return validator(chunk, completion, () => null)
}

const atomaOld: AtomaBuild = {
  serviceTier: text.optional(),
  toolCalls: anything,
  promptDetails: anything,
  logprobs: anything,
  stopReason: anything,
  content: z.union([text, z.array(anything)]),
  messageCalls: anything,
}

const atomaNew: AtomaBuild = {
  serviceTier: anything,
  toolCalls: z
    .array(
      z.object({
        id: text,
        index: int,
        type: text,
        function: z.object({ name: text.nullish(), arguments: text.nullish() }).nullish(),
      }),
    )
    .nullish(),
  promptDetails: z.object({ audio_tokens: int.min(0), cached_tokens: int.min(0) }).nullish(),
  logprobs: z
    .object({
      content: z
        .array(
          z.object({
            top_logprobs: z.array(
              z.object({ token: text, logprob: z.number(), bytes: z.array(z.number()).nullish() }),
            ),
          }),
        )
        .nullish(),
    })
    .nullish(),
  stopReason: z.union([z.object({ Int: z.number() }), z.object({ String: text })]).nullish(),
  content: z.union([text, z.array(anything)]).nullish(),
  messageCalls: z
    .array(z.object({ id: text, type: text, function: z.object({ name: text, arguments: text }) }))
    .optional(),
}

// ── Orq ──

interface OrqBuild {
  readonly id: z.ZodType
  readonly model: z.ZodType
  readonly created: z.ZodType
  readonly role: z.ZodType
  /** Python takes null for a member that may be missing; Node throws. */
  readonly maybe: (schema: z.ZodType) => z.ZodType
  readonly logprobs: z.ZodType
  readonly usage: z.ZodType
  readonly audio: z.ZodType
  readonly emptyErrorBody: string | null
}

function orq(build: OrqBuild): Validator {
  const { maybe } = build
  const finish = z.enum(["stop", "length", "tool_calls", "content_filter", "function_call"]).nullable()
  const calls = maybe(
    z.array(
      z.object({
        index: maybe(z.number()),
        id: maybe(text),
        type: maybe(z.literal("function")),
        function: maybe(z.object({ name: maybe(text), arguments: maybe(text) })),
        thought_signature: maybe(text),
      }),
    ),
  )
  const speech = {
    role: build.role,
    content: text.nullish(),
    refusal: text.nullish(),
    tool_calls: calls,
    reasoning_signature: maybe(text),
    redacted_reasoning: maybe(text),
    audio: build.audio,
  }
  const envelope = {
    id: build.id,
    created: build.created,
    model: build.model,
    system_fingerprint: text.nullish(),
    usage: build.usage,
  }
  const chunk = z.object({
    ...envelope,
    object: z.literal("chat.completion.chunk"),
    choices: z.array(
      z.object({
        index: z.number().optional(),
        delta: z.object({ ...speech, reasoning: maybe(text) }),
        finish_reason: finish,
        logprobs: build.logprobs,
      }),
    ),
  })
  const wholeAudio = z.object({ id: text, expires_at: int, data: text, transcript: text }).nullish()
  const completion = z.object({
    ...envelope,
    object: z.literal("chat.completion"),
    choices: z.array(
      z.object({
        index: z.number().optional(),
        message: z.object({ ...speech, reasoning: text.nullish(), audio: wholeAudio }),
        finish_reason: finish,
        logprobs: build.logprobs,
      }),
    ),
  })
  return validator(chunk, completion, (_status, value) => (value === undefined ? build.emptyErrorBody : null))
}

/** Python's parsers turn a nullable object of the wrong shape into "unset": data is lost, but nothing throws. */
const orqPython = {
  role: z.literal("assistant").nullish(),
  maybe: (schema: z.ZodType) => schema.nullish(),
  logprobs: anything,
  usage: anything,
  audio: anything,
  emptyErrorBody: "a body that cannot be read as text",
}

const orqOld: OrqBuild = {
  ...orqPython,
  id: text.nullish(),
  model: text.nullish(),
  created: z.union([z.number(), text.regex(/^\d+(\.\d+)?$/)]).nullish(),
}

const orqNew: OrqBuild = {
  ...orqPython,
  id: text,
  model: text,
  created: z.union([z.number(), text.regex(/^\d+(\.\d+)?$/)]),
}

const orqNode: OrqBuild = {
  id: text,
  model: text,
  created: z.number(),
  role: z.literal("assistant").optional(),
  maybe: (schema) => schema.optional(),
  logprobs: z.object({ content: fullTokens, refusal: fullTokens }).nullish(),
  usage: z
    .object({
      prompt_tokens: z.number().optional(),
      completion_tokens: z.number().optional(),
      total_tokens: z.number().optional(),
      prompt_tokens_details: z
        .object({ cached_tokens: int.nullish(), audio_tokens: int.nullish() })
        .nullish(),
      completion_tokens_details: z
        .object({
          reasoning_tokens: z.number().nullish(),
          accepted_prediction_tokens: z.number().nullish(),
          rejected_prediction_tokens: z.number().nullish(),
          audio_tokens: int.nullish(),
        })
        .nullish(),
    })
    .nullish(),
  audio: z
    .object({
      id: text.optional(),
      transcript: text.optional(),
      data: text.optional(),
      expires_at: int.optional(),
    })
    .nullish(),
  emptyErrorBody: null,
}

// ── the table ──

export const validators: Record<BuildName, Validator> = {
  "r9s-0.5.0": r9s(z.literal("chat.completion.chunk").optional()),
  "r9s-0.8.4": r9s(anything),
  "openrouter-0.9.11": openrouter(openrouterOld),
  "openrouter-1.3.19": openrouter(openrouterNew),
  "atoma-0.1.1": atoma(atomaOld),
  "atoma-0.2.1": atoma(atomaNew),
  "orq-python-3.11.7": orq(orqOld),
  "orq-python-4.12.15": orq(orqNew),
  "orq-node-4.15.11": orq(orqNode),
}

function validator(chunk: z.ZodType, completion: z.ZodType, errorBody: Validator["errorBody"]): Validator {
  return {
    chunk: (value) => faultsOf(chunk, value),
    completion: (value) => faultsOf(completion, value),
    errorBody,
  }
}

function faultsOf(schema: z.ZodType, value: unknown): string | null {
  const result = schema.safeParse(value)
  return result.success ? null : z.prettifyError(result.error)
}
