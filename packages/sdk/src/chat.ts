/** `client.chat`: a call from its parameters to its stream or its answer, and a stream picked up again. */
import {
  type ChatRequest,
  type JsonObject,
  type ResponseFormat,
  type Tool,
  type ToSdk,
  toSdk,
  toWire,
} from "@sluice/protocol"
import type { BackoffOptions } from "./backoff.ts"
import { EVENTS, PATH, pathOf, resumption, streamIdOf, tell } from "./by-id.ts"
import { openConnection } from "./connection.ts"
import { SluiceError } from "./errors.ts"
import { isTypedFormat, type JsonFormat, type ParsedBy, parseOutput } from "./format.ts"
import { randomKey } from "./random-key.ts"
import { readCompletion } from "./read.ts"
import type { StreamParts } from "./reading.ts"
import { type Answer, type Outgoing, readText, type Transport } from "./request.ts"
import type { ChatCompletion, ChatParams } from "./shapes.ts"
import { ChatStream } from "./stream.ts"
import { SYSTEMS, type Target } from "./system.ts"
import type { CallOf } from "./tools.ts"
import { createWatch, type TimerOptions, type Watch } from "./watch.ts"

/**
 * What one call may do differently from its client.
 *
 * @example
 * ```ts
 * import type { CallOptions } from "@sluice/sdk"
 *
 * export const hasty: CallOptions = { signal: AbortSignal.timeout(30_000), retries: 0 }
 * ```
 */
export interface CallOptions {
  /** Aborting it cancels the call, at the gateway too. */
  signal?: AbortSignal
  headers?: Readonly<Record<string, string>>
  timers?: TimerOptions
  /** How often a call is tried again before it has begun to answer. Default 2. */
  retries?: number
  /** One of its own is made for every call; give one to join a call that another process has made. */
  idempotencyKey?: string
}

/**
 * `client.chat`: calls and their streams.
 *
 * @example
 * ```ts
 * import { Sluice } from "@sluice/sdk"
 *
 * const { chat } = new Sluice({ system: "openrouter", apiKey: "sk-…" })
 * const messages = [{ role: "user" as const, content: "Hello" }]
 * const stream = await chat.send({ model: "openai/gpt-4o-mini", messages, stream: true })
 * for await (const text of stream.text()) console.log(text)
 * const completion = await chat.send({ model: "openai/gpt-4o-mini", messages })
 * console.log(completion.choices[0]?.message.content)
 * ```
 */
export interface Chat {
  send<Each extends Tool = never, Format extends AnyFormat = AnyFormat>(
    params: ParamsOf<Each, Format> & { stream: true },
    options?: CallOptions,
  ): Promise<ChatStream<CallOf<Each>, ParsedBy<Format>>>
  send<Format extends AnyFormat = AnyFormat>(
    params: ParamsOf<Tool, Format> & { stream?: false },
    options?: CallOptions,
  ): Promise<Format extends JsonFormat ? ChatCompletion & { parsed: ParsedBy<Format> } : ChatCompletion>
  send(params: ChatParams, options?: CallOptions): Promise<ChatStream | ChatCompletion>
  /** Reads a gateway's stream from behind an event, in another process than the one that began it, too. */
  resume(bookmark: { id: string; lastEventId?: string }, options?: CallOptions): Promise<ChatStream>
}

type AnyFormat = ResponseFormat | ToSdk<ResponseFormat> | JsonFormat

/** `ChatParams`, taken apart so that the tools and the format are known by their types. */
type ParamsOf<Each, Format> =
  | (Omit<ToSdk<ChatRequest>, "tools" | "responseFormat"> & {
      tools?: readonly Each[] | null
      responseFormat?: Format | null
    })
  | (Omit<ChatRequest, "tools" | "response_format"> & {
      tools?: readonly Each[] | null
      response_format?: Format | null
    })

export interface ChatSettings {
  readonly transport: Transport
  readonly target: Target
  readonly timers: TimerOptions
  readonly resume: BackoffOptions
}

