/**
 * The provider's answer → the stream's log, to the end, whoever is still listening. Each chunk is given this
 * gateway's id, time and model, written in the caller's dialect, numbered and appended; usage is kept back and said
 * once, last, to those who asked for it; and the stream is given exactly one ending.
 */
import {
  type Chunk,
  type ChunkWriter,
  type Completion,
  type Dialect,
  isObject,
  type Usage,
  type WireError,
} from "@sluice/protocol"
import type { OpeningEvents } from "./routing/open.ts"
import type { Ending } from "./streams/log.ts"
import type { Stream } from "./streams/stream.ts"

export interface PumpOptions {
  readonly stream: Stream
  readonly dialect: Dialect
  readonly wantsUsage: boolean
  /** Unix seconds. */
  readonly created: number
  readonly askedModel: string
  /** Called once, at the ending. */
  readonly settled: (usage: Usage | undefined) => void
  /** What the answer's headers will say. */
  readonly committed: (dropped: readonly string[]) => void
}

export interface Pump extends OpeningEvents {
  /** Ends the stream from outside: cancelled, or the gateway stops. */
  stop(ending: Exclude<Ending, "finished">, error: WireError): void
}

export function createPump(options: PumpOptions): Pump {
  const { stream, dialect, created } = options
  const id = stream.id
  const finishedChoices = new Set<number>()
  let model = options.askedModel
  let write: ChunkWriter = dialect.createChunkWriter()
  let attempts = 0
  let usage: Usage | undefined
  /** The provider's last chunk without choices: its members beside usage go out with ours. */
  let tail: Partial<Chunk> = {}

  function emit(chunk: Chunk): void {
    append(write({ ...chunk, id, created, model }))
  }

  function append(data: object): void {
    stream.append(encodeEvent(stream.record.head + 1, data))
  }

  function end(ending: Ending, error?: WireError): void {
    if (stream.record.ending !== undefined) return
    if (error !== undefined && stream.record.facts.streamed)
      append(dialect.writeErrorChunk({ id, created, model }, error))
    stream.open({ ok: false, error: error ?? NO_ANSWER, attempts })
    stream.end(ending, error)
    options.settled(usage)
  }

  return {
    missed() {},
    committed(commit) {
      attempts = commit.attempts
      const provider = commit.candidate.provider.name
      model = `${provider}/${commit.candidate.model}`
      write = dialect.createChunkWriter()
      options.committed(commit.dropped)
      stream.open({ ok: true, model, provider, attempts })
    },
    chunk(chunk) {
      if (chunk.usage !== undefined) usage = chunk.usage
      const { usage: _, ...rest } = chunk
      if (chunk.choices.length === 0) {
        if (rest.debug !== undefined) emit(rest)
        else tail = rest
        return
      }
      const choices = rest.choices.filter((choice) => {
        // A final chunk sent twice: the second says nothing new.
        if (finishedChoices.has(choice.index) && Object.keys(choice.delta).length === 0) return false
        return true
      })
      if (choices.length === 0) return
      emit({
        ...rest,
        choices: choices.map((choice) => {
          if (choice.finish_reason === null) return choice
          if (finishedChoices.has(choice.index)) return { ...choice, finish_reason: null }
          finishedChoices.add(choice.index)
          return choice
        }),
      })
    },
    completion(completion: Completion) {
      usage = completion.usage
      stream.append(
        Buffer.from(JSON.stringify(dialect.writeCompletion({ ...completion, id, created, model }))),
      )
    },
    finished(sawFinish) {
      if (stream.record.ending !== undefined) return
      if (stream.record.facts.streamed) {
        const envelope: Chunk = { id, object: "chat.completion.chunk", created, model, choices: [] }
        if (!sawFinish) emit({ ...envelope, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })
        if (options.wantsUsage && usage !== undefined) emit({ ...envelope, ...tail, choices: [], usage })
        else if (isObject(tail.openrouter_metadata)) emit({ ...envelope, ...tail, choices: [] })
      }
      stream.end("finished")
      options.settled(usage)
    },
    failed(error, _, asked) {
      attempts = asked
      end("failed", error)
    },
    stop: end,
  }
}

/** An event as it is logged and sent: the first one also says when to come back. */
export function encodeEvent(seq: number, data: object): Buffer {
  const retry = seq === 1 ? "retry: 1000\n" : ""
  return Buffer.from(`id: ${seq}\n${retry}data: ${JSON.stringify(data)}\n\n`)
}

const NO_ANSWER: WireError = {
  kind: "server",
  status: 500,
  type: "server_error",
  message: "The call ended without an answer.",
  retryable: true,
}
