/**
 * A stream while the process lives: its log record, the readers who follow it, and what happens when they leave.
 *
 * One writer (the pump) appends; readers are woken once per turn of the event loop and take what is new. With one
 * reader the provider is paused while PAUSE_AT bytes wait for it; with several it runs at the pace of the fastest,
 * and one that falls DROP_AT behind is closed without an ending: it can resume.
 */
import type { WireError } from "@sluice/protocol"
import type { Ending, StreamRecord } from "./log.ts"
import type { OnDisconnect } from "./on-disconnect.ts"
import type { Turn } from "./turn.ts"

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
  const readers = new Set<Reader>()
  const { promise: opened, resolve: tellOpened } = Promise.withResolvers<Opened>()
  // What the process before has noted of it.
  let openedNow = record.notes.opened as Opened | undefined
  let failure = record.notes.failure as WireError | undefined
  if (openedNow !== undefined) tellOpened(openedNow)
  let paused = false
  let leaveTimer: NodeJS.Timeout | undefined
  let endCallbacks: (() => void)[] = []

  const wakeAll = (): void => {
    for (const reader of readers) reader.wake()
    balance()
  }

  /** Those that have more to read than belongs into one turn. */
  let behind = new Set<Reader>()
  const wakeBehind = (): void => {
    const these = behind
    behind = new Set()
    for (const reader of these) reader.wake()
    balance()
  }

  function tellEnd(): void {
    const callbacks = endCallbacks
    endCallbacks = []
    for (const callback of callbacks) callback()
  }

  /** Pause, resume, or drop the slow: after every change of the log or of a reader. */
  function balance(): void {
    if (record.ending !== undefined) return
    let fastest = Number.POSITIVE_INFINITY
    for (const reader of readers) fastest = Math.min(fastest, reader.behind())
    if (readers.size > 1) {
      for (const reader of readers) {
        const behind = reader.behind()
        if (reader.caughtUp && behind > DROP_AT && behind > fastest) reader.drop()
      }
    }
    if (!paused && readers.size > 0 && fastest >= PAUSE_AT) {
      paused = true
      stream.source?.pause()
    } else if (paused && (readers.size === 0 || fastest <= RESUME_AT)) {
      paused = false
      stream.source?.resume()
    }
  }

  /** The last reader has left. A dropped connection is neither cancel nor detach: the call's setting decides. */
  function left(): void {
    if (record.ending !== undefined || readers.size > 0) return
    const setting = stream.onDisconnect
    if (setting.rule === "cancel") abandoned(stream)
    else if (setting.rule === "drain") leaveTimer = setTimeout(() => abandoned(stream), setting.milliseconds)
  }

  const stream: Stream = {
    id: record.facts.id,
    record,
    opened,
    get openedNow() {
      return openedNow
    },
    get readers() {
      return readers.size
    },
    get failure() {
      return failure
    },
    get onDisconnect() {
      return onDisconnect
    },
    set onDisconnect(setting) {
      onDisconnect = setting
      clearTimeout(leaveTimer)
      left()
    },
    source: undefined,
    open(how) {
      if (openedNow !== undefined) return
      openedNow = how
      record.note({ opened: how })
      turn.touch(() => tellOpened(how))
    },
    append(event) {
      record.append(event)
      turn.touch(wakeAll)
    },
    end(ending, why) {
      if (!record.end(ending, why === undefined ? {} : { failure: why })) return false
      failure = why
      clearTimeout(leaveTimer)
      stream.source = undefined
      turn.touch(wakeAll)
      turn.touch(tellEnd)
      return true
    },
    kept: () => new Promise((resolve) => turn.touch(resolve)),
    attach(reader) {
      clearTimeout(leaveTimer)
      readers.add(reader)
      balance()
    },
    detach(reader) {
      if (!readers.delete(reader)) return
      balance()
      left()
    },
    progressed: balance,
    wakeLater(reader) {
      behind.add(reader)
      turn.touch(wakeBehind)
    },
    onEnd(callback) {
      if (record.visibleEnding !== undefined) callback()
      else endCallbacks.push(callback)
    },
  }
  return stream
}
