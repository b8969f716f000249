/** `sluice tail`: calls as they open and settle. */
import { setTimeout as sleep } from "node:timers/promises"
import { type AdminCall, SluiceError } from "@sluice/sdk/admin"
import { type CallFilter, followCalls } from "./admin/follow-calls.ts"
import { type AdminSession, allOf, asAdmin } from "./admin/session.ts"
import { CONNECTION_FLAGS, connectionHelp } from "./connection.ts"
import { expectWords, Misuse, readChoice, readFlags, readSpan, readWhole } from "./flags.ts"
import { formatClock, formatCount, formatDuration, formatRate, formatUsd, toJson } from "./format.ts"
import { harmless, type Screen, type Terminal } from "./terminal.ts"
import { explainError } from "./trouble.ts"

const FLAGS = {
  ...CONNECTION_FLAGS,
  key: { type: "string" },
  project: { type: "string" },
  model: { type: "string" },
  provider: { type: "string" },
  tag: { type: "string" },
  ending: { type: "string" },
  last: { type: "string", short: "n" },
  every: { type: "string" },
  once: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const

const ENDINGS = ["open", "finished", "failed", "cancelled", "interrupted"] as const

const HELP = `usage: sluice tail [options]

Shows the latest calls, then every call as it opens and again as it settles: when, how it stands, which model and key,
the time to the first token, the rate, the tokens, the cost, its id. ctrl-C leaves.

  sluice tail
  sluice tail --ending failed --last 50          what went wrong lately, and what goes wrong next
  sluice tail --key Ann --once                   her latest calls, and done
  sluice tail --json | jq 'select(.cost_nano != null) | .cost_usd'

  --key, --project, --model, --provider, --tag    only those
  --ending HOW       only open, finished, failed, cancelled or interrupted ones
  -n, --last N       so many of the latest calls first (default 10, at most 200)
  --once             only those: do not wait for more
  --every SPAN       how often to ask (default 1s)
  --json             a line of JSON each time; "ending": null is a call that has opened
${connectionHelp("admin")}`

export async function tail(args: string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readFlags(args, FLAGS)
  if (flags.help === true) {
    terminal.out.write(HELP)
    return 0
  }
  expectWords(words, [], "sluice tail")
  const every = readSpan(flags.every ?? "1s")
  if (every === undefined || every === 0)
    throw new Misuse(`--every must be a span such as 2s, not '${flags.every}'.`)
  const { project, model, provider, tag } = flags
  const last = readWhole("--last", flags.last, 0, 200) ?? 10
  const ending = readChoice("--ending", flags.ending, ENDINGS)
  return asAdmin("tail", flags, terminal, async (session) => {
    const names = await namesOfKeys(session)
    const key = [...names].find(([, name]) => name === flags.key)?.[0] ?? flags.key
    const filter: CallFilter = { key, project, model, provider, tag }
    const { out } = terminal
    const show = (call: AdminCall): void => {
      if (ending !== undefined && (call.ending ?? "open") !== ending) return
      out.line(flags.json === true ? toJson(call) : lineOf(call, names, out))
    }
    return follow(session, followCalls(session.admin.calls, { filter, last, ending, show }), {
      once: flags.once === true,
      every,
    })
  })
}

/** Until ctrl-C, or until nobody reads it any more. A gateway that is away for a while is waited for. */
async function follow(
  { connection, terminal }: AdminSession,
  look: () => Promise<void>,
  { once, every }: { once: boolean; every: number },
): Promise<number> {
  const { notes, out } = terminal
  const stopping = new AbortController()
  const stop = (): void => stopping.abort()
  process.on("SIGINT", stop)
  const over = AbortSignal.any([stopping.signal, out.gone])
  let isAway = false
  try {
    await look()
    if (once) return 0
    while (!over.aborted) {
      await sleep(every, undefined, { signal: over }).catch(() => {})
      if (over.aborted) break
      try {
        await look()
        if (isAway) notes.line(notes.style.dim("It is back."))
        isAway = false
      } catch (error) {
        if (!(error instanceof SluiceError) || !error.retryable) throw error
        if (!isAway)
          notes.line(notes.style.dim(harmless(`${explainError(error, connection)} Waiting for it.`)))
        isAway = true
      }
    }
    return stopping.signal.aborted ? 130 : 0
  } finally {
    process.off("SIGINT", stop)
  }
}

async function namesOfKeys({ admin }: AdminSession): Promise<ReadonlyMap<string, string>> {
  return new Map((await allOf(admin.keys.list)).map(({ id, name }) => [id, name]))
}

/** Columns of a fixed width: a line must stand under those that are there already. */
function lineOf(call: AdminCall, names: ReadonlyMap<string, string>, { style }: Screen): string {
  const { ending, timeToFirstContentMs, tokensPerSecond, usage, costUsd } = call
  const paint = {
    open: style.dim,
    finished: style.green,
    failed: style.red,
    cancelled: style.yellow,
    interrupted: style.red,
  }[ending ?? "open"]
  const settled =
    ending === null
      ? []
      : [
          timeToFirstContentMs === null ? undefined : `first token ${formatDuration(timeToFirstContentMs)}`,
          tokensPerSecond === null ? undefined : formatRate(tokensPerSecond),
          `${formatCount(usage.promptTokens)} + ${formatCount(usage.completionTokens)} tokens`,
          costUsd === null ? "no price" : formatUsd(costUsd),
          call.reason ?? undefined,
          call.attempts.length > 1 ? `${call.attempts.length} attempts` : undefined,
          call.resumed > 0 ? `resumed ${call.resumed}×` : undefined,
        ].filter((part) => part !== undefined)
  const facts = [
    formatClock(call.endedAt ?? call.startedAt),
    paint((ending ?? "open").padEnd(11)),
    harmless(call.model === null ? call.modelAsked : `${call.provider}/${call.model}`).padEnd(24),
    harmless(names.get(call.key) ?? call.key).padEnd(12),
    harmless([...settled, call.id].join(" · ")),
  ]
  return facts.join(" ")
}
