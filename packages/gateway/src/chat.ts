/**
 * The spine: a call's life, in call order. Read it top to bottom; all it calls is one noun away.
 *
 *   read → plan → hold → open → pump → answer
 *
 * The provider's events go into the stream's log; the client that asked is only its first reader, from 0.
 */
import { createHash } from "node:crypto"
import { type ChatRequest, type JsonObject, wireError } from "@sluice/protocol"
import type { AuthedCall } from "./call.ts"
import type { Gateway } from "./gateway.ts"
import { GatewayError, toWireError } from "./gateway-error.ts"
import { sendError, sendJson } from "./http/answer.ts"
import { readJsonBody } from "./http/body.ts"
import { readIdempotencyKey, readOnDisconnect } from "./http/headers.ts"
import { serveEvents } from "./http/sse.ts"
import { newId } from "./ids.ts"
import { createPump } from "./pump.ts"
import { validateRequest } from "./request.ts"
import { open } from "./routing/open.ts"
import { type Plan, plan } from "./routing/plan.ts"
import type { Opened, Stream } from "./streams/stream.ts"

/** POST {mount}/chat/completions */
export async function chat(call: AuthedCall, gateway: Gateway): Promise<void> {
  const asked = await read(call, gateway) //                                    400 413 415
  const known = gateway.streams.joined(asked.scope, asked.bodyHash) //          422
  if (known !== undefined) return answer(call, gateway, known, { "sluice-replayed": "true" })
  if (gateway.draining)
    throw new GatewayError("gateway_shutdown", "This gateway is shutting down.", { retryAfter: 1 })
  if (gateway.streams.trouble !== undefined) throw new GatewayError(...CANNOT_KEEP)
  const route = plan(asked.request.model, gateway.routes) //                    404
  const stream = begin(call, gateway, asked, route)
  const headers = run(call, gateway, asked, route, stream) //                   402 429, 4xx 5xx of providers
  await answer(call, gateway, stream, headers)
}

interface Asked {
  readonly request: ChatRequest
  readonly streamed: boolean
  /** What the idempotency key is unique in; "" without one. */
  readonly scope: string
  readonly bodyHash: string
}

async function read(call: AuthedCall, gateway: Gateway): Promise<Asked> {
  const idempotencyKey = readIdempotencyKey(call.request.headers)
  const body = await readJsonBody(call.request, gateway.limits.bodyBytes)
  const request = call.dialect.readRequest(validateRequest(body, call.dialect.name))
  if (idempotencyKey === undefined)
    return { request, streamed: request.stream === true, scope: "", bodyHash: "" }
  const scope = `${call.key.id} ${call.mount.prefix} ${idempotencyKey}`
  return { request, streamed: request.stream === true, scope, bodyHash: hashOf(body) }
}

function begin(call: AuthedCall, gateway: Gateway, asked: Asked, route: Plan): Stream {
  const facts = {
    id: newId(call.dialect.idPrefix),
    owner: call.key.id,
    streamed: asked.streamed,
    dialect: call.dialect.name,
    createdAt: call.receivedAt,
    askedModel: asked.request.model ?? "",
    ...(asked.scope === "" ? {} : { idempotency: { scope: asked.scope, bodyHash: asked.bodyHash } }),
  }
  const onDisconnect = readOnDisconnect(call.request.headers) ?? route.onDisconnect
  return gateway.streams.begin(facts, onDisconnect, (left) =>
    left.source?.stop("cancelled", wireError("cancelled", "The client left and the call was cancelled.")),
  )
}

