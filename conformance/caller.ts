/** What every SDK is made to look like here, so that one suite can call them all. */

export interface Caller {
  /** The package and its version. */
  readonly name: string
  /** Where it is pointed: what stands between the gateway's address and what the SDK appends by itself. */
  readonly mount: string
  /** Its error's class for a call that is refused before it began, by HTTP status. */
  readonly refusals: Readonly<Record<RefusalStatus, string>>
  /** How it shows a stream that failed after it had begun: `<class>: <message>`, whatever carries it. */
  readonly failure: { readonly told: RegExp; readonly cut: RegExp }
  /** What it cannot do, whoever the server is, each with its reason. Held: what it turns out to do must go. */
  readonly cannot: readonly Incapable[]
  /** It hands a call's arguments out as a value: how they were spaced is lost. */
  readonly parsesArguments?: true
  stream(server: Server, ask: Ask): Promise<Answer>
  complete(server: Server, ask: Ask): Promise<Answer>
  /** The ids of its own, typed, list of models; undefined where it has none. */
  models?(server: Server): Promise<string[]>
}

export type Ability =
  | "reasoning"
  | "tools"
  | "usage"
  | "total tokens"
  | "cached tokens"
  | "reasoning tokens"
  | "json"
  | "logprobs"
  | "cut"
  | "in-band error"
  | "abort"
export type Mode = "streamed" | "whole"
export type RefusalStatus = 400 | 401 | 404 | 429 | 503

export interface Incapable {
  readonly ability: Ability
  readonly mode?: Mode
  readonly why: string
}

export interface Server {
  readonly url: string
  readonly key: string
}

export interface Ask {
  readonly model: string
  readonly prompt: string
  readonly tools?: readonly FunctionTool[]
  readonly schema?: JsonSchema
  readonly logprobs?: number
  readonly usage?: boolean
  readonly signal?: AbortSignal
  /** Called at every piece of text. */
  readonly heard?: (text: string) => void
}

export interface FunctionTool {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema
}

export type JsonSchema = {
  readonly type: "object"
  readonly properties: Record<string, { type: "string" | "integer" }>
  readonly required: string[]
  readonly additionalProperties: false
}

export interface Answer {
  text: string
  reasoning: string
  toolCalls: CalledTool[]
  finishReason?: string
  usage?: TokenCounts
  logprobs?: TokenLogprob[]
  /** What it threw, or showed in its own way. */
  error?: unknown
}

export interface CalledTool {
  id: string
  name: string
  arguments: string
}

export interface TokenCounts {
  prompt: number
  completion: number
  total: number | undefined
  cached: number | undefined
  reasoning: number | undefined
}

export interface TokenLogprob {
  token: string
  logprob: number
}

/** A piece of an answer in the words that the vendors' SDKs share; both a chunk's delta and a whole message are one. */
export interface Piece {
  readonly content?: unknown
  readonly reasoning?: unknown
  readonly reasoningContent?: unknown
  readonly toolCalls?: readonly PieceOfCall[] | null
}

interface PieceOfCall {
  readonly index?: number
  readonly id?: string
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null
}

export interface PieceOfChoice {
  readonly finishReason?: string | null
  readonly logprobs?: { readonly content?: readonly TokenLogprob[] | null } | null
}

export interface UsageCounts {
  readonly promptTokens?: number
  readonly completionTokens?: number
  readonly totalTokens?: number
  readonly promptTokensDetails?: { readonly cachedTokens?: number | null } | null
  readonly completionTokensDetails?: { readonly reasoningTokens?: number | null } | null
}

/** Adds up what an SDK hands out, and keeps what it throws beside what had come until then. */
export async function collect(
  fill: (answer: Collected) => Promise<void>,
  ask: Pick<Ask, "heard">,
): Promise<Answer> {
  const answer: Answer = { text: "", reasoning: "", toolCalls: [] }
  const calls = new Map<string | number, CalledTool>()
  const collected: Collected = {
    answer,
    text(text) {
      if (typeof text !== "string" || text === "") return
      answer.text += text
      ask.heard?.(text)
    },
    piece(piece) {
      collected.text(piece.content)
      const reasoning = piece.reasoningContent ?? piece.reasoning
      if (typeof reasoning === "string") answer.reasoning += reasoning
      for (const [at, call] of (piece.toolCalls ?? []).entries()) {
        const key = call.index ?? call.id ?? at
        const known = calls.get(key) ?? { id: "", name: "", arguments: "" }
        if (!calls.has(key)) answer.toolCalls.push(known)
        calls.set(key, known)
        known.id ||= call.id ?? ""
        known.name ||= call.function?.name ?? ""
        known.arguments += String(call.function?.arguments ?? "")
      }
    },
    choice({ finishReason, logprobs }) {
      if (finishReason) answer.finishReason = finishReason
      const tokens = logprobs?.content ?? []
      if (tokens.length === 0) return
      answer.logprobs ??= []
      answer.logprobs.push(...tokens.map(({ token, logprob }) => ({ token, logprob })))
    },
    usage(usage) {
      if (usage?.promptTokens === undefined || usage.completionTokens === undefined) return
      answer.usage = {
        prompt: usage.promptTokens,
        completion: usage.completionTokens,
        total: usage.totalTokens,
        cached: usage.promptTokensDetails?.cachedTokens ?? undefined,
        reasoning: usage.completionTokensDetails?.reasoningTokens ?? undefined,
      }
    },
  }
  try {
    await fill(collected)
  } catch (error) {
    answer.error = error
  }
  return answer
}

export interface Collected {
  readonly answer: Answer
  text(text: unknown): void
  piece(piece: Piece): void
  choice(choice: PieceOfChoice): void
  usage(usage: UsageCounts | null | undefined): void
}

/** `<class>: <message>`, with the causes behind it; for what is no Error, its JSON. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `${typeof error}: ${JSON.stringify(error)}`
  const cause = error.cause === undefined ? "" : ` (${describeError(error.cause)})`
  return `${error.constructor.name}: ${error.message}${cause}`
}
