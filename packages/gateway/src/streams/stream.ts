/**
 * A stream while the process lives: its log record, the readers who follow it, and what happens when they leave.
 *
 * One writer (the pump) appends; readers are woken once per turn of the event loop and take what is new. With one
 * reader the provider is paused while PAUSE_AT bytes wait for it; with several it runs at the pace of the fastest,
 * and one that falls DROP_AT behind another that has been level with the head is closed without an ending: it can resume.
 */
import type { WireError } from "@sluice/protocol"
import type { Ending, StreamRecord } from "./log.ts"
import type { OnDisconnect } from "./on-disconnect.ts"
import { once, type Turn, type Work } from "./turn.ts"

/** How the opening went: told once, at the commit point or when no candidate is left. */
export type Opened =
  | { readonly ok: true; readonly model: string; readonly provider: string; readonly attempts: number }
  | { readonly ok: false; readonly error: WireError; readonly attempts: number }

/** Whoever follows the stream as it grows and whose leaving counts. */
export interface Reader {
  /** New events, or the ending. */
  wake(): void
  /** Bytes logged that this reader has not yet got rid of. */
  behind(): number
  /** It began near the head or has been level with it: until then it is catching up, not slow. */
  readonly caughtUp: boolean
  /** Close it without an ending. */
  drop(): void
}

/** The provider's side, as far as a stream may touch it. */
export interface Source {
  pause(): void
  resume(): void
  /** Somebody ends the call from outside: the pump stops and writes the ending. */
  stop(ending: Exclude<Ending, "finished">, error: WireError): void
}

export interface Stream {
  readonly id: string
  readonly record: StreamRecord
  readonly opened: Promise<Opened>
  readonly openedNow: Opened | undefined
  readonly readers: number
  /** What ended it, where that was not `finished`. */
  readonly failure: WireError | undefined
  onDisconnect: OnDisconnect
  /** Set by the pump while it runs. */
  source: Source | undefined
  open(opened: Opened): void
  append(event: Uint8Array): void
  end(ending: Ending, failure?: WireError): boolean
  /** Resolves when what was appended so far is kept, at the log's level of durability, or the stream is lost. */
  kept(): Promise<void>
  attach(reader: Reader): void
  detach(reader: Reader): void
  /** A reader has got rid of bytes. */
  progressed(): void
  /** Wakes this reader in the next turn: it has more to read than belongs into one. */
  wakeLater(reader: Reader): void
  /** Calls back once, when the ending is visible (at once if it is). */
  onEnd(callback: () => void): void
}

const PAUSE_AT = 1 << 20
const RESUME_AT = PAUSE_AT / 2
const DROP_AT = 1 << 20

export function createStream(
  record: StreamRecord,
  turn: Turn,
  onDisconnect: OnDisconnect,
  abandoned: (stream: Stream) => void,
): Stream {
  return new LiveStream(record, turn, onDisconnect, abandoned)
}

/** A class for the reason that its record is one: every call that is kept has it. What it does in a turn is wake its readers. */
class LiveStream implements Stream, Work {
  touched = false
  readonly record: StreamRecord
  readonly opened: Promise<Opened>
  /** What the process before has noted of it. */
  openedNow: Opened | undefined
  failure: WireError | undefined
  source: Source | undefined = undefined

  readonly #turn: Turn
  readonly #abandoned: (stream: Stream) => void
  readonly #tellOpened: (opened: Opened) => void
  #onDisconnect: OnDisconnect
  /** Never changed but replaced, since one that is woken may leave. */
  #readers: readonly Reader[] = NOBODY
  /** Those that have more to read than belongs into one turn. */
  #behind: Reader[] = []
  #paused = false
  #leaveTimer: NodeJS.Timeout | undefined = undefined
  #endCallbacks: (() => void)[] = []

  constructor(
    record: StreamRecord,
    turn: Turn,
    onDisconnect: OnDisconnect,
    abandoned: (stream: Stream) => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<Opened>()
    this.record = record
    this.opened = promise
    this.openedNow = record.notes.opened as Opened | undefined
    this.failure = record.notes.failure as WireError | undefined
    this.#turn = turn
    this.#abandoned = abandoned
    this.#tellOpened = resolve
    this.#onDisconnect = onDisconnect
    if (this.openedNow !== undefined) resolve(this.openedNow)
  }

