import { randomBytes } from "node:crypto"

/**
 * The second, then at least 128 random bits, in letters and digits alone. Ids of one time are neighbours in the ledger's
 * index, which has a million rows and more: were they random from the first digit on, each call would touch a page of
 * its own. Random bytes are bought in bulk: the call is what costs.
 */
let pool = Buffer.alloc(0)
let used = 0

export function newId(prefix: string): string {
  if (used + 16 > pool.length) {
    pool = randomBytes(16 * 256)
    used = 0
  }
  used += 16
  return prefix + Math.floor(Date.now() / 1_000).toString(16) + pool.toString("hex", used - 16, used)
}
