/**
 * Streams that end without their provider: the process that wrote them is gone, or what they say can no longer be kept.
 * Whoever reads them is told so, in the dialect of the call and as its last event.
 */
import { type WireError, wireError } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import { encodeEvent } from "./pump.ts"
import type { Stream } from "./streams/stream.ts"

/** Found at the start, without an ending. */
export function interrupted(stream: Stream): void {
  endWithout(
    stream,
    "interrupted",
    wireError("interrupted", "The gateway was stopped while this stream ran; what it had sent is kept."),
  )
}

/** The disk does not take its newest events. */
export function lost(stream: Stream): void {
  const error = wireError("server", "The gateway could not keep this stream: its journal cannot be written.")
  if (stream.source !== undefined) stream.source.stop("failed", error)
  else endWithout(stream, "failed", error)
}

function endWithout(stream: Stream, ending: "failed" | "interrupted", error: WireError): void {
  const { facts, head } = stream.record
  const opened = stream.openedNow
  if (facts.streamed) {
    const dialect = Object.values(dialects).find(({ name }) => name === facts.dialect) ?? dialects.openai
    const envelope = {
      id: facts.id,
      created: Math.floor(facts.createdAt / 1_000),
      model: opened?.ok === true ? opened.model : facts.askedModel,
    }
    stream.append(encodeEvent(head + 1, dialect.writeErrorChunk(envelope, error)))
  }
  stream.open({ ok: false, error, attempts: 0 })
  stream.end(ending, error)
}
