/** An answer on the screen: text as it comes, reasoning dim, and behind it one line of figures. */
import type { Connection } from "../connection.ts"
import { formatCount, formatDuration, formatRate, formatUsd } from "../format.ts"
import { harmless, type Terminal } from "../terminal.ts"
import { explainError } from "../trouble.ts"
import type { Answer, Listener } from "./answer.ts"
import type { ConnectionListener } from "./client.ts"

export interface Show extends Listener, ConnectionListener {
  end(answer: Answer): void
}

export type ShowForm = "text" | "json"

export function createShow(terminal: Terminal, connection: Connection, form: ShowForm): Show {
  return form === "json" ? showJson(terminal, connection) : showText(terminal, connection)
}

/** What is piped on is the text and nothing else. */
function showText({ out, notes }: Terminal, connection: Connection): Show {
  let isReasoning = false
  let last = ""
  let isLost = false

  function aside(text: string): void {
    if (notes.isTerminal) notes.write(notes.style.dim(` (${text}) `))
  }

  function say(text: string): void {
    last = text.at(-1) ?? last
    out.write(text)
  }

  return {
    chunk() {},
    reasoning(piece) {
      if (!out.isTerminal) return
      isReasoning = true
      say(out.style.dim(harmless(piece)))
    },
    text(piece) {
      if (isReasoning) say("\n\n")
      isReasoning = false
      say(out.isTerminal ? harmless(piece) : piece)
    },
    resumed(lastEventId) {
      isLost = false
      aside(`resumed at event ${lastEventId}`)
    },
    lost() {
      if (!isLost) aside("the connection is lost; trying again")
      isLost = true
    },
    end(answer) {
      // Behind a part that is piped, the rest may be piped too: nothing comes between both.
      const isWhole = answer.ending === "finished"
      if (last !== "\n" && (isWhole ? answer.text !== "" : out.isTerminal && last !== "")) out.write("\n")
      if (notes.isTerminal) notes.line(notes.style.dim(figuresOf(answer)))
      tellTrouble({ out, notes }, connection, answer)
    },
  }
}

function showJson({ out, notes }: Terminal, connection: Connection): Show {
  return {
    chunk: (chunk) => out.line(JSON.stringify(chunk)),
    text() {},
    reasoning() {},
    resumed() {},
    lost() {},
    end(answer) {
      out.line(JSON.stringify(summaryOf(answer)))
      tellTrouble({ out, notes }, connection, answer)
    },
  }
}

function tellTrouble(
  { notes }: Pick<Terminal, "out" | "notes">,
  connection: Connection,
  { error, ending, isResumable, id, lastEventId }: Answer,
): void {
  if (error === undefined) return
  if (ending === "cancelled") {
    if (!notes.isTerminal) notes.line("sluice chat: cancelled.")
    return
  }
  notes.line(`${notes.style.red("sluice chat:")} ${harmless(explainError(error, connection))}`)
  if (!isResumable) return
  const place = lastEventId === "" ? id : `${id}:${lastEventId}`
  notes.line(`The gateway goes on with it for a while. To read the rest: sluice chat --resume ${place}`)
}

/** `first token 312 ms · 48.2 tokens/s · 213 tokens · $0.0021 · finished · gen-…` */
export function figuresOf({ figures, ending, finishReason, id }: Answer): string {
  const { firstTokenMs, tokensPerSecond, usage } = figures
  const cost = costOf(usage)
  const parts = [
    firstTokenMs === undefined ? undefined : `first token ${formatDuration(firstTokenMs)}`,
    tokensPerSecond === undefined ? undefined : formatRate(tokensPerSecond),
    usage === undefined ? undefined : `${formatCount(usage.completion_tokens)} tokens`,
    cost === undefined ? undefined : formatUsd(cost),
    finishReason === undefined || finishReason === "stop" || ending !== "finished"
      ? ending
      : `${ending} (${finishReason})`,
    id,
  ]
  return parts.filter((part) => part !== undefined).join(" · ")
}

/** One object behind the chunks: what they say together, and how it ended. */
function summaryOf(answer: Answer): object {
  const { figures, error, ending, id, lastEventId, finishReason, text } = answer
  return {
    object: "sluice.chat.summary",
    id,
    last_event_id: lastEventId === "" ? undefined : Number(lastEventId),
    ending,
    finish_reason: finishReason,
    text,
    time_to_first_token_ms: rounded(figures.firstTokenMs),
    tokens_per_second: rounded(figures.tokensPerSecond),
    usage: figures.usage,
    cost_usd: costOf(figures.usage),
    error:
      error === undefined ? undefined : { message: error.message, code: error.code, status: error.status },
  }
}

/** A decimal string, exact to the nano-dollar, as everywhere in the books. */
function costOf(usage: Answer["figures"]["usage"]): string | undefined {
  const cost = usage?.cost
  return cost == null ? undefined : cost.toFixed(9).replace(/\.?0+$/, "")
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 10) / 10
}
