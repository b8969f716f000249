import { Orq } from "@orq-ai/node"
import type {
  CreateChatCompletionData,
  CreateChatCompletionResponseBody,
  CreateChatCompletionRouterChatCompletionsResponseBody,
} from "@orq-ai/node/models/operations/index.js"

export async function run(serverURL: string): Promise<string[]> {
  const orq = new Orq({ apiKey: "key", serverURL })
  const messages = [{ role: "user" as const, content: "Tell me a story." }]

  const events = await orq.router.chat.completions.create({ model: "m/x", messages, stream: true })
  if (!(Symbol.asyncIterator in events)) throw new Error("not a stream")
  let text = ""
  for await (const event of events) text += textOf(event)

  const whole = await orq.router.chat.completions.create({ model: "m/x", messages })
  if (!("choices" in whole)) throw new Error("not a whole answer")
  return [text, ...summaryOf(whole)]
}

function textOf(event: CreateChatCompletionRouterChatCompletionsResponseBody): string {
  const chunk: CreateChatCompletionData | undefined = event.data
  const choice = chunk?.choices[0]
  return `${choice?.delta.content ?? ""}${choice?.finishReason == null ? "" : ` [${choice.finishReason}]`}`
}

function summaryOf(whole: CreateChatCompletionResponseBody): string[] {
  return [String(whole.choices[0]?.message.content), `${whole.usage?.totalTokens} tokens`]
}
