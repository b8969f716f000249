/** One connection's events, read no faster than they are asked for. */
import { createSseDecoder, type SseEvent } from "@sluice/protocol"
import { reasonOf, type SluiceError } from "./errors.ts"
import { parseJson } from "./parse-json.ts"
import { malformed, throwErrorIn } from "./read.ts"
import { natureOf } from "./read-error.ts"
import { type Answer, readText, requestIdOf } from "./request.ts"

export interface Connection {
  readonly response: Response
  /** The next event; `undefined` when the body has ended, a rejection when it broke off. */
  next(): Promise<SseEvent | undefined>
  /** Events that this connection has brought. */
  readonly events: number
  /** What stood there instead of events, if the body held none. */
  readonly instead: string
  close(): void
}

const LONGEST_ANSWER = 65_536
const LONGEST_EXCERPT = 500

/** Refuses an answer that cannot be a stream, naming what came. */
export async function openConnection(answer: Answer): Promise<Connection> {
  const { response, watch, close } = answer
  const contentType = response.headers.get("content-type") ?? ""
  if (/json|html|xml/i.test(contentType) || response.body === null) {
    const { text } = await readText(answer, LONGEST_ANSWER)
    throwErrorIn(parseJson(text))
    throw notAStream(text, response)
  }
  const reader = response.body.getReader()
  let waiting: SseEvent[] = []
  let position = 0
  let events = 0
  let head: Uint8Array | undefined
  let failure: unknown
  const decoder = createSseDecoder({ onEvent: (event) => waiting.push(event) })

  return {
    response,
    close,
    async next() {
      while (position === waiting.length) {
        if (failure) throw failure
        waiting = []
        position = 0
        const { value, done } = await watch.until(reader.read(), "idle")
        if (done) return undefined
        head ??= value.slice(0, LONGEST_EXCERPT)
        try {
          decoder.push(value)
        } catch (error) {
          // What came whole before it is handed out first.
          failure = malformed("an event that is too large", reasonOf(error), { cause: error })
        }
      }
      events += 1
      return waiting[position++]
    },
    get events() {
      return events
    },
    get instead() {
      return head === undefined || events > 0 ? "" : new TextDecoder().decode(head)
    },
  }
}

/** An error for a body that is no stream of events. */
export function notAStream(body: string, response: Response): SluiceError {
  const details = { status: response.status, requestId: requestIdOf(response) }
  return malformed(natureOf(body), body, details, " instead of a stream of events")
}
