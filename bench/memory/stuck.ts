/** Clients that keep a stream open: they have its first event, and read nothing after it. */
import http from "node:http"

export interface StuckAsked {
  readonly url: string
  readonly key: string
  readonly model: string
}

export interface Stuck {
  /** Opens so many more, a few at a time; resolves when each has its first event. */
  open(count: number): Promise<void>
  readonly count: number
  /** What has ended or failed, which none of them should. */
  readonly faults: readonly string[]
  leave(): void
}

const AT_ONCE = 25

export function createStuck(asked: StuckAsked): Stuck {
  const requests: http.ClientRequest[] = []
  const faults: string[] = []
  let left = false

  async function openOne(): Promise<void> {
    const body = JSON.stringify({
      model: asked.model,
      messages: [{ role: "user", content: "Tell me a story." }],
      stream: true,
    })
    await new Promise<void>((resolve, reject) => {
      const request = http.request(`${asked.url}/v1/chat/completions`, {
        method: "POST",
        agent: false,
        headers: { "content-type": "application/json", authorization: `Bearer ${asked.key}` },
      })
      requests.push(request)
      const wrong = (what: string): void => {
        if (!left) faults.push(what)
        reject(new Error(what))
      }
      request.once("error", (error) => wrong(String(error)))
      request.once("response", (response) => {
        if (response.statusCode !== 200) wrong(`status ${response.statusCode}`)
        response.on("error", () => {})
        response.once("close", () =>
          wrong(
            `stream ${response.headers["sluice-stream-id"]} ended${response.complete ? "" : ", cut off"}`,
          ),
        )
        response.once("readable", () => {
          response.read()
          // From here on the connection is left alone: no listener asks for more.
          response.pause()
          resolve()
        })
      })
      request.end(body)
    })
  }

  return {
    get count() {
      return requests.length
    },
    faults,
    async open(count) {
      let rest = count
      const lane = async (): Promise<void> => {
        while (rest-- > 0) await openOne()
      }
      await Promise.all(Array.from({ length: AT_ONCE }, lane))
    },
    leave() {
      left = true
      for (const request of requests) request.destroy()
    },
  }
}
