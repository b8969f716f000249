/** The configuration's providers and models → what calls are planned by. */
import type { Config } from "../config.ts"
import { PRICE_TABLE } from "../ledger/prices.ts"
import type { HttpPool } from "../providers/http/pool.ts"
import { dialectOf, knownProvider } from "../providers/known-providers.ts"
import type { FoundEngine } from "../providers/local-engines.ts"
import { createHttpProvider } from "../providers/openai-compatible.ts"
import type { Provider } from "../providers/provider.ts"
import { createSimProvider } from "../providers/sim.ts"
import { pricedName } from "../providers/sim-grammar.ts"
import type { Routes } from "../routing/plan.ts"

export function compileRoutes(config: Config, pool: HttpPool): Routes {
  const providers = new Map<string, Provider>([["sim", createSimProvider()]])
  for (const { kind, ...provider } of config.providers) {
    const options = { ...provider, vendor: kind, dialect: dialectOf(kind), door: knownProvider(kind)?.door }
    providers.set(provider.name, createHttpProvider(options, pool))
  }
  const models = new Map(
    config.models.map((route) => {
      // The configuration has been checked: each candidate's provider is there.
      const candidates = route.candidates.map(({ provider, model, weight }) => ({
        provider: providers.get(provider)!,
        model,
        weight,
      }))
      return [route.name, { ...route, candidates }]
    }),
  )
  return { models, providers, defaults: config.defaults }
}

/** Engines that were found on this machine are providers as those of a file are. */
export function withEngines(routes: Routes, found: readonly FoundEngine[], pool: HttpPool): Routes {
  const providers = new Map(routes.providers)
  for (const { name, ...engine } of found) {
    const prefill = knownProvider(name)?.supports.prefill === "yes"
    const policy = { dataCollection: undefined, zdr: false }
    const options = {
      ...engine,
      name,
      vendor: name,
      dialect: dialectOf(name),
      prefill,
      policy,
      credentials: [],
    }
    providers.set(name, createHttpProvider(options, pool))
  }
  return { ...routes, providers }
}

/** Models that metrics may name before they have answered: there are only so many in the file and in the price table. */
export function namesIn({ models, prices }: Config): { routes: Set<string>; candidates: Set<string> } {
  const candidates = models.flatMap((route) => route.candidates)
  return {
    routes: new Set(models.map(({ name }) => name)),
    candidates: new Set([
      ...candidates.map(({ provider, model }) => `${provider}/${pricedName(provider, model)}`),
      ...prices.keys(),
      ...PRICE_TABLE.map(({ provider, model }) => `${provider}/${model}`),
    ]),
  }
}
