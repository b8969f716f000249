/**
 * The provider's answer → the stream's log, to the end, whoever is still listening. Each chunk is given this
 * gateway's id, time and model, written in the caller's dialect, numbered and appended; usage is kept back and said
 * once, last, to those who asked for it; and the stream is given exactly one ending.
 *
 * An ending is decided once, then entered in the books, or in the journal for them, then shown: nobody sees `[DONE]` of a
 * call that a kill could leave unsettled.
 */
import {
  type Chunk,
  type ChunkChoice,
  type ChunkWriter,
  type Completion,
  type Dialect,
  isObject,
  type Usage,
  type WireError,
  wireError,
} from "@sluice/protocol"
import { toWireError } from "./gateway-error.ts"
import type { Shortcut } from "./providers/provider.ts"
import type { OpeningEvents } from "./routing/open.ts"
import type { Report } from "./routing/report.ts"
import { Splice } from "./splice.ts"
import type { Ending } from "./streams/log.ts"
import type { Stream } from "./streams/stream.ts"

/** Tokens between two looks at the hold, and how many may come while one is under way. */
const LOOK_EVERY = 64
const MEANWHILE = 192

export interface PumpOptions {
  readonly stream: Stream
  readonly dialect: Dialect
  readonly wantsUsage: boolean
  /** Unix seconds. */
  readonly created: number
  readonly askedModel: string
  /** The call's entry in the books. */
  readonly entry: PumpEntry
  readonly report: Report
  /** The answer has so many tokens now, roughly; false: no more of it can be paid. */
  readonly covers: (completionTokens: number) => Promise<boolean>
  /** The provider is ahead of the hold: it waits, or it may go on. */
  readonly waitForHold: (waits: boolean) => void
  readonly log: (line: string) => void
  /** The hold ends the call. */
  readonly outOfBudget: (error: WireError) => void
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number
  /** What the answer's headers will say. */
  readonly committed: (dropped: readonly string[]) => void
}

/** As much of a call's entry as its pump knows. */
export interface PumpEntry {
  missed(
    asked: { provider: string; model: string; startedAt: number },
    error?: WireError,
    usage?: Usage,
  ): void
  answered(asked: { provider: string; model: string; startedAt: number }): void
  chunk(chunk: Chunk): void
  completion(completion: Completion): void
  reported(usage: Usage): void
  flag(flag: string): void
  readonly meter: PumpMeter
  withCost(usage: Usage): Usage
  /** Resolves when the ending may be shown: its row is durable, or will be with what shows it. */
  close(ending: Ending, error?: WireError): Promise<void>
}

/** Of a chunk that is not parsed no more is known than the size of its one text, and when it came. */
export interface PumpMeter {
  content(now: number, characters: number): void
  readonly roughTokens: number
}

export interface Pump extends OpeningEvents {
  /** Ends the stream from outside: cancelled, or the gateway stops. */
  stop(ending: Exclude<Ending, "finished">, error: WireError): void
  /** The call was not admitted: there is no row in the books for it. */
  refused(error: WireError): void
  /** Its ending is decided. No accessor: scripts/accessors.test.ts says why. */
  isOver(): boolean
}

