/** What an SDK handed out, held part by part against what the recording says. */
import { isDeepStrictEqual } from "node:util"
import type { Ability, Answer, CalledTool, Caller, Incapable, Mode } from "./caller.ts"
import type { Recording } from "./transcripts.ts"

export interface Judgement {
  /** A line for each part that differs, though the client could have had it. */
  readonly faults: readonly string[]
  /** What differs as its caller's rows say. */
  readonly lost: readonly Incapable[]
}

export function judge(caller: Caller, mode: Mode, answer: Heard, recording: Recording): Judgement {
  const faults: string[] = []
  const lost: Incapable[] = []
  for (const { name, needs, of } of PARTS) {
    const got = of(answer)
    const wanted = of(recording)
    if (isDeepStrictEqual(alike(got, caller), alike(wanted, caller))) continue
    const row = caller.cannot.find((one) => needs.includes(one.ability) && (one.mode ?? mode) === mode)
    if (row === undefined) faults.push(`${name} is ${short(got)} and should be ${short(wanted)}`)
    else lost.push(row)
  }
  return { faults, lost }
}

/** The rows of a caller that this judge can hold it to. */
export function rowsOf({ cannot }: Caller, mode: Mode): Incapable[] {
  const judged = new Set(PARTS.flatMap(({ needs }) => needs))
  return cannot.filter((row) => judged.has(row.ability) && (row.mode ?? mode) === mode)
}

type Heard = Pick<Answer, "text" | "reasoning" | "toolCalls" | "finishReason" | "usage"> | Recording

interface Part {
  readonly name: string
  readonly needs: readonly Ability[]
  of(heard: Heard): unknown
}

const PARTS: readonly Part[] = [
  { name: "the text", needs: [], of: ({ text }) => text },
  { name: "the finish reason", needs: [], of: ({ finishReason }) => finishReason },
  { name: "the reasoning", needs: ["reasoning"], of: ({ reasoning }) => reasoning },
  { name: "the tool calls", needs: ["tools"], of: ({ toolCalls }) => toolCalls },
  { name: "usage", needs: ["usage"], of: ({ usage }) => usage && [usage.prompt, usage.completion] },
  { name: "the total", needs: ["usage", "total tokens"], of: ({ usage }) => usage?.total ?? 0 },
  // None said is none used.
  { name: "what was cached", needs: ["usage", "cached tokens"], of: ({ usage }) => usage?.cached ?? 0 },
  {
    name: "what was reasoned",
    needs: ["usage", "reasoning tokens"],
    of: ({ usage }) => usage?.reasoning ?? 0,
  },
]

function alike(part: unknown, { parsesArguments }: Caller): unknown {
  if (!parsesArguments || !Array.isArray(part)) return part
  return part.map((one: CalledTool | number) =>
    typeof one === "object" ? { ...one, arguments: JSON.parse(one.arguments) as unknown } : one,
  )
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing"
  return text.length > 200 ? `${text.slice(0, 100)} … ${text.slice(-100)}` : text
}
