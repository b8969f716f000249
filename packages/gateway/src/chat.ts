/**
 * The spine: a call's life, in call order. Read it top to bottom; all it calls is one noun away.
 *
 *   read → plan → hold → open → pump → answer
 *
 * The provider's events go into the stream's log; the client that asked is only its first reader, from 0.
 */
import { type ChatRequest, wireError } from "@sluice/protocol"
import { answer } from "./answer.ts"
import { isUnlimited } from "./auth/keys.ts"
import type { AuthedCall } from "./call.ts"
import type { Gateway } from "./gateway.ts"
import { GatewayError, toWireError } from "./gateway-error.ts"
import { readJsonBody } from "./http/body.ts"
import { hashOf } from "./http/body-hash.ts"
import {
  droppedHeader,
  readIdempotencyKey,
  readOnDisconnect,
  readRequestId,
  readSteering,
} from "./http/headers.ts"
import { newId } from "./ids.ts"
import { keepContent } from "./keep-content.ts"
import { createEntry } from "./ledger/entry.ts"
import { type Hold, rateHeaders, textsOf } from "./limits/hold.ts"
import { createPump } from "./pump.ts"
import { validateRequest } from "./request.ts"
import { type Opening, open } from "./routing/open.ts"
import { createPauses } from "./routing/pauses.ts"
import { type Plan, plan } from "./routing/plan.ts"
import { createReport } from "./routing/report.ts"
import { type Wanted, wantedOf } from "./routing/wanted.ts"
import { sessionOf, sightOf } from "./sight.ts"
import type { OpenCall } from "./store/call-record.ts"
import { writeSlip } from "./store/slip.ts"
import { storeTrouble } from "./store/trouble.ts"
import type { StreamRecord } from "./streams/log.ts"
import type { Stream } from "./streams/stream.ts"
import { countRelayed } from "./whole.ts"

/** POST {mount}/chat/completions */
export async function chat(call: AuthedCall, gateway: Gateway): Promise<void> {
  const asked = await read(call, gateway) //                                    400 413 415
  const known = gateway.streams.joined(asked.scope, asked.bodyHash) //          422
  if (known !== undefined) return answer(call, gateway, known, { "sluice-replayed": "true" })
  if (gateway.draining)
    throw new GatewayError("gateway_shutdown", "This gateway is shutting down.", { retryAfter: 1 })
  if (gateway.streams.trouble !== undefined) throw new GatewayError(...CANNOT_KEEP)
  const route = plan(asked.wanted, gateway.routes, sightOf(call, gateway, asked)) // 400 403 404
  const posts = mayPost(call, gateway) //                                       401
  const stream = begin(call, gateway, asked, route)
  const headers = run(call, gateway, asked, route, stream, posts) //            402 429, 4xx 5xx of providers
  await answer(call, gateway, stream, headers)
}

interface Asked {
  readonly request: ChatRequest
  /** What it says of its routing. */
  readonly wanted: Wanted
  /** The model that was named first. */
  readonly model: string
  readonly streamed: boolean
  /** What the idempotency key is unique in; "" without one. */
  readonly scope: string
  readonly bodyHash: string
  /** As it was sent. */
  readonly body: unknown
}

async function read(call: AuthedCall, gateway: Gateway): Promise<Asked> {
  const idempotencyKey = readIdempotencyKey(call.request.headers)
  const body = await readJsonBody(call.request, gateway.limits.bodyBytes)
  const request = call.dialect.readRequest(validateRequest(body, call.dialect.name))
  const wanted = wantedOf(request, readSteering(call.request.headers, call.dialect))
  const model = wanted.models[0]?.model ?? ""
  const asked = { request, wanted, model, streamed: request.stream === true, body }
  if (idempotencyKey === undefined) return { ...asked, scope: "", bodyHash: "" }
  const scope = `${call.key.id} ${call.mount.prefix} ${idempotencyKey}`
  return { ...asked, scope, bodyHash: hashOf(body) }
}

function begin(call: AuthedCall, gateway: Gateway, asked: Asked, route: Plan): Stream {
  const facts = {
    id: newId(call.dialect.idPrefix),
    owner: call.key.id,
    streamed: asked.streamed,
    dialect: call.dialect.name,
    createdAt: call.receivedAt,
    askedModel: asked.model,
    ...(asked.scope === "" ? {} : { idempotency: { scope: asked.scope, bodyHash: asked.bodyHash } }),
  }
  const onDisconnect = readOnDisconnect(call.request.headers) ?? call.key.onDisconnect ?? route.onDisconnect
  if (onDisconnect.rule === "detach" && call.key.forbidDetach)
    throw new GatewayError("permission_denied", "This key may not detach calls.", {
      param: "sluice-on-disconnect",
    })
  return gateway.streams.begin(facts, onDisconnect, (left) =>
    left.source?.stop("cancelled", wireError("cancelled", "The client left and the call was cancelled.")),
  )
}

