/** What a gateway lets be done to a stream by its id: read on, and told what is to become of it. */
import { type Outgoing, readText, type Transport } from "./request.ts"
import { createWatch } from "./watch.ts"

export const PATH = "/chat/completions"
export const EVENTS = "text/event-stream"

/** A caller who leaves does not wait longer than this for the gateway to have heard it. */
const LONGEST_TELLING_MS = 5_000

type Headers = Outgoing["headers"]

export function streamIdOf(response: Response): string | undefined {
  return response.headers.get("sluice-stream-id") ?? undefined
}

export function pathOf(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`
}

/** The stream from behind an event; from its beginning if that is "". */
export function resumption(id: string, lastEventId: string, headers?: Headers): Omit<Outgoing, "watch"> {
  return {
    method: "GET",
    path: `${pathOf(id)}?stream=true`,
    headers: { accept: EVENTS, "last-event-id": lastEventId || undefined, ...headers },
    timer: "connect",
    repeatable: true,
  }
}

export async function tell(
  transport: Transport,
  id: string,
  what: "cancel" | "detach",
  headers?: Headers,
): Promise<void> {
  const watch = createWatch({ total: LONGEST_TELLING_MS })
  const path = `${pathOf(id)}/${what}`
  await transport({ method: "POST", path, headers, watch, retries: 2, repeatable: true }, readText)
}
