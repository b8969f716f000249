/** The file's prices as the ledger takes them. */
import type { Config } from "../config.ts"
import type { Price } from "../ledger/price.ts"
import { createPriceList, type PriceList } from "../ledger/price-list.ts"
import { pricedName } from "../providers/sim-grammar.ts"
import type { ConfigFile } from "./file.schema.ts"

/** By `provider/model`. */
export type ConfiguredPrices = ReadonlyMap<string, Price>

export function settlePrices(written: ConfigFile["prices"]): ConfiguredPrices {
  return new Map(
    Object.entries(written ?? {}).map(([name, { cache_write, ...price }]) => [
      name,
      Object.freeze({ ...price, ...(cache_write === undefined ? {} : { cacheWrite: cache_write }) }),
    ]),
  )
}

/** With the table's behind them. */
export function pricesOf(config: Pick<Config, "prices" | "providers">): PriceList {
  const kinds = new Map(config.providers.map(({ name, kind }) => [name, kind]))
  return createPriceList(config.prices, pricedName, (provider) => kinds.get(provider) ?? provider)
}
