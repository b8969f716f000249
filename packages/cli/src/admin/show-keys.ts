/** Keys on the screen. */
import type { AdminKey } from "@sluice/sdk/admin"
import { formatAge, formatCount, formatUsd } from "../format.ts"
import { printFacts, printTable } from "../table.ts"
import type { Screen } from "../terminal.ts"
import { formatBudget } from "./budget.ts"

export function printKeys(screen: Screen, found: readonly AdminKey[]): void {
  printTable(
    screen,
    [
      { head: "id", cell: ({ id }) => id },
      { head: "name", cell: ({ name }) => name },
      {
        head: "status",
        cell: ({ status, admin }) => (admin ? `${status}, admin` : status),
        paint: (text, { status }) => (status === "active" ? text : screen.style.yellow(text)),
      },
      { head: "secret", cell: ({ prefix }) => `${prefix}…` },
      { head: "spent", align: "right", cell: ({ budget, spend }) => formatUsd(spentOf(budget, spend)) },
      { head: "budget", cell: ({ budget }) => formatBudget(budget) },
      { head: "running", align: "right", cell: ({ spend }) => formatCount(spend.running) },
      { head: "made", cell: ({ createdAt }) => formatAge(createdAt) },
    ],
    found,
  )
}

/** In the budget's own period, as that is what it is compared with. */
function spentOf(budget: AdminKey["budget"], spend: AdminKey["spend"]): string {
  return spend[`${budget?.period ?? "total"}Usd`]
}

export function printKey(screen: Screen, key: AdminKey): void {
  const { limits, spend } = key
  const bound = (value: number | null): string => (value === null ? "none" : formatCount(value))
  const names = (values: readonly string[] | null): string => values?.join(", ") ?? "all"
  const when = (time: string | null): string => (time === null ? "never" : `${time} (${formatAge(time)})`)
  printFacts(screen, [
    ["id", key.id],
    ["name", key.name],
    ["status", key.admin ? `${key.status}, admin` : key.status],
    ["secret", `${key.prefix}…`],
    ["old secret until", key.previousSecretUntil ?? undefined],
    ["project", key.project ?? undefined],
    ["tags", key.tags.length === 0 ? undefined : key.tags.join(", ")],
    ["models", names(key.models)],
    ["providers", names(key.providers)],
    ["budget", formatBudget(key.budget)],
    ["requests a minute", bound(limits.requestsPerMinute)],
    ["tokens a minute", bound(limits.tokensPerMinute)],
    ["calls at a time", bound(limits.parallel)],
    ["on disconnect", key.onDisconnect ?? undefined],
    ["dialect at /v1", key.dialect ?? undefined],
    ["detaching", key.forbidDetach ? "forbidden" : "allowed"],
    ["content", key.logContent ? "kept" : "not kept"],
    ["expires", when(key.expiresAt)],
    ["made", when(key.createdAt)],
    ["spent today", formatUsd(spend.dailyUsd)],
    ["spent this week", formatUsd(spend.weeklyUsd)],
    ["spent this month", formatUsd(spend.monthlyUsd)],
    ["spent in total", formatUsd(spend.totalUsd)],
    ["held now", `${formatUsd(spend.heldUsd)} by ${formatCount(spend.running)} running calls`],
  ])
}
