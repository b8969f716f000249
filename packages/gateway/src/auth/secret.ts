/** New secrets for keys. */
import { randomBytes } from "node:crypto"

const PREFIX = "sk-sluice-"
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
/** 190 random bits; with the shown four letters known, 166. */
const LENGTH = 32
const SHOWN = PREFIX.length + 4

export function newSecret(): string {
  let secret = PREFIX
  while (secret.length < PREFIX.length + LENGTH) {
    // 248 is the largest multiple of 62 in a byte: above it the first letters would come up more often.
    for (const byte of randomBytes(LENGTH)) if (byte < 248) secret += LETTERS[byte % 62]
  }
  return secret.slice(0, PREFIX.length + LENGTH)
}

/** What may be shown of it, to tell one from another. */
export function prefixOf(secret: string): string {
  return secret.slice(0, SHOWN)
}
