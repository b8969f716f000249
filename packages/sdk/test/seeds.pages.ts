/**
 * The five model pages that the vendors' types mirror: each member with its type in the page's own notation and
 * whether it must be there, and an example of ours. `OptionalNullable[…]` takes null; nothing else here does.
 */
import {
  chatCompletionStreamEventSchema,
  chatCompletionsCreateStreamResponseBodySchema,
  createChatCompletionDataSchema,
  createChatCompletionResponseBodySchema,
  sdkForm,
  sendChatCompletionRequestResponseBodySchema,
} from "@sluice/protocol/schema"
import type * as z from "zod"

export interface Page {
  readonly name: string
  readonly module: string
  readonly schema: z.ZodType
  /** For the pages in camelCase: the same in wire form. */
  readonly wireSchema?: z.ZodType
  readonly members: readonly Member[]
  readonly example: unknown
}

export interface Member {
  readonly name: string
  readonly type: string
  readonly required: boolean
}

const chunk = {
  id: "chatcmpl-7",
  object: "chat.completion.chunk",
  created: 1767225600,
  model: "sim/story",
  choices: [{ index: 0, delta: { role: "assistant", content: "Once" }, finishReason: null }],
}

export const pages: readonly Page[] = [
  {
    name: "CreateChatCompletionResponseBody",
    module: "@sluice/sdk/models",
    schema: sdkForm(createChatCompletionResponseBodySchema),
    wireSchema: createChatCompletionResponseBodySchema,
    members: [
      required("data", "models.ChatCompletionStreamEvent"),
      optional("id", "string"),
      optional("event", "string"),
      optional("retry", "number"),
    ],
    example: { id: "1", retry: 1000, data: chunk },
  },
  {
    name: "SendChatCompletionRequestResponseBody",
    module: "@sluice/sdk/models/operations",
    schema: sdkForm(sendChatCompletionRequestResponseBodySchema),
    wireSchema: sendChatCompletionRequestResponseBodySchema,
    members: [required("data", "models.ChatStreamingResponseChunk")],
    example: {
      data: {
        ...chunk,
        id: "gen-7",
        choices: [
          {
            index: 0,
            delta: {
              reasoning: "A story, then.",
              reasoningDetails: [{ type: "reasoning.text", text: "A story" }],
            },
            finishReason: null,
            logprobs: {
              content: [{ token: "A", logprob: -0.1, bytes: [65], topLogprobs: [] }],
              refusal: null,
            },
          },
        ],
        error: { code: 502, message: "The provider went away." },
      },
    },
  },
  {
    name: "ChatCompletionsCreateStreamResponseBody",
    module: "@sluice/sdk/models/operations",
    schema: sdkForm(chatCompletionsCreateStreamResponseBodySchema),
    wireSchema: chatCompletionsCreateStreamResponseBodySchema,
    members: [required("data", "components.ChatCompletionChunk")],
    example: {
      data: {
        ...chunk,
        choices: [
          {
            index: 0,
            delta: {
              toolCalls: [{ index: 0, id: "call_1", type: "function", function: { name: "weather" } }],
            },
            stopReason: { Int: 2 },
          },
        ],
        usage: {
          promptTokens: 4,
          completionTokens: 31,
          totalTokens: 35,
          promptTokensDetails: { audioTokens: 0, cachedTokens: 2 },
        },
      },
    },
  },
  {
    name: "ChatCompletionStreamEvent",
    module: "@sluice/sdk/models",
    schema: sdkForm(chatCompletionStreamEventSchema),
    wireSchema: chatCompletionStreamEventSchema,
    members: [
      required("id", "string"),
      required("object", '"chat.completion.chunk"'),
      required("created", "number"),
      required("model", "string"),
      required("choices", "models.ChatCompletionStreamChoice[]"),
      optional("systemFingerprint", "string"),
      optional("usage", "models.Usage"),
    ],
    example: {
      ...chunk,
      systemFingerprint: "fp_7",
      usage: {
        promptTokens: 4,
        completionTokens: 31,
        totalTokens: 35,
        completionTokensDetails: { reasoningTokens: 12 },
      },
    },
  },
  {
    name: "CreateChatCompletionData",
    module: "@sluice/sdk/models",
    schema: createChatCompletionDataSchema,
    members: [
      optional("id", "Optional[str]"),
      required("choices", "List[models.CreateChatCompletionProxyChoices]"),
      optional("created", "Optional[float]"),
      optional("model", "Optional[str]"),
      optional("system_fingerprint", "OptionalNullable[str]"),
      optional("usage", "Optional[models.CreateChatCompletionProxyUsage]"),
      required("object", "models.CreateChatCompletionProxyObject"),
    ],
    example: {
      object: "chat.completion.chunk",
      created: 1767225600.5,
      system_fingerprint: null,
      choices: [{ finish_reason: null, delta: { content: "Once", reasoning: "A story, then." } }],
      usage: { total_tokens: 35, completion_tokens_details: { reasoning_tokens: 12 } },
    },
  },
]

/** The smallest value of each type that a page links to. */
export const smallest: Readonly<Record<string, unknown>> = {
  "models.ChatCompletionStreamEvent": { ...chunk, choices: [] },
  "models.ChatStreamingResponseChunk": { ...chunk, choices: [] },
  "components.ChatCompletionChunk": { ...chunk, choices: [] },
  "models.ChatCompletionStreamChoice": { index: 0, delta: {} },
  "models.Usage": { promptTokens: 4, completionTokens: 31, totalTokens: 35 },
  "models.CreateChatCompletionProxyChoices": { finish_reason: null, delta: {} },
  "models.CreateChatCompletionProxyUsage": {},
  "models.CreateChatCompletionProxyObject": "chat.completion.chunk",
}

function required(name: string, type: string): Member {
  return { name, type, required: true }
}

function optional(name: string, type: string): Member {
  return { name, type, required: false }
}
