import assert from "node:assert/strict"
import { test } from "node:test"
import { format, inspect } from "node:util"
import { createSecret } from "./secret.ts"

const VALUE = "sk-this-must-never-be-seen"

test("a secret gives its value when it is asked to, and only then", () => {
  const secret = createSecret(VALUE)
  const shown = [
    `${secret}`,
    String(secret),
    `key: ${secret}`,
    JSON.stringify({ secret }),
    JSON.stringify([secret]),
    inspect(secret),
    inspect({ deep: { secret } }, { depth: null, showHidden: true, getters: true }),
    inspect(secret, { customInspect: false, showHidden: true, depth: null }),
    format("%s %o %O %j", secret, secret, secret, secret),
    Object.values(secret).map(String).join(),
    new Error(`failed with ${secret}`).stack ?? "",
  ]
  assert.equal(secret.reveal(), VALUE)
  for (const text of shown) assert.ok(!text.includes(VALUE), text)
  assert.equal(`${secret}`, "[secret]")
})

test("a secret cannot be cloned, spread or changed into showing itself", () => {
  const secret = createSecret(VALUE)
  assert.throws(
    () => structuredClone(secret),
    (error) => !inspect(error).includes(VALUE),
  )
  assert.ok(!JSON.stringify({ ...secret }).includes(VALUE))
  assert.throws(() => Object.assign(secret, { toString: secret.reveal }), TypeError)
})
