/** Every stream this process knows: the running, and the ended for as long as they are kept. */
import { GatewayError } from "../gateway-error.ts"
import type { StreamFacts, StreamLog, StreamRecord } from "./log.ts"
import type { OnDisconnect } from "./on-disconnect.ts"
import { createStream, type Stream } from "./stream.ts"
import { createTurn, once } from "./turn.ts"

export interface Streams {
  begin(facts: StreamFacts, onDisconnect: OnDisconnect, abandoned: (stream: Stream) => void): Stream
  get(id: string): Stream | undefined
  /** The stream that began with this idempotency key, if it is still known. Another body under the same key: 422. */
  joined(scope: string, bodyHash: string): Stream | undefined
  /** The call failed before its commit point: its idempotency key may be used again. */
  free(stream: Stream): void
  running(): Stream[]
  /** Why nothing new can be kept at the moment. */
  readonly trouble: string | undefined
  /** Stops the clock that forgets. */
  close(): void
}

export interface StreamsOptions {
  readonly log: StreamLog
  /** Milliseconds. */
  readonly sweepEvery: number
  /** Its newest events could not be kept: to be ended. */
  readonly lost: (stream: Stream) => void
  /** The process that wrote it is gone, and it has no ending: to be given one. */
  readonly interrupted: (stream: Stream) => void
}

export function createStreams({ log, sweepEvery, lost, interrupted }: StreamsOptions): Streams {
  const turn = createTurn(log.flush)
  const streams = new Map<string, Stream>()
  const keys = new Map<string, Stream>()
  const running = new Set<Stream>()

  const sweeper = setInterval(() => {
    log.sweep(Date.now())
    // The log may also have dropped streams for room: what it does not know is not known here either.
    for (const [id, stream] of streams) {
      if (log.get(id) !== undefined) continue
      streams.delete(id)
      free(stream)
    }
  }, sweepEvery)
  sweeper.unref()

  log.onLost = ({ facts }) => {
    const stream = streams.get(facts.id)
    if (stream !== undefined) lost(stream)
  }

  function add(record: StreamRecord, onDisconnect: OnDisconnect, abandoned: (left: Stream) => void): Stream {
    const stream = createStream(record, turn, onDisconnect, abandoned)
    const { id, idempotency } = record.facts
    streams.set(id, stream)
    if (idempotency !== undefined && stream.openedNow?.ok !== false) keys.set(idempotency.scope, stream)
    if (record.ending !== undefined) return stream
    running.add(stream)
    stream.onEnd(() => running.delete(stream))
    return stream
  }

  function free(stream: Stream): void {
    const { idempotency } = stream.record.facts
    if (idempotency !== undefined && keys.get(idempotency.scope) === stream) keys.delete(idempotency.scope)
  }

  for (const record of log.all()) {
    const stream = add(record, { rule: "detach" }, () => {})
    if (record.ending !== undefined) continue
    // It had not come to its commit point: its key may be used again.
    if (stream.openedNow === undefined) free(stream)
    interrupted(stream)
  }

  return {
    begin(facts, onDisconnect, abandoned) {
      const stream = add(log.create(facts), onDisconnect, abandoned)
      turn.touch(once(NOTHING))
      return stream
    },
    get(id) {
      return log.get(id) === undefined ? undefined : streams.get(id)
    },
    joined(scope, bodyHash) {
      const known = keys.get(scope)
      if (known === undefined || log.get(known.id) === undefined) return undefined
      if (known.record.facts.idempotency?.bodyHash !== bodyHash) {
        throw new GatewayError(
          "idempotency_mismatch",
          "This Idempotency-Key was used with another request body. Use a new key for a new request.",
        )
      }
      return known
    },
    free,
    running: () => [...running],
    get trouble() {
      return log.trouble
    },
    close: () => clearInterval(sweeper),
  }
}

/** Has the turn end with a flush, though nobody waits for it. */
const NOTHING = (): void => {}
