/**
 * The simulator: a provider inside this process whose answers are known beforehand and whose faults are ordered by
 * its model's name (sim-grammar.ts). It answers in OpenAI's form, as any other place would, and never waits on a
 * network. Its headers come at once, `ttft` of silence stands before the first event, and `gap` before each other.
 */
import { type Chunk, kindOfStatus, objectOr, type WireError, wireError } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import type { AnswerHeaders, Attempt, AttemptListener, Provider, ProviderRequest } from "./provider.ts"
import { planAnswer, type SimAnswer } from "./sim-answer.ts"
import { readSimModel, type SimScript } from "./sim-grammar.ts"

export function createSimProvider(): Provider {
  return {
    name: "sim",
    vendor: "sim",
    dialect: dialects.openai,
    prefill: true,
    credentials: ["none"],
    // Nothing leaves this process.
    policy: { dataCollection: "deny", zdr: true },
    open: openSim,
  }
}

/** A listener that may also want to know what each event carries. */
export interface SimListener extends Omit<AttemptListener, "shortcut" | "event"> {
  event(data: string, tokens: number): void
  /** What the answer will be, before any of it is sent. */
  planned?(answer: SimAnswer): void
}

/** It has no credentials to choose from. */
export type SimRequest = Omit<ProviderRequest, "credential">

export function openSim(asked: SimRequest, listener: SimListener): Attempt {
  const pace = createPace()
  void run()
  return { pause: pace.pause, resume: pace.resume, abort: pace.stop }

  // Every wait below is the pace's: after `abort` none of them ends, so nothing is said any more.
  async function run(): Promise<void> {
    await pace.turn()
    listener.connected()
    const read = readSimModel(asked.request.model ?? "")
    if (read.type === "error") return refuse(read.error)
    const { script } = read
    const answer = await pace.until(planAnswer(asked.request, script).catch(() => undefined))
    if (answer === undefined) return refuse(wireError("server", "The simulator could not count its tokens."))
    listener.planned?.(answer)
    if (script.error !== undefined) {
      await pace.next(script.ttft)
      const error = wireError(kindOfStatus(script.error), `The simulator was told to answer ${script.error}.`)
      return refuse({ ...error, status: script.error }, script.retry_after)
    }
    return asked.stream ? stream(script, answer) : whole(script, answer)
  }

  async function stream(script: SimScript, answer: SimAnswer): Promise<void> {
    const asksUsage = script.usage && objectOr(asked.body.stream_options).include_usage === true
    // Counted while the story is told: only the last event needs it.
    const promptTokens = asksUsage ? answer.promptTokens().catch(() => undefined) : undefined
    const fault = firstFault(script)
    let sent = 0

    async function send(chunk: Chunk, tokens: number): Promise<boolean> {
      await pace.next(sent === 0 ? script.ttft : script.gap)
      listener.event(JSON.stringify(chunk), tokens)
      sent += 1
      return fault?.after === sent
    }

    listener.answered(200, headers("text/event-stream", script.retry_after))
    if (fault?.after === 0) return suffer(fault)
    for (const { chunk, tokens } of answer.steps()) {
      if (await send(chunk, tokens)) return suffer(fault)
    }
    if (promptTokens !== undefined) {
      const count = await pace.until(promptTokens)
      if (count === undefined) return suffer({ kind: "cut", after: sent })
      if (await send(answer.usageChunk(count), 0)) return suffer(fault)
    }
    await pace.next(0)
    listener.event("[DONE]", 0)
    await pace.next(0)
    listener.ended()
  }

  async function suffer(fault: Fault | undefined): Promise<void> {
    await pace.next(0)
    if (fault?.kind === "cut") listener.failed(BROKEN)
    if (fault?.kind !== "error_at") return
    listener.event(JSON.stringify(dialects.openai.writeError(ERROR_AT)), 0)
    await pace.next(0)
    listener.ended()
  }

  /** What would have been a stream, in one piece and when its last event would have come. */
  async function whole(script: SimScript, answer: SimAnswer): Promise<void> {
    const fault = firstFault(script)
    const happens = fault !== undefined && fault.after <= answer.events
    const events = happens ? fault.after : answer.events
    await pace.next(script.ttft + script.gap * Math.max(0, events - 1))
    if (happens && fault.kind === "stall") return
    if (happens && fault.kind === "error_at") return refuse(ERROR_AT)
    const promptTokens =
      script.usage && !happens ? await pace.until(answer.promptTokens().catch(() => undefined)) : undefined
    listener.answered(200, headers("application/json", script.retry_after))
    await pace.next(0)
    if (happens || (script.usage && promptTokens === undefined)) return listener.failed(BROKEN)
    listener.body(JSON.stringify(answer.completion(promptTokens)))
    await pace.next(0)
    listener.ended()
  }

  async function refuse(error: WireError, retryAfter?: number): Promise<void> {
    await pace.next(0)
    listener.answered(error.status, headers("application/json", retryAfter))
    await pace.next(0)
    listener.body(JSON.stringify(dialects.openai.writeError(error)))
    await pace.next(0)
    listener.ended()
  }
}

interface Fault {
  readonly kind: "cut" | "stall" | "error_at"
  /** How many data events came before it. */
  readonly after: number
}

const BROKEN = {
  reason: "broken",
  message: "The simulator broke the connection, as it was told to.",
} as const
const ERROR_AT = wireError("server", "The simulator failed, as it was told to.")

/** Of several faults the earliest happens, and then there is no other. */
function firstFault(script: SimScript): Fault | undefined {
  return (["cut", "stall", "error_at"] as const)
    .flatMap((kind): Fault[] => {
      const after = script[kind]
      return after === undefined ? [] : [{ kind, after }]
    })
    .sort((one, other) => one.after - other.after)[0]
}

function headers(contentType: string, retryAfter: number | undefined): AnswerHeaders {
  return { contentType, retryAfter }
}

/** Events for a caller who wants them at once: so many, then the loop has its turn. */
const BATCH = 64
const LONGEST_TIMER = 2 ** 31 - 1

interface Pace {
  /** When the next thing may be said: after `delay`, not while paused, never once stopped. */
  next(delay: number): Promise<void>
  turn(): Promise<void>
  until<Value>(value: Promise<Value>): Promise<Value>
  pause(): void
  resume(): void
  stop(): void
}

function createPace(): Pace {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let paused = false
  let resumed: (() => void) | undefined
  let saidInTurn = 0

  /** Passes at once as a rule; who waits here when all is stopped is simply forgotten. */
  async function gate(): Promise<void> {
    while (paused) {
      await new Promise<void>((resolve) => {
        resumed = resolve
      })
    }
    if (stopped) await new Promise<never>(() => {})
  }

  async function turn(): Promise<void> {
    saidInTurn = 0
    await new Promise<void>((resolve) => setImmediate(resolve))
    await gate()
  }

  return {
    turn,
    async next(delay) {
      if (delay > 0) {
        await new Promise<void>((resolve) => {
          timer = setTimeout(resolve, Math.min(delay, LONGEST_TIMER))
        })
        await gate()
      } else if (++saidInTurn >= BATCH) await turn()
      else await gate()
    },
    async until(value) {
      const settled = await value
      await gate()
      return settled
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      resumed?.()
      resumed = undefined
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
