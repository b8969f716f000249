/** A provider's credentials, as a configuration file or the environment has them. */
import { createSecret, type Secret } from "./secret.ts"

/** One, or several with commas between them: nothing but a comma, a space and what cannot be printed is not a key's. */
export const CREDENTIALS = /^[\x21-\x2b\x2d-\x7e]+([ \t]*,[ \t]*[\x21-\x2b\x2d-\x7e]+)*$/

/** Undefined: not what can be sent. The same one twice is one. */
export function readCredentials(written: string): readonly Secret[] | undefined {
  if (!CREDENTIALS.test(written)) return undefined
  return [...new Set(written.split(/[ \t]*,[ \t]*/))].map(createSecret)
}

/** What can be sent in a header. */
export function isHeaderText(value: string): boolean {
  return /^[\x21-\x7e]+$/.test(value)
}