export function createChat({ transport, target, timers, resume }: ChatSettings): Chat {
  /** Taken for granted from the target, or learnt from an answer. */
  let isSluice = target.isSluice

  async function send(params: ChatParams, options: CallOptions = {}): Promise<ChatStream | ChatCompletion> {
    const body = bodyOf(params)
    const isStreamed = body["stream"] === true
    const outgoing = {
      method: "POST",
      path: PATH,
      body: JSON.stringify(body),
      headers: {
        accept: isStreamed ? EVENTS : "application/json",
        ...(isSluice && {
          "idempotency-key": options.idempotencyKey ?? randomKey(),
          "sluice-on-disconnect": "drain:60",
        }),
        ...options.headers,
      },
      repeatable: isSluice,
    } as const
    const { tools } = params
    const format = "responseFormat" in params ? params.responseFormat : params["response_format" as never]
    if (isStreamed) {
      const choices = typeof body["n"] === "number" ? body["n"] : 1
      const early = { ...outgoing, timer: "connect", onLateAnswer: cancelLate } as const
      return openStream(early, options, { choices, tools, format })
    }
    const completion = await complete(outgoing, options)
    if (!isTypedFormat(format)) return completion
    return Object.assign(completion, { parsed: await parseOutput(completion, format) })
  }

  return {
    send: send as Chat["send"],
    async resume({ id, lastEventId = "" }, options = {}) {
      if (!isSluice) throw new SluiceError("Only a stream of a Sluice gateway can be resumed.")
      return openStream(resumption(id, lastEventId, options.headers), options, { id, lastEventId })
    },
  }

  function complete(outgoing: Untimed, options: CallOptions): Promise<ChatCompletion> {
    const watch = watchOf(options)
    watch.contentArrived()
    const { signal, retries } = options
    return transport({ ...outgoing, watch, signal, retries }, readWhole)
  }

  async function openStream(
    outgoing: Untimed,
    options: CallOptions,
    {
      id,
      lastEventId = "",
      ...asked
    }: Pick<StreamParts, "choices" | "tools" | "format" | "id"> & { lastEventId?: string },
  ): Promise<ChatStream> {
    const { headers, signal, retries } = options
    const watch = watchOf(options)
    if (lastEventId !== "") watch.contentArrived()
    const first = await transport({ ...outgoing, watch, signal, retries }, openConnection)
    const streamId = streamIdOf(first.response) ?? id
    isSluice ||= streamId !== undefined
    return new ChatStream({
      first,
      lastEventId,
      watch,
      backoff: resume,
      id: streamId,
      signal,
      ...asked,
      ...(streamId !== undefined && {
        // How often it is tried is the stream's own affair.
        reopen: (behind) =>
          transport({ ...resumption(streamId, behind, headers), watch, retries: 0 }, openConnection),
        tell: (what) => tell(transport, streamId, what, headers),
      }),
      ...(lastEventId !== "" && {
        retrieve: () =>
          complete({ method: "GET", path: pathOf(streamId ?? ""), headers, repeatable: true }, options),
      }),
    })
  }

  /** The caller has gone, the call has not: as soon as the answer names its stream, it is cancelled. */
  function cancelLate({ response, close }: Answer): void {
    const id = streamIdOf(response)
    if (id === undefined) close()
    else tell(transport, id, "cancel").then(close, close)
  }

  function watchOf(options: CallOptions): Watch {
    return createWatch(isSluice ? { idle: SLUICE_IDLE_MS } : undefined, timers, options.timers)
  }

  function bodyOf(params: ChatParams): JsonObject {
    const request: ChatRequest = toWire(params)
    const { adjust } = SYSTEMS[target.system]
    // Usage comes only when asked for, and `final()` promises it.
    const usage = request.stream && request.stream_options === undefined
    const body: JsonObject = { ...request, ...(usage && { stream_options: { include_usage: true } }) }
    return adjust ? adjust(body) : body
  }
}

type Untimed = Omit<Outgoing, "watch">

/** Four of the gateway's heartbeats. */
const SLUICE_IDLE_MS = 60_000

async function readWhole(answer: Answer): Promise<ChatCompletion> {
  const { text, broken } = await readText(answer)
  if (broken) throw broken
  return toSdk(readCompletion(text))
}
