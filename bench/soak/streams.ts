/** Clients in a closed loop, each of whose streams must be whole to the letter. */
import http from "node:http"

export interface Asked {
  readonly url: string
  readonly key: string
  readonly model: string
  readonly tokens: number
}

export interface Soak {
  /** Streams that were whole. */
  readonly good: number
  readonly events: number
  /** What was wrong with the others. */
  readonly errors: readonly string[]
  /** No new streams; those that run come to their end. */
  stop(): Promise<void>
}

/** By the model that a stream's events name: what its text must be. */
export type TextOf = (model: string) => string | undefined

/** Keeps `count` streams running, spread over these models. */
export function soak(models: readonly Asked[], count: number, textOf: TextOf): Soak {
  const agent = new http.Agent({ keepAlive: true })
  const errors: string[] = []
  let good = 0
  let events = 0
  let stopped = false

  async function client(asked: Asked): Promise<void> {
    while (!stopped) {
      try {
        const frames = await wholeStream(asked, agent)
        const fault = faultOf(frames, asked, textOf)
        events += frames.length
        if (fault === undefined) good += 1
        else errors.push(`${asked.model}: ${fault}`)
      } catch (error) {
        errors.push(`${asked.model}: ${error}`)
      }
    }
  }
  const clients = Array.from({ length: count }, (_, index) => client(models[index % models.length]!))

  return {
    get good() {
      return good
    },
    get events() {
      return events
    },
    errors,
    async stop() {
      stopped = true
      await Promise.all(clients)
      agent.destroy()
    },
  }
}

/** The text of the model's answer in one piece: what each of its streams must add up to. */
export async function expectedText(asked: Asked): Promise<string> {
  const body = JSON.parse(await answerOf(asked)) as {
    choices?: { message?: { content?: string } }[]
  }
  const text = body.choices?.[0]?.message?.content
  if (text === undefined) throw new Error(`no text in ${JSON.stringify(body).slice(0, 300)}`)
  return text
}

/** In one piece. */
export function answerOf(asked: Asked): Promise<string> {
  return answerTo(asked, false, undefined)
}

async function wholeStream(asked: Asked, agent: http.Agent): Promise<string[]> {
  const text = await answerTo(asked, true, agent)
  if (!text.endsWith("\n\n")) throw new Error("the last event was not closed")
  return text.split("\n\n").slice(0, -1)
}

interface Data {
  readonly model?: string
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string }
    readonly finish_reason?: string | null
  }[]
  readonly usage?: { readonly completion_tokens?: number }
  readonly error?: unknown
}

/** Numbers from 1 on without a gap, the whole text, one finish reason, usage last, `[DONE]`. */
function faultOf(frames: readonly string[], asked: Asked, textOf: TextOf): string | undefined {
  const events = frames.filter((frame) => !frame.startsWith(":"))
  if (events.at(-1) !== "data: [DONE]") return `no [DONE]: ${events.at(-1)?.slice(0, 300)}`
  let told = ""
  let finishes = 0
  let usage: number | undefined
  let model: string | undefined
  for (const [index, frame] of events.slice(0, -1).entries()) {
    const [id, data] = readFrame(frame)
    if (id !== index + 1) return `event ${index + 1} has the number ${id}`
    if (data.error !== undefined) return `an error event: ${JSON.stringify(data.error).slice(0, 300)}`
    if (usage !== undefined) return "an event after usage"
    model ??= data.model
    if (data.model !== model) return `an event of ${data.model} in a stream of ${model}`
    for (const { delta, finish_reason } of data.choices ?? []) {
      told += delta?.content ?? ""
      if (typeof finish_reason === "string") finishes += 1
    }
    usage = data.usage?.completion_tokens
  }
  if (told !== textOf(model ?? "")) return `another text: ${told.slice(0, 100)}`
  if (finishes !== 1) return `${finishes} finish reasons`
  return usage === asked.tokens ? undefined : `${usage} tokens in usage`
}

function readFrame(frame: string): [id: number, data: Data] {
  const id = Number(/^id: (\d+)$/m.exec(frame)?.[1] ?? Number.NaN)
  return [id, JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? "{}") as Data]
}

function answerTo(asked: Asked, stream: boolean, agent: http.Agent | undefined): Promise<string> {
  const body = JSON.stringify({
    model: asked.model,
    messages: [{ role: "user", content: "Tell me a story." }],
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  })
  return new Promise((resolve, reject) => {
    const request = http.request(`${asked.url}/v1/chat/completions`, {
      method: "POST",
      agent: agent ?? false,
      headers: { "content-type": "application/json", authorization: `Bearer ${asked.key}` },
    })
    request.once("error", reject)
    request.once("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        text += piece
      })
      response.once("error", reject)
      response.once("end", () => {
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`status ${response.statusCode}: ${text.slice(0, 300)}`))
      })
    })
    request.end(body)
  })
}
