/**
 * Cuts a body of server-sent events at event boundaries without changing a byte: whole events come out, the rest
 * waits for its end. On the way it notes what a reader needs who has to come back: the last event's id, and
 * whether the stream has said how it ended.
 *
 * An event ends where a blank line does; a line ends with CR, LF or CRLF. Every byte is looked at once.
 */
import { isObject } from "@sluice/protocol"
import { parseJson } from "./parse-json.ts"

export interface EventCutter {
  /** The bytes of the events completed by `bytes`; empty if none was. */
  push(bytes: Uint8Array): Uint8Array
  /** A new connection begins: what stands half-read of the old one is dropped. */
  restart(): void
  /** The last `id:` of a whole event, `""` before the first. */
  readonly lastEventId: string
  /** The stream's `retry:`, in milliseconds. */
  readonly retryMs: number | undefined
  /** How many events with data have passed. */
  readonly events: number
  /** A choice has its finish reason: all that may follow is usage and `[DONE]`. */
  readonly finished: boolean
  /** What stood at the stream's end, once it has passed: from then on nothing is missing. */
  readonly ending: "done" | "error" | undefined
}

const CR = 13
const LF = 10
const NOTHING = new Uint8Array(0)

export function createEventCutter(maxEventBytes = 16 * 1024 * 1024): EventCutter {
  const text = new TextDecoder()
  let pending: Uint8Array[] = []
  let pendingLength = 0
  let lineIsEmpty = true
  let afterCr: false | "line" | "event" = false
  let lastEventId = ""
  let retryMs: number | undefined
  let events = 0
  let finished = false
  let ending: EventCutter["ending"]

  return {
    push(bytes) {
      const end = endOfLastEvent(bytes)
      if (end === 0) {
        pendingLength += bytes.length
        if (pendingLength > maxEventBytes) {
          throw new RangeError(`An event of more than ${maxEventBytes} bytes: this is no stream of chunks.`)
        }
        pending.push(bytes)
        return NOTHING
      }
      const whole = join([...pending, bytes.subarray(0, end)])
      const rest = bytes.subarray(end)
      pending = rest.length > 0 ? [rest] : []
      pendingLength = rest.length
      for (const line of text.decode(whole).split(/\r\n|\r|\n/)) note(line)
      return whole
    },
    restart() {
      pending = []
      pendingLength = 0
      lineIsEmpty = true
      afterCr = false
    },
    get lastEventId() {
      return lastEventId
    },
    get retryMs() {
      return retryMs
    },
    get events() {
      return events
    },
    get finished() {
      return finished
    },
    get ending() {
      return ending
    },
  }

  function endOfLastEvent(bytes: Uint8Array): number {
    let end = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === LF && afterCr) {
        // The second half of a CRLF: part of the line, or of the event, that its CR ended.
        if (afterCr === "event") end = at + 1
        afterCr = false
      } else if (byte === CR || byte === LF) {
        if (lineIsEmpty) end = at + 1
        afterCr = byte === CR && (lineIsEmpty ? "event" : "line")
        lineIsEmpty = true
      } else {
        afterCr = false
        lineIsEmpty = false
      }
    }
    return end
  }

  function note(line: string): void {
    if (line.startsWith("id:")) {
      const id = valueFrom(line, 3)
      if (!id.includes("\0")) lastEventId = id
    } else if (line.startsWith("retry:")) {
      if (/^\d+$/.test(valueFrom(line, 6))) retryMs = Number(valueFrom(line, 6))
    } else if (line.startsWith("data:")) {
      const data = valueFrom(line, 5)
      events += 1
      finished ||= /"finish_reason":\s*"/.test(data)
      ending ??= data === "[DONE]" ? "done" : isError(data) ? "error" : undefined
    }
  }
}

function valueFrom(line: string, start: number): string {
  return line.slice(line[start] === " " ? start + 1 : start)
}

/** Only data that could be one is parsed: inside a JSON string the quotes would be escaped. */
function isError(data: string): boolean {
  const value = data.includes('"error":') ? parseJson(data) : undefined
  return isObject(value) && isObject(value["error"])
}

function join(parts: Uint8Array[]): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
