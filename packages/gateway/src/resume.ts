/**
 * A client that comes back: the same log, read from another number. Also what else can be done to a stream by its
 * id: look at it whole, cancel it, detach it.
 */
import { type JsonObject, streamError, wireError } from "@sluice/protocol"
import { answererOf, ended } from "./answer.ts"
import type { AuthedCall } from "./call.ts"
import type { Gateway } from "./gateway.ts"
import { GatewayError } from "./gateway-error.ts"
import { sendJson } from "./http/answer.ts"
import { serveEvents } from "./http/sse.ts"
import type { Stream } from "./streams/stream.ts"
import { completionOf, dropped, readAll } from "./whole.ts"

/** GET {mount}/chat/completions/{id}: with `stream=true` or `Last-Event-ID` the events, else the answer so far. */
export async function resume(call: AuthedCall, gateway: Gateway, id: string): Promise<void> {
  const stream = find(call, gateway, id)
  const lastEventId = call.request.headers["last-event-id"]
  const wantsStream =
    call.query.get("stream") === "true" || (lastEventId !== undefined && !call.query.has("stream"))
  if (!wantsStream) return retrieve(call, stream)
  if (!stream.record.facts.streamed) {
    throw new GatewayError(
      "invalid_request",
      "This call was not streamed. Ask for its answer without 'stream=true'.",
      {
        param: "stream",
      },
    )
  }
  const after = readPosition(call.query.get("starting_after") ?? lastEventId, stream)
  if (after < stream.record.first - 1) throw dropped(stream.record.first)
  const { response, mount, dialect } = call
  const headers = {
    "sluice-stream-id": stream.id,
    "x-request-id": call.requestId,
    ...answererOf(stream.openedNow),
  }
  gateway.metrics.resumed()
  gateway.books.store.countResume(stream.id).catch((error: unknown) => gateway.log(`${stream.id}: ${error}`))
  serveEvents({ response, mount, dialect, headers }, stream, after, gateway.heart)
}

/** POST …/{id}/cancel: ends it. One that has ended keeps its ending. */
export async function cancel(call: AuthedCall, gateway: Gateway, id: string): Promise<void> {
  const stream = find(call, gateway, id)
  stream.source?.stop("cancelled", wireError("cancelled", "The call was cancelled by its client."))
  await ended(stream)
  await retrieve(call, stream)
}

/** POST …/{id}/detach: it finishes, whoever listens. */
export async function detach(call: AuthedCall, gateway: Gateway, id: string): Promise<void> {
  const stream = find(call, gateway, id)
  if (call.key.forbidDetach) throw new GatewayError("permission_denied", "This key may not detach calls.")
  stream.onDisconnect = { rule: "detach" }
  await retrieve(call, stream)
}

/** What is foreign is as unknown as what never was. */
function find(call: AuthedCall, gateway: Gateway, id: string): Stream {
  const stream = gateway.streams.get(id)
  if (stream === undefined || (stream.record.facts.owner !== call.key.id && !call.key.admin)) {
    throw new GatewayError("not_found", `There is no stream '${id.slice(0, 100)}'. It may be too long ago.`)
  }
  return stream
}

function readPosition(value: string | string[] | undefined, stream: Stream): number {
  if (value === undefined || value === "") return 0
  const position = /^\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN
  if (position <= stream.record.visible) return position
  throw new GatewayError(
    "invalid_request",
    `'starting_after' must be an integer from 0 to ${stream.record.visible}, the newest event of this stream.`,
    { param: "starting_after" },
  )
}

/** The answer as far as it has come: a completion in the call's own dialect, and what state it is in. */
async function retrieve(call: AuthedCall, stream: Stream): Promise<void> {
  const { record } = stream
  const events = await readAll(stream)
  const ending = record.visibleEnding
  const sluice: JsonObject = {
    state: ending ?? "running",
    last_event_id: record.visible,
    ...(ending === undefined || stream.failure === undefined ? {} : { error: streamError(stream.failure) }),
  }
  const headers = { "sluice-stream-id": stream.id, "x-request-id": call.requestId }
  sendJson(call.response, 200, { ...completionOf(stream, events), sluice }, headers)
}