export function createPump(options: PumpOptions): Pump {
  const { stream, dialect, created, entry, report } = options
  const { meter } = entry
  const id = stream.id
  const { streamed } = stream.record.facts
  const begunChoices = new Set<number>()
  const finishedChoices = new Set<number>()
  let model = options.askedModel
  let write: ChunkWriter | undefined
  let attempts = 0
  /** Decided, though not yet shown. */
  let over = false
  let looking = false
  let usage: Usage | undefined
  /** Members of chunks that are not written: Azure's findings on the prompt, ahead of all else. They go out with the next. */
  let carried: Partial<Chunk> = {}

  const toJson = (chunk: Chunk): string => {
    write ??= dialect.createChunkWriter()
    return JSON.stringify(write({ ...chunk, id, created, model }))
  }
  const splice = new Splice(toJson)
  const shortcut = new SpliceShortcut(splice, stream, meter, options.now, pay, (error) => {
    options.log(`an event of ${id} could not be taken: ${error}`)
    stream.source?.stop("failed", toWireError(error))
  })

  function emit(chunk: Chunk): void {
    stream.append(encodeEvent(stream.record.head + 1, toJson(chunk)))
  }

  function append(data: object): void {
    stream.append(encodeEvent(stream.record.head + 1, JSON.stringify(data)))
  }

  function end(ending: Ending, error?: WireError): void {
    if (over) return
    over = true
    shortcut.closed = true
    if (error !== undefined && streamed) append(dialect.writeErrorChunk({ id, created, model }, error))
    if (ending !== "finished") stream.open({ ok: false, error: error ?? NO_ANSWER, attempts })
    // First the log, then the books: a row that says "finished" stands for events that a crash cannot take back.
    const closed = stream.kept().then(() => entry.close(stream.record.ending ?? ending, error))
    closed.then(
      () => stream.end(ending, error),
      (trouble: unknown) => {
        options.log(`the books of ${id} could not be closed: ${trouble}`)
        unsettled(ending, error)
      },
    )
  }

  /** It is not in the books as finished, so nobody is told that it is. */
  function unsettled(ending: Ending, error: WireError | undefined): void {
    if (ending !== "finished") return void stream.end(ending, error)
    if (streamed) append(dialect.writeErrorChunk({ id, created, model }, NOT_IN_THE_BOOKS))
    stream.end("failed", NOT_IN_THE_BOOKS)
  }

  /** An answer that outgrows its hold is paid by an extension, or it ends here. */
  function pay(): void {
    const tokens = meter.roughTokens
    if (tokens < shortcut.nextLook) return
    if (looking) return tokens < shortcut.nextLook + MEANWHILE ? undefined : options.waitForHold(true)
    shortcut.nextLook = tokens + LOOK_EVERY
    looking = true
    options.covers(tokens).then(
      (covered) => {
        if (covered) goOn()
        else options.outOfBudget(wireError("budget", "The budget does not cover any more of this answer."))
      },
      (trouble: unknown) => {
        options.log(`the hold of ${id} could not be looked at: ${trouble}`)
        goOn()
      },
    )
  }

  /** The look is over before the provider goes on: what it has ready comes at once, and may have to wait for the next. */
  function goOn(): void {
    looking = false
    options.waitForHold(false)
  }

  return {
    missed({ candidate, startedAt, error, usage: used, body }) {
      report.tried(candidate, error?.status ?? LEFT, body)
      entry.missed({ provider: candidate.provider.name, model: candidate.model, startedAt }, error, used)
    },
    committed({ candidate, startedAt, dropped, attempts: asked, body }) {
      report.tried(candidate, 200, body)
      attempts = asked
      const provider = candidate.provider.name
      model = `${provider}/${candidate.model}`
      entry.answered({ provider, model: candidate.model, startedAt })
      options.committed(dropped)
      stream.open({ ok: true, model, provider, attempts })
      for (const echo of report.echoes()) emit({ ...envelope(), debug: { echo_upstream_body: echo } })
    },
    shortcut,
    chunk(chunk, data) {
      if (over) return
      entry.chunk(chunk)
      if (chunk.usage !== undefined) reported(chunk.usage)
      const { usage: _, ...rest } = chunk
      if (chunk.choices.length === 0 && rest.debug !== undefined) return emit(rest)
      const choices = rest.choices.filter((choice) => !finishedChoices.has(choice.index) || saysMore(choice))
      if (choices.length === 0) {
        carried = { ...carried, ...rest }
        return
      }
      emit({ ...carried, ...rest, choices: choices.map(finishOnce) })
      carried = {}
      if (data !== undefined) splice.learn(data, chunk)
      pay()
    },
    flagged(flags) {
      for (const flag of flags) entry.flag(flag)
    },
    completion(completion) {
      if (over) return
      entry.completion(completion)
      if (completion.usage !== undefined) reported(completion.usage)
      const whole = {
        ...completion,
        id,
        created,
        model,
        ...(usage === undefined ? {} : { usage }),
        ...told(),
      }
      stream.append(Buffer.from(JSON.stringify(dialect.writeCompletion(whole))))
    },
    finished(sawFinish) {
      if (over) return
      if (!sawFinish) entry.flag("finish_added")
      if (streamed) {
        const last = { ...envelope(), ...carried, ...told(), choices: [] }
        if (!sawFinish) emit({ ...envelope(), choices: unfinished().map(stopped) })
        if (options.wantsUsage && usage !== undefined) emit({ ...last, usage })
        else if (isObject(last.openrouter_metadata)) emit(last)
      }
      end("finished")
    },
    failed(error, _, asked) {
      attempts = asked
      end("failed", report.told(error))
    },
    stop: end,
    isOver: () => over,
    refused(error) {
      if (over) return
      over = true
      if (streamed) append(dialect.writeErrorChunk({ id, created, model }, error))
      stream.open({ ok: false, error, attempts: 0 })
      stream.end("failed", error)
    },
  }

  function reported(used: Usage): void {
    entry.reported(used)
    usage = entry.withCost(used)
  }

  function envelope(): Chunk {
    return { id, object: "chat.completion.chunk", created, model, choices: [] }
  }

  /** `openrouter_metadata`, where it was asked for. */
  function told(): Pick<Chunk, "openrouter_metadata"> {
    const metadata = report.metadata()
    return metadata === undefined ? {} : { openrouter_metadata: metadata }
  }

  function unfinished(): readonly number[] {
    return begunChoices.size === 0 ? [0] : [...begunChoices].filter((index) => !finishedChoices.has(index))
  }

  function finishOnce(choice: ChunkChoice): ChunkChoice {
    begunChoices.add(choice.index)
    if (choice.finish_reason === null) return choice
    if (finishedChoices.has(choice.index)) return { ...choice, finish_reason: null }
    finishedChoices.add(choice.index)
    return choice
  }
}

