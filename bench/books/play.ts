/** One call and its fate, as a client lives through it. Whatever breaks the connection is a part of the game. */
import http from "node:http"
import type { PlannedCall } from "./plan.ts"

export interface Seen {
  readonly call: PlannedCall
  /** What the answers said of themselves: one id, however often it was asked. */
  readonly ids: ReadonlySet<string>
  /** A client was told that it is finished: `[DONE]`, or a whole answer. */
  readonly toldFinished: boolean
  /** Nobody hung up on it, and yet it did not end. */
  readonly hung: boolean
}

interface Answer {
  status: number
  id: string
  text: string
  complete: boolean
  hung: boolean
}

/** Longer than this no answer of these calls takes. */
const PATIENCE = 60_000

export async function play(call: PlannedCall, url: string, key: string): Promise<Seen> {
  const chat = `${url}${call.mount}/chat/completions`
  const answers = await answersTo(call, chat, key)
  const heard = answers.filter(({ id }) => id !== "")
  return {
    call,
    ids: new Set(heard.map(({ id }) => id)),
    toldFinished: heard.some(
      ({ status, text, complete }) =>
        status === 200 &&
        complete &&
        (call.streamed ? text.endsWith("data: [DONE]\n\n") : text.includes('"finish_reason":"')),
    ),
    hung: answers.some(({ hung }) => hung),
  }
}

async function answersTo(call: PlannedCall, chat: string, key: string): Promise<Answer[]> {
  const { moment } = call
  const byId = (answer: Answer, path: string): string => `${chat}/${answer.id}${path}`
  switch (call.fate) {
    case "cut by its client":
    case "not streamed, left":
      return [await ask(chat, key, { call, at: moment, act: "leave" })]
    case "cancelled":
      return [
        await ask(chat, key, {
          call,
          at: moment,
          act: (answer) => void ask(byId(answer, "/cancel"), key, { method: "POST" }),
        }),
      ]
    case "detached": {
      let left: Promise<Answer> | undefined
      const answer = await ask(chat, key, {
        call,
        at: moment,
        act(soFar, leave) {
          left = ask(byId(soFar, "/detach"), key, { method: "POST" }).finally(leave)
        },
      })
      await left
      return [answer]
    }
    case "resumed": {
      const first = await ask(chat, key, { call, at: moment, act: "leave" })
      if (first.id === "" || first.complete) return [first]
      const last = [...first.text.matchAll(/^id: (\d+)\n(?:retry: \d+\n)?data: .*\n\n/gm)].at(-1)?.[1] ?? "0"
      const rest = await ask(byId(first, "?stream=true"), key, { headers: { "last-event-id": last } })
      return [first, rest]
    }
    case "asked three times with one key": {
      const headers = { "idempotency-key": call.model }
      return Promise.all([1, 2, 3].map(() => ask(chat, key, { call, headers })))
    }
    default:
      return [await ask(chat, key, { call })]
  }
}

interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly call?: PlannedCall
  readonly body?: object
  /** Bytes of the body after which something is done; 0: before there is an answer. */
  readonly at?: number
  readonly act?: "leave" | ((soFar: Answer, leave: () => void) => void)
}

export function ask(url: string, key: string, asking: Asking): Promise<Answer> {
  const { call, at = Number.POSITIVE_INFINITY, act } = asking
  const body = asking.body ?? (call === undefined ? undefined : bodyOf(call))
  const answer: Answer = { status: 0, id: "", text: "", complete: false, hung: false }
  return new Promise((resolve) => {
    const request = http.request(url, {
      method: asking.method ?? (body === undefined ? "GET" : "POST"),
      agent: false,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(call === undefined ? {} : { "sluice-on-disconnect": call.onDisconnect }),
        ...asking.headers,
      },
    })
    const leave = (): void => void request.destroy()
    const late = setTimeout(() => {
      answer.hung = true
      leave()
    }, PATIENCE)
    let acted = act === undefined
    const actNow = (): void => {
      if (acted || answer.text.length < at) return
      acted = true
      if (act === "leave") leave()
      else if (answer.id !== "") act?.(answer, leave)
    }
    request.on("error", () => {})
    request.on("close", () => {
      clearTimeout(late)
      resolve(answer)
    })
    request.on("response", (response) => {
      answer.status = response.statusCode ?? 0
      answer.id = String(response.headers["sluice-stream-id"] ?? "")
      response.setEncoding("utf8")
      actNow()
      response.on("data", (piece: string) => {
        answer.text += piece
        actNow()
      })
      response.on("error", () => {})
      response.on("close", () => {
        answer.complete = response.complete
      })
    })
    request.end(body === undefined ? undefined : JSON.stringify(body))
    if (at < 50) request.once("finish", () => setImmediate(actNow))
  })
}

function bodyOf({ model, prompt, streamed, moment }: PlannedCall): object {
  return {
    model,
    messages: [{ role: "user", content: prompt }],
    ...(streamed ? { stream: true } : {}),
    ...(streamed && moment % 2 === 0 ? { stream_options: { include_usage: true } } : {}),
  }
}
