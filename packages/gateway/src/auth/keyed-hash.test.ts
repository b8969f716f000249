import assert from "node:assert/strict"
import { createHmac, randomBytes } from "node:crypto"
import { test } from "node:test"
import { createKeyedHash } from "./keyed-hash.ts"

test("it is HMAC-SHA-256, for keys shorter than a block, of one, and longer", () => {
  for (const length of [0, 1, 32, 63, 64, 65, 200]) {
    const key = randomBytes(length)
    const keyed = createKeyedHash(key)
    for (const text of ["", "sk-one", "ü漢🙂", "x".repeat(5_000)])
      assert.equal(keyed(text), createHmac("sha256", key).update(text).digest("base64url"))
  }
})
