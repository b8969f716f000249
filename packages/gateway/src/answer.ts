/** The reader's side of a call: the asking client is the first reader of its stream, from 0. */
import type { AuthedCall } from "./call.ts"
import type { Gateway } from "./gateway.ts"
import { sendError, sendJson } from "./http/answer.ts"
import { headerText } from "./http/headers.ts"
import { serveEvents } from "./http/sse.ts"
import type { Opened, Stream } from "./streams/stream.ts"

/** The status waits for the commit point, so that a failure before it is an ordinary error. */
export async function answer(
  call: AuthedCall,
  gateway: Gateway,
  stream: Stream,
  headers: Record<string, string>,
): Promise<void> {
  const opened = await reading(call, stream, () =>
    stream.record.facts.streamed
      ? within(gateway.heart.interval, stream.opened)
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
    ...answererOf(opened),
  }
}

export function answererOf(opened: Opened | undefined): Record<string, string> {
  if (opened?.ok !== true) return {}
  return { "sluice-model": headerText(opened.model), "sluice-provider": headerText(opened.provider) }
}

export function ended(stream: Stream): Promise<void> {
  return new Promise((resolve) => stream.onEnd(resolve))
}

/** What it gives, or undefined when the time is over first. */
function within<T>(milliseconds: number, wanted: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, undefined)
    void wanted.then((value) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}
