import { OpenRouter } from "@openrouter/sdk"
import type { ChatResult, ChatStreamChoice, ChatStreamChunk, ChatUsage } from "@openrouter/sdk/models"

export async function run(serverURL: string): Promise<string[]> {
  const openRouter = new OpenRouter({ apiKey: "key", serverURL, appTitle: "A story" })
  const messages = [{ role: "user" as const, content: "Tell me a story." }]

  const answer = await openRouter.chat.send({
    chatRequest: { model: "m/x", messages, stream: true, maxTokens: 40, temperature: 0.5 },
  })
  if (!(answer instanceof ReadableStream)) throw new Error("not a stream")
  let text = ""
  for await (const chunk of answer) text += textOf(chunk)

  const whole = await openRouter.chat.send({ chatRequest: { model: "m/x", messages } })
  if (!("choices" in whole)) throw new Error("not a whole answer")
  return [text, ...summaryOf(whole)]
}

function textOf(chunk: ChatStreamChunk): string {
  const choice: ChatStreamChoice | undefined = chunk.choices[0]
  const reason: string | null = choice?.finishReason ?? null
  return `${choice?.delta.content ?? ""}${reason === null ? "" : ` [${reason}]`}`
}

function summaryOf(whole: ChatResult): string[] {
  const usage: ChatUsage | undefined = whole.usage
  const fingerprint: string | null = whole.systemFingerprint
  return [String(whole.choices[0]?.message.content), `${usage?.totalTokens} tokens`, String(fingerprint)]
}
