/** The caller's stream: one reading of it, under the form that the caller likes. */
import { type Chunk, toSdk } from "@sluice/protocol"
import { SluiceError, withoutUndefined } from "./errors.ts"
import { DONE, eventBody } from "./event-body.ts"
import { parseOutput } from "./format.ts"
import { createReading, type Reading, type StreamParts, unexpected } from "./reading.ts"
import { requestIdOf } from "./request.ts"
import type { ChatChunk, ChatCompletion, ChatEvent } from "./shapes.ts"
import { type ParsedToolCall, readToolCalls } from "./tools.ts"

/**
 * A streamed answer. It is read once, in whichever form: as chunks (the stream itself), `events()`, `text()`,
 * `wire()`, `toolCalls()` or `toReadableStream()`; `final()` reads what is left and gives the whole. The network is
 * read no faster than the caller reads.
 *
 * When the connection drops, the loop simply goes on. Leaving the loop early (`break`, an exception), aborting the
 * signal, or `cancel()` tells a Sluice gateway to cancel the call; an abort throws a `CancelledError` in the loop,
 * the others end it.
 *
 * @example
 * ```ts
 * import { Sluice } from "@sluice/sdk"
 *
 * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
 * const stream = await client.chat.send({
 *   model: "sim/story",
 *   messages: [{ role: "user", content: "Tell me a story." }],
 *   stream: true,
 * })
 * for await (const chunk of stream) console.log(chunk.choices[0]?.delta.content ?? "")
 * const completion = await stream.final()
 * console.log(completion.usage?.totalTokens)
 * ```
 */
export class ChatStream<Call = ParsedToolCall, Output = unknown> implements AsyncIterable<ChatChunk> {
  /** The headers and status of the first answer. */
  readonly response: { readonly status: number; readonly headers: Headers }
  /** The server's `x-request-id`. */
  readonly requestId: string | undefined

  readonly #parts: StreamParts
  readonly #reading: Reading
  #whole: Promise<ChatCompletion> | undefined

  constructor(parts: StreamParts) {
    this.response = parts.first.response
    this.requestId = requestIdOf(this.response)
    this.#parts = parts
    this.#reading = createReading(parts)
  }

  /** The stream's id at the gateway, elsewhere the completion's (known from the first chunk on). */
  get id(): string | undefined {
    return this.#reading.id
  }

  /** The last event that was handed out; `""` before the first, and where the server numbers none. */
  get lastEventId(): string {
    return this.#reading.lastEventId
  }

  /** Chunk by chunk, in camelCase. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatChunk, void, undefined> {
    return this.#reading.read(({ chunk }) => toSdk(chunk) as ChatChunk)
  }

  /** The chunks in the vendors' envelope: `{ data, id, event, retry }`. */
  events(): AsyncGenerator<ChatEvent, void, undefined> {
    return this.#reading.read(({ event: { id, event, retry }, chunk }) =>
      withoutUndefined({
        data: toSdk(chunk) as ChatChunk,
        id: id || undefined,
        event: event === "message" ? undefined : event,
        retry,
      }),
    )
  }

  /** The text of the first choice, piece by piece. */
  text(): AsyncGenerator<string, void, undefined> {
    return this.#reading.read(({ chunk }) => {
      const content: unknown = chunk.choices.find(({ index }) => index === 0)?.delta.content
      return typeof content === "string" && content !== "" ? content : undefined
    })
  }

  /** The chunks in snake_case, as they came. */
  wire(): AsyncGenerator<Chunk, void, undefined> {
    return this.#reading.read(({ chunk }) => chunk)
  }

  /** The model's calls of tools: each once it is complete, parsed, and validated where its tool has a schema. */
  toolCalls(): AsyncGenerator<Call, void, undefined> {
    return readToolCalls(this, this.#parts.tools) as AsyncGenerator<Call, void, undefined>
  }

  /** The whole answer as the JSON that was asked for, validated where `responseFormat` has come from `jsonFormat`. */
  async parsed(): Promise<Output> {
    return (await parseOutput(await this.final(), this.#parts.format)) as Output
  }

  /** The whole answer, with usage: reads what is left. Rejects where the stream failed or was left. */
  async final(): Promise<ChatCompletion> {
    const reading = this.#reading
    if (reading.ending === undefined) await reading.read(() => undefined).next()
    if (reading.ending?.error) throw reading.ending.error
    this.#whole ??= this.#parts.retrieve?.() ?? Promise.resolve(reading.assembled())
    return this.#whole
  }

  /** The stream as server-sent events, for a web handler's `Response`: with its ids, so that a browser can resume. */
  toReadableStream(): ReadableStream<Uint8Array> {
    return eventBody(eventsToTell(this.#reading), { cancel: () => this.cancel() })
  }

  /** Ends the call: tells a Sluice gateway, then closes. After the end it does nothing. */
  cancel(): Promise<void> {
    return this.#reading.cancel()
  }

  /**
   * Closes the connection and lets the call go on at the gateway, whoever listens. What it gives can be handed to
   * `client.chat.resume`, in another process too.
   *
   * @example
   * ```ts
   * import { Sluice } from "@sluice/sdk"
   *
   * const client = new Sluice({ baseURL: "http://127.0.0.1:4000/v1", apiKey: "sk-…" })
   * const stream = await client.chat.send({ model: "sim/story", messages: [], stream: true })
   * const bookmark = await stream.detach()
   * const rest = await client.chat.resume(bookmark)
   * console.log(await rest.final())
   * ```
   */
  detach(): Promise<{ id: string; lastEventId: string }> {
    return this.#reading.detach()
  }
}

/** A failure is told in band, as a gateway does, and no `[DONE]` follows: it cannot look like an end. */
async function* eventsToTell(reading: Reading): AsyncGenerator<{ data: string }> {
  try {
    yield* reading.read(({ event }) => event)
    if (!reading.ending?.error) yield DONE
  } catch (cause) {
    const {
      message,
      status = 502,
      code,
      retryable,
    } = cause instanceof SluiceError ? cause : unexpected(cause)
    const error = { code: status, message, metadata: { error_type: code, retryable } }
    yield { data: JSON.stringify({ error }) }
  }
}
