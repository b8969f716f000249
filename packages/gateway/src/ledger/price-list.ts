/** What a candidate costs here: as the configuration says, else as the table does, else nobody knows. */
import type { Price } from "./price.ts"
import { findPrice, priceOf } from "./prices.ts"

export interface PriceList {
  /** Undefined: no price. Its calls cost null, never 0. */
  priceOf(provider: string, model: string): Price | undefined
}

/**
 * `configured` is by `provider/model`, and wins for a model's dated releases too. `nameOf` says by which name a model
 * is looked up: a provider may take more than a name in that place. `vendorOf` says what a provider is, whatever it is
 * called here: a vendor has its prices under any name.
 */
export function createPriceList(
  configured: ReadonlyMap<string, Price>,
  nameOf: (provider: string, model: string) => string,
  vendorOf: (provider: string) => string,
): PriceList {
  /** A call asks four times: what was found is remembered, and all of it forgotten when clients have named too many. */
  const found = new Map<string, Price | undefined>()

  function find(provider: string, model: string): Price | undefined {
    const name = nameOf(provider, model)
    return (
      findPrice(configured, provider, name) ?? priceOf(provider, name) ?? priceOf(vendorOf(provider), name)
    )
  }

  return {
    priceOf(provider, model) {
      const name = `${provider}/${model}`
      const known = found.get(name)
      if (known !== undefined || found.has(name)) return known
      if (found.size >= MOST_REMEMBERED) found.clear()
      const price = find(provider, model)
      found.set(name, price)
      return price
    },
  }
}

const MOST_REMEMBERED = 1_000
