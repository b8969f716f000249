/**
 * One call's entry in the books: its attempts, its usage, how it went; closed once, whatever ended it.
 *
 *   an attempt that never answered   costs what its provider reported, else nothing
 *   the attempt that answered        costs what its provider reported; where it reported nothing, its input and what
 *                                    was relayed are counted, and the row says `estimated`
 *   the call                         costs the sum of its attempts; one of unknown price makes the sum unknown
 *
 * `close` gives a promise that is kept when the row is durable, or, of a posted call, when its slip is in the write that will
 * show the ending: nothing of the ending is shown before.
 */
import type { Chunk, Completion, Usage, WireError } from "@sluice/protocol"
import type { AttemptRecord, CallEnding, CallUsage, SettledCall } from "../store/call-record.ts"
import { countTokens } from "../tokens/count.ts"
import { Meter } from "./meter.ts"
import { costOf, type Price } from "./price.ts"

export interface EntryOptions {
  readonly id: string
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number
  priceOf(provider: string, model: string): Price | undefined
  settle(call: SettledCall): Promise<unknown>
  /** For an estimate: the texts of the prompt, and the tokens of what has been relayed. */
  promptTexts(): readonly string[]
  countRelayed(): Promise<number>
}

/** Who was asked, and when (milliseconds since 1970). */
export interface Asked {
  readonly provider: string
  readonly model: string
  readonly startedAt: number
}

export interface Entry {
  missed(asked: Asked, error: WireError | undefined, usage: Usage | undefined): void
  answered(asked: Asked): void
  /** A chunk is relayed. */
  chunk(chunk: Chunk): void
  completion(completion: Completion): void
  reported(usage: Usage): void
  flag(flag: string): void
  /** Also told directly of chunks that are relayed unparsed. */
  readonly meter: Meter
  /** The usage with what it cost, where that is known here and its provider has not said it. */
  withCost(usage: Usage): Usage
  close(ending: CallEnding, error?: WireError): Promise<void>
}

export function createEntry(options: EntryOptions): Entry {
  const meter = new Meter(options.now())
  const attempts: AttemptRecord[] = []
  const flags = new Set<string>()
  let answer: Asked | undefined
  let usage: Usage | undefined
  let closed: Promise<void> | undefined

  function record(asked: Asked, used: Usage | undefined, estimated: boolean, error?: WireError): void {
    const price = options.priceOf(asked.provider, asked.model)
    attempts.push({
      provider: asked.provider,
      model: asked.model,
      startedAt: asked.startedAt,
      endedAt: Date.now(),
      usage: used === undefined ? null : flat(used),
      cost: used === undefined ? 0n : price === undefined ? null : costOf(used, price),
      estimated,
      ...(error === undefined
        ? {}
        : { status: error.status, error: { type: error.kind, message: error.message } }),
    })
  }

  async function close(ending: CallEnding, error: WireError | undefined): Promise<void> {
    const endedAt = Date.now()
    const reading = meter.reading(options.now())
    const { events } = meter
    let estimated = false
    if (answer !== undefined) {
      if (usage === undefined) {
        estimated = true
        usage = await estimate()
      }
      record(answer, usage, estimated, error)
    }
    const cost = attempts.some((attempt) => attempt.cost === null)
      ? null
      : attempts.reduce((sum, attempt) => sum + (attempt.cost ?? 0n), 0n)
    const seconds = (reading.total - (reading.timeToFirstContent ?? 0)) / 1_000
    await options.settle({
      id: options.id,
      ending,
      reason: error?.kind,
      endedAt,
      model: answer?.model,
      provider: answer?.provider,
      attempts,
      usage: usage === undefined ? NOTHING_USED : flat(usage),
      cost,
      estimated,
      flags: [...flags],
      firstContentAt:
        reading.timeToFirstContent === undefined
          ? undefined
          : Math.round(endedAt - reading.total + reading.timeToFirstContent),
      timeToFirstContent: reading.timeToFirstContent,
      tokensPerSecond:
        usage !== undefined && events > 1 && seconds > 0 ? usage.completion_tokens / seconds : undefined,
      gapP50: reading.gapP50,
      gapP99: reading.gapP99,
      longestStall: reading.longestStall,
      // Counted in the row itself, by whoever resumes.
      resumed: 0,
    })
  }

  async function estimate(): Promise<Usage> {
    const [prompt, completion] = await Promise.all([
      countTokens(options.promptTexts()).catch(() => 0),
      options.countRelayed().catch(() => meter.events),
    ])
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
  }

  return {
    missed(asked, error, used) {
      record(asked, used, false, error)
    },
    answered(asked) {
      answer = asked
    },
    chunk(chunk) {
      const size = sizeOf(chunk)
      if (size > 0) meter.content(options.now(), size)
    },
    meter,
    completion: (completion) => meter.content(options.now(), completion.choices.length),
    reported(reportedUsage) {
      usage = reportedUsage
    },
    flag: (flag) => void flags.add(flag),
    withCost(used) {
      const price = answer === undefined ? undefined : options.priceOf(answer.provider, answer.model)
      if (price === undefined || used.cost != null) return used
      const whole = costOf(used, price)
      const prompt = costOf(
        { ...used, completion_tokens: 0, total_tokens: used.prompt_tokens, completion_tokens_details: null },
        price,
      )
      return {
        ...used,
        cost: usd(whole),
        cost_details: {
          upstream_inference_cost: usd(whole),
          upstream_inference_prompt_cost: usd(prompt),
          upstream_inference_completions_cost: usd(whole - prompt),
        },
        is_byok: false,
      }
    },
    close(ending, error) {
      closed ??= close(ending, error)
      return closed
    },
  }
}

function usd(nano: bigint): number {
  return Number(nano) / 1e9
}

/** Characters of all that a chunk's deltas say. */
function sizeOf(chunk: Chunk): number {
  let size = 0
  for (const { delta } of chunk.choices) {
    size += delta.content?.length ?? 0
    size += delta.reasoning?.length ?? 0
    size += delta.refusal?.length ?? 0
    for (const call of delta.tool_calls ?? []) {
      size += (call.function?.arguments?.length ?? 0) + (call.function?.name?.length ?? 0)
      size += (call.custom?.input?.length ?? 0) + (call.custom?.name?.length ?? 0)
    }
  }
  return size
}

function flat(usage: Usage): CallUsage {
  const prompt = usage.prompt_tokens_details
  const completion = usage.completion_tokens_details
  return {
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    reasoningTokens: completion?.reasoning_tokens ?? 0,
    cachedTokens: prompt?.cached_tokens ?? 0,
    audioTokens: (prompt?.audio_tokens ?? 0) + (completion?.audio_tokens ?? 0),
  }
}

const NOTHING_USED: CallUsage = {
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cachedTokens: 0,
  audioTokens: 0,
}
