/** The header that carries a credential. */
import { SluiceError } from "./errors.ts"

/** No key, no header: a local server may want none, every other says so itself. */
export function authorization(apiKey: string | undefined): Record<string, string> {
  const key = apiKey?.trim()
  if (!key) return {}
  // A runtime's own message about such a header would show the key.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new SluiceError("The API key has characters that no header can carry.")
  return { authorization: `Bearer ${key}` }
}
