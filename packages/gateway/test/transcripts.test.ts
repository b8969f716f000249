/** Every transcript of `transcripts/`, played by a fake provider to a client, through its provider's entry. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { assemble } from "@sluice/protocol"
import { KNOWN_PROVIDERS } from "../src/providers/known-providers.ts"
import { CHUNKED_SSE_HEAD, chunkOf, startRawProvider } from "./raw-provider.ts"
import { call, dataOf, eventFrames, startTestGateway } from "./support.ts"

/** What each member means: transcripts/README.md. */
interface Transcript {
  readonly source: string
  readonly request: Record<string, unknown>
  readonly sent: Record<string, unknown>
  readonly events: readonly (object | string)[]
  readonly answer: {
    readonly content: string
    readonly reasoning?: string
    /** Name and arguments. */
    readonly tool_calls?: readonly [string, string][]
    readonly finish_reason: string
    /** Prompt, completion, total. */
    readonly usage: readonly [number, number, number]
  }
}

const FOLDER = new URL("transcripts/", import.meta.url)
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".json"))

test("there are transcripts, each of a known provider", () => {
  assert.ok(FILES.length > 0)
  for (const file of FILES) assert.notEqual(providerOf(file), undefined, file)
})

for (const file of FILES) {
  test(`${file.replace(".json", "")} reaches the client whole, and its provider in its own words`, async () => {
    const transcript = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Transcript
    const kind = providerOf(file)!
    const upstream = await startRawProvider((socket) => {
      socket.write(CHUNKED_SSE_HEAD)
      for (const piece of pieces(transcript.events.map(frameOf).join(""))) socket.write(chunkOf(piece))
      socket.end("0\r\n\r\n")
    })
    const gateway = await startTestGateway(
      `providers: { p: { kind: ${kind}, base_url: "${upstream.baseUrl}", credential: k } }\n`,
    )
    try {
      const answer = await call(`${gateway.url}/v1/chat/completions`, {
        body: {
          model: "p/m",
          messages: [{ role: "user", content: "Hi." }],
          ...transcript.request,
          stream: true,
          stream_options: { include_usage: true },
        },
      })
      const { text, complete } = await answer.whole()
      assert.ok(complete && text.endsWith("data: [DONE]\n\n"), text)
      assert.deepEqual(readAnswer(text), { reasoning: undefined, tool_calls: [], ...transcript.answer })
      const sent = JSON.parse(upstream.requests[0]!.body) as Record<string, unknown>
      for (const [member, value] of Object.entries(transcript.sent))
        assert.deepEqual(sent[member], value ?? undefined, member)
    } finally {
      await gateway.close()
      await upstream.close()
    }
  })
}

function providerOf(file: string): string | undefined {
  return KNOWN_PROVIDERS.map(({ name }) => name).find((name) => file.startsWith(`${name}-`))
}

function frameOf(event: object | string): string {
  return `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`
}

/** Cut where nobody would cut, but always there. */
function* pieces(text: string): Generator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let from = 0, size = 1; from < bytes.length; from += size, size = (size * 7) % 97)
    yield bytes.subarray(from, from + size)
}

function readAnswer(text: string): unknown {
  const { choices, usage } = assemble(eventFrames(text).map(dataOf))
  const { message, finish_reason } = choices[0]!
  return {
    content: message.content ?? "",
    reasoning: message.reasoning ?? message.reasoning_content ?? undefined,
    tool_calls: (message.tool_calls ?? []).map((call) =>
      call.type === "function" ? [call.function?.name, call.function?.arguments] : call,
    ),
    finish_reason,
    usage: [usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens],
  }
}
