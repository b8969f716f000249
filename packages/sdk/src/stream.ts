/** The caller's stream: one reading of it, under the form that the caller likes. */
import {
  type Chunk,
  type Completion,
  createAssembler,
  encodeEvent,
  type SseEvent,
  toSdk,
} from "@sluice/protocol"
import { CancelledError, MalformedResponseError, SluiceError, TimeoutError } from "./errors.ts"
import { parseOutput } from "./format.ts"
import { hasContent, readChunk } from "./read.ts"
import type { ChatChunk, ChatCompletion, ChatEvent } from "./shapes.ts"
import type { EventSource } from "./source.ts"
import { type ParsedToolCall, readToolCalls } from "./tools.ts"
import { listenTo, type Watch } from "./watch.ts"

/** What a stream is made of; `client.chat` puts it together. */
export interface StreamParts {
  /** The source asks back whether all that it handed out makes a complete answer. */
  source(isFinished: () => boolean): EventSource
  readonly watch: Watch
  readonly response: Response
  readonly requestId?: string
  /** The stream's id at the gateway; other servers have only the completion's. */
  readonly id?: string
  /** How many choices were asked for. Default 1. */
  readonly choices?: number
  readonly signal?: AbortSignal
  /** Tells the gateway what is to become of the stream; undefined where there is nobody to tell. */
  readonly tell?: (what: "cancel" | "detach") => Promise<void>
  /** The request's tools and format: what calls and the answer are checked against. */
  readonly tools?: unknown
  readonly format?: unknown
  /** The whole answer, where this stream is only the rest of one. */
  readonly retrieve?: () => Promise<Completion>
}

