import { randomBytes } from "node:crypto"

/** At least 128 random bits, in letters and digits alone. Random bytes are bought in bulk: the call is what costs. */
let pool = Buffer.alloc(0)
let used = 0

export function newId(prefix: string): string {
  if (used + 16 > pool.length) {
    pool = randomBytes(16 * 256)
    used = 0
  }
  used += 16
  return prefix + pool.toString("hex", used - 16, used)
}
