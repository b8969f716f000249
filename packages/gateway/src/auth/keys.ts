/**
 * Who is calling. Keys are kept as keyed hashes; a presented key is hashed and looked up by its hash, so neither the
 * look-up nor the compare tells anything about a secret that is nearly right.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import { GatewayError } from "../gateway-error.ts"

export interface Key {
  /** The identity: it stays when the secret is rotated. Streams and idempotency keys belong to it. */
  readonly id: string
  readonly admin: boolean
}

export interface Keys {
  add(key: Key, secret: string): void
  /** 401 unless the headers carry a key that is known. */
  authenticate(headers: IncomingHttpHeaders): Key
}

export function createKeys(): Keys {
  const pepper = randomBytes(32)
  const known = new Map<string, { hash: Buffer; key: Key }>()
  const hashOf = (secret: string): Buffer => createHmac("sha256", pepper).update(secret).digest()

  return {
    add(key, secret) {
      const hash = hashOf(secret)
      known.set(hash.toString("base64"), { hash, key })
    },
    authenticate(headers) {
      const secret = presentedKey(headers)
      if (secret === undefined) {
        throw new GatewayError(
          "invalid_api_key",
          "No API key was sent. Send it as 'Authorization: Bearer <key>' or 'x-api-key: <key>'.",
        )
      }
      const hash = hashOf(secret)
      const found = known.get(hash.toString("base64"))
      if (found === undefined || !timingSafeEqual(found.hash, hash)) {
        throw new GatewayError("invalid_api_key", "The API key is not known to this gateway.")
      }
      return found.key
    },
  }
}

function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const bearer = headers.authorization?.match(/^Bearer +(\S+) *$/i)?.[1]
  if (bearer !== undefined) return bearer
  const header = headers["x-api-key"]
  return typeof header === "string" && header !== "" ? header : undefined
}
