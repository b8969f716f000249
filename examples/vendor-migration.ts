/**
 * Code written for OpenRouter's SDK, moved over by its import lines: the rest is as it was, its types too.
 *
 *   - import { OpenRouter } from "@openrouter/sdk"
 *   - import type { ChatStreamChunk } from "@openrouter/sdk/models"
 *   + import type { ChatStreamChunk } from "@sluice/sdk/models"
 *   + import { OpenRouter } from "@sluice/sdk/openrouter"
 *
 *   OPENROUTER_API_KEY=sk-or-… node examples/vendor-migration.ts
 *
 * It still speaks to OpenRouter then. With the environment pointed at a gateway, the same code resumes its streams:
 *
 *   OPENROUTER_BASE_URL=http://127.0.0.1:4000/openrouter/api/v1 OPENROUTER_API_KEY=sk-… \
 *     node examples/vendor-migration.ts sim/story:tokens=40
 *
 * `@sluice/sdk/r9s`, `/atoma` and `/orq` do the same for theirs.
 */
import type { ChatStreamChunk } from "@sluice/sdk/models"
import { OpenRouter } from "@sluice/sdk/openrouter"

const openRouter = new OpenRouter({ appTitle: "Vendor migration" })

const stream = await openRouter.chat.send({
  chatRequest: {
    model: process.argv[2] ?? "openai/gpt-4o-mini",
    messages: [{ role: "user", content: "Tell me a story." }],
    maxTokens: 200,
    stream: true,
  },
})

for await (const chunk of stream) show(chunk)

function show(chunk: ChatStreamChunk): void {
  const choice = chunk.choices[0]
  process.stdout.write(choice?.delta.content ?? "")
  if (choice?.finishReason) process.stdout.write("\n")
  if (chunk.usage) console.log(`${chunk.usage.completionTokens} tokens`)
}
