/** One reading of a stream: what has come of it, how it ended, and what is done about that. */
import { type Chunk, createAssembler, type SseEvent, toSdk } from "@sluice/protocol"
import { CancelledError, MalformedResponseError, reasonOf, SluiceError, TimeoutError } from "./errors.ts"
import { hasContent, malformed, readChunk } from "./read.ts"
import { requestIdOf } from "./request.ts"
import type { ChatCompletion } from "./shapes.ts"
import { createEventSource, type EventSourceOptions } from "./source.ts"
import { listenTo } from "./watch.ts"

/** What a stream is made of; `client.chat` puts it together. */
export interface StreamParts extends Omit<EventSourceOptions, "isFinished"> {
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
  readonly retrieve?: () => Promise<ChatCompletion>
}

interface Arrived {
  readonly event: SseEvent
  readonly chunk: Chunk
}

export interface Reading {
  readonly id: string | undefined
  readonly lastEventId: string
  /** How it ended; `undefined` while it has not. */
  readonly ending: { readonly error?: SluiceError } | undefined
  /** What `view` makes of each that arrives; where it makes nothing, the next. */
  read<T>(view: (arrived: Arrived) => T | undefined): AsyncGenerator<T, void, undefined>
  /** What has come so far. */
  assembled(): ChatCompletion
  cancel(): Promise<void>
  detach(): Promise<{ id: string; lastEventId: string }>
}

export function createReading(parts: StreamParts): Reading {
  const { watch, signal, tell, choices = 1 } = parts
  const source = createEventSource({ ...parts, isFinished })
  const assembler = createAssembler()
  const begun = new Set<number>()
  const finished = new Set<number>()
  let { id } = parts
  let ending: Reading["ending"]
  let isBeingRead = false
  let stopListening = () => {}
  stopListening = listenTo(signal, leaveWith)

  return {
    get id() {
      return id
    },
    get lastEventId() {
      return source.lastEventId
    },
    get ending() {
      return ending
    },
    read,
    assembled,
    cancel,
    async detach() {
      if (!tell || parts.id === undefined)
        throw new SluiceError("Only a stream of a Sluice gateway can be detached.")
      if (!ending) {
        await tell("detach")
        endWith(new CancelledError("The stream was detached: chat.resume reads its rest."))
        close()
      }
      return { id: parts.id, lastEventId: source.lastEventId }
    },
  }

  async function* read<T>(view: (arrived: Arrived) => T | undefined): AsyncGenerator<T, void, undefined> {
    if (isBeingRead) throw new SluiceError("This stream is being read: one reader at a time.")
    if (ending) throw ending.error ?? new SluiceError("This stream has been read; final() has the whole.")
    isBeingRead = true
    try {
      for (;;) {
        const arrived = await next()
        if (arrived === undefined) return
        const item = view(arrived)
        if (item !== undefined) yield item
      }
    } finally {
      isBeingRead = false
      if (!ending) await cancel()
    }
  }

  async function next(): Promise<Arrived | undefined> {
    try {
      const event = ending ? undefined : await source.next()
      if (event && !ending) return { event, chunk: take(event) }
      if (!ending) {
        ending = {}
        close()
      }
    } catch (error) {
      if (!ending) throw fail(error)
    }
    // Who cancels or detaches knows it; an abort may come from anywhere, and throws.
    if (signal?.aborted && ending?.error) throw ending.error
    return undefined
  }

  function take(event: SseEvent): Chunk {
    const chunk = readChunk(event.data)
    id ??= chunk.id
    assembler.add(chunk)
    for (const choice of chunk.choices) {
      begun.add(choice.index)
      if (choice.finish_reason) finished.add(choice.index)
    }
    if (hasContent(chunk)) watch.contentArrived()
    return chunk
  }

  function fail(cause: unknown): SluiceError {
    const error = cause instanceof SluiceError ? cause : unexpected(cause)
    const isOurDecision = error instanceof MalformedResponseError || error instanceof TimeoutError
    endWith(error)
    if (isOurDecision) void leave()
    else close()
    return error
  }

  function cancel(): Promise<void> {
    return leaveWith(new CancelledError("The stream was cancelled."))
  }

  /** Once it has ended nothing is left to leave. */
  async function leaveWith(error: SluiceError): Promise<void> {
    if (ending) return
    endWith(error)
    await leave()
  }

  function endWith(error: SluiceError): void {
    const { lastEventId } = source
    const requestId = error.requestId ?? requestIdOf(parts.first.response)
    const partial = begun.size > 0 ? assembled() : undefined
    ending = { error: Object.assign(error, { id, lastEventId, requestId, partial }) }
    watch.stop(error)
  }

  /** The gateway is told before the connection goes; if that fails, its own clock ends the call. */
  async function leave(): Promise<void> {
    if (!isFinished()) await tell?.("cancel").catch(() => {})
    close()
  }

  function close(): void {
    stopListening()
    source.close()
  }

  function isFinished(): boolean {
    return finished.size >= Math.max(begun.size, choices)
  }

  function assembled(): ChatCompletion {
    return toSdk(assembler.completion())
  }
}

export function unexpected(cause: unknown): SluiceError {
  return malformed("a chunk of the wrong shape", reasonOf(cause), { cause })
}
