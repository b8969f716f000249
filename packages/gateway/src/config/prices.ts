/** The file's prices as the ledger takes them. */
import type { Price } from "../ledger/price.ts"
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
