/** Every stream this process knows: the running, and the ended for as long as they are kept. */
import { GatewayError } from "../gateway-error.ts"
import type { StreamFacts, StreamLog } from "./log.ts"
import type { OnDisconnect } from "./on-disconnect.ts"
import { createStream, type Stream } from "./stream.ts"
import { createTurn } from "./turn.ts"

export interface Streams {
  begin(facts: StreamFacts, onDisconnect: OnDisconnect, abandoned: (stream: Stream) => void): Stream
  get(id: string): Stream | undefined
  /** The stream that began with this idempotency key, if it is still known. Another body under the same key: 422. */
  joined(scope: string, bodyHash: string): Stream | undefined
  /** Remembers which stream an idempotency key began, for as long as the stream is kept or until `free`. */
  remember(scope: string, bodyHash: string, stream: Stream): void
  /** The call failed before its commit point: the key may be used again. */
  free(scope: string, stream: Stream): void
  running(): Stream[]
  /** Stops the clock that forgets. */
  close(): void
}

export function createStreams(log: StreamLog, sweepEvery: number): Streams {
  const turn = createTurn()
  const streams = new Map<string, Stream>()
  const keys = new Map<string, { bodyHash: string; stream: Stream }>()
  const keysOf = new Map<string, string>()
  const running = new Set<Stream>()

  const sweeper = setInterval(() => {
    log.sweep(Date.now())
    // The log may also have dropped streams for room: what it does not know is not known here either.
    for (const id of streams.keys()) {
      if (log.get(id) !== undefined) continue
      streams.delete(id)
      const scope = keysOf.get(id)
      if (scope !== undefined) forgetKey(scope, id)
    }
  }, sweepEvery)
  sweeper.unref()

  function forgetKey(scope: string, id: string): void {
    if (keys.get(scope)?.stream.id === id) keys.delete(scope)
    keysOf.delete(id)
  }

  return {
    begin(facts, onDisconnect, abandoned) {
      const stream = createStream(log.create(facts), turn, onDisconnect, abandoned)
      streams.set(facts.id, stream)
      running.add(stream)
      stream.onEnd(() => running.delete(stream))
      return stream
    },
    get(id) {
      return log.get(id) === undefined ? undefined : streams.get(id)
    },
    joined(scope, bodyHash) {
      const known = keys.get(scope)
      if (known === undefined || log.get(known.stream.id) === undefined) return undefined
      if (known.bodyHash !== bodyHash) {
        throw new GatewayError(
          "idempotency_mismatch",
          "This Idempotency-Key was used with another request body. Use a new key for a new request.",
        )
      }
      return known.stream
    },
    remember(scope, bodyHash, stream) {
      keys.set(scope, { bodyHash, stream })
      keysOf.set(stream.id, scope)
    },
    free: (scope, stream) => forgetKey(scope, stream.id),
    running: () => [...running],
    close: () => clearInterval(sweeper),
  }
}
