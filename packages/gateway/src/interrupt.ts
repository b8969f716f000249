/**
 * Streams that end without their provider: the process that wrote them is gone, or what they say can no longer be kept.
 * Whoever reads them is told so, in the dialect of the call and as its last event.
 */
import { type WireError, wireError } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import type { Books, Gateway } from "./gateway.ts"
import { costOf } from "./ledger/price.ts"
import { encodeEvent } from "./pump.ts"
import type { CallRecord, SettledCall } from "./store/call-record.ts"
import type { Stream } from "./streams/stream.ts"
import type { Streams } from "./streams/streams.ts"
import { countRelayed } from "./whole.ts"

/**
 * Found at the start, without an ending. Where the books were closed before the process went, the ending that stands
 * there was decided and only not shown yet: all its events are in the log.
 */
export function interrupted(stream: Stream, settled: CallRecord | undefined): void {
  if (settled !== undefined && settled.ending !== null && settled.ending !== "interrupted") {
    const message = `The call had ended before the gateway was stopped (${settled.reason ?? settled.ending}).`
    const error = settled.ending === "finished" ? undefined : wireError("interrupted", message)
    stream.end(settled.ending, error)
    return
  }
  endWithout(
    stream,
    "interrupted",
    wireError("interrupted", "The gateway was stopped while this stream ran; what it had sent is kept."),
  )
}

/**
 * Rows of calls whose process is gone: closed with what the log shows of them. `left` are rows of this data folder's
 * process before; of others' it is known only after a while that they are gone.
 */
export async function closeOrphans(
  { books, streams, metrics }: Pick<Gateway, "books" | "streams" | "metrics">,
  left: readonly CallRecord[] = [],
): Promise<number> {
  const open = [...left.filter(({ ending }) => ending === null), ...(await books.store.calls.orphaned())]
  const orphans = [...new Map(open.map((row) => [row.id, row])).values()].filter(
    (row) => row.process !== books.store.process && isForUs(books, streams, row),
  )
  for (const orphan of orphans) {
    const { id, startedAt } = orphan
    const stream = streams.get(id)
    const opened = stream?.openedNow
    const completionTokens = stream === undefined ? 0 : await countRelayed(stream).catch(() => 0)
    const usage = { promptTokens: 0, completionTokens, reasoningTokens: 0, cachedTokens: 0, audioTokens: 0 }
    const [provider, model] = opened?.ok === true ? splitOnce(opened.model) : []
    const price = provider === undefined ? undefined : books.prices.priceOf(provider, model ?? "")
    const used = { prompt_tokens: 0, completion_tokens: completionTokens, total_tokens: completionTokens }
    const cost = provider === undefined ? 0n : price === undefined ? null : costOf(used, price)
    const endedAt = Date.now()
    const settled: SettledCall = {
      id,
      ending: "interrupted",
      reason: "interrupted",
      endedAt,
      provider,
      model,
      attempts:
        provider === undefined || model === undefined
          ? []
          : [{ provider, model, startedAt, endedAt, usage, cost, estimated: true }],
      usage,
      cost,
      estimated: true,
      flags: [],
      resumed: 0,
    }
    if (await books.store.settleCall(settled)) metrics.settled(settled, orphan)
  }
  return orphans.length
}

/** Over Postgres another process may have its log, and come back for it, or it was only slow. Not for ever. */
const LEFT_TO_OTHERS = 3_600_000

function isForUs({ store }: Books, streams: Streams, { id, startedAt }: CallRecord): boolean {
  return store.kind === "sqlite" || streams.get(id) !== undefined || startedAt < Date.now() - LEFT_TO_OTHERS
}

function splitOnce(name: string): [string, string] {
  const slash = name.indexOf("/")
  return [name.slice(0, slash), name.slice(slash + 1)]
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
    stream.append(encodeEvent(head + 1, JSON.stringify(dialect.writeErrorChunk(envelope, error))))
  }
  stream.open({ ok: false, error, attempts: 0 })
  stream.end(ending, error)
}
