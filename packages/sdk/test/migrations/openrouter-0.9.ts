import { OpenRouter } from "openrouter-sdk-0.9"
import type {
  ChatGenerationTokenUsage,
  ChatResponse,
  ChatStreamingMessageChunk,
  ChatStreamingResponseChunk,
} from "openrouter-sdk-0.9/models"
import type { SendChatCompletionRequestResponseBody } from "openrouter-sdk-0.9/models/operations"

export async function run(serverURL: string): Promise<string[]> {
  const openRouter = new OpenRouter({ apiKey: "key", serverURL, xTitle: "A story" })
  const messages = [{ role: "user" as const, content: "Tell me a story." }]

  const stream = await openRouter.chat.send({
    chatGenerationParams: { model: "m/x", messages, stream: true, maxTokens: 40 },
  })
  let text = ""
  for await (const data of stream) text += textOf({ data })

  const whole = await openRouter.chat.send({ chatGenerationParams: { model: "m/x", messages } })
  return [text, ...summaryOf(whole)]
}

function textOf({ data }: SendChatCompletionRequestResponseBody): string {
  const chunk: ChatStreamingResponseChunk = data
  const delta: ChatStreamingMessageChunk | undefined = chunk.choices[0]?.delta
  return delta?.content ?? ""
}

function summaryOf(whole: ChatResponse): string[] {
  const usage: ChatGenerationTokenUsage | undefined = whole.usage
  return [String(whole.choices[0]?.message.content), `${usage?.totalTokens} tokens`]
}
