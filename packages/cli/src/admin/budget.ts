/** A budget as it is said on the command line and shown: `20/monthly`. */
import type { AdminBudget } from "@sluice/sdk/admin"
import { Misuse } from "../flags.ts"
import { formatUsd } from "../format.ts"
import { nearest } from "../nearest.ts"

const PERIODS = ["daily", "weekly", "monthly", "total"] as const

/** `none` takes it away. */
export function readBudget(text: string | undefined): AdminBudget | null | undefined {
  if (text === undefined) return undefined
  if (text === "none") return null
  const [, amountUsd, word = "total"] = /^\$?(\d+(?:\.\d+)?)(?:\/([a-z]+))?$/.exec(text) ?? []
  if (amountUsd === undefined)
    throw new Misuse(`--budget must be dollars and a period such as 20/monthly, or none; not '${text}'.`)
  const period = PERIODS.find((known) => known === word)
  if (period !== undefined) return { amountUsd, period }
  const near = nearest(word, PERIODS)
  const meant = near === undefined ? "" : ` (did you mean '${near}'?)`
  throw new Misuse(`--budget has a period of ${PERIODS.join(", ")}, not '${word}'${meant}.`)
}

export function formatBudget(budget: AdminBudget | null): string {
  if (budget === null) return "none"
  return `${formatUsd(budget.amountUsd)} ${budget.period === "total" ? "in total" : budget.period}`
}
