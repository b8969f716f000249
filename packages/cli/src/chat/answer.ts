/** One answer as it streams: shown piece by piece, measured, its place kept; and how it ended. */
import type { Chunk, Usage } from "@sluice/protocol"
import {
  CancelledError,
  type ChatStream,
  ConnectionError,
  SluiceError,
  StreamInterruptedError,
} from "@sluice/sdk"
import type { Place } from "./bookmarks.ts"

export type Ending = "finished" | "failed" | "cancelled" | "interrupted"

export interface Answer {
  readonly ending: Ending
  readonly error: SluiceError | undefined
  /** The connection was lost, the stream was not. */
  readonly isResumable: boolean
  readonly text: string
  /** Undefined: no stream had begun. */
  readonly id: string | undefined
  readonly lastEventId: string
  readonly finishReason: string | undefined
  readonly figures: Figures
}

/** What is not known is left out. */
export interface Figures {
  readonly firstTokenMs: number | undefined
  readonly tokensPerSecond: number | undefined
  readonly usage: Usage | undefined
}

/** Whoever shows it. */
export interface Listener {
  chunk(chunk: Chunk, eventId: string): void
  text(piece: string): void
  reasoning(piece: string): void
}

export interface AnswerOptions {
  readonly open: () => Promise<ChatStream>
  readonly place: (id: string) => Place
  readonly listener: Listener
  /** Only the rest is read: when its first token came is not known. */
  readonly isRest: boolean
}

export async function readAnswer({ open, place, listener, isRest }: AnswerOptions): Promise<Answer> {
  const begunAt = performance.now()
  let firstAt: number | undefined
  let pieces = 0
  let text = ""
  let finishReason: string | undefined
  let usage: Usage | undefined
  let stream: ChatStream | undefined
  let kept: Place | undefined
  let error: SluiceError | undefined

  function take(chunk: Chunk, eventId: string): void {
    listener.chunk(chunk, eventId)
    usage = chunk.usage ?? usage
    const choice = chunk.choices.find(({ index }) => index === 0)
    if (choice === undefined) return
    finishReason = choice.finish_reason ?? finishReason
    const { content, reasoning, reasoning_content } = choice.delta
    const thought = reasoning ?? reasoning_content
    if (!content && !thought) return
    firstAt ??= performance.now()
    pieces += 1
    if (thought) listener.reasoning(thought)
    // Mistral's models that reason send a list of parts while they do.
    if (typeof content !== "string" || content === "") return
    text += content
    listener.text(content)
  }

  try {
    stream = await open()
    if (stream.id !== undefined) kept = place(stream.id)
    for await (const chunk of stream.wire()) {
      take(chunk, stream.lastEventId)
      kept?.reached(stream.lastEventId)
    }
  } catch (cause) {
    if (!(cause instanceof SluiceError)) throw cause
    error = cause
  }
  const isResumable = stream?.id !== undefined && isConnections(error)
  kept?.close(!isResumable)
  const seconds = firstAt === undefined ? 0 : (performance.now() - firstAt) / 1_000
  const isMeasured = !isRest && usage !== undefined && pieces > 1 && seconds > 0
  return {
    ending: endingOf(error, isResumable),
    error,
    isResumable,
    text,
    id: stream?.id,
    lastEventId: stream?.lastEventId ?? "",
    finishReason,
    figures: {
      firstTokenMs: isRest || firstAt === undefined ? undefined : firstAt - begunAt,
      tokensPerSecond: isMeasured ? usage!.completion_tokens / seconds : undefined,
      usage,
    },
  }
}

/** The connection's own failure, but for one: the gateway was asked, and has the stream no more. */
function isConnections(error: SluiceError | undefined): boolean {
  const { cause } = error ?? {}
  const isGone = cause instanceof SluiceError && (cause.status === 404 || cause.status === 410)
  return (error instanceof StreamInterruptedError && !isGone) || error instanceof ConnectionError
}

function endingOf(error: SluiceError | undefined, isResumable: boolean): Ending {
  if (error === undefined) return "finished"
  if (error instanceof CancelledError) return "cancelled"
  // Said in band: the gateway died, and its next start has found the stream without an ending.
  return isResumable || error.code === "interrupted" ? "interrupted" : "failed"
}
