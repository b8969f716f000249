import { AtomaSDK } from "atoma-sdk"
import type {
  ChatCompletionChunk,
  ChatCompletionChunkDelta,
  ChatCompletionMessage,
  ChatCompletionResponse,
  ChatCompletionStreamResponse,
  CompletionUsage,
} from "atoma-sdk/models/components/index.js"

export async function run(serverURL: string): Promise<string[]> {
  const atoma = new AtomaSDK({ bearerAuth: "key", serverURL })
  const messages = [{ role: "user" as const, content: "Tell me a story." }]

  const events = await atoma.chat.createStream({ model: "m/x", messages, stream: true, maxTokens: 40 })
  let text = ""
  for await (const event of events) text += textOf(event)

  return [text, ...summaryOf(await atoma.chat.create({ model: "m/x", messages }))]
}

function textOf(event: ChatCompletionStreamResponse): string {
  const chunk: ChatCompletionChunk = event.data
  const delta: ChatCompletionChunkDelta | undefined = chunk.choices[0]?.delta
  return delta?.content ?? ""
}

function summaryOf(whole: ChatCompletionResponse): string[] {
  const message: ChatCompletionMessage | undefined = whole.choices[0]?.message
  const usage: CompletionUsage | null | undefined = whole.usage
  return [message?.content ?? "", `${usage?.totalTokens} tokens`]
}