/** hold → open → pump: the writer's side, which goes on whoever is still listening. */
function run(
  call: AuthedCall,
  gateway: Gateway,
  asked: Asked,
  route: Plan,
  stream: Stream,
): Record<string, string> {
  const headers: Record<string, string> = {}
  const created = Math.floor(call.receivedAt / 1_000)
  const holding = gateway.holds.take({ owner: call.key.id, streamId: stream.id })
  const pump = createPump({
    stream,
    dialect: call.dialect,
    wantsUsage: call.dialect.wantsUsage(asked.request),
    created,
    askedModel: asked.request.model ?? "",
    committed(dropped) {
      if (dropped.length > 0) headers["sluice-dropped-params"] = dropped.join(", ")
    },
    settled(usage) {
      void holding
        .then((hold) => hold.settle(usage))
        .catch((error) => gateway.log(`hold of ${stream.id}: ${error}`))
    },
  })
  stream.source = { pause() {}, resume() {}, stop: pump.stop }
  void stream.opened.then((opened) => {
    if (!opened.ok) gateway.streams.free(stream)
  })
  holding.then(
    () => {
      if (stream.record.ending !== undefined) return
      const opening = open(
        {
          plan: route,
          request: asked.request,
          stream: asked.streamed,
          random: Math.random,
          now: () => performance.now(),
        },
        pump,
      )
      stream.source = {
        pause: opening.pause,
        resume: opening.resume,
        stop(ending, error) {
          opening.abort()
          pump.stop(ending, error)
        },
      }
    },
    (error: unknown) => pump.failed(toWireError(error), false, 0),
  )
  return headers
}

/** The reader's side. The status waits for the commit point, so that a failure before it is an ordinary error. */
export async function answer(
  call: AuthedCall,
  gateway: Gateway,
  stream: Stream,
  headers: Record<string, string>,
): Promise<void> {
  const opened = await reading(call, stream, () =>
    stream.record.facts.streamed
      ? Promise.race([stream.opened, patience(gateway.heart.interval)])
      : ended(stream).then(() => stream.openedNow),
  )
  if (call.response.destroyed) return
  const about = { ...headers, ...identify(call, stream, opened) }
  const failure =
    opened?.ok === false ? opened.error : stream.record.facts.streamed ? undefined : stream.failure
  if (failure !== undefined) return sendError(call.response, call.dialect, failure, about)
  if (!stream.record.facts.streamed) return sendJson(call.response, 200, stream.record.read(0, 1)[0]!, about)
  const { response, mount, dialect } = call
  serveEvents({ response, mount, dialect, headers: about }, stream, 0, gateway.heart)
}

/** While it waits the client counts as a reader: its leaving starts the stream's clock. */
async function reading<T>(call: AuthedCall, stream: Stream, wait: () => Promise<T>): Promise<T> {
  const reader = { wake() {}, behind: () => 0, caughtUp: false, drop() {} }
  const leave = (): void => stream.detach(reader)
  stream.attach(reader)
  call.response.once("close", leave)
  try {
    return await wait()
  } finally {
    call.response.off("close", leave)
    // Not before the next reader is attached: between two readers of one client nobody has left.
    setImmediate(leave)
  }
}

function identify(call: AuthedCall, stream: Stream, opened: Opened | undefined): Record<string, string> {
  return {
    "sluice-stream-id": stream.id,
    "x-request-id": call.requestId,
    ...(call.dialect.name === "openrouter" ? { "x-generation-id": stream.id } : {}),
    ...(opened === undefined ? {} : { "sluice-attempts": String(opened.attempts) }),
    ...(opened?.ok === true ? { "sluice-model": opened.model, "sluice-provider": opened.provider } : {}),
  }
}

export function ended(stream: Stream): Promise<void> {
  return new Promise((resolve) => stream.onEnd(resolve))
}

function patience(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined).unref())
}

const CANNOT_KEEP = [
  "server",
  "This gateway cannot keep streams at the moment: its journal cannot be written.",
  { status: 503, retryAfter: 5 },
] as const

/** Equal bodies are equal as JSON: the order of members and the white space say nothing. */
function hashOf(body: JsonObject): string {
  return createHash("sha256").update(canonical(body)).digest("base64")
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`
}
