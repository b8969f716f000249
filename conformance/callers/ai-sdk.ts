import { createOpenAI, VERSION as OPENAI_VERSION } from "@ai-sdk/openai"
import { VERSION as COMPATIBLE_VERSION, createOpenAICompatible } from "@ai-sdk/openai-compatible"
import {
  generateText,
  jsonSchema,
  type LanguageModel,
  type LanguageModelUsage,
  Output,
  streamText,
  type ToolSet,
  tool,
} from "ai"
import { type Ask, type Caller, type Collected, collect, type Server } from "../caller.ts"

export const aiSdkCompatible = callerOf({
  name: `ai with @ai-sdk/openai-compatible ${COMPATIBLE_VERSION}`,
  modelOf: ({ url, key }, ask) =>
    createOpenAICompatible({
      name: "sluice",
      baseURL: `${url}/v1`,
      apiKey: key,
      includeUsage: ask.usage,
      supportsStructuredOutputs: true,
    }).chatModel(ask.model),
  cannot: [{ ability: "logprobs", why: "its chat model neither asks for them nor reads them" }],
})

export const aiSdkOpenai = callerOf({
  name: `ai with @ai-sdk/openai ${OPENAI_VERSION}`,
  modelOf: ({ url, key }, ask) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat(ask.model),
  cannot: [
    { ability: "reasoning", why: "its chat model reads OpenAI's members, and OpenAI has none for it" },
  ],
})

interface Provider {
  readonly name: string
  modelOf(server: Server, ask: Ask): LanguageModel
  readonly cannot: Caller["cannot"]
}

function callerOf({ name, modelOf, cannot }: Provider): Caller {
  return {
    name,
    mount: "/v1",
    refusals: {
      400: "APICallError",
      401: "APICallError",
      404: "APICallError",
      429: "APICallError",
      503: "APICallError",
    },
    // An error part, with the gateway's own error in it.
    failure: { told: /told to/, cut: /(broke|connection)/ },
    cannot: [...cannot, { ability: "total tokens", why: "it adds input and output up by itself" }],
    parsesArguments: true,
    stream: (server, ask) =>
      collect(async (collected) => {
        const { fullStream } = streamText({
          ...settings(ask),
          model: modelOf(server, ask),
          // Else it writes to the console; the part below is the same error.
          onError() {},
        })
        for await (const part of fullStream) {
          if (part.type === "text-delta") collected.text(part.text)
          else if (part.type === "reasoning-delta") collected.piece({ reasoning: part.text })
          else if (part.type === "tool-call") readCall(part, collected)
          else if (part.type === "finish-step") readStep(part, collected)
          else if (part.type === "error") collected.answer.error = part.error
          else if (part.type === "abort") collected.answer.error = new DOMException("", "AbortError")
        }
      }, ask),
    complete: (server, ask) =>
      collect(async (collected) => {
        const result = await generateText({ ...settings(ask), model: modelOf(server, ask) })
        collected.piece({ content: result.text, reasoning: result.reasoningText })
        for (const call of result.toolCalls) readCall(call, collected)
        readStep(result, collected)
      }, ask),
  }
}

function settings(ask: Ask) {
  const tools: ToolSet = Object.fromEntries(
    (ask.tools ?? []).map(({ name, description, parameters }) => [
      name,
      tool({ description, inputSchema: jsonSchema(parameters) }),
    ]),
  )
  return {
    prompt: ask.prompt,
    maxRetries: 0,
    abortSignal: ask.signal,
    ...(ask.tools && { tools }),
    ...(ask.schema && { output: Output.object({ schema: jsonSchema(ask.schema) }) }),
    ...(ask.logprobs !== undefined && { providerOptions: { openai: { logprobs: ask.logprobs } } }),
  }
}

function readCall(
  call: { readonly toolCallId: string; readonly toolName: string; readonly input: unknown },
  { answer }: Collected,
): void {
  answer.toolCalls.push({ id: call.toolCallId, name: call.toolName, arguments: JSON.stringify(call.input) })
}

interface Step {
  readonly finishReason: string
  readonly usage: LanguageModelUsage
  readonly providerMetadata?: Record<string, Record<string, unknown>>
}

function readStep({ finishReason, usage, providerMetadata }: Step, collected: Collected): void {
  // The SDK's own words for it: `tool-calls`.
  collected.choice({ finishReason: finishReason.replace("-", "_") })
  collected.usage({
    promptTokens: usage.inputTokens,
    completionTokens: usage.outputTokens,
    totalTokens: usage.totalTokens,
    promptTokensDetails: { cachedTokens: usage.inputTokenDetails.cacheReadTokens },
    completionTokensDetails: { reasoningTokens: usage.outputTokenDetails.reasoningTokens },
  })
  const logprobs = providerMetadata?.["openai"]?.["logprobs"]
  if (Array.isArray(logprobs)) collected.choice({ logprobs: { content: logprobs } })
}