interface Arrived {
  readonly event: SseEvent
  readonly chunk: Chunk
}

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
  readonly #source: EventSource
  readonly #assembler = createAssembler()
  readonly #begun = new Set<number>()
  readonly #finished = new Set<number>()
  #stopListening = () => {}
  #id: string | undefined
  #isBeingRead = false
  /** How it ended; `undefined` while it has not. */
  #ending: { readonly error?: SluiceError } | undefined
  #whole: Promise<ChatCompletion> | undefined

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#id = parts.id
    this.#source = parts.source(() => this.#isFinished())
    this.response = { status: parts.response.status, headers: parts.response.headers }
    this.requestId = parts.requestId
    this.#stopListening = listenTo(parts.signal, (error) => {
      if (this.#ending) return
      this.#endWith(error)
      void this.#leave()
    })
  }

  /** The stream's id at the gateway, elsewhere the completion's (known from the first chunk on). */
  get id(): string | undefined {
    return this.#id
  }

  /** The last event that was handed out; `""` before the first, and where the server numbers none. */
  get lastEventId(): string {
    return this.#source.lastEventId
  }

  /** Chunk by chunk, in camelCase. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatChunk, void, undefined> {
    return this.#read(({ chunk }) => toSdk(chunk))
  }

  /** The chunks in the vendors' envelope: `{ data, id, event, retry }`. */
  events(): AsyncGenerator<ChatEvent, void, undefined> {
    return this.#read(({ event, chunk }) => ({
      data: toSdk(chunk),
      ...(event.id !== "" && { id: event.id }),
      ...(event.event !== "message" && { event: event.event }),
      ...(event.retry !== undefined && { retry: event.retry }),
    }))
  }

  /** The text of the first choice, piece by piece. */
  text(): AsyncGenerator<string, void, undefined> {
    return this.#read(({ chunk }) => {
      const content: unknown = chunk.choices.find(({ index }) => index === 0)?.delta.content
      return typeof content === "string" && content !== "" ? content : undefined
    })
  }

  /** The chunks in snake_case, as they came. */
  wire(): AsyncGenerator<Chunk, void, undefined> {
    return this.#read(({ chunk }) => chunk)
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
    if (this.#ending === undefined) await this.#read(() => undefined).next()
    if (this.#ending?.error) throw this.#ending.error
    const { retrieve } = this.#parts
    this.#whole ??= retrieve ? retrieve().then(toSdk) : Promise.resolve(this.#assembled())
    return this.#whole
  }

  /** The stream as server-sent events, for a web handler's `Response`: with its ids, so that a browser can resume. */
  toReadableStream(): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder()
    const events = this.#read(({ event }) => encodeEvent({ ...event, id: event.id || undefined }))
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { value } = await events.next().catch((error: unknown) => ({ value: encodeError(error) }))
          if (value !== undefined) controller.enqueue(encoder.encode(value))
          if (this.#ending === undefined) return
          if (this.#ending.error === undefined) controller.enqueue(encoder.encode("data: [DONE]\n\n"))
          controller.close()
        },
        cancel: () => this.cancel(),
      },
      { highWaterMark: 0 },
    )
  }

  /** Ends the call: tells a Sluice gateway, then closes. After the end it does nothing. */
  async cancel(): Promise<void> {
    if (this.#ending) return
    this.#endWith(new CancelledError("The stream was cancelled."))
    await this.#leave()
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
  async detach(): Promise<{ id: string; lastEventId: string }> {
    const { tell, id } = this.#parts
    if (!tell || id === undefined)
      throw new SluiceError("Only a stream from a Sluice gateway can be detached.")
    if (!this.#ending) {
      await tell("detach")
      this.#endWith(new CancelledError("The stream was detached: chat.resume reads its rest."))
      this.#close()
    }
    return { id, lastEventId: this.lastEventId }
  }

  async *#read<T>(view: (arrived: Arrived) => T | undefined): AsyncGenerator<T, void, undefined> {
    if (this.#isBeingRead) throw new SluiceError("This stream is being read already: one reader at a time.")
    if (this.#ending)
      throw this.#ending.error ?? new SluiceError("This stream has been read; final() has the whole.")
    this.#isBeingRead = true
    let isOver = false
    try {
      for (;;) {
        isOver = true
        const arrived = await this.#next()
        if (arrived === undefined) return
        isOver = false
        const item = view(arrived)
        if (item !== undefined) yield item
      }
    } finally {
      this.#isBeingRead = false
      if (!isOver) await this.cancel()
    }
  }

  async #next(): Promise<Arrived | undefined> {
    if (this.#ending) return this.#afterEnd()
    try {
      const event = await this.#source.next()
      if (this.#ending) return this.#afterEnd()
      if (event !== undefined) return { event, chunk: this.#take(event) }
      this.#ending = {}
      this.#close()
      return undefined
    } catch (error) {
      if (this.#ending) return this.#afterEnd()
      throw this.#fail(error)
    }
  }

  #take(event: SseEvent): Chunk {
    const chunk = readChunk(event.data)
    this.#id ??= chunk.id
    this.#assembler.add(chunk)
    for (const choice of chunk.choices) {
      this.#begun.add(choice.index)
      if (choice.finish_reason) this.#finished.add(choice.index)
    }
    if (hasContent(chunk)) this.#parts.watch.contentArrived()
    return chunk
  }

  /** Who cancels or detaches knows it; an abort may come from anywhere, and throws. */
  #afterEnd(): undefined {
    if (this.#parts.signal?.aborted && this.#ending?.error) throw this.#ending.error
    return undefined
  }

  #fail(cause: unknown): SluiceError {
    const error = cause instanceof SluiceError ? cause : unexpected(cause)
    const isOurDecision = error instanceof MalformedResponseError || error instanceof TimeoutError
    this.#endWith(error)
    if (isOurDecision) void this.#leave()
    else this.#close()
    return error
  }

  #endWith(error: SluiceError): void {
    const { id, lastEventId, requestId } = this
    const partial = this.#begun.size > 0 ? this.#assembled() : undefined
    Object.assign(error, { id, lastEventId, requestId: error.requestId ?? requestId, partial })
    this.#ending = { error }
    this.#parts.watch.stop(error)
  }

  /** The gateway is told before the connection goes; if that fails, its own clock ends the call. */
  async #leave(): Promise<void> {
    if (!this.#isFinished()) await this.#parts.tell?.("cancel").catch(() => {})
    this.#close()
  }

  #close(): void {
    this.#stopListening()
    this.#source.close()
  }

  #isFinished(): boolean {
    return this.#finished.size >= Math.max(this.#begun.size, this.#parts.choices ?? 1)
  }

  #assembled(): ChatCompletion {
    return toSdk(this.#assembler.completion())
  }
}

function unexpected(cause: unknown): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const received = "a chunk of the wrong shape"
  return new MalformedResponseError(`The server sent ${received}: ${reason}`, { received, cause })
}

/** A failure is told in band, as a gateway does, and no `[DONE]` follows: it cannot look like an end. */
function encodeError(error: unknown): string {
  const { message, status = 502, code, retryable } = error instanceof SluiceError ? error : unexpected(error)
  const told = { code: status, message, metadata: { error_type: code, retryable } }
  return encodeEvent({ data: JSON.stringify({ error: told }) })
}