/** hold → open → pump: the writer's side, which goes on whoever is still listening. Gives what its headers will say. */
function run(
  call: AuthedCall,
  gateway: Gateway,
  asked: Asked,
  route: Plan,
  stream: Stream,
  posts: boolean,
): Record<string, string> {
  const { request, wanted, streamed } = asked
  const { books, health, metrics } = gateway
  const headers: Record<string, string> = {}
  const now = (): number => performance.now()
  const opened = openCall(call, asked, stream)
  const holding = hold()

  /** First the log, then the books: whoever finds the call's row finds its stream, whenever the process dies. */
  async function hold(): Promise<Hold> {
    const wanted = {
      call: opened,
      request,
      candidates: route.candidates.map(({ provider, model }) => ({
        price: books.prices.priceOf(provider.name, model),
        name: `${provider.name}/${model}`,
      })),
      unpriced: books.unpriced,
    }
    if (!posts) {
      await stream.kept()
      return books.holds.take(wanted)
    }
    const draft = books.holds.draft(wanted)
    stream.record.putSlip(writeSlip({ open: draft.call, process: books.store.process }))
    await stream.kept()
    books.store.postCall(draft.call)
    return draft.hold
  }

  const entry = createEntry({
    id: stream.id,
    now,
    priceOf: books.prices.priceOf,
    // The row is there when the hold is, or was posted before it: it is never settled before.
    async settle(settled) {
      const hold = await holding.catch(() => undefined)
      if (hold === undefined) return
      if (!settled.estimated) hold.learn(`${settled.provider}/${settled.model}`, settled.usage.promptTokens)
      if (posts) {
        const { record } = stream
        record.putSlip(writeSlip({ settled }))
        record.owe()
        books.store.postSettlement(settled, paidBy(record))
        return metrics.settled(settled, opened)
      }
      // Of a stream all has been read but `[DONE]`; a whole answer is waited for.
      if (await books.store.settleCall(settled, streamed)) metrics.settled(settled, opened)
    },
    promptTexts: () => textsOf(request),
    countRelayed: () => countRelayed(stream),
  })
  const pump = createPump({
    stream,
    dialect: call.dialect,
    wantsUsage: call.dialect.wantsUsage(request),
    created: Math.floor(call.receivedAt / 1_000),
    askedModel: asked.model,
    entry,
    report: createReport(route, wanted, asked.model),
    covers: async (tokens) =>
      (await holding).covers(tokens, async () => {
        // Of just what is counted: the answer grows meanwhile.
        let roughly = 1
        const tokens = await countRelayed(stream, () => {
          roughly = entry.meter.roughTokens
        })
        return tokens / roughly
      }),
    waitForHold: (waits) => pauses.set("hold", waits),
    outOfBudget: (error) => stream.source?.stop("failed", error),
    committed(dropped) {
      if (dropped.length > 0) headers["sluice-dropped-params"] = droppedHeader(dropped)
    },
    log: gateway.log,
    now,
  })
  let opening: Opening | undefined
  const pauses = createPauses((paused) => (paused ? opening?.pause() : opening?.resume()))
  stream.source = { pause() {}, resume() {}, stop: pump.stop }
  void stream.opened.then((opened) => {
    if (!opened.ok) gateway.streams.free(stream)
    else if (wanted.session !== undefined)
      gateway.sessions.went(sessionOf(call, wanted.session), opened.model)
  })
  holding.then(
    (hold) => {
      if (call.key.logContent) stream.onEnd(() => keepContent(gateway, stream, asked.body))
      if (stream.record.ending !== undefined || pump.isOver()) return
      Object.assign(headers, rateHeaders(hold.rates, Date.now()))
      opening = open(
        {
          plan: route,
          request,
          wanted,
          health,
          stream: streamed,
          random: Math.random,
          now,
          log: gateway.log,
        },
        pump,
      )
      stream.source = {
        pause: () => pauses.set("readers", true),
        resume: () => pauses.set("readers", false),
        stop(ending, error) {
          opening?.abort()
          pump.stop(ending, error)
        },
      }
    },
    (error: unknown) => {
      if (error instanceof GatewayError) Object.assign(headers, error.headers)
      else gateway.log(`${call.requestId}: ${error}`)
      const refusal = toWireError(storeTrouble(error))
      metrics.refused(refusal)
      pump.refused(refusal)
    },
  )
  return headers
}

/** Made here and not where it is given: it would hold all of the call. */
function paidBy(record: StreamRecord): () => void {
  return () => record.paid()
}

/** Of a stored key it is asked again, since the body may have taken its time: is it one still, and what may it do now? 401 */
function mayPost({ key, request }: AuthedCall, { books, keys }: Gateway): boolean {
  if (!books.posts || !isUnlimited(key) || !books.store.mayPost()) return false
  return !key.stored || isUnlimited(keys.authenticate(request.headers))
}

function openCall(call: AuthedCall, asked: Asked, stream: Stream): Omit<OpenCall, "hold"> {
  return {
    id: stream.id,
    key: call.key.id,
    keyIsStored: call.key.stored,
    dialect: call.dialect.name,
    dialectRule: call.dialectRule,
    modelAsked: asked.model,
    streamed: asked.streamed,
    client: call.request.headers["user-agent"],
    clientRequestId: readRequestId(call.request.headers),
    tags: [...call.key.tags, ...asked.wanted.tags],
    startedAt: call.receivedAt,
  }
}

const CANNOT_KEEP = [
  "server",
  "This gateway cannot keep streams at the moment: its journal cannot be written.",
  { status: 503, retryAfter: 5 },
] as const
