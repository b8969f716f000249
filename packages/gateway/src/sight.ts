/** What a call's plan may look at: the candidates' health and prices, and what the key may use. */
import type { ChatRequest } from "@sluice/protocol"
import { mayUse } from "./auth/may-use.ts"
import type { AuthedCall } from "./call.ts"
import type { Gateway } from "./gateway.ts"
import { inUsd } from "./ledger/price.ts"
import type { Sight } from "./routing/plan.ts"
import { sentTo } from "./routing/sent.ts"
import type { Wanted } from "./routing/wanted.ts"

export function sightOf(
  call: AuthedCall,
  { books, health, sessions }: Gateway,
  { request, wanted }: { readonly request: ChatRequest; readonly wanted: Wanted },
): Sight {
  return {
    figuresOf: health.figuresOf,
    priceOf({ provider, model }) {
      const price = books.prices.priceOf(provider.name, model)
      return price === undefined ? undefined : inUsd(price)
    },
    random: Math.random,
    mayUse: (model, provider) => mayUse(call.key, model, provider),
    takesAll: (candidate) => sentTo(candidate, request, wanted).dropped.length === 0,
    sessionAt: wanted.session === undefined ? undefined : sessions.at(sessionOf(call, wanted.session)),
  }
}

/** Two keys' sessions of one name are two sessions. */
export function sessionOf(call: AuthedCall, session: string): string {
  return `${call.key.id} ${session}`
}