/**
 * What the pump does with an event that need not be parsed. A class for the machine: what each event of each stream needs
 * stands side by side.
 */
class SpliceShortcut implements Shortcut {
  taken = 0
  heardAt = 0
  closed = false
  /** Of the answer's tokens, when the hold is to be looked at again. */
  nextLook = LOOK_EVERY
  readonly #splice: Splice
  readonly #stream: Stream
  readonly #meter: PumpMeter
  readonly #now: () => number
  readonly #pay: () => void
  readonly #mistaken: (error: unknown) => void

  constructor(
    splice: Splice,
    stream: Stream,
    meter: PumpMeter,
    now: () => number,
    pay: () => void,
    mistaken: (error: unknown) => void,
  ) {
    this.#splice = splice
    this.#stream = stream
    this.#meter = meter
    this.#now = now
    this.#pay = pay
    this.#mistaken = mistaken
  }

  take(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    const now = this.#now()
    try {
      while (at < end && !this.closed) {
        const next = this.#splice.match(bytes, at, end)
        if (next === 0) break
        this.#meter.content(now, this.#splice.said)
        this.#stream.append(this.#splice.event(this.#stream.record.head + 1))
        this.taken++
        at = next
        if (this.#meter.roughTokens >= this.nextLook) this.#pay()
      }
    } catch (error) {
      this.#mistaken(error)
    }
    // A fraction would be allocated anew each time.
    if (at > start) this.heardAt = Math.trunc(now)
    return at
  }
}

function stopped(index: number): ChunkChoice {
  return { index, delta: {}, finish_reason: "stop" }
}

/** A final chunk sent twice says nothing new the second time; Azure's filter may still say what it found. */
function saysMore({ delta, ...choice }: ChunkChoice): boolean {
  return Object.keys(delta).length > 0 || Object.keys(choice).some((name) => !OF_ANY_FINISH.has(name))
}

const OF_ANY_FINISH: ReadonlySet<string> = new Set([
  "index",
  "finish_reason",
  "native_finish_reason",
  "stop_reason",
  "logprobs",
] satisfies (keyof ChunkChoice)[])

/** An event as it is logged and sent: the first one also says when to come back. */
export function encodeEvent(seq: number, json: string): Buffer {
  const retry = seq === 1 ? "retry: 1000\n" : ""
  return Buffer.from(`id: ${seq}\n${retry}data: ${json}\n\n`)
}

/** The status of an attempt that nobody waited for to the end. */
const LEFT = 499

const NOT_IN_THE_BOOKS = wireError("server", "The gateway could not enter this call in its books.")

const NO_ANSWER: WireError = {
  kind: "server",
  status: 500,
  type: "server_error",
  message: "The call ended without an answer.",
  retryable: true,
}