  get id(): string {
    return this.record.facts.id
  }

  get readers(): number {
    return this.#readers.length
  }

  get onDisconnect(): OnDisconnect {
    return this.#onDisconnect
  }

  set onDisconnect(setting: OnDisconnect) {
    this.#onDisconnect = setting
    clearTimeout(this.#leaveTimer)
    this.#left()
  }

  open(how: Opened): void {
    if (this.openedNow !== undefined) return
    this.openedNow = how
    this.record.note({ opened: how })
    this.#turn.touch(once(() => this.#tellOpened(how)))
  }

  append(event: Uint8Array): void {
    this.record.append(event)
    this.#turn.touch(this)
  }

  end(ending: Ending, why?: WireError): boolean {
    if (!this.record.end(ending, why === undefined ? {} : { failure: why })) return false
    this.failure = why
    clearTimeout(this.#leaveTimer)
    this.source = undefined
    this.#turn.touch(this)
    this.#turn.touch(once(() => this.#tellEnd()))
    return true
  }

  kept(): Promise<void> {
    return new Promise((resolve) => this.#turn.touch(once(resolve)))
  }

  attach(reader: Reader): void {
    clearTimeout(this.#leaveTimer)
    this.#readers = [...this.#readers, reader]
    this.#balance()
  }

  detach(reader: Reader): void {
    if (!this.#readers.includes(reader)) return
    this.#readers = this.#readers.filter((other) => other !== reader)
    this.#balance()
    this.#left()
  }

  progressed(): void {
    this.#balance()
  }

  wakeLater(reader: Reader): void {
    if (this.#behind.push(reader) === 1) this.#turn.touch(once(() => this.#wakeBehind()))
  }

  onEnd(callback: () => void): void {
    if (this.record.visibleEnding !== undefined) callback()
    else this.#endCallbacks.push(callback)
  }

  run(): void {
    for (const reader of this.#readers) reader.wake()
    this.#balance()
  }

  #wakeBehind(): void {
    const behind = this.#behind
    this.#behind = []
    for (const reader of behind) reader.wake()
    this.#balance()
  }

  #tellEnd(): void {
    const callbacks = this.#endCallbacks
    this.#endCallbacks = []
    for (const callback of callbacks) callback()
  }

  /** Pause, resume, or drop the slow: after every change of the log or of a reader. */
  #balance(): void {
    if (this.record.ending !== undefined) return
    const readers = this.#readers
    let fastest = Number.POSITIVE_INFINITY
    /** Whoever still waits for its status is no measure for others. */
    let fastestLevel = Number.POSITIVE_INFINITY
    let slowest = 0
    for (const reader of readers) {
      const behind = reader.behind()
      if (behind < fastest) fastest = behind
      if (behind < fastestLevel && reader.caughtUp) fastestLevel = behind
      if (behind > slowest) slowest = behind
    }
    if (slowest === 0) this.record.letGo()
    if (readers.length > 1) {
      for (const reader of readers) {
        const behind = reader.behind()
        if (reader.caughtUp && behind > DROP_AT && behind > fastestLevel) reader.drop()
      }
    }
    if (!this.#paused && readers.length > 0 && fastest >= PAUSE_AT) {
      this.#paused = true
      this.source?.pause()
    } else if (this.#paused && (readers.length === 0 || fastest <= RESUME_AT)) {
      this.#paused = false
      this.source?.resume()
    }
  }

  /** The last reader has left. A dropped connection is neither cancel nor detach: the call's setting decides. */
  #left(): void {
    if (this.record.ending !== undefined || this.readers > 0) return
    const setting = this.#onDisconnect
    if (setting.rule === "cancel") this.#abandoned(this)
    else if (setting.rule === "drain")
      this.#leaveTimer = setTimeout(() => this.#abandoned(this), setting.milliseconds)
  }
}

const NOBODY: readonly Reader[] = []
