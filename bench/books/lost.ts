/**
 * Tokens that are lost: a provider has sent them into a stream, as its journal says, and neither has its client seen them
 * nor does a replay give them. What a client has seen is always a prefix of the replay (the bench `kills` holds that), so the
 * replay decides. What comes after a client has cancelled is not lost: nobody wants it.
 */
import type { Line, Row } from "./compare.ts"
import type { PlannedCall } from "./plan.ts"

export interface LostTokens {
  readonly streams: number
  readonly sent: number
  readonly lost: number
}

/** By how a stream ended: as its row says, or `stopped` where a drain had no more time for it. */
export type Lost = Readonly<Record<string, LostTokens>>

/** A stream that somebody has answered. */
export interface AnsweredStream {
  readonly call: PlannedCall
  readonly ending: string
  readonly sent: number
  readonly lost: number
}

export interface LostEvidence {
  readonly calls: readonly PlannedCall[]
  readonly rows: readonly Row[]
  readonly lines: readonly Line[]
  /** Tokens that the replay of each call gives, by its id. */
  readonly replayed: ReadonlyMap<string, number>
}

/** One that never answered has begun no stream: what it had sent was given up for the next candidate's. */
export function answeredStreams({ calls, rows, lines, replayed }: LostEvidence): AnsweredStream[] {
  const callOf = new Map(calls.map((call) => [call.model, call]))
  const sentOf = new Map(lines.map((line) => [line.model, line.tokens]))
  return rows.flatMap((row) => {
    const call = callOf.get(row.model_asked)
    const sent = row.model === null ? undefined : sentOf.get(row.model)
    if (call?.streamed !== true || sent === undefined) return []
    const lost = Math.max(0, sent - (replayed.get(row.id) ?? 0))
    const ending = row.reason === "gateway_shutdown" ? "stopped" : (row.ending ?? "open")
    return [{ call, ending, sent, lost }]
  })
}

export function lostOf(streams: readonly AnsweredStream[]): Lost {
  return addedUp(streams.map(({ ending, sent, lost }) => ({ [ending]: { streams: 1, sent, lost } })))
}

/** Of several runs. */
export function addedUp(all: readonly Lost[]): Lost {
  const sums: Record<string, LostTokens> = {}
  for (const [ending, { streams, sent, lost }] of all.flatMap((one) => Object.entries(one))) {
    const before = sums[ending] ?? { streams: 0, sent: 0, lost: 0 }
    sums[ending] = {
      streams: before.streams + streams,
      sent: before.sent + sent,
      lost: before.lost + lost,
    }
  }
  return sums
}

const GONE_ON = ["finished", "failed"]

/**
 * Tokens lost per 10,000 of these streams: of those whose gateway went on, or of those too whose gateway was stopped or
 * killed under them, who lose what was on its way to it at that moment.
 */
export function lostPerTenThousand(lost: Lost, which: "went on" | "stopped too"): number {
  const endings = which === "went on" ? GONE_ON : [...GONE_ON, "stopped", "interrupted"]
  const wanted = endings.flatMap((ending) => lost[ending] ?? [])
  const streams = wanted.reduce((sum, of) => sum + of.streams, 0)
  return (wanted.reduce((sum, of) => sum + of.lost, 0) / streams) * 10_000
}
