/** A stream as a whole, from its log: what its events add up to. */
import { setImmediate as nextTurn } from "node:timers/promises"
import { createAssembler, isObject, type JsonObject } from "@sluice/protocol"
import { GatewayError } from "./gateway-error.ts"
import type { Stream } from "./streams/stream.ts"
import { countAnswer } from "./tokens/count.ts"

/** A long stream stands on the disk: it is read over several turns, until nothing is left to read. */
export async function readAll({ record }: Stream): Promise<Uint8Array[]> {
  const events: Uint8Array[] = []
  for (;;) {
    const more = record.read(events.length, Number.POSITIVE_INFINITY)
    if (record.first > 1) throw dropped(record.first)
    if (more.length === 0) return events
    for (const event of more) events.push(event)
    if (events.length < record.visible) await nextTurn()
  }
}

export function completionOf({ id, record }: Stream, events: readonly Uint8Array[]): JsonObject {
  if (!record.facts.streamed && events.length > 0) return parse(Buffer.from(events[0]!).toString())
  const assembler = createAssembler()
  for (const event of events) {
    const data = Buffer.from(event)
      .toString()
      .match(/^data: (.*)$/m)?.[1]
    if (data !== undefined) assembler.add(parse(data))
  }
  const { error: _, usage, ...completion } = assembler.completion()
  const running = record.visibleEnding === undefined
  return {
    ...completion,
    id,
    object: "chat.completion",
    created: completion.created || Math.floor(record.facts.createdAt / 1_000),
    choices: completion.choices.map((choice) => (running ? { ...choice, finish_reason: null } : choice)),
    ...(running || usage === undefined ? {} : { usage }),
  }
}

function parse(text: string): JsonObject {
  const value: unknown = JSON.parse(text)
  return isObject(value) ? value : {}
}

/**
 * Tokens of all text that its provider has sent. It is read here, and taken apart in the thread that counts; `wasRead` is
 * called in between.
 */
export async function countRelayed(stream: Stream, wasRead = (): void => {}): Promise<number> {
  // What this turn has appended is on its way to the client, and readable when it is kept.
  await stream.kept()
  const events = await readAll(stream)
  wasRead()
  // Counting needs a thread that is dear to start.
  if (events.length === 0) return 0
  return countAnswer(Buffer.concat(events), stream.record.facts.streamed)
}

export function dropped(first: number): GatewayError {
  return new GatewayError(
    "events_dropped",
    `The oldest events of this stream were dropped; the oldest left is ${first}.`,
    { metadata: { oldest_event_id: first } },
  )
}
