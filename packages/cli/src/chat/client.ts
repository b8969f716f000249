/** The SDK's client as the chat uses it: it tells when a stream was picked up again, and when all is said. */
import { setTimeout as sleep } from "node:timers/promises"
import { Sluice } from "@sluice/sdk"
import type { Connection } from "../connection.ts"

export interface ChatClient {
  readonly chat: Sluice["chat"]
  /** Calls back while a dropped connection is made anew. */
  listen(listener: ConnectionListener): void
  /** Resolves when the gateway has heard all that was on its way, a cancel above all; it is not waited for long. */
  settled(): Promise<void>
}

export interface ConnectionListener {
  resumed(lastEventId: string): void
  /** A try to come back has failed; another follows. */
  lost(): void
}

const LONGEST_FAREWELL = 3_000

export function createClient({ baseURL, key }: Connection): ChatClient {
  const pending = new Set<Promise<unknown>>()
  let listener: ConnectionListener = { resumed() {}, lost() {} }

  const watching: typeof fetch = (url, init) => {
    const answer = fetch(url, init)
    const behind = new Headers(init?.headers).get("last-event-id")
    const heard = answer.then(
      ({ ok }) => {
        if (behind !== null) ok ? listener.resumed(behind) : listener.lost()
      },
      () => {
        if (behind !== null) listener.lost()
      },
    )
    pending.add(heard)
    void heard.finally(() => pending.delete(heard))
    return answer
  }

  return {
    // In OpenRouter's dialect the usage has a place for what the call has cost.
    chat: new Sluice({ baseURL, apiKey: key, fetch: watching, headers: { "sluice-dialect": "openrouter" } })
      .chat,
    listen(to) {
      listener = to
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
