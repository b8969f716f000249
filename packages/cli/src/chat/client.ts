/** The SDK's client as the chat uses it: it tells when a stream was picked up again, and when all is said. */
import { setTimeout as sleep } from "node:timers/promises"
import { Sluice } from "@sluice/sdk"
import type { Connection } from "../connection.ts"

export interface ChatClient {
  readonly chat: Sluice["chat"]
  /** Calls back when a dropped connection was made anew behind an event. */
  onResumed(listener: (lastEventId: string) => void): void
  /** Resolves when the gateway has heard all that was on its way, a cancel above all; it is not waited for long. */
  settled(): Promise<void>
}

const LONGEST_FAREWELL = 3_000

export function createClient({ baseURL, key }: Connection): ChatClient {
  const pending = new Set<Promise<unknown>>()
  let resumed: (lastEventId: string) => void = () => {}

  const watching: typeof fetch = (url, init) => {
    const answer = fetch(url, init)
    const heard = answer.then(
      (response) => {
        const behind = new Headers(init?.headers).get("last-event-id")
        if (response.ok && behind !== null) resumed(behind)
      },
      () => {},
    )
    pending.add(heard)
    void heard.finally(() => pending.delete(heard))
    return answer
  }

  return {
    // In OpenRouter's dialect the usage has a place for what the call has cost.
    chat: new Sluice({ baseURL, apiKey: key, fetch: watching, headers: { "sluice-dialect": "openrouter" } })
      .chat,
    onResumed(listener) {
      resumed = listener
    },
    async settled() {
      const patience = new AbortController()
      const over = sleep(LONGEST_FAREWELL, undefined, { signal: patience.signal }).catch(() => {})
      const quiet = (async () => {
        // Hearing a late answer may lead to telling it to stop.
        for (; pending.size > 0; await sleep(0)) await Promise.allSettled(pending)
      })()
      await Promise.race([over, quiet])
      patience.abort()
    },
  }
}
